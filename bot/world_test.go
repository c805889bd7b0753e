package bot

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"pagbot/activation"
	"pagbot/sim/pipe"
	sim "pagbot/sim/slack"
	"pagbot/sim/slack/official"
)

// world is a bot at the simulated Slack, over HTTP and a socket in memory. What
// it hears and says goes through desk, which stands for the engine.
type world struct {
	*sim.World
	*desk
	t     *testing.T
	ctx   context.Context
	bot   *Bot
	mouth *Mouth
	dir   *directory
	who   people
	web   *http.Client
	app   sim.App
}

const (
	general = "C0GENERAL"
	member  = "U0MEMBER"
)

// play runs a test in a bubble of virtual time.
func play(t *testing.T, change func(*Config), test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &world{World: sim.New(sim.Config{Seed: 7, BaseURL: "http://slack.test"}), desk: newDesk(), t: t, ctx: ctx, dir: newDirectory()}
		w.populate()
		wire := &pipe.Net{}
		stop := wire.Serve("slack.test", w.Handler())
		w.web = wire.Client()
		w.who = people{requester.Slack.ID: {requester}, approver.Slack.ID: {approver}}
		c := Config{API: slack.New(w.app.BotToken, slack.OptionAppLevelToken(w.app.AppToken), slack.OptionAPIURL("http://slack.test/api/"), slack.OptionHTTPClient(w.web)),
			HTTP: w.web, AppID: w.app.ID, Engine: w.desk, Directory: w.dir, People: w.who, SignIn: stamp{}, Portal: "https://entra.example/approve",
			Groups: []Group{{Group: admins, Aliases: []string{"dba"}, Channel: channel, Lead: 10 * time.Minute, Targets: map[activation.Access][]activation.Target{}},
				{Group: activation.Group{Tenant: admins.Tenant, ID: "9409409a-0000-0000-0000-000000000002", Name: "db_readers"}, Channel: channel}}}
		if change != nil {
			change(&c)
		}
		var err error
		if w.bot, err = New(c); err != nil {
			t.Fatal(err)
		}
		if err := w.bot.Start(ctx); err != nil {
			t.Fatal(err)
		}
		w.mouth = NewMouth(w.bot)
		hang := w.listen(wire)
		defer func() {
			cancel()
			hang()
			w.Close()
			stop()
			w.web.CloseIdleConnections()
			for _, err := range append(official.Said(w.World), official.Sent(w.World)...) {
				t.Error(err)
			}
		}()
		test(t, w)
	})
}

func (w *world) populate() {
	w.Turn(func(d *sim.Dials) { d.Lifetime = 1e6 }) // package socket has its own tests
	w.AddTeam(sim.Team{ID: "T0CONTOSO", Domain: "contoso", Name: "Contoso"})
	w.AddTeam(sim.Team{ID: "T0FABRIKAM", Domain: "fabrikam", Name: "Fabrikam"})
	w.AddUser(sim.User{ID: requester.Slack.ID, Team: "T0CONTOSO", Name: "requester", TZ: "Europe/Berlin"})
	w.AddUser(sim.User{ID: approver.Slack.ID, Team: "T0CONTOSO", Name: "approver"})
	w.AddUser(sim.User{ID: member, Team: "T0CONTOSO", Name: "member"})
	w.AddUser(sim.User{ID: "W0OUTSIDER", Team: "T0FABRIKAM", Name: "outsider"})
	w.app = w.AddApp(sim.App{ID: "A0PAG", Name: "pagbot", Team: "T0CONTOSO", BotUser: "U0BOT", Events: []string{"app_home_opened"}, Commands: []sim.Command{{Name: "/pag", Escape: true}},
		Scopes: []string{"commands", "chat:write", "files:write", "users:read", "channels:read", "groups:read"}}) // as in manifest.yaml
	all := []string{requester.Slack.ID, approver.Slack.ID, member, "W0OUTSIDER"}
	w.AddChannel(sim.Channel{ID: general, Team: "T0CONTOSO", Name: "general"}, all...)
	w.AddChannel(sim.Channel{ID: channel, Team: "T0CONTOSO", Name: "approvals", Private: true}, append(all, "U0BOT")...)
}

// listen takes envelopes from a socket, acknowledges them and reads them.
func (w *world) listen(wire *pipe.Net) (hang func()) {
	_, url, err := w.bot.API.StartSocketModeContext(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	d := websocket.Dialer{WriteBufferSize: 32 << 10, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return wire.Dial(ctx, network, addr)
	}}
	conn, _, err := d.DialContext(w.ctx, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	var wg sync.WaitGroup
	var writing sync.Mutex
	wg.Go(func() {
		for {
			_, raw, err := conn.ReadMessage()
			if err != nil {
				return
			}
			var e struct {
				ID string `json:"envelope_id"`
			}
			if json.Unmarshal(raw, &e) != nil || e.ID == "" {
				continue
			}
			wg.Go(func() {
				answer := map[string]any{"envelope_id": e.ID}
				ack, done := w.bot.Quick(w.ctx, raw)
				if ack != nil {
					answer["payload"] = ack
				}
				writing.Lock()
				err := conn.WriteJSON(answer)
				writing.Unlock()
				if err != nil || done {
					return
				}
				w.take(activation.Kept{ID: e.ID, Raw: raw, At: time.Now()})
			})
		}
	})
	synctest.Wait()
	return func() {
		_ = conn.Close()
		wg.Wait()
	}
}

// take reads an envelope as the engine does: again if it can't be understood
// yet, and with Last at the end.
func (w *world) take(k activation.Kept) {
	for try := 1; w.ctx.Err() == nil; try++ {
		k.Last = try == 5
		id, in, err := w.bot.Read(w.ctx, k)
		w.mu.Lock()
		w.kept = append(w.kept, k)
		w.mu.Unlock()
		switch {
		case err == nil && in != nil:
			w.tell(id, in)
			return
		case err == nil || k.Last:
			w.mu.Lock()
			w.failure = err
			w.mu.Unlock()
			return
		}
		time.Sleep(2 * time.Second)
	}
}

// settle waits until nothing moves any more.
func (w *world) settle() {
	time.Sleep(20 * time.Second) // virtual: longer than all tries of an envelope
	synctest.Wait()
}

// say does the say effects that wait, in order, as the engine does.
func (w *world) say() {
	w.t.Helper()
	for _, e := range w.effects(activation.LaneSay) {
		w.do(e.id, e.Effect)
	}
}

func (w *world) do(id string, e activation.Effect) activation.Report {
	w.t.Helper()
	for range 20 {
		a, _ := w.Load(w.ctx, id)
		e.Receipt, _ = w.Receipt(w.ctx, id, e.Key)
		r := w.mouth.Do(w.ctx, a, e)
		w.settled(id, e.Key, r)
		if r.Finished() {
			if r.Tell != nil {
				w.tell(id, r.Tell)
			}
			return r
		}
		e.Memory = r.Memory
		time.Sleep(r.After)
	}
	w.t.Fatalf("%s is never finished", e.Key)
	return activation.Report{}
}

// command types a command and returns what the person then reads, in plain text.
func (w *world) command(user, text string) string {
	w.t.Helper()
	before := len(w.Person(user).Messages(general))
	if _, err := w.Person(user).Command(w.ctx, general, text); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	var out []string
	for _, m := range w.Person(user).Messages(general)[before:] {
		out = append(out, read(m))
	}
	return strings.Join(out, "\n")
}

// read is a message of the simulated Slack in plain text.
func read(m sim.Message) string {
	var parts []string
	for _, b := range m.Blocks {
		parts = append(parts, showElement(b))
	}
	return strings.Join(parts, "\n")
}

// last is the last message of a conversation that the person sees.
func (w *world) last(user, where string) sim.Message {
	all := w.Person(user).Messages(where)
	if len(all) == 0 {
		return sim.Message{}
	}
	return all[len(all)-1]
}

// dm is the last direct message to a person.
func (w *world) dm(user string) string { return read(w.last(user, w.Person(user).DM())) }

// has fails unless text has all the parts.
func has(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s: no %q in:\n%s", what, p, text)
		}
	}
}

// desk stands for the engine: it keeps activations, receipts and what is to be
// done.
type desk struct {
	mu       sync.Mutex
	acts     map[string]activation.Activation
	receipts map[string]json.RawMessage
	todo     []job
	told     []activation.Input
	kept     []activation.Kept
	failure  error // of the last envelope that was given up
	broken   error // what every question is answered with
}

type job struct {
	id string
	activation.Effect
}

func newDesk() *desk {
	return &desk{acts: map[string]activation.Activation{}, receipts: map[string]json.RawMessage{}}
}

func (d *desk) Load(_ context.Context, id string) (activation.Activation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.acts[id], d.broken
}

func (d *desk) Find(_ context.Context, index string) ([]activation.Activation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []activation.Activation
	for _, a := range d.acts {
		if a.Open() && index == "person:"+strings.ToLower(a.Person.Tenant+"/"+a.Person.Object) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b activation.Activation) int { return strings.Compare(a.ID, b.ID) })
	return all, d.broken
}

func (d *desk) Receipt(_ context.Context, id, key string) (json.RawMessage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.receipts[id+"/"+key], d.broken
}

func (d *desk) Lately(_ context.Context, account string) ([]activation.Activation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []activation.Activation
	for _, a := range d.acts {
		if a.Phase != "" && a.Outcome != activation.Refused && strings.EqualFold(account, a.Person.Tenant+"/"+a.Person.Object) {
			all = append(all, a)
		}
	}
	return all, d.broken
}

func (d *desk) settled(id, key string, r activation.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Receipt != nil {
		d.receipts[id+"/"+key] = r.Receipt
	}
}

// put places an activation as it stands.
func (d *desk) put(a activation.Activation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.acts[a.ID] = a
}

func (d *desk) tell(id string, in activation.Input) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, in)
	if all, several := in.(activation.Asks); several {
		for _, q := range all {
			d.decide(q.ID, q)
		}
		return
	}
	if r, ok := in.(activation.Renewal); ok {
		d.decide(r.Ask.ID, r.Ask)
		d.decide(r.Ask.After, r.Finish)
		return
	}
	d.decide(id, in)
}

func (d *desk) decide(id string, in activation.Input) {
	a := d.acts[id]
	for _, e := range activation.Decide(a, in, time.Now()) {
		a = activation.Apply(a, e)
		for _, f := range activation.Effects(a, e) {
			if f.Slot {
				d.todo = slices.DeleteFunc(d.todo, func(j job) bool { return j.id == id && j.Key == f.Key })
			}
			d.todo = append(d.todo, job{id, f})
		}
	}
	d.acts[id] = a
}

// effects takes what is to be done in a lane.
func (d *desk) effects(l activation.Lane) []job {
	d.mu.Lock()
	defer d.mu.Unlock()
	var mine, rest []job
	for _, j := range d.todo {
		if j.Lane == l {
			mine = append(mine, j)
		} else {
			rest = append(rest, j)
		}
	}
	d.todo = rest
	return mine
}

// heard takes what was told since it was last asked.
func (d *desk) heard() []activation.Input {
	d.mu.Lock()
	defer d.mu.Unlock()
	in := d.told
	d.told = nil
	return in
}

func (d *desk) only(t *testing.T) activation.Activation {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.acts) != 1 {
		t.Fatalf("%d activations", len(d.acts))
	}
	for _, a := range d.acts {
		return a
	}
	return activation.Activation{}
}
