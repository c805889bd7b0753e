package signin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"pagbot/activation"
)

// settleTime is how long a page waits to say what became of a deed.
const settleTime = 15 * time.Second

// at finds the step that a request is at.
func (s *Service) at(r *http.Request) (*flow, *page) {
	f, ok := s.steps.peek(r.PathValue("step"))
	if !ok {
		return nil, &pageUsedStep
	}
	if !s.sameBrowser(r, f) {
		return nil, &pageOtherBrowser
	}
	return f, nil
}

// step shows where the browser is: what it is about to confirm, or what came
// of it. It changes nothing.
func (s *Service) step(w http.ResponseWriter, r *http.Request) page {
	f, no := s.at(r)
	if no != nil {
		return *no
	}
	switch {
	case f.stage == signedIn:
		return s.form(w, r, pageBind(f.who, s.member(r.Context(), f)))
	case f.stage == claiming:
		return s.pageClaim(w, r, f)
	case f.stage == confirmed && f.warrant == "":
		return s.pageKept(f)
	case f.stage == confirmed && len(f.also) > 0:
		return s.settledAll(r.Context(), f)
	case f.stage == confirmed:
		return s.settled(r.Context(), f)
	case f.warrant == "":
		return s.form(w, r, s.pageKeep(f.who, s.member(r.Context(), f)))
	}
	all, no := s.lookAll(r.Context(), f.warrant, f.also)
	if no != nil {
		return *no
	}
	return s.form(w, r, s.pageConfirmAll(all, f.who))
}

// confirm takes one step, once.
func (s *Service) confirm(w http.ResponseWriter, r *http.Request) page {
	if _, no := s.at(r); no != nil {
		return *no
	}
	if !s.ours(r) {
		return pageNotOurForm
	}
	f, ok := s.steps.take(r.PathValue("step"))
	if !ok {
		return pageUsedStep
	}
	do := s.confirmDeed
	switch {
	case f.stage == signedIn:
		do = s.confirmBinding
	case f.stage == claiming:
		do = s.confirmClaim
	case f.stage == confirmed:
		return pageUsedStep
	case f.warrant == "":
		do = s.confirmSignIn
	}
	if no := do(r.Context(), f); no != nil {
		return *no
	}
	return s.next(w, r, f)
}

// member is the Slack user of a sign-in as Slack has them; who can't be looked
// up has no name, and the page shows their id alone.
func (s *Service) member(ctx context.Context, f *flow) Member {
	if f.member == (Member{}) {
		if st, err := s.standing(ctx, f.who); err == nil {
			return st.member
		}
	}
	return f.member
}

func (s *Service) confirmSignIn(ctx context.Context, f *flow) *page {
	if s.keeps() {
		if err := s.vault.keep(ctx, f); err != nil {
			return s.trouble("the session could not be kept", err)
		}
	}
	s.log(f, "signed in", f.who)
	f.stage = confirmed
	return nil
}

// confirmDeed pockets the token and wakes the deed. A crash right here leaves
// a deed that still waits for a sign-in, and a person who repeats it; after
// Release the deed is the engine's, which looks in PIM before it repeats.
func (s *Service) confirmDeed(ctx context.Context, f *flow) *page {
	all, no := s.lookAll(ctx, f.warrant, f.also)
	if no != nil {
		return no
	}
	if time.Now().After(f.until) {
		return pageNotFresh.retry(s.base, f).ptr()
	}
	// What proves more than a session is never kept.
	if s.keeps() && !f.fresh && f.claims == "" {
		if err := s.vault.keep(ctx, f); err != nil {
			s.cfg.Log.Error("sign-in: the session could not be kept; this deed goes on", "error", err)
		}
	}
	f.cache = nil
	if err := s.release(ctx, f, all); err != nil {
		return s.trouble("the deed could not be woken", err)
	}
	f.token, f.deed, f.stage = Token{}, all[0].p.Warrant.Deed, confirmed
	return nil
}

// settled waits a little for what becomes of a confirmed deed.
func (s *Service) settled(ctx context.Context, f *flow) page {
	for end := time.Now().Add(settleTime); time.Now().Before(end) && ctx.Err() == nil; {
		a, err := s.settledSoon(ctx, f)
		if err == nil {
			s.pocket.drop(f.warrant)
			return s.outcome(a, f.deed, f.warrant)
		}
		if !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return s.unread(err)
		}
		_, p, err := s.cfg.Deeds.Find(ctx, f.warrant)
		if err == nil && p.Warrant.ID == f.warrant && p.Claims != "" && !sameClaims(p.Claims, f.claims) {
			return pageStepUp(s.base + "/d/" + f.link)
		}
	}
	return pageStillWorking
}

// settledSoon waits a second, so that a step-up is noticed in between.
func (s *Service) settledSoon(ctx context.Context, f *flow) (activation.Activation, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	a, err := s.cfg.Deeds.Settled(ctx, f.activation, f.warrant)
	if _, waits := a.Deed(f.warrant); err == nil && waits {
		<-ctx.Done()
		return a, ctx.Err()
	}
	return a, err
}
