package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"pagbot/activation"
)

// The vault keeps ordinary sign-ins, sealed, for a while. What it writes is in
// two rows a Slack user: the wrapped keys and the sealed caches. Every sign-in
// makes a new key of a higher version, and signing out destroys it, so that an
// older cache put back opens no more.
type vault struct {
	cfg    Config
	master []byte
	mu     sync.Mutex
	turn   map[activation.SlackUser]chan struct{}
	seen   map[string]mark
}

const (
	kindKeys   = "custody-key"
	kindCaches = "custody"
)

// mark is the newest that this process has seen of an account's custody.
type mark struct {
	version uint64
	used    time.Time
}

// kept is what is sealed.
type kept struct {
	Home  string    `json:"home"` // msal's name of the account
	Began time.Time `json:"began"`
	Used  time.Time `json:"used"` // last deed
	Cache []byte    `json:"cache"`
}

var errNotKept = errors.New("no session is kept")

// keep puts the cache of a confirmed, ordinary sign-in away.
func (v *vault) keep(ctx context.Context, who activation.Person, home string, cache []byte) error {
	defer v.lock(who.Slack)()
	keys, rev, err := v.cfg.rows(ctx, kindKeys, who.Slack)
	if err != nil {
		return err
	}
	acc := account(who.Tenant, who.Object)
	k := newKey(keys[acc].Version + 1)
	keys[acc] = k.wrap(v.master, who)
	if err := v.cfg.write(ctx, kindKeys, who.Slack, rev, keys); err != nil {
		return err
	}
	now := time.Now()
	return v.save(ctx, who, k, kept{Home: home, Began: now, Used: now, Cache: cache})
}

// use opens what is kept of an account, lets f work with it, and puts back
// what f made of it. It is how a deed, and nothing else, renews a session.
func (v *vault) use(ctx context.Context, who activation.Person, f func(*kept) error) error {
	defer v.lock(who.Slack)()
	k, had, err := v.load(ctx, who)
	if err != nil {
		return err
	}
	if err := f(&had); err != nil {
		return err
	}
	had.Used = time.Now()
	return v.save(ctx, who, k, had)
}

// peek says until when an account's session lasts if no deed renews it.
func (v *vault) peek(ctx context.Context, who activation.Person) (time.Time, error) {
	defer v.lock(who.Slack)()
	_, had, err := v.load(ctx, who)
	return v.cfg.ends(had), err
}

// forget destroys the keys of a Slack user's sessions, then the sessions: of
// one account, or of all if it is empty.
func (v *vault) forget(ctx context.Context, slack activation.SlackUser, acc string) error {
	defer v.lock(slack)()
	keys, rev, err := v.cfg.rows(ctx, kindKeys, slack)
	if err != nil || rev == 0 {
		return err
	}
	for k, row := range keys {
		if acc == "" || k == acc {
			keys[k] = sealed{Version: row.Version} // versions never go back
		}
	}
	if err := v.cfg.write(ctx, kindKeys, slack, rev, keys); err != nil {
		return err
	}
	caches, rev, err := v.cfg.rows(ctx, kindCaches, slack)
	if err != nil || rev == 0 {
		return err
	}
	maps.DeleteFunc(caches, func(k string, _ sealed) bool { return acc == "" || k == acc })
	return v.cfg.write(ctx, kindCaches, slack, rev, caches)
}

// load opens a session that is still good.
func (v *vault) load(ctx context.Context, who activation.Person) (personKey, kept, error) {
	acc := account(who.Tenant, who.Object)
	keys, _, err := v.cfg.rows(ctx, kindKeys, who.Slack)
	if err != nil {
		return personKey{}, kept{}, err
	}
	caches, _, err := v.cfg.rows(ctx, kindCaches, who.Slack)
	if err != nil {
		return personKey{}, kept{}, err
	}
	row, ok := caches[acc]
	if !ok || len(keys[acc].Body) == 0 {
		return personKey{}, kept{}, errNotKept
	}
	k, err := unwrap(v.master, keys[acc], who)
	if err != nil {
		return k, kept{}, err
	}
	var had kept
	plain, err := k.open(row, who)
	if err != nil {
		return k, had, err
	}
	if err := json.Unmarshal(plain, &had); err != nil {
		return k, had, errNotKept
	}
	if time.Now().After(v.cfg.ends(had)) || v.older(acc, mark{k.version, had.Used}) {
		return k, had, errNotKept
	}
	return k, had, nil
}

func (v *vault) save(ctx context.Context, who activation.Person, k personKey, had kept) error {
	acc := account(who.Tenant, who.Object)
	caches, rev, err := v.cfg.rows(ctx, kindCaches, who.Slack)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(had)
	if err != nil {
		return err
	}
	caches[acc] = k.seal(plain, who)
	if err := v.cfg.write(ctx, kindCaches, who.Slack, rev, caches); err != nil {
		return err
	}
	v.older(acc, mark{k.version, had.Used})
	return nil
}

// older reports whether m is behind what this process has seen already, and
// remembers the newer.
func (v *vault) older(acc string, m mark) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	was := v.seen[acc]
	if m.version < was.version || m.version == was.version && m.used.Before(was.used) {
		return true
	}
	if v.seen == nil {
		v.seen = map[string]mark{}
	}
	v.seen[acc] = m
	return false
}

// lock lets one at a time work on a Slack user's rows. (A channel and not a
// mutex, since the holder may wait for the network.)
func (v *vault) lock(slack activation.SlackUser) (unlock func()) {
	v.mu.Lock()
	if v.turn == nil {
		v.turn = map[activation.SlackUser]chan struct{}{}
	}
	turn, ok := v.turn[slack]
	if !ok {
		turn = make(chan struct{}, 1)
		v.turn[slack] = turn
	}
	v.mu.Unlock()
	turn <- struct{}{}
	return func() { <-turn }
}

// ends is when a session is over: too old, or too long unused.
func (c Config) ends(had kept) time.Time {
	idle, absolute := had.Used.Add(c.Idle), had.Began.Add(c.Absolute)
	if idle.Before(absolute) {
		return idle
	}
	return absolute
}

// rows reads what is kept of one kind for a Slack user, by account.
func (c Config) rows(ctx context.Context, kind string, slack activation.SlackUser) (map[string]sealed, uint64, error) {
	rows := map[string]sealed{}
	body, rev, err := c.Box.Get(ctx, kind, slackKey(slack))
	if err != nil || body == nil {
		return rows, rev, err
	}
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, rev, fmt.Errorf("%s of %s cannot be read: sign out to begin anew: %w", kind, slack.ID, err)
	}
	return rows, rev, nil
}

func (c Config) write(ctx context.Context, kind string, slack activation.SlackUser, rev uint64, rows map[string]sealed) error {
	if len(rows) == 0 {
		return c.Box.Put(ctx, kind, slackKey(slack), rev, nil)
	}
	body, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return c.Box.Put(ctx, kind, slackKey(slack), rev, body)
}

func slackKey(u activation.SlackUser) string { return u.Team + "/" + u.ID }
