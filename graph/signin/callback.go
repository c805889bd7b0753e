package signin

import (
	"context"
	"crypto/subtle"
	"net/http"
	"time"

	"pagbot/activation"
)

// callback is where Microsoft sends the browser back to. Nothing is done yet:
// it only finds out who this is.
func (s *Service) callback(w http.ResponseWriter, r *http.Request) page {
	q := r.URL.Query()
	f, ok := s.away.take(q.Get("state"))
	if !ok {
		return pageUsedState
	}
	if !s.sameBrowser(r, f) {
		s.cfg.Log.Warn("a sign-in came back in another browser than it began in", "activation", f.activation)
		return pageOtherBrowser
	}
	if q.Get("error") != "" {
		return s.refused(f, browserError(q))
	}
	ctx, cancel := context.WithTimeout(r.Context(), wireTime)
	defer cancel()
	id, err := s.redeem(ctx, f, q.Get("code"))
	if err != nil {
		return s.refused(f, err)
	}
	if no := s.identify(ctx, f, id); no != nil {
		return no.retry(s.base, f)
	}
	known, err := s.binding(ctx, f.who)
	if err != nil {
		return *s.trouble("the bindings could not be read", err)
	}
	f.stage = signedIn
	if known {
		f.stage = bound
	}
	return s.next(w, r, f)
}

// next leads the browser to the page of its next step, under an address that
// holds no code.
func (s *Service) next(w http.ResponseWriter, r *http.Request, f *flow) page {
	step, ok := s.steps.put(f)
	if !ok {
		return pageBusy
	}
	http.Redirect(w, r, s.base+"/c/"+step, http.StatusSeeOther)
	return page{}
}

// identify makes sure that who signed in is who this sign-in is for, by tenant
// and object id and by the mapping, never by a name.
func (s *Service) identify(ctx context.Context, f *flow, id idClaims) *page {
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.nonce)) != 1 || id.Audience != s.cfg.Client {
		s.cfg.Log.Warn("a sign-in answered another question than ours", "activation", f.activation)
		return &pageNotOurs
	}
	got := activation.Person{Tenant: id.Tenant, Object: id.Object, Name: id.Name}
	if !equalFold(id.Tenant, s.cfg.Tenant) {
		s.log(f, "refused: account of another tenant", got)
		return pageOtherTenant(got)
	}
	if f.warrant != "" && !got.SameAccount(f.who) {
		s.log(f, "refused: another account than the click was for", got)
		return pageWrongAccount(got, f.who)
	}
	who, ok := s.cfg.People.ByObject(id.Tenant, id.Object)
	f.how = s.cfg.People.how(who)
	switch {
	case ok && who.Slack == f.slack:
	case !ok && f.warrant == "" && s.cfg.Bind.any():
		var no *page
		if who, no = s.recognise(ctx, f, got); no != nil {
			return no
		}
	default:
		s.log(f, "refused: the mapping does not give this account to this Slack user", got)
		return pageNotMapped(got, f.slack)
	}
	f.asked, f.until = time.Now(), time.Now().Add(pocketLife)
	if at := time.Unix(id.AuthTime, 0); id.AuthTime > 0 && at.Before(f.asked) {
		f.asked = at
	}
	if f.fresh {
		if !id.recent(time.Now()) {
			s.log(f, "refused: nobody was asked for their credentials just now", got)
			return &pageNotFresh
		}
		f.until = time.Unix(id.AuthTime, 0).Add(freshFor)
	}
	if got.Name != "" && f.how == byFile {
		who.Name = got.Name
	}
	f.who = who
	return nil
}

func (s *Service) log(f *flow, what string, who activation.Person) {
	s.cfg.Log.Info("sign-in: "+what, "activation", f.activation, "tenant", who.Tenant, "object", who.Object,
		"slack", f.slack.ID, "fresh", f.fresh)
}

// refused is the page for a no of the authority.
func (s *Service) refused(f *flow, err error) page {
	ref := reference()
	s.cfg.Log.Warn("sign-in: the authority said no", "error", err, "reference", ref, "activation", f.activation)
	return pageAuthority(err, ref).retry(s.base, f)
}
