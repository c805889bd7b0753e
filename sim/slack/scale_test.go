package slack_test

import (
	"bytes"
	"cmp"
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
	manyChannels = 2_000
	manyCards    = 100_000
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
		d.PostPerSecond, d.PerMinute = 0, map[string]int{"chat.postMessage": 0, "chat.update": 0, "users.info": 0, "users.lookupByEmail": 0}
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

// cardBlocks is a card as a bot posts it.
const cardBlocks = `[{"type":"header","text":{"type":"plain_text","text":"devops-admins"}},
{"type":"section","fields":[{"type":"mrkdwn","text":"*For*\n<@U000001>"},{"type":"mrkdwn","text":"*Until*\n<!date^1732550400^{time}|16:00>"}]},
{"type":"context","elements":[{"type":"mrkdwn","text":"> pipeline 42 is stuck"}]},
{"type":"actions","block_id":"decide","elements":[{"type":"button","action_id":"approve","style":"primary","value":"a-1","text":{"type":"plain_text","text":"Approve"}},
{"type":"button","action_id":"deny","style":"danger","value":"a-1","text":{"type":"plain_text","text":"Deny"}}]}]`

// A load is a World of many people and cards, and what is asked of it.
type load struct {
	app    slack.App
	base   string
	web    *http.Client
	cards  []string // the ts of each
	number atomic.Int64
}

func channelOf(i int) string { return fmt.Sprintf("C%06d", i%manyChannels) }

// fill posts the cards, without a network between.
func (l *load) fill(b *testing.B, h http.Handler) {
	for i := range manyCards {
		form := url.Values{"token": {l.app.BotToken}, "channel": {channelOf(i)}, "text": {"a card"}, "blocks": {cardBlocks}}
		r := httptest.NewRequest(http.MethodPost, "/api/chat.postMessage", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		var out struct {
			TS string `json:"ts"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || out.TS == "" {
			b.Fatalf("%v %s", err, rec.Body)
		}
		l.cards = append(l.cards, out.TS)
	}
}

// asks are the calls of a bot, and the mix of them as it makes them: a card is
// posted, looked up people are named in it, and it changes as things go on.
var asks = map[string]func(l *load, i int) (string, url.Values){
	"post": func(_ *load, i int) (string, url.Values) {
		return "chat.postMessage", url.Values{"channel": {channelOf(i)}, "text": {"a card"}, "blocks": {cardBlocks}}
	},
	"update": func(l *load, i int) (string, url.Values) {
		card := i * 7919 % len(l.cards)
		return "chat.update", url.Values{"channel": {channelOf(card)}, "ts": {l.cards[card]}, "text": {"a card"}, "blocks": {cardBlocks}}
	},
	"users.info": func(_ *load, i int) (string, url.Values) {
		return "users.info", url.Values{"user": {fmt.Sprintf("U%06d", i%manyPeople)}}
	},
	"lookupByEmail": func(_ *load, i int) (string, url.Values) {
		return "users.lookupByEmail", url.Values{"email": {fmt.Sprintf("person-%d@contoso.example", i%manyPeople)}}
	},
}

var mix = []string{"post", "update", "users.info", "update", "post", "update", "lookupByEmail", "update", "post", "users.info"}

// BenchmarkMetropolis is many clients at once over loopback, with 100,000 cards
// there. cpu_us_per_req is of client and server together, and tells more than
// req_per_s on a busy machine. Run it with -cpu 2.
func BenchmarkMetropolis(b *testing.B) {
	before := heap()
	w := slack.New(slack.Config{Seed: 7})
	defer w.Close()
	l := &load{app: metropolis(w), web: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	l.fill(b, w.Handler())
	size := heap() - before
	srv := httptest.NewServer(w.Handler())
	defer srv.Close()
	l.base = srv.URL
	for _, name := range []string{"mix", "post", "update", "users.info", "lookupByEmail"} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(8)
			spent := cpu()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := int(l.number.Add(1))
					method, form := asks[cmp.Or(map[string]string{"mix": mix[i%len(mix)]}[name], name)](l, i)
					form.Set("token", l.app.BotToken)
					ask(b, l.web, l.base+"/api/"+method, form)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req_per_s")
			b.ReportMetric(float64((cpu()-spent).Microseconds())/float64(b.N), "cpu_us_per_req")
			b.ReportMetric(size/1e6, "heap_mb")
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
	if body, err := io.ReadAll(res.Body); err != nil || !bytes.Contains(body, []byte(`"ok":true`)) {
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
