package signin

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"pagbot/activation"
)

// KeySize is the length of every key of this package, in bytes.
const KeySize = 32

// Sealer seals warrants, links and bindings with a key that only this process
// and its replicas hold (HMAC-SHA256). It keeps no state: that a warrant is
// spent only once is the store's to enforce.
type Sealer struct{ keys [][]byte } // the first seals, all are taken

// NewSealer makes a sealer of a key of 32 random bytes. What its predecessors
// have sealed is taken too, for as long as they are named.
func NewSealer(key []byte, old ...[]byte) (*Sealer, error) {
	s := &Sealer{}
	for _, k := range append([][]byte{key}, old...) {
		if len(k) != KeySize {
			return nil, fmt.Errorf("the warrant key has %d bytes, it needs exactly %d: make one with `openssl rand 32`", len(k), KeySize)
		}
		s.keys = append(s.keys, derive(k, "warrants and links"))
	}
	return s, nil
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
// the deed and the actor, so that a replayed envelope mints the same warrant,
// also after the key was changed, and the store sees that it is spent. It is no
// secret. Several deeds of one kind from one envelope need envelopes that
// differ, such as "E123/2".
func (s *Sealer) Mint(w activation.Warrant) activation.Warrant {
	h := sha256.New()
	parts(h, "warrant id", w.Envelope, string(w.Deed), strings.ToLower(w.Actor.Tenant), strings.ToLower(w.Actor.Object))
	w.ID = encode(h.Sum(nil)[:16])
	w.Seal = encode(s.mac("warrant", string(w.Body())))
	return w
}

// Check refuses a warrant that was not sealed here or was changed since.
func (s *Sealer) Check(w activation.Warrant) error {
	got, err := decode(w.Seal)
	if err != nil || w.ID == "" || !s.fits(got, "warrant", string(w.Body())) {
		return activation.Refusal{Code: activation.WarrantBad, Text: "the seal of warrant " + w.ID + " does not fit"}
	}
	return nil
}

// Voice seals an approver's proven yes, which is counted before PIM is told.
func (s *Sealer) Voice(a activation.Activation, v activation.Agreed) string {
	return encode(s.mac("voice", string(a.Voice(v))))
}

// Heard are the voices of an activation that were sealed here for it, one of
// each human: who can write the database can add rows, and repeat them.
func (s *Sealer) Heard(a activation.Activation) []activation.Agreed {
	var heard activation.Activation
	for _, v := range a.Agreed {
		seal, err := decode(v.Seal)
		if err == nil && s.fits(seal, "voice", string(a.Voice(v))) && !heard.Agrees(v.By) {
			heard.Agreed = append(heard.Agreed, v)
		}
	}
	return heard.Agreed
}

// mac authenticates parts for one purpose.
func (s *Sealer) mac(purpose string, of ...string) []byte {
	return mac(s.keys[0], purpose, of...)
}

// fits reports whether a seal was made here for these parts.
func (s *Sealer) fits(seal []byte, purpose string, of ...string) bool {
	fit := false
	for _, k := range s.keys {
		fit = hmac.Equal(seal, mac(k, purpose, of...)) || fit
	}
	return fit
}

func mac(key []byte, purpose string, of ...string) []byte {
	h := hmac.New(sha256.New, key)
	parts(h, append([]string{purpose}, of...)...)
	return h.Sum(nil)
}

// parts writes each part with its length, so that no two lists of parts look
// the same.
func parts(h io.Writer, of ...string) {
	for _, p := range append([]string{"pagbot"}, of...) {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode is strict: one value has one spelling.
func decode(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }
