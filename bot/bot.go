// Package bot speaks Slack. It understands what people type and press, asks
// whether they may, and turns it into inputs for an activation; and it says
// what became of it: a card a channel sees, messages a person reads.
//
// It decides nothing about access: package activation does. A click says what;
// who may say it is judged in one place, authorize.go, for every way in; every
// sentence stands in words.go.
package bot

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// Engine is what the bot needs of the engine.
type Engine interface {
	// Load returns an activation, its zero value if there is none.
	Load(ctx context.Context, id string) (activation.Activation, error)
	// Find lists open activations: index "open", "person:tenant/object" in lower
	// case, or "key:" and an activation's Key.
	Find(ctx context.Context, index string) ([]activation.Activation, error)
	// Receipt is what Slack gave back for an effect's key, nil if nothing.
	Receipt(ctx context.Context, id, key string) (json.RawMessage, error)
	// Lately lists what an account (tenant/object) asked for last, newest first.
	Lately(ctx context.Context, account string) ([]activation.Activation, error)
}

// Directory is what the bot reads of Entra; errors that are a Refusal are told
// to the person as such.
type Directory interface {
	Settings(ctx context.Context, group string, access activation.Access) (activation.Settings, error)
	Eligible(ctx context.Context, p activation.Person) ([]activation.Eligibility, error)
	RequestsOf(ctx context.Context, group, object string) ([]activation.Request, error)
	InstancesOf(ctx context.Context, group, object string) ([]activation.Instance, error)
	Approvers(ctx context.Context, s activation.Settings) ([]activation.Person, error)
}

// People binds Slack users to Entra accounts.
type People interface {
	BySlack(u activation.SlackUser) []activation.Person
	ByObject(tenant, object string) (activation.Person, bool)
}

// SignIn mints warrants and makes the links by which people sign in.
type SignIn interface {
	Mint(w activation.Warrant) activation.Warrant
	Link(w activation.Warrant, also ...activation.Warrant) string
	SignInLink(u activation.SlackUser, expires time.Time) string
	SignOut(ctx context.Context, u activation.SlackUser) error
	Kept(ctx context.Context, p activation.Person) bool // whether a session of this account is
}

// Group is one group that the bot looks after.
type Group struct {
	activation.Group
	Aliases    []string
	Channel    string         // where its cards go
	Quorum     int            // how many approvers must agree here; below 2: PIM's one
	Ticket     *regexp.Regexp // what a ticket must look like; nil: any, or none
	TicketForm string         // a ticket that does
	// CheckTicket asks the system that knows the tickets; nil: there is none.
	CheckTicket func(ctx context.Context, ticket string) activation.Checked
	Proof       activation.Proof                          // the configuration's choice; empty: the default
	Lead        time.Duration                             // how long before the end to warn
	Remind      time.Duration                             // how long a request waits before its approvers are reminded
	Excludes    []string                                  // ids of groups that nobody has beside it
	Backup      []string                                  // Slack users who are reminded later, beside the approvers
	Targets     map[activation.Access][]activation.Target // what each access reaches
}

// Config is what a bot needs. Without SignIn it only watches.
type Config struct {
	API       *slack.Client
	HTTP      *http.Client // for response URLs
	AppID     string       // of our Slack app; empty: not compared
	Groups    []Group
	Presets   []Preset
	Engine    Engine
	Directory Directory
	People    People
	SignIn    SignIn
	// CallOff refuses what waits for a person's browser, and says what; nil: nothing.
	CallOff  func(ctx context.Context, u activation.SlackUser) ([]Off, error)
	Measures Measures // of targets; nil: none
	Homes    Homes    // nil: not over restarts
	// Warn is what is known to surprise a person about an ask for a group, while the
	// others are active too; nil: nothing.
	Warn   func(ctx context.Context, who activation.Person, group string, length time.Duration, also []string) []string
	Portal string // where PIM requests are approved in a browser; empty: Microsoft's
	Now    func() time.Time
	World  func(wire time.Duration) time.Duration
	Log    *slog.Logger
}

func (c *Config) validate() error {
	if c.API == nil || c.Engine == nil || c.Directory == nil || c.People == nil {
		return errors.New("bot: Slack, an engine, a directory and people are needed")
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	if c.Portal == "" {
		c.Portal = "https://entra.microsoft.com/#view/Microsoft_Azure_PIMCommon/ApproveRequestMenuBlade/~/aadgroup"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.World == nil {
		c.World = func(d time.Duration) time.Duration { return d }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Bot understands envelopes. Make it with New, call Start once.
type Bot struct {
	Config
	team, enterprise, self string // ours, from auth.test

	mu      sync.Mutex
	users   map[string]looked      // users.info, for a minute
	knows   map[string]known       // what people may activate, by Slack user
	decides map[string]deciders    // by group and access
	links   map[string]pressedLink // clicked, in answers to asks
	homes   map[string]string      // of the Home tabs that were opened: hash of what they show
	stale   []string               // Slack users whose Home tabs wait in line
	turn    *time.Timer            // of the line; nil: nobody waits
}

// New makes a bot.
func New(c Config) (*Bot, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Bot{Config: c, users: map[string]looked{}, knows: map[string]known{}, homes: map[string]string{}}, nil
}

// Team is the id of our enterprise, or of our team where there is none: the
// first half of every Slack user's key. It is known after Start.
func (b *Bot) Team() string {
	if b.enterprise != "" {
		return b.enterprise
	}
	return b.team
}

// Start asks Slack who we are and whether every channel can take cards. Its
// errors are one line each and say what to do.
func (b *Bot) Start(ctx context.Context) error {
	me, err := b.API.AuthTestContext(ctx)
	if err != nil {
		return fmt.Errorf("the bot token is not taken by Slack (%s): install the app and use the token that begins with xoxb-", slackError(err))
	}
	b.team, b.enterprise, b.self = me.TeamID, me.EnterpriseID, me.UserID
	var all []error
	seen := map[string]bool{}
	for _, g := range b.Groups {
		if !seen[g.Channel] {
			all = append(all, b.checkChannel(ctx, g))
		}
		seen[g.Channel] = true
	}
	return errors.Join(all...)
}

// channel reads a channel. A bot that is started often must not fail on the
// limit that it runs into by that.
func (b *Bot) channel(ctx context.Context, id string) (*slack.Channel, error) {
	for {
		c, err := b.API.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		var limited *slack.RateLimitedError
		if !errors.As(err, &limited) {
			return c, err
		}
		select {
		case <-time.After(max(limited.RetryAfter, time.Second)):
		case <-ctx.Done():
			return nil, err
		}
	}
}

func (b *Bot) checkChannel(ctx context.Context, g Group) error {
	c, err := b.channel(ctx, g.Channel)
	switch {
	case err != nil && slackError(err) == "channel_not_found":
		return fmt.Errorf("group %s: the bot does not see channel %s; check the id, and invite the bot there", g.Name, g.Channel)
	case err != nil:
		return fmt.Errorf("group %s: channel %s can't be read (%s)", g.Name, g.Channel, slackError(err))
	case c.IsExtShared || c.IsPendingExtShared:
		return fmt.Errorf("group %s: channel %s is shared with another organization, whose people could press its buttons; choose one of your own", g.Name, g.Channel)
	case c.IsArchived:
		return fmt.Errorf("group %s: channel %s is archived; choose a living one", g.Name, g.Channel)
	case !c.IsMember:
		return fmt.Errorf("group %s: the bot is not in channel %s; invite it there", g.Name, g.Channel)
	}
	return nil
}

// group finds a configured group by object id.
func (b *Bot) group(id string) (Group, bool) {
	for _, g := range b.Groups {
		if strings.EqualFold(g.ID, id) {
			return g, true
		}
	}
	return Group{}, false
}

// envelope is the frame as Slack sends it on a socket.
type envelope struct {
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// Read understands one kept envelope: which activation is told what. What only
// needs an answer that may be lost is answered here, and the input is nil. The
// same envelope may be read twice.
func (b *Bot) Read(ctx context.Context, k activation.Kept) (string, activation.Input, error) {
	var e envelope
	if err := json.Unmarshal(k.Raw, &e); err != nil {
		b.Log.Error("an envelope that is not JSON", "envelope", k.ID)
		return "", nil, nil
	}
	switch e.Type {
	case "slash_commands":
		var c slack.SlashCommand
		if err := json.Unmarshal(e.Payload, &c); err != nil {
			return b.unreadable(k, err)
		}
		return b.command(ctx, k, c)
	case "events_api":
		return "", nil, b.opened(ctx, k, e.Payload)
	case "interactive":
		var i slack.InteractionCallback
		if err := json.Unmarshal(e.Payload, &i); err != nil {
			return b.unreadable(k, err)
		}
		switch i.Type {
		case slack.InteractionTypeBlockActions:
			return b.click(ctx, k, i)
		case slack.InteractionTypeViewSubmission:
			return b.submitted(ctx, k, i)
		}
	}
	return "", nil, nil
}

func (b *Bot) unreadable(k activation.Kept, err error) (string, activation.Input, error) {
	b.Log.Error("an envelope that can't be read", "envelope", k.ID, "err", err)
	return "", nil, nil
}

// derive makes a short id that is the same for the same envelope, so that a
// replay makes the same activation.
func derive(what, envelope string, n int) string {
	sum := sha256.Sum256([]byte(what + ":" + envelope))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:n])
}

// slackError is Slack's own word for what went wrong.
func slackError(err error) string {
	var r slack.SlackErrorResponse
	if errors.As(err, &r) {
		if r.Needed != "" {
			return r.Err + ", needs " + r.Needed
		}
		return r.Err
	}
	return err.Error()
}
