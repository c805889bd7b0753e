package slack_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pagbot/sim/slack"
)

const (
	manyPeople   = 10_000
	manyChannels = 500
)

// metropolis is a World of many people; each is in one of the channels, and the
// first channel has them all.
func metropolis(w *slack.World) slack.App {
	w.AddTeam(slack.Team{ID: "T0CONTOSO", Domain: "contoso"})
	app := w.AddApp(slack.App{ID: "A0PAG", Name: "pag", Scopes: strings.Fields("chat:write users:read users:read.email channels:read")})
	members := make([][]string, manyChannels)
	for i := range manyPeople {
		u := w.AddUser(slack.User{ID: fmt.Sprintf("U%06d", i), Name: fmt.Sprintf("person-%d", i), Email: fmt.Sprintf("person-%d@contoso.example", i), TZ: "Europe/Berlin"})
		members[0] = append(members[0], u.ID)
		if c := i % manyChannels; c > 0 {
			members[c] = append(members[c], u.ID)
		}
	}
	for i, in := range members {
		w.AddChannel(slack.Channel{ID: fmt.Sprintf("C%06d", i), Name: fmt.Sprintf("channel-%d", i), Members: append(in, app.BotUser)})
	}
	w.Turn(func(d *slack.Dials) {
		d.PostPerSecond, d.PerMinute = 0, map[string]int{"chat.postMessage": 0, "users.info": 0, "users.lookupByEmail": 0}
		d.KeepHistory = 10_000
	})
	return app
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// cpu is what this process has used: of client and server together.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMetropolis is many clients at once over loopback; heap-MB is the
// World before the first call; cpu-µs is of client and server together, and
// tells more than requests/s on a busy machine.
func BenchmarkMetropolis(b *testing.B) {
	for name, args := range map[string]func(i int) (string, url.Values){
		"post": func(i int) (string, url.Values) {
			return "chat.postMessage", url.Values{"channel": {fmt.Sprintf("C%06d", i%manyChannels)}, "text": {"a card"}, "blocks": {"[" + section("a card") + "]"}}
		},
		"users.info": func(i int) (string, url.Values) {
			return "users.info", url.Values{"user": {fmt.Sprintf("U%06d", i%manyPeople)}}
		},
		"lookupByEmail": func(i int) (string, url.Values) {
			return "users.lookupByEmail", url.Values{"email": {fmt.Sprintf("person-%d@contoso.example", i%manyPeople)}}
		},
	} {
		b.Run(name, func(b *testing.B) {
			before := heap()
			w := slack.New(slack.Config{Seed: 7})
			defer w.Close()
			app := metropolis(w)
			size := heap() - before
			srv := httptest.NewServer(w.Handler())
			defer srv.Close()
			web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			var n atomic.Int64
			began, spent := time.Now(), cpu()
			b.ResetTimer()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					method, form := args(int(n.Add(1)))
					form.Set("token", app.BotToken)
					ask(b, web, srv.URL+"/api/"+method, form)
				}
			})
			b.ReportMetric(float64(n.Load())/time.Since(began).Seconds(), "requests/s")
			b.ReportMetric(size/1e6, "heap-MB")
			b.ReportMetric(float64((cpu()-spent).Microseconds())/float64(n.Load()), "cpu-µs/request")
		})
	}
}

func ask(t testing.TB, web *http.Client, url string, form url.Values) {
	res, err := web.PostForm(url, form)
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	var out struct {
		OK bool `json:"ok"`
	}
	if err != nil || json.Unmarshal(body, &out) != nil || !out.OK {
		t.Errorf("%v %s", err, body)
	}
}

// A World of that size still answers everybody, and a bounded history stays so.
func TestMetropolis(t *testing.T) {
	before := heap()
	w := slack.New(slack.Config{Seed: 7})
	defer w.Close()
	app := metropolis(w)
	if size := heap() - before; size > 200e6 {
		t.Errorf("%.0f MB", size/1e6)
	}
	w.Turn(func(d *slack.Dials) { d.KeepHistory = 100 })
	srv := httptest.NewServer(w.Handler())
	defer srv.Close()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				ask(t, srv.Client(), srv.URL+"/api/users.info", url.Values{"token": {app.BotToken}, "user": {fmt.Sprintf("U%06d", i*1000+j)}})
			}
		})
	}
	all.Wait()
	kept := w.History(slack.Query{})
	last := kept[len(kept)-1]
	if len(kept) < 100 || len(kept) > 200 || last.Seq != 400 || len(w.History(slack.Query{After: 399})) != 1 {
		t.Errorf("%d entries are kept, the last is %d", len(kept), last.Seq)
	}
}
