package app

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/pipe"
)

// TestWhoIsInsideFinishes: a page that is being served when the bot is told to
// stop is finished first; one that hangs is cut after a while.
func TestWhoIsInsideFinishes(t *testing.T) {
	for name, c := range map[string]struct{ page, stop time.Duration }{
		"finishes": {2 * time.Second, 2 * time.Second},
		"hangs":    {time.Hour, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n pipe.Net
				l := n.Listen("pag.test")
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan time.Duration, 1)
				began := time.Now()
				go func() {
					err := serveHTTP(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						stop() // while this one is inside
						select {
						case <-time.After(c.page):
							_, _ = io.WriteString(w, "done")
						case <-r.Context().Done():
						}
					}))
					if err != nil {
						t.Error(err)
					}
					ended <- time.Since(began)
				}()
				tr := n.Transport()
				defer tr.CloseIdleConnections()
				resp, err := (&http.Client{Transport: tr}).Get("http://pag.test/")
				if (err == nil) != (name == "finishes") {
					t.Error(err)
				}
				if err == nil {
					if b, _ := io.ReadAll(resp.Body); string(b) != "done" {
						t.Errorf("%q", b)
					}
					_ = resp.Body.Close()
				}
				if took := <-ended; took < c.stop || took > c.stop+time.Second {
					t.Errorf("stopped after %s", took)
				}
			})
		})
	}
}
