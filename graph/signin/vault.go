package signin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// The vault keeps ordinary sign-ins, sealed, for a while. What it writes is in
// two rows a Slack user: the sealed keys and the sealed caches. Every sign-in
// makes a new key of a higher version, and signing out destroys it and raises
// the floor below which no version opens any more.
type vault struct {
	cfg    Config
	ring   *Ring
	mu     sync.Mutex
	turn   map[activation.SlackUser]chan struct{}
	seen   map[string]mark
	floors map[string]int64 // by shortened account
}

const (
	kindKeys   = "custody-key"
	kindCaches = "custody"
)

// Floors remembers, outside the database, up to when each account's sessions
// are over, so that a database put back as it was opens none of them.
type Floors interface {
	Load() (map[string]int64, error)
	Save(map[string]int64) error
}

// mark is the newest that this process has seen of an account's custody.
type mark struct {
	version uint64
	used    time.Time
}

// kept is what is sealed.
type kept struct {
	Home     string    `json:"home"`     // msal's name of the account
	SignedIn time.Time `json:"signedIn"` // when the person was asked
	Began    time.Time `json:"began"`
	Device   time.Time `json:"device,omitzero"` // by device code, and when by the world's clock
	Used     time.Time `json:"used"`            // last deed
	Cache    []byte    `json:"cache"`
}

var errNotKept = errors.New("no session is kept")

func newVault(cfg Config) (*vault, error) {
	v := &vault{cfg: cfg, ring: cfg.Ring, floors: map[string]int64{}}
	if cfg.Floors == nil {
		return v, nil
	}
	floors, err := cfg.Floors.Load()
	if err != nil {
		return v, fmt.Errorf("what was signed out could not be read: %w", err)
	}
	maps.Copy(v.floors, floors)
	return v, nil
}

// keep puts the cache of a confirmed, ordinary sign-in away.
func (v *vault) keep(ctx context.Context, f *flow) error {
	who := f.who
	defer v.lock(who.Slack)()
	keys, rev, err := v.cfg.rows(ctx, kindKeys, who.Slack)
	if err != nil {
		return err
	}
	acc, now := account(who.Tenant, who.Object), time.Now()
	k := newKey(max(keys[acc].Version+1, v.floor(acc)+1, uint64(now.UnixNano())))
	keys[acc] = k.wrap(v.ring, who)
	if err := v.cfg.write(ctx, kindKeys, who.Slack, rev, keys); err != nil {
		return err
	}
	had := kept{Home: f.home, SignedIn: f.asked, Began: now, Used: now, Cache: f.cache.data}
	if f.device {
		had.Device = v.cfg.Now()
	}
	return v.save(ctx, who, k, had)
}

// reseal seals the keys of a Slack user's sessions with the ring's newest key.
func (v *vault) reseal(ctx context.Context, slack activation.SlackUser) (n int, err error) {
	defer v.lock(slack)()
	keys, rev, err := v.cfg.rows(ctx, kindKeys, slack)
	if err != nil || rev == 0 {
		return 0, err
	}
	for acc, row := range keys {
		tenant, object, _ := strings.Cut(acc, "/")
		who := activation.Person{Tenant: tenant, Object: object, Slack: slack}
		k, err := unwrap(v.ring, row, who)
		if err != nil {
			delete(keys, acc) // nobody can open it any more
			continue
		}
		keys[acc] = k.wrap(v.ring, who)
		n++
	}
	return n, v.cfg.write(ctx, kindKeys, slack, rev, keys)
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
	had, err := v.look(ctx, who)
	return v.cfg.ends(had), err
}

// look opens a session without renewing it.
func (v *vault) look(ctx context.Context, who activation.Person) (kept, error) {
	defer v.lock(who.Slack)()
	_, had, err := v.load(ctx, who)
	return had, err
}

// forget destroys the keys of a Slack user's sessions, then the sessions: of
// one account, or of all if it is empty.
func (v *vault) forget(ctx context.Context, slack activation.SlackUser, acc string) error {
	defer v.lock(slack)()
	keys, rev, err := v.cfg.rows(ctx, kindKeys, slack)
	if err != nil {
		return err
	}
	if rev != 0 {
		over := slices.Collect(maps.Keys(keys))
		if acc != "" {
			over = []string{acc}
		}
		if err := v.raise(over); err != nil {
			return err
		}
		maps.DeleteFunc(keys, func(k string, _ sealed) bool { return acc == "" || k == acc })
		if err := v.cfg.write(ctx, kindKeys, slack, rev, keys); err != nil {
			return err
		}
	}
	caches, rev, err := v.cfg.rows(ctx, kindCaches, slack)
	if err != nil || rev == 0 {
		return err
	}
	maps.DeleteFunc(caches, func(k string, _ sealed) bool { return acc == "" || k == acc })
	return v.cfg.write(ctx, kindCaches, slack, rev, caches)
}

func (v *vault) floor(acc string) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return uint64(v.floors[shortened(acc)])
}

// raise lets nothing of these accounts open that was kept up to now. Floors
// that are older than any session may become are dropped.
func (v *vault) raise(accounts []string) error {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.DeleteFunc(v.floors, func(_ string, at int64) bool { return now.Sub(time.Unix(0, at)) > MaxDays*24*time.Hour })
	for _, acc := range accounts {
		v.floors[shortened(acc)] = now.UnixNano()
		delete(v.seen, acc)
	}
	if v.cfg.Floors == nil {
		return nil
	}
	if err := v.cfg.Floors.Save(maps.Clone(v.floors)); err != nil {
		return fmt.Errorf("the sign-out could not be noted: %w", err)
	}
	return nil
}

// shortened stands for an account without naming it.
func shortened(acc string) string {
	sum := sha256.Sum256([]byte("pagbot floor " + acc))
	return encode(sum[:16])
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
	k, err := unwrap(v.ring, keys[acc], who)
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
	if m.version <= uint64(v.floors[shortened(acc)]) || m.version < was.version || m.version == was.version && m.used.Before(was.used) {
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
