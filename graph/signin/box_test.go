package signin_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// box is a store in memory.
type box struct {
	mu   sync.Mutex
	rows map[string]boxed
	fail error

	dieAt int // which write from now on fails, and all after it; 0: none
	dead  bool
}

type boxed struct {
	rev  uint64
	body []byte
}

func (b *box) Get(_ context.Context, kind, key string) ([]byte, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rows[kind+" "+key]
	return r.body, r.rev, b.fail
}

func (b *box) Put(_ context.Context, kind, key string, rev uint64, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	if b.dieAt > 0 {
		if b.dieAt--; b.dieAt == 0 {
			b.dead = true
		}
	}
	if b.dead {
		return errors.New("the process died")
	}
	if b.rows[kind+" "+key].rev != rev {
		return errors.New("stale")
	}
	if body == nil {
		delete(b.rows, kind+" "+key)
		return nil
	}
	b.rows[kind+" "+key] = boxed{rev + 1, body}
	return nil
}

func (b *box) revive() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dieAt, b.dead = 0, false
}

func enc(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func (b *box) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	for k, r := range b.rows {
		fmt.Fprintf(&s, "%s %s\n", k, r.body)
	}
	return s.String()
}

func (b *box) copy() map[string][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string][]byte{}
	for k, r := range b.rows {
		all[k] = append([]byte(nil), r.body...)
	}
	return all
}

// set writes a row as somebody with the disk in hand would.
func (b *box) set(key string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows[key] = boxed{b.rows[key].rev + 1, body}
}
