package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Root holds a key that never leaves where it is, such as a vault's. What it
// wraps, only it unwraps; it need not prove who had it wrapped.
type Root interface {
	// Wrap also says by which of its keys, for Unwrap to know.
	Wrap(ctx context.Context, plain []byte) (by string, wrapped []byte, err error)
	Unwrap(ctx context.Context, by string, wrapped []byte) ([]byte, error)
}

// Ring is the keys that seal what custody keeps. They lie in the store behind
// two locks: sealed by the configured key, which nobody who can merely write
// the database has, and wrapped by the root, if there is one. They are opened
// once and then live in memory.
//
// The newest key seals. Older ones open until all is sealed anew, so that a
// crash at any point of a rotation leaves everything readable.
type Ring struct {
	box   Box
	root  Root
	locks [][]byte // from the configured key and its predecessors

	turning sync.Mutex

	mu   sync.RWMutex
	keys map[uint64][]byte
	last uint64
}

// ringRow is one key as it lies in the store.
type ringRow struct {
	ID   uint64    `json:"id"`
	Made time.Time `json:"made"`
	By   string    `json:"by,omitempty"` // which of the root's keys
	Key  []byte    `json:"key"`
}

const kindRing = "custody-ring"

// OpenRing opens the ring in a box, and makes its first key if it has none.
// What neither key nor old opens is left out and logged: those sessions are
// lost, and their people sign in anew. A root that does not answer is an error.
func OpenRing(ctx context.Context, box Box, root Root, log *slog.Logger, key []byte, old ...[]byte) (*Ring, error) {
	r := &Ring{box: box, root: root}
	for _, k := range append([][]byte{key}, old...) {
		if len(k) != KeySize {
			return nil, fmt.Errorf("the custody key has %d bytes, it needs exactly %d: make one with `openssl rand -base64 32`", len(k), KeySize)
		}
		r.locks = append(r.locks, derive(k, "custody ring"))
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	rows, _, err := r.rows(ctx)
	if err != nil {
		return nil, err
	}
	lost, err := r.learn(ctx, rows)
	if err != nil {
		return nil, err
	}
	if lost > 0 {
		log.Warn("sign-in: kept sessions were sealed with a key that is configured no more; their people must sign in again", "keys", lost)
	}
	if _, ok := r.keys[r.last]; !ok {
		return r, r.grow(ctx)
	}
	return r, nil
}

func (r *Ring) rows(ctx context.Context) (rows []ringRow, rev uint64, err error) {
	body, rev, err := r.box.Get(ctx, kindRing, "all")
	if err == nil && body != nil {
		err = json.Unmarshal(body, &rows)
	}
	return rows, rev, err
}

// learn opens keys; it counts those that no configured key has sealed.
func (r *Ring) learn(ctx context.Context, rows []ringRow) (lost int, err error) {
	keys, last := map[uint64][]byte{}, uint64(0)
	for _, row := range rows {
		last = max(last, row.ID)
		if key := r.had(row.ID); key != nil {
			keys[row.ID] = key
			continue
		}
		box := row.Key
		if row.By != "" {
			if r.root == nil {
				lost++
				continue
			}
			if box, err = r.root.Unwrap(ctx, row.By, row.Key); err != nil {
				return lost, fmt.Errorf("the key that seals kept sessions could not be unwrapped: %w", err)
			}
		}
		if key := r.unlock(row.ID, box); key != nil {
			keys[row.ID] = key
		} else {
			lost++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys, r.last = keys, last
	return lost, nil
}

func (r *Ring) unlock(id uint64, box []byte) []byte {
	for _, lock := range r.locks {
		if key, err := unseal(lock, box, aboutRing(id)); err == nil {
			return key
		}
	}
	return nil
}

func aboutRing(id uint64) []byte { return fmt.Appendf(nil, "pagbot ring %d", id) }

// grow adds a key, which seals from now on.
func (r *Ring) grow(ctx context.Context) error {
	rows, rev, err := r.rows(ctx)
	if err != nil {
		return err
	}
	row := ringRow{ID: 1, Made: time.Now().UTC().Truncate(time.Second)}
	for _, had := range rows {
		row.ID = max(row.ID, had.ID+1)
	}
	key := newKey(0).key
	row.Key = seal(r.locks[0], key, aboutRing(row.ID))
	if r.root != nil {
		if row.By, row.Key, err = r.root.Wrap(ctx, row.Key); err != nil {
			return fmt.Errorf("a new key could not be wrapped: %w", err)
		}
	}
	if err := r.write(ctx, rev, append(rows, row)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys == nil {
		r.keys = map[uint64][]byte{}
	}
	r.keys[row.ID], r.last = key, row.ID
	return nil
}

func (r *Ring) write(ctx context.Context, rev uint64, rows []ringRow) error {
	body, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return r.box.Put(ctx, kindRing, "all", rev, body)
}

// prune forgets every key but the newest.
func (r *Ring) prune(ctx context.Context) (dropped int, err error) {
	rows, rev, err := r.rows(ctx)
	if err != nil {
		return 0, err
	}
	n := len(rows)
	rows = slices.DeleteFunc(rows, func(row ringRow) bool { return row.ID != r.newest() })
	if len(rows) == n {
		return 0, nil
	}
	if err := r.write(ctx, rev, rows); err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, key := range r.keys {
		if id != r.last {
			clear(key)
			delete(r.keys, id)
		}
	}
	return n - len(rows), nil
}

func (r *Ring) newest() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.last
}

// had is a copy of a key, so that prune may wipe its own.
func (r *Ring) had(id uint64) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return bytes.Clone(r.keys[id])
}

// seal seals with the newest key and says which that was.
func (r *Ring) seal(plain, about []byte) (id uint64, box []byte) {
	id = r.newest()
	return id, seal(r.had(id), plain, about)
}

// open opens what any key of the ring has sealed.
func (r *Ring) open(id uint64, box, about []byte) ([]byte, error) {
	key := r.had(id)
	if key == nil {
		return nil, errNotKept
	}
	return unseal(key, box, about)
}

// Rotated is what a rotation did.
type Rotated struct {
	Key      uint64 `json:"key"`      // the new key's number
	Resealed int    `json:"resealed"` // sessions
	Bindings int    `json:"bindings"` // bindings
	Dropped  int    `json:"dropped"`  // older keys
}

// Rotate makes a new key, seals everything anew with it, and only then forgets
// the older ones. Wherever it breaks off, all stays readable; running it again
// finishes it.
func (s *Service) Rotate(ctx context.Context) (Rotated, error) {
	var did Rotated
	if !s.keeps() {
		return did, errors.New("custody is none: there is nothing that a key seals")
	}
	ring := s.vault.ring
	ring.turning.Lock() // one rotation at a time: it drops what it did not make
	defer ring.turning.Unlock()
	if err := ring.grow(ctx); err != nil {
		return did, err
	}
	did.Key = ring.newest()
	known, _, err := s.known(ctx)
	if err != nil {
		return did, err
	}
	for _, slack := range known {
		n, err := s.vault.reseal(ctx, slack)
		if err != nil {
			return did, fmt.Errorf("sealing anew for %s: %w", slack.ID, err)
		}
		did.Resealed += n
		if n, err = s.resealBindings(ctx, slack); err != nil {
			return did, fmt.Errorf("sealing the bindings of %s anew: %w", slack.ID, err)
		}
		did.Bindings += n
	}
	did.Dropped, err = ring.prune(ctx)
	return did, err
}
