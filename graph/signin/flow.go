package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/activation"
)

// flowLife is how long each step of a sign-in may take.
const flowLife = 10 * time.Minute

// What impatient browsers can make us remember, in all and of one link.
const (
	maxFlows  = 10_000
	maxOfLink = 20
)

// stage is how far a browser has come; each step wants the one before.
type stage int

const (
	atMicrosoft stage = iota // the browser was sent to sign in
	signedIn                 // we know the account; it has confirmed nothing yet
	claiming                 // its code waits to be typed into Slack
	bound                    // it is that Slack user's; the deed is not confirmed
	confirmed                // the deed was released
)

// flow is one browser's way through one sign-in. It lives in memory only: if
// the process dies, the person starts again from Slack.
type flow struct {
	stage   stage
	browser [sha256.Size]byte // digest of the cookie that it began with
	link    string            // token of the link it came from, to start again
	slack   activation.SlackUser
	warrant string   // empty: signing in without a deed
	also    []string // further warrants that are confirmed together with it

	device   bool // by device code
	fresh    bool
	claims   string
	verifier string
	nonce    string
	client   confidential.Client
	cache    *blob // what the client would remember; kept only after a confirmation

	who        activation.Person // who is expected; once signed in, who it is
	how        string            // by what the account is that Slack user's
	member     Member            // that Slack user, as Slack has them
	code       string            // to be typed into Slack
	waited     int               // how often it was not
	home       string            // msal's name of the account
	token      Token
	asked      time.Time // when they were asked for their credentials, as far as we know
	until      time.Time // how long what was proved is good for
	activation string
	deed       activation.Deed
}

// once keeps values that can be taken one time, for a while.
type once struct {
	mu sync.Mutex
	m  map[string]held
}

type held struct {
	flow *flow
	end  *time.Timer
}

// put keeps f under a new unguessable key; false if there are too many.
func (o *once) put(f *flow) (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.m) >= maxFlows || o.count(f.link) >= maxOfLink {
		return "", false
	}
	if o.m == nil {
		o.m = map[string]held{}
	}
	key := random()
	o.m[key] = held{f, time.AfterFunc(flowLife, func() { o.take(key) })}
	return key, true
}

func (o *once) count(link string) (n int) {
	for _, h := range o.m {
		if h.flow.link == link {
			n++
		}
	}
	return n
}

// peek reads without taking.
func (o *once) peek(key string) (*flow, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h, ok := o.m[key]
	return h.flow, ok
}

// take reads and forgets: nobody gets it a second time.
func (o *once) take(key string) (*flow, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h, ok := o.m[key]
	if !ok {
		return nil, false
	}
	h.end.Stop()
	delete(o.m, key)
	// A copy: a slow reader of the step before may still hold the original.
	f := *h.flow
	return &f, true
}

// random is 256 bits that nobody can guess.
func random() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: it would crash the program
	return encode(b[:])
}

// A browser is known by one cookie. It identifies nobody; it only makes sure
// that the browser that comes back is the one that left.

func (s *Service) cookieName() string {
	if s.https || s.cfg.HostCookie {
		return "__Host-pagbot"
	}
	return "pagbot" // plain http on loopback: browsers refuse __Host- there
}

// browser returns the browser's cookie value, if it has a sound one.
func (s *Service) browser(r *http.Request) (string, bool) {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return "", false
	}
	b, err := decode(c.Value)
	return c.Value, err == nil && len(b) == 32
}

// mark gives a browser its cookie if it has none.
func (s *Service) mark(w http.ResponseWriter, r *http.Request) string {
	if v, ok := s.browser(r); ok {
		return v
	}
	v := random()
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: v, Path: "/", HttpOnly: true,
		Secure:   s.https || s.cfg.HostCookie,
		SameSite: http.SameSiteLaxMode, // Microsoft's redirect back is cross-site
	})
	return v
}

// csrf is what a form carries to prove that this page, in this browser, made it.
func (s *Service) csrf(browser, path string) string {
	return encode(s.cfg.Sealer.mac("form", browser, path))
}

// sameBrowser reports whether r comes from the browser that f began in.
func (s *Service) sameBrowser(r *http.Request, f *flow) bool {
	v, ok := s.browser(r)
	sum := sha256.Sum256([]byte(v))
	return ok && subtle.ConstantTimeCompare(sum[:], f.browser[:]) == 1
}

// ours reports whether a POST was sent by a form of ours in the same browser.
func (s *Service) ours(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	v, ok := s.browser(r)
	want := s.csrf(v, r.URL.Path)
	return ok && subtle.ConstantTimeCompare([]byte(want), []byte(r.PostFormValue("form"))) == 1
}
