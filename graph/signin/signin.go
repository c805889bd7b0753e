package signin

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"time"

	"pagbot/activation"
)

// Service is the pages, the pocket and the vault.
type Service struct {
	cfg    Config
	https  bool
	base   string // path of cfg.URL
	away   once   // browsers that are at Microsoft, by state
	steps  once   // browsers that are back, by step
	pocket pocket
	vault  *vault
	stand  standings
	claims claims

	devices devices
	life    context.Context // of what waits in the background
	end     context.CancelFunc
}

// New makes a service, or says what is wrong with its configuration.
func New(cfg Config) (*Service, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	s := &Service{life: life, end: end, cfg: cfg, https: u.Scheme == "https", base: u.Path}
	if s.vault, err = newVault(cfg); err != nil {
		return nil, err
	}
	// A credential or authority that cannot work should fail now, not in the
	// first person's browser.
	if _, err := cfg.newClient(new(blob)); err != nil {
		return nil, errors.Join(errors.New("the sign-in registration's credential or authority is not usable"), err)
	}
	return s, nil
}

// Handler serves the pages under the path of Config.URL.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+s.base+"/d/{token}", s.page(s.show))
	mux.HandleFunc("POST "+s.base+"/d/{token}", s.page(s.start))
	mux.HandleFunc("GET "+s.base+"/callback", s.page(s.callback))
	mux.HandleFunc("GET "+s.base+"/c/{step}", s.page(s.step))
	mux.HandleFunc("POST "+s.base+"/c/{step}", s.page(s.confirm))
	mux.HandleFunc("/", s.page(func(http.ResponseWriter, *http.Request) page { return pageNothingHere }))
	return mux
}

// look finds the deed of a warrant and makes sure that it is what the person
// was promised. The page says why not.
func (s *Service) look(ctx context.Context, id string) (activation.Activation, activation.Pending, *page) {
	a, p, err := s.cfg.Deeds.Find(ctx, id)
	switch {
	case errors.Is(err, ErrNoDeed):
		return a, p, &pageNoDeed
	case err != nil:
		return a, p, s.trouble("the deed could not be read", err)
	case p.Warrant.ID == "":
		pg := s.outcome(a, "", id)
		return a, p, &pg
	}
	w := p.Warrant
	if err := s.cfg.Sealer.Check(w); err != nil || w.ID != id {
		s.cfg.Log.Warn("a deed with a warrant that was not sealed here", "activation", a.ID)
		return a, p, &pageBadWarrant
	}
	if s.cfg.Now().After(w.Expires) {
		return a, p, &pageExpired
	}
	if a.Terms(w.Deed, p.Reason).Digest() != w.Digest {
		return a, p, &pageChanged
	}
	return a, p, nil
}

// open reads the link that a request names.
func (s *Service) open(r *http.Request) (link, *page) {
	l, ok := s.cfg.Sealer.open(r.PathValue("token"))
	if !ok {
		return l, &pageBadLink
	}
	if l.expired(s.cfg.Now()) {
		return l, &pageExpired
	}
	return l, nil
}

// show is what a link leads to. It changes nothing, so that whoever fetches
// links ahead of people may do so.
func (s *Service) show(w http.ResponseWriter, r *http.Request) page {
	l, no := s.open(r)
	if no != nil {
		return *no
	}
	pg := s.pageSignIn(l.Slack)
	if l.Warrant != "" {
		all, no := s.lookAll(r.Context(), l.Warrant, l.Also)
		if no != nil {
			return *no
		}
		pg = s.pageDeeds(all)
	}
	return s.form(w, r, pg)
}

// form gives a page the form that leads on from it.
func (s *Service) form(w http.ResponseWriter, r *http.Request, pg page) page {
	pg.Action = r.URL.Path
	pg.Form = s.csrf(s.mark(w, r), r.URL.Path)
	return pg
}

// start sends the browser to Microsoft.
func (s *Service) start(w http.ResponseWriter, r *http.Request) page {
	l, no := s.open(r)
	if no != nil {
		return *no
	}
	if !s.ours(r) {
		return pageNotOurForm
	}
	f, no := s.begin(r.Context(), l)
	if no != nil {
		return *no
	}
	v, _ := s.browser(r) // ours has seen it
	f.browser, f.link = sha256.Sum256([]byte(v)), r.PathValue("token")
	state, ok := s.away.put(f)
	if !ok {
		return pageBusy
	}
	ctx, cancel := context.WithTimeout(r.Context(), wireTime)
	defer cancel()
	to, err := s.authorize(ctx, f, state)
	if err != nil {
		s.away.take(state)
		return *s.trouble("the authority could not be asked where to sign in", wireError(err))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return page{}
}

// wireTime is how long one exchange with the authority may take.
const wireTime = 20 * time.Second

// begin decides what this sign-in has to prove.
func (s *Service) begin(ctx context.Context, l link) (*flow, *page) {
	f := &flow{verifier: random(), nonce: random(), cache: new(blob), slack: l.Slack}
	if l.Warrant != "" {
		all, no := s.lookAll(ctx, l.Warrant, l.Also)
		if no != nil {
			return nil, no
		}
		f.concern(all)
	} else if who := s.cfg.People.BySlack(l.Slack); len(who) == 1 {
		f.who = who[0]
	}
	client, err := s.cfg.newClient(f.cache)
	if err != nil {
		return nil, s.trouble("no client for the authority", wireError(err))
	}
	f.client = client
	return f, nil
}
