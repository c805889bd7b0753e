package entra

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// town is a tenant of some size: people who are each active in some groups, and
// groups where everybody is eligible and nobody active yet.
type town struct {
	*World
	at     atomic.Int64
	people []User
	groups []Group
	free   []Group
	reader string
	tokens []string
}

func newTown(people, groups, activations int) *town {
	x := &town{}
	x.at.Store(monday.UnixNano())
	x.World = New(Config{Seed: 3, Keep: 10_000, Now: func() time.Time { return time.Unix(0, x.at.Load()).UTC() }})
	for i := range people {
		x.people = append(x.people, x.AddUser(User{UPN: fmt.Sprintf("person-%d@contoso.example", i), Mail: fmt.Sprintf("person-%d@contoso.example", i)}))
	}
	for i := range groups {
		x.groups = append(x.groups, x.AddGroup(Group{Name: fmt.Sprintf("group-%d", i)}))
	}
	x.enter()
	defer x.mu.Unlock()
	for i := range activations { // spread so that no person is twice in one group
		p, g := x.people[i%people].ID, x.groups[(i%people+i/people*(groups/10+1))%groups].ID
		x.offered(edge{g, "member", p}, x.Now(), time.Time{}, x.Now())
		a := ask{Access: "member", Group: g, Principal: p, Action: selfActivate, Justification: "INC0012345", Schedule: newSchedule("PT8H")}
		if _, no := x.submit(caller{oid: p, app: "portal", portal: true}, a, x.Now()); no != nil {
			panic(no)
		}
	}
	x.at.Add(int64(5 * time.Second))
	x.agenda.run(x.Now())
	return x
}

// open makes the groups that everybody may activate, and tokens to do it with.
func (x *town) open() {
	all := x.AddGroup(Group{Name: "everybody"})
	x.enter()
	for _, p := range x.people {
		x.tie(edge{all.ID, "member", p.ID}, x.Now(), nil)
	}
	x.mu.Unlock()
	for i := range 500 {
		g := x.AddGroup(Group{Name: fmt.Sprintf("free-%d", i)})
		x.free = append(x.free, g)
		if _, err := x.AddEligibility(g.ID, "member", all.ID, time.Time{}); err != nil {
			panic(err)
		}
	}
	app := x.AddApp(App{Name: "reader", Roles: []string{"PrivilegedAssignmentSchedule.Read.AzureADGroup", "GroupMember.Read.All"}})
	x.enter()
	defer x.mu.Unlock()
	x.reader = x.accessToken(grant{app: x.app(app.ID)}, GraphAudience, nil, x.wire(), tokenLife)
	for _, p := range x.people[:min(200, len(x.people))] {
		u := x.user(p.ID)
		x.tokens = append(x.tokens, x.accessToken(grant{app: x.app(app.ID), user: u, in: signIn{user: u, at: x.wire()}}, GraphAudience, []string{writeAssign}, x.wire(), tokenLife))
	}
}

func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// cpu is what this process has worked so far: unlike the time that passed, no
// neighbour of the machine moves it.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A tenth of the large town fits into a tenth of its place.
func TestTownFits(t *testing.T) {
	before := heapMB()
	x := newTown(1000, 200, 10_000)
	if used := heapMB() - before; used > 150 {
		t.Errorf("10,000 open activations take %.0f MB", used)
	}
	if open := len(x.assignmentInstances(nil, x.Now(), nil)); open != 10_000 {
		t.Errorf("%d are open", open)
	}
}

// BenchmarkTown asks what the bot asks, over loopback: the instances of a
// group, its members, and one activation in ten calls. Run it with -cpu 2.
func BenchmarkTown(b *testing.B) {
	before := heapMB()
	x := newTown(10_000, 2_000, 100_000)
	x.open()
	used := heapMB() - before
	s := httptest.NewServer(x.Graph())
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var n, activated atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	busy := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			x.ask(b, client, s.URL, n.Add(1), &activated)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req_per_s")
	b.ReportMetric(float64((cpu()-busy).Microseconds())/float64(b.N), "cpu_us_per_req") // caller and server together
	b.ReportMetric(used, "heap_mb")
	b.ReportMetric(float64(activated.Load()), "activated")
}

func (x *town) ask(b *testing.B, client *http.Client, base string, n int64, activated *atomic.Int64) {
	group := x.groups[int(n)%len(x.groups)].ID
	method, address, token, want := "GET", base+"/v1.0/groups/"+group+"/members?$select=id", x.reader, 200
	var body io.Reader
	switch {
	case n%10 == 0:
		i := activated.Add(1)
		who := int(i) % len(x.tokens)
		method, address, token, want = "POST", base+"/v1.0"+pag+"assignmentScheduleRequests", x.tokens[who], 201
		text, _ := json.Marshal(obj{"accessId": "member", "groupId": x.free[int(i)/len(x.tokens)%len(x.free)].ID, "principalId": x.people[who].ID, "action": selfActivate,
			"justification": "INC0012345", "scheduleInfo": obj{"expiration": obj{"type": "afterDuration", "duration": "PT2H"}}})
		body = bytes.NewReader(text)
	case n%2 == 0:
		address = base + "/v1.0" + pag + "assignmentScheduleInstances?$filter=" + url.PathEscape("groupId eq '"+group+"'")
	}
	r, _ := http.NewRequest(method, address, body)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != want {
		b.Errorf("%s %s: %d %s", method, address, res.StatusCode, text)
	}
}
