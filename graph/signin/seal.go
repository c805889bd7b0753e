package signin

import (
	"crypto/rand"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"pagbot/activation"
)

// personKey seals one account's session. It is itself sealed by the ring.
type personKey struct {
	version uint64
	key     []byte
}

// sealed is what lies in the store: nonce and ciphertext, and which key it is
// for. Whose it is, is not written but must be known to open it.
type sealed struct {
	Version uint64 `json:"version"`
	Ring    uint64 `json:"ring,omitempty"` // which key of the ring, of a personKey
	Body    []byte `json:"body,omitempty"`
}

func newKey(version uint64) personKey {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails
	return personKey{version, key}
}

func (k personKey) wrap(r *Ring, who activation.Person) sealed {
	id, body := r.seal(k.key, about("key", who, k.version))
	return sealed{k.version, id, body}
}

func unwrap(r *Ring, row sealed, who activation.Person) (personKey, error) {
	key, err := r.open(row.Ring, row.Body, about("key", who, row.Version))
	return personKey{row.Version, key}, err
}

func (k personKey) seal(plain []byte, who activation.Person) sealed {
	return sealed{Version: k.version, Body: seal(k.key, plain, about("cache", who, k.version))}
}

func (k personKey) open(row sealed, who activation.Person) ([]byte, error) {
	if row.Version != k.version {
		return nil, errNotKept
	}
	return unseal(k.key, row.Body, about("cache", who, k.version))
}

// about is the associated data: a box that is moved to another Slack user,
// account or key version opens no more.
func about(what string, who activation.Person, version uint64) []byte {
	var b strings.Builder
	for _, p := range []string{"pagbot", what, who.Slack.Team, who.Slack.ID, account(who.Tenant, who.Object)} {
		fmt.Fprintf(&b, "%d:%s,", len(p), p)
	}
	fmt.Fprintf(&b, "%d", version)
	return []byte(b.String())
}

func seal(key, plain, about []byte) []byte {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // the length is checked in Config and newKey
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	rand.Read(nonce) // never fails; 192 bits never repeat
	return aead.Seal(nonce, nonce, plain, about)
}

func unseal(key, box, about []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil || len(box) < aead.NonceSize() {
		return nil, errNotKept
	}
	plain, err := aead.Open(nil, box[:aead.NonceSize()], box[aead.NonceSize():], about)
	if err != nil {
		// Moved, tampered with, or of another master key: as good as nothing.
		return nil, fmt.Errorf("%w: what is kept was not sealed for this person", errNotKept)
	}
	return plain, nil
}
