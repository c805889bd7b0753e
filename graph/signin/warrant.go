package signin

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"pagbot/activation"
)

// KeySize is the length of every key of this package, in bytes.
const KeySize = 32

// Sealer seals warrants and links with a key that only this process and its
// replicas hold (HMAC-SHA256). It keeps no state: that a warrant is spent only
// once is the store's to enforce.
type Sealer struct{ key []byte }

// NewSealer makes a sealer of a key of 32 random bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the warrant key has %d bytes, it needs exactly %d: make one with `openssl rand 32`", len(key), KeySize)
	}
	return &Sealer{key: derive(key, "warrants and links")}, nil
}

// derive makes a key for one purpose, so that one configured key may serve
// several.
func derive(key []byte, purpose string) []byte {
	k, err := hkdf.Key(sha256.New, key, nil, "pagbot: "+purpose, KeySize)
	if err != nil {
		panic(err) // only for absurd lengths
	}
	return k
}

// Mint fills in the warrant's id and seal. The id derives from the envelope,
// the deed and the actor, so that a replayed envelope mints the same warrant
// and the store sees that it is spent. Several deeds of one kind from one
// envelope need envelopes that differ, such as "E123/2".
func (s *Sealer) Mint(w activation.Warrant) activation.Warrant {
	id := s.mac("id", w.Envelope, string(w.Deed), strings.ToLower(w.Actor.Tenant), strings.ToLower(w.Actor.Object))
	w.ID = encode(id[:16])
	w.Seal = encode(s.mac("warrant", string(w.Body())))
	return w
}

// Check refuses a warrant that was not sealed here or was changed since.
func (s *Sealer) Check(w activation.Warrant) error {
	got, err := decode(w.Seal)
	if err != nil || w.ID == "" || !hmac.Equal(got, s.mac("warrant", string(w.Body()))) {
		return activation.Refusal{Code: activation.WarrantBad, Text: "the seal of warrant " + w.ID + " does not fit"}
	}
	return nil
}

// mac authenticates parts for one purpose. Each part goes in with its length,
// so that no two lists of parts look the same.
func (s *Sealer) mac(purpose string, parts ...string) []byte {
	h := hmac.New(sha256.New, s.key)
	for _, p := range append([]string{"pagbot", purpose}, parts...) {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return h.Sum(nil)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode is strict: one value has one spelling.
func decode(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }
