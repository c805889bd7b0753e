package slack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Team is a workspace.
type Team struct {
	ID             string `json:"id"`
	Domain         string `json:"domain"`
	Name           string `json:"name"`
	Enterprise     string `json:"enterprise_id,omitempty"` // set on Grid
	EnterpriseName string `json:"enterprise_name,omitempty"`
	Free           bool   `json:"free_plan,omitempty"` // no user groups: plan_upgrade_required
}

// User is a person or bot as users.info shows it.
type User struct {
	ID              string `json:"id"` // U… or W…
	Team            string `json:"team_id"`
	Name            string `json:"name"`
	RealName        string `json:"real_name"`
	Email           string `json:"email,omitempty"`
	TZ              string `json:"tz,omitempty"` // such as Europe/Berlin
	Admin           bool   `json:"is_admin,omitempty"`
	Owner           bool   `json:"is_owner,omitempty"`
	Restricted      bool   `json:"is_restricted,omitempty"`       // multi-channel guest
	UltraRestricted bool   `json:"is_ultra_restricted,omitempty"` // single-channel guest
	Stranger        bool   `json:"is_stranger,omitempty"`         // shares no channel with the app
	Bot             bool   `json:"is_bot,omitempty"`
	AppUser         bool   `json:"is_app_user,omitempty"`
	WorkflowBot     bool   `json:"is_workflow_bot,omitempty"`
	ConnectorBot    bool   `json:"is_connector_bot,omitempty"`
	Invited         bool   `json:"is_invited_user,omitempty"`
	MFA             bool   `json:"has_2fa,omitempty"`
	Locale          string `json:"locale,omitempty"` // en-US if empty
	Deleted         bool   `json:"deleted,omitempty"`
	Updated         int64  `json:"updated,omitempty"` // when the last change was made
	Away            bool   `json:"away,omitempty"`    // no client open: ephemerals are lost
}

// Channel is a conversation; IM is the partner's user id in a DM with a bot.
type Channel struct {
	ID               string   `json:"id"`
	Team             string   `json:"team_id"`
	Name             string   `json:"name,omitempty"`
	Private          bool     `json:"is_private,omitempty"`
	Archived         bool     `json:"is_archived,omitempty"`
	ReadOnly         bool     `json:"is_read_only,omitempty"`
	ExtShared        bool     `json:"is_ext_shared,omitempty"`
	PendingExtShared bool     `json:"is_pending_ext_shared,omitempty"`
	OrgShared        bool     `json:"is_org_shared,omitempty"`
	Frozen           string   `json:"frozen_reason,omitempty"` // nobody posts any more
	MPIM             bool     `json:"is_mpim,omitempty"`       // a group DM
	IM               string   `json:"im,omitempty"`
	SharedTeams      []string `json:"shared_team_ids,omitempty"`
	Members          []string `json:"members,omitempty"`
	Created          int64    `json:"created,omitempty"`
}

// Command is a slash command of an app.
type Command struct {
	Name   string `json:"command"` // with the slash
	Escape bool   `json:"should_escape,omitempty"`
}

// Shortcut is an entry in the client's shortcuts menu, or in a message's.
type Shortcut struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // global, message
	Callback string `json:"callback_id"`
}

// App is an app installed in a team. Empty ids and tokens are made up.
type App struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Team         string     `json:"team_id"`
	BotID        string     `json:"bot_id"`
	BotUser      string     `json:"bot_user_id"`
	BotToken     string     `json:"bot_token"`
	AppToken     string     `json:"app_token"`
	Scopes       []string   `json:"scopes"`     // of the bot token
	AppScopes    []string   `json:"app_scopes"` // of the app token; connections:write if nil
	Commands     []Command  `json:"commands"`
	Shortcuts    []Shortcut `json:"shortcuts,omitempty"`
	Events       []string   `json:"events"` // subscribed bot events
	Deaf         bool       `json:"interactivity_disabled,omitempty"`
	NoHome       bool       `json:"home_tab_disabled,omitempty"`
	NoMessages   bool       `json:"messages_tab_disabled,omitempty"`
	QuietTab     bool       `json:"messages_tab_read_only,omitempty"` // people cannot write into the DM
	NoSocketMode bool       `json:"socket_mode_disabled,omitempty"`
	OrgInstalled bool       `json:"is_enterprise_install,omitempty"` // org-wide on Grid: payloads have no team, lists need a team_id
	Revoked      string     `json:"revoked,omitempty"`               // an error such as token_revoked or account_inactive: all its tokens answer that
	BotRevoked   string     `json:"bot_token_revoked,omitempty"`     // the same, for one of the two
	AppRevoked   string     `json:"app_token_revoked,omitempty"`

	// Token rotation, which cannot be switched off again: the bot token expires
	// after 12 h, and oauth.v2.access makes the next one.
	Rotation     bool   `json:"token_rotation_enabled,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"` // the newest; for once
}

type app struct {
	App
	scope
	conns   []*conn
	tickets map[string]*ticket
	turn    int       // for round robin
	last    *conn     // for sticky
	issued  []*issued // bot tokens under rotation, the newest last
	load    load      // of events, in this hour
}

type channel struct {
	Channel
	messages []*message
	byTS     map[string]*message
	members  map[string]bool // Members, to look up
	invited  []string        // teams of a pending share
}

// enter puts a channel on the map; the caller holds the lock.
func (w *World) enter(c Channel) *channel {
	kept := &channel{Channel: c, byTS: map[string]*message{}}
	kept.count()
	w.channels[c.ID] = kept
	return kept
}

// count reads Members anew, after they were changed.
func (c *channel) count() {
	c.members = make(map[string]bool, len(c.Members))
	for _, m := range c.Members {
		c.members[m] = true
	}
}

// AddTeam adds a workspace.
func (w *World) AddTeam(t Team) Team {
	w.mu.Lock()
	defer w.mu.Unlock()
	t.ID = w.orID(t.ID, "T")
	if t.Domain == "" {
		t.Domain = strings.ToLower(t.ID)
	}
	w.teams[t.ID] = &t
	w.touch()
	return t
}

// AddUser adds a person; the team defaults to the only one.
func (w *World) AddUser(u User) User {
	w.mu.Lock()
	defer w.mu.Unlock()
	u.ID, u.Team = w.orID(u.ID, "U"), w.orTeam(u.Team)
	if u.Name == "" {
		u.Name = strings.ToLower(u.ID)
	}
	if u.RealName == "" {
		u.RealName = u.Name
	}
	u.Updated = w.cfg.Now().Unix()
	w.users[u.ID] = &u
	w.mails = nil
	w.touch()
	return u
}

// AddChannel adds a channel with its members.
func (w *World) AddChannel(c Channel, members ...string) Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.ID, c.Team = w.orID(c.ID, "C"), w.orTeam(c.Team)
	c.Members = append(slices.Clone(c.Members), members...)
	c.Created = w.cfg.Now().Unix()
	w.enter(c)
	w.touch()
	return c
}

// AddApp installs an app, with its bot user, and returns it with all ids and
// tokens filled in.
func (w *World) AddApp(a App) App {
	w.mu.Lock()
	defer w.mu.Unlock()
	a.ID, a.Team, a.BotID, a.BotUser = w.orID(a.ID, "A"), w.orTeam(a.Team), w.orID(a.BotID, "B"), w.orID(a.BotUser, "U")
	if a.Name == "" {
		a.Name = "app"
	}
	if a.BotToken == "" {
		a.BotToken = "xoxb-" + w.secret(15)
	}
	if a.AppToken == "" {
		a.AppToken = "xapp-1-" + a.ID + "-" + w.secret(15)
	}
	if a.AppScopes == nil {
		a.AppScopes = []string{"connections:write"}
	}
	a.rotating(w)
	w.users[a.BotUser] = &User{ID: a.BotUser, Team: a.Team, Name: a.Name, RealName: a.Name, Bot: true}
	kept := &app{App: a, tickets: map[string]*ticket{}}
	kept.under(w.dials)
	if a.Rotation {
		kept.issue(a.BotToken)
	}
	w.apps = append(w.apps, kept)
	w.touch()
	return a
}

func (w *World) orID(id, prefix string) string {
	if id == "" {
		id = w.id(prefix)
	}
	return id
}

func (w *World) orTeam(id string) string {
	if id == "" && len(w.teams) == 1 {
		for only := range w.teams {
			return only
		}
	}
	return id
}

// EditUser changes a person live; false if there is none.
func (w *World) EditUser(id string, edit func(*User)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.users[id]
	if u != nil {
		edit(u)
		u.Updated = w.cfg.Now().Unix()
		w.mails = nil
		w.touch()
	}
	return u != nil
}

// EditChannel changes a channel live; false if there is none.
func (w *World) EditChannel(id string, edit func(*Channel)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.channels[id]
	if c != nil {
		edit(&c.Channel)
		c.count()
		w.touch()
	}
	return c != nil
}

// EditApp changes an app live (scopes, commands, revocation); false if there is
// none. Switching Socket Mode off ends its connections.
func (w *World) EditApp(id string, edit func(*App)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.app(id)
	if a == nil {
		return false
	}
	was := a.NoSocketMode
	edit(&a.App)
	if a.NoSocketMode && !was {
		for _, c := range a.conns {
			w.spawn(func() {
				c.say("link_disabled", true)
				c.leave("link_disabled")
			})
		}
	}
	w.touch()
	return true
}

// Teams lists all workspaces.
func (w *World) Teams() []Team { return sorted(w, w.teams, func(t *Team) Team { return *t }) }

// Users lists all people and bots.
func (w *World) Users() []User { return sorted(w, w.users, func(u *User) User { return *u }) }

// Channels lists all conversations, DMs too.
func (w *World) Channels() []Channel {
	return sorted(w, w.channels, func(c *channel) Channel {
		cp := c.Channel
		cp.Members = slices.Clone(c.Members)
		return cp
	})
}

// Apps lists the installed apps, in the order of their installation.
func (w *World) Apps() []App {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []App
	for _, a := range w.apps {
		all = append(all, a.App)
	}
	return all
}

func sorted[T, P any](w *World, m map[string]T, view func(T) P) []P {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := []P{}
	for _, id := range slices.Sorted(maps.Keys(m)) {
		all = append(all, view(m[id]))
	}
	return all
}

func (w *World) app(id string) *app {
	for _, a := range w.apps {
		if a.ID == id || (id == "" && len(w.apps) == 1) {
			return a
		}
	}
	return nil
}

func (c *channel) has(user string) bool { return c.members[user] }

// dm finds or opens the DM between an app's bot and a user.
func (w *World) dm(a *app, user string) (c *channel, opened bool) {
	id := w.dmID(a, user)
	if c := w.channels[id]; c != nil {
		return c, false
	}
	return w.enter(Channel{ID: id, Team: a.Team, IM: user, Members: []string{user, a.BotUser}, Created: w.cfg.Now().Unix()}), true
}

func (w *World) dmID(a *app, user string) string { return fmt.Sprintf("D%s%s", a.ID[1:], user[1:]) }

// sees reports whether a user can read a channel.
func (w *World) sees(c *channel, user string) bool {
	u := w.users[user]
	if c.has(user) || u == nil {
		return u != nil && !u.Deleted
	}
	open := !c.Private && !c.direct()
	return open && u.Team == c.Team && !u.Restricted && !u.UltraRestricted && !u.Deleted
}
