package demo

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pagbot/sim/devops"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

// cpu is what this process has worked so far, as caller and server.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// many asks at once, over loopback, and reports what it took. Run it with -cpu 2.
func many(b *testing.B, want int, ask func(i int) *http.Request) {
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var n atomic.Int64
	spent := cpu()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := ask(int(n.Add(1)))
			res, err := web.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode/100 != want/100 || bytes.HasPrefix(body, []byte(`{"error":`)) || bytes.Contains(body, []byte(`"ok":false`)) {
				b.Errorf("%s: %d %s", r.URL, res.StatusCode, body)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req_per_s")
	b.ReportMetric(float64((cpu()-spent).Microseconds())/float64(b.N), "cpu_us_per_req")
}

func request(method, address, token string, form url.Values) *http.Request {
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		panic(err) // an address of ours
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// BenchmarkTargets asks each system behind the groups one question, without its
// throttle.
func BenchmarkTargets(b *testing.B) {
	w, o := others(b)
	w.DevOps.Turn(func(d *devops.Dials) { d.Budget = 0 })
	s := httptest.NewServer(w.devops())
	defer s.Close()
	acl := s.URL + "/contoso/_apis/accesscontrollists/" + devops.Collection + "?token=NAMESPACE:&includeExtendedInfo=true&api-version=7.2-preview.1"
	b.Run("devops", func(b *testing.B) {
		token := application(b, w, entra.DevOpsAudience+"/.default")
		many(b, 200, func(int) *http.Request { return request(http.MethodGet, acl, token, nil) })
	})
	for _, name := range slices.Sorted(maps.Keys(questions)) {
		x := o.Systems[name]
		if x.Scope != "" {
			x.Token = application(b, w, x.Scope)
		}
		r, err := http.NewRequest(http.MethodPut, x.Manage+"dials", strings.NewReader(`{"Budget":0}`))
		if err != nil {
			b.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_ = res.Body.Close()
		b.Run(name, func(b *testing.B) {
			many(b, 200, func(int) *http.Request { return request(http.MethodGet, x.API+questions[name], x.Token, nil) })
		})
	}
}

const (
	crowd  = 1000
	unions = 200
)

// BenchmarkWorlds asks Slack and Graph, both in this process, what a bot asks
// of them for one activation after the other. Their full sizes are in their own
// benchmarks.
func BenchmarkWorlds(b *testing.B) {
	w, _ := others(b)
	groups := w.populate(b)
	web, graph := httptest.NewServer(w.Slack.Handler()), httptest.NewServer(w.graph())
	defer web.Close()
	defer graph.Close()
	token := application(b, w, entra.GraphAudience+"/.default")
	instances := graph.URL + "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleInstances?$filter="
	blocks := `[{"type":"section","text":{"type":"mrkdwn","text":"*devops-admins* for 45 minutes"}}]`
	many(b, 200, func(i int) *http.Request {
		group := groups[i%unions]
		channel := fmt.Sprintf("C%06d", i%unions)
		switch i % 5 {
		case 0:
			return request(http.MethodPost, web.URL+"/api/chat.postMessage", w.App.BotToken, url.Values{"channel": {channel}, "text": {"a card"}, "blocks": {blocks}})
		case 1:
			return request(http.MethodPost, web.URL+"/api/users.info", w.App.BotToken, url.Values{"user": {fmt.Sprintf("U%06d", i%crowd)}})
		case 2:
			return request(http.MethodGet, graph.URL+"/v1.0/groups/"+group+"/members?$select=id", token, nil)
		default:
			return request(http.MethodGet, instances+url.QueryEscape("groupId eq '"+group+"'"), token, nil)
		}
	})
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap_mb")
}

// populate adds people, groups, ten activations each, and channels.
func (w *Worlds) populate(b *testing.B) (groups []string) {
	w.Slack.Turn(func(d *slack.Dials) {
		d.PostPerSecond, d.PerMinute, d.KeepHistory = 0, map[string]int{"chat.postMessage": 0, "users.info": 0}, 10_000
	})
	for i := range unions {
		groups = append(groups, w.Entra.AddGroup(entra.Group{Name: fmt.Sprintf("group-%d", i)}).ID)
		w.Slack.AddChannel(slack.Channel{ID: fmt.Sprintf("C%06d", i), Team: w.Team.ID, Members: []string{w.App.BotUser}})
	}
	for i := range crowd {
		w.Slack.AddUser(slack.User{ID: fmt.Sprintf("U%06d", i), Team: w.Team.ID, Name: fmt.Sprintf("person-%d", i)})
		p := w.Entra.AddUser(entra.User{UPN: fmt.Sprintf("person-%d@contoso.example", i)})
		for j := range 10 {
			group := groups[(i+j*17)%unions]
			if _, err := w.Entra.AddEligibility(group, "member", p.ID, time.Time{}); err != nil {
				b.Fatal(err)
			}
			if _, err := w.Entra.Portal(p.ID).Activate(group, "member", 2*time.Hour, "a reason"); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ResetTimer()
	return groups
}
