// Package app wires the bot from its configuration: it is the only place where
// Slack, Entra, the targets, the store and the engine meet. serve runs it as it
// is; the demo and the end-to-end tests run the same on simulated worlds.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
	"pagbot/bot"
	"pagbot/bot/socket"
	"pagbot/downstream"
	"pagbot/engine"
	"pagbot/graph"
	"pagbot/graph/signin"
	"pagbot/internal/history"
	"pagbot/store"
)

// Options are what a configuration file can't say. The zero Options are a
// production's.
type Options struct {
	Clock     engine.Clock                                     // zero: the machine's
	Log       *slog.Logger                                     // nil: silent
	Transport *http.Transport                                  // nil: the default, with entra.ca
	Listen    func(network, addr string) (net.Listener, error) // nil: net.Listen
}

// App is the bot with everything that it is made of.
type App struct {
	Engine  *engine.Engine
	cfg     *Config
	passed  bool // this configuration, with an earlier start
	clock   engine.Clock
	log     *slog.Logger
	listen  listener
	dial    func(ctx context.Context, network, addr string) (net.Conn, error) // nil: the machine's
	http    *http.Client
	secrets secrets
	me      *slack.AuthTestResponse // who the bot is in Slack
	db      *store.Bolt
	audit   *store.Audit
	bot     *bot.Bot
	loop    *socket.Loop
	history *history.Book
	watch   *downstream.Watch
	reader  *graph.Reader
	pages   *signin.Service // nil: watch mode
	people  bot.People      // nil: watch mode
	targets map[string]downstream.Probe
	looks   lateLooks
	checks  []func(context.Context) error // must hold before serving; their errors say what to do
	setups  []setup                       // may fail without keeping the bot from its work
	noted   chan struct{}                 // something about people is in the audit log
	began   time.Time
	roles   atomic.Pointer[map[string][]string] // directory roles that groups carry, by the group's id
}

// Open makes the bot and asks nothing yet but Slack who we are: the mapping of
// people needs the team.
func Open(ctx context.Context, cfg *Config, o Options) (*App, error) {
	if o.Clock == (engine.Clock{}) {
		o.Clock = engine.RealClock()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Listen == nil {
		o.Listen = ownListener
	}
	secrets, err := cfg.secrets()
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, secrets: secrets, clock: o.Clock, log: o.Log, listen: o.Listen, began: time.Now(), noted: make(chan struct{}, 1), targets: map[string]downstream.Probe{}}
	a.http = &http.Client{Transport: o.Transport}
	if o.Transport != nil {
		a.dial = o.Transport.DialContext
	} else {
		t, err := transport(cfg.in(cfg.Entra.CA))
		if err != nil {
			return nil, err
		}
		a.http.Transport = t
	}
	for _, step := range []func(context.Context) error{a.openStore, a.openEntra, a.openTargets, a.openLeft, a.openSlack} {
		if err := step(ctx); err != nil {
			a.Close()
			return nil, err
		}
	}
	return a, nil
}

func (a *App) openStore(context.Context) error {
	dir := a.cfg.StateDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("state: %w: let the user that runs pagbot write there, or name another directory", err)
	}
	// Whoever may write there can put another control socket in its place.
	if is, err := os.Stat(dir); err == nil && is.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("state: every user of this machine may write into %s: chmod 700 it", dir)
	}
	var err error
	if a.db, err = store.Open(filepath.Join(dir, "pagbot.db"), store.Options{Now: a.clock.Now, Lease: a.clock.World(2 * time.Minute), Remember: engine.Remember}); err != nil {
		return err
	}
	a.audit, err = store.OpenAudit(filepath.Join(dir, "audit"))
	return err
}

func (a *App) openEntra(context.Context) error {
	cred, err := a.cfg.credential(a.http, a.secrets.reader)
	if err != nil {
		return err
	}
	var ids []string
	for _, g := range a.cfg.Groups {
		ids = append(ids, g.ID)
	}
	a.reader, err = graph.NewReader(graph.Config{Base: a.cfg.graphRoot(), Tenant: a.cfg.Entra.Tenant, Credential: cred, HTTP: a.http, Groups: ids, Now: a.clock.Now})
	a.checks = append(a.checks, a.checkEntra)
	return err
}

// lateEngine lets the bot and the pages be made before the engine, which needs
// them.
type lateEngine struct{ *engine.Engine }

func (l *lateEngine) find(ctx context.Context, index string) ([]activation.Activation, error) {
	return l.Find(ctx, index)
}

func (a *App) openSlack(ctx context.Context) error {
	slackHTTP := &http.Client{Timeout: 10 * time.Second, Transport: a.http.Transport}
	api := slack.New(a.secrets.botToken, slack.OptionAPIURL(a.cfg.Slack.API), slack.OptionHTTPClient(slackHTTP))
	var err error
	if a.me, err = a.whoAmI(ctx, api); err != nil {
		// What else is wrong is worth knowing now.
		return errors.Join(err, a.Check(ctx))
	}
	late := &lateEngine{}
	a.history = history.NewBook(history.Config{Find: late.find, Now: a.clock.Now, Days: a.cfg.HistoryDays})
	people, pages, err := a.openSignIn(ctx, late, api)
	if err != nil {
		return err
	}
	groups, err := a.botGroups()
	if err != nil {
		return err
	}
	c := bot.Config{API: api, HTTP: slackHTTP, AppID: appID(a.secrets.appToken), Groups: groups, Engine: late, Directory: a.reader, People: people,
		Measures: measures{a}, Homes: homes{a.db}, Portal: a.cfg.Entra.cloud().approve(), Warn: a.warned, Now: a.clock.Now, World: a.clock.World, Log: a.log}
	for _, s := range a.cfg.Presets {
		c.Presets = append(c.Presets, bot.Preset{Name: s.Name, Groups: s.Members, Length: time.Duration(s.For)})
	}
	if pages != nil {
		c.SignIn, c.CallOff, a.pages = pages, a.signedOut, pages.Service
		a.looks.Store(pages.Service.Looks())
	}
	if a.bot, err = bot.New(c); err != nil {
		return err
	}
	a.checks = append(a.checks, a.bot.Start)
	if err := a.openEngine(people); err != nil {
		return err
	}
	late.Engine = a.Engine
	a.loop, err = socket.New(socket.Config{AppToken: a.secrets.appToken, APIURL: a.cfg.Slack.API, Client: slackHTTP, Dial: a.dial, Log: a.log,
		Busy: "I'm restarting. Please try again in a moment.", Handle: a.receive})
	return err
}

// receive has an envelope kept. What Slack wants answered at once takes a
// moment, in which nobody else waits; it needs nothing kept.
func (a *App) receive(ctx context.Context, e socket.Envelope, answer func(any, error)) {
	keep := func() { a.Engine.Keep(ctx, e.ID, e.Raw, func(err error) { answer(nil, err) }) }
	if e.Type != "interactive" {
		keep()
		return
	}
	go func() {
		if ack, done := a.bot.Quick(ctx, e.Raw); done {
			answer(ack, nil)
			return
		}
		keep()
	}()
}

func (a *App) botGroups() (all []bot.Group, err error) {
	for _, g := range a.cfg.Groups {
		var ticket *regexp.Regexp
		if g.Ticket != "" {
			ticket = regexp.MustCompile(g.Ticket) // validated
		}
		check, err := a.ticketCheck(g)
		if err != nil {
			return nil, err
		}
		all = append(all, bot.Group{Ticket: ticket, CheckTicket: check, TicketForm: g.TicketExample, Group: activation.Group{Tenant: a.cfg.Entra.Tenant, ID: g.ID, Name: g.Name}, Aliases: g.Aliases, Channel: g.Channel,
			Proof: g.Proof, Lead: time.Duration(g.Warn), Remind: time.Duration(g.Remind), Backup: g.Backup, Quorum: g.Quorum, Excludes: a.cfg.excluded(g), Targets: a.reaches(g)})
	}
	return all, nil
}

func (a *App) openEngine(people bot.People) error {
	mouth := bot.NewMouth(a.bot)
	watch, err := downstream.NewWatch(downstream.Config{Probes: a.targets, Now: a.clock.Now, World: a.clock.World, Log: a.log,
		History: a.history.History, Wake: a.wake})
	if err != nil {
		return err
	}
	a.watch = watch
	hands := map[activation.Kind]engine.Hand{activation.WatchPIM: graph.NewWatch(a.reader), activation.WatchWho: graph.NewAudits(a.reader), activation.Probe: watch}
	for _, k := range []activation.Kind{activation.Card, activation.Thread, activation.DM, activation.AskSign, activation.Whisper} {
		hands[k] = mouth
	}
	if hands[activation.Demand], err = a.openDemands(); err != nil {
		return err
	}
	var voices *signin.Sealer
	if a.pages != nil {
		guard, err := signin.NewSealer(a.secrets.key, a.secrets.oldKeys...)
		if err != nil {
			return err
		}
		hands[activation.DoDeed] = downstream.NewStarts(graph.NewDeeds(a.reader, a.pages, guard), a.clock.Now)
		voices = guard
	}
	var watched []engine.Watched
	for _, g := range a.bot.Groups {
		watched = append(watched, engine.Watched{Group: g.Group, Targets: g.Targets, Lead: g.Lead, Remind: g.Remind, Quorum: g.Quorum, Excludes: g.Excludes})
	}
	a.Engine, err = engine.New(engine.Config{Store: a.db, Clock: a.clock, Reader: a.bot, Hands: hands, Groups: watched, PIM: bound{a.reader, people}, Log: a.log,
		Changed: a.history.Note, Named: named(a.bot.Groups, people, voices)})
	return err
}

// named has the person and the group of an activation called what the mapping
// and the configuration call them, and as many approvers needed and heard as the
// configuration and the seals say. Whoever can write the database could otherwise
// have an approver read another name than the one that gets access, or agree in
// others' names.
func named(groups []bot.Group, people bot.People, voices *signin.Sealer) func(activation.Activation) activation.Activation {
	byID := map[string]bot.Group{}
	for _, g := range groups {
		byID[strings.ToLower(g.ID)] = g
	}
	return func(x activation.Activation) activation.Activation {
		if p, ok := people.ByObject(x.Person.Tenant, x.Person.Object); ok {
			p.Name = cmp.Or(p.Name, x.Person.Name)
			x.Person = p
		}
		if d := x.Decision; d != nil && d.By.Slack.ID == "" {
			if p, ok := people.ByObject(d.By.Tenant, d.By.Object); ok {
				by := *d
				p.Name = cmp.Or(p.Name, d.By.Name)
				by.By, x.Decision = p, &by
			}
		}
		g := byID[strings.ToLower(x.Group.ID)]
		x.Group.Name = cmp.Or(g.Name, x.Group.Name)
		if x.Phase == activation.AwaitingApproval {
			x.Quorum = max(x.Quorum, g.Quorum)
			if voices != nil {
				x.Agreed = voices.Heard(x)
			}
		}
		return x
	}
}

// wake lets a look go that waits for the news of another. If that fails, it is
// made when it is due.
func (a *App) wake(name string) {
	if err := a.Engine.Release(context.Background(), name); err != nil {
		a.log.Debug("a look was not woken", "err", err)
	}
}

// bound is PIM with the people's Slack users filled in.
type bound struct {
	*graph.Reader
	people bot.People
}

// Person implements engine.PIM.
func (b bound) Person(ctx context.Context, object string) (activation.Person, error) {
	p, err := b.Reader.Person(ctx, object)
	if q, ok := b.people.ByObject(p.Tenant, p.Object); ok {
		p.Human, p.Slack = q.Human, q.Slack
	}
	return p, err
}

func (a *App) mode() string {
	if a.pages == nil {
		return "watch"
	}
	return "act as the person"
}
