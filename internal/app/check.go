package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"pagbot/graph"
)

// patience is how long first contact may take, all together.
const patience = 20 * time.Second

// Check makes first contact with everything, and says all that is wrong, in
// one line each.
func (a *App) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	errs := make([]error, len(a.checks))
	var all errgroup.Group
	for i, ask := range a.checks {
		all.Go(func() error { errs[i] = ask(ctx); return nil })
	}
	_ = all.Wait()
	return errors.Join(errs...)
}

// Start is Check for a bot that is about to serve. Where the very same
// configuration has passed before, an Entra that is in trouble now keeps nobody's
// click from being taken: the trouble is logged, and told to who asks.
func (a *App) Start(ctx context.Context) error {
	passed := filepath.Join(a.cfg.StateDir(), "passed")
	before, _ := os.ReadFile(passed) // none: it has not
	a.passed = a.cfg.sum != "" && string(before) == a.cfg.sum
	if err := a.Check(ctx); err != nil || a.passed {
		return err
	}
	return os.WriteFile(passed, []byte(a.cfg.sum), 0o600)
}

// checkEntra makes first contact with Entra.
func (a *App) checkEntra(ctx context.Context) error {
	err := a.askEntra(ctx)
	if err == nil || !a.passed || errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	for _, line := range Lines(err) {
		a.log.Error("Entra has passed before and fails now; the bot works on", "err", line)
	}
	return nil
}

// askEntra asks for a token, for every group, and for every permission.
func (a *App) askEntra(ctx context.Context) error {
	if err := a.reachGraph(ctx); err != nil {
		return err
	}
	var p problems
	p.add(a.askSignIn(ctx))
	for _, line := range joined(a.reader.Check(ctx)) {
		if !graph.NotFound(line) { // said below, with the group's name
			p.add(plainGraph(line))
		}
	}
	for _, g := range a.cfg.Groups {
		found, err := a.reader.Group(ctx, g.ID)
		switch {
		case graph.NotFound(err):
			p.add(fmt.Errorf("groups %s: there is no group %s in tenant %s: copy its object id from Entra", g.Name, g.ID, a.cfg.Entra.Tenant))
		case err != nil:
			return errors.Join(p...) // the reader's check has said why
		case !strings.EqualFold(found.Name, g.Name):
			a.log.Warn("a group is called otherwise in Entra", "configured", g.Name, "entra", found.Name)
		}
	}
	return errors.Join(p...)
}

// signIns are what Entra says of a registration that will let nobody in.
var signIns = []struct{ code, means string }{
	{"AADSTS700016", "signin.client_id: the sign-in app is not registered in tenant %s: check its client id, and which tenant it was made in"},
	{"AADSTS7000215", "signin.client_secret: it is wrong (in tenant %s): use the secret's value, not its id"},
	{"AADSTS7000222", "signin.client_secret: it has expired: make a new one in the sign-in app's registration in tenant %s"},
	{"AADSTS7000112", "signin.client_id: the sign-in app is disabled in tenant %s: enable its enterprise application"},
}

// askSignIn asks for a token as the sign-in registration itself. It can do
// nothing with it, but else the first person would be the one to find out that
// its secret is wrong. What says nothing of the registration is no problem here.
func (a *App) askSignIn(ctx context.Context) error {
	c := a.cfg.SignIn
	if c == nil {
		return nil
	}
	cred, err := a.cfg.credentialOf(ReaderConfig{ClientID: c.ClientID, ClientSecret: &c.ClientSecret}, "", a.http, a.secrets.signIn)
	if err != nil {
		return err
	}
	if _, err = bearer(cred, a.cfg.graphRoot()+"/.default")(ctx); err == nil {
		return nil
	}
	for _, s := range signIns {
		if strings.Contains(err.Error(), s.code+":") {
			return fmt.Errorf(s.means+" (%s)", a.cfg.Entra.Tenant, s.code)
		}
	}
	return nil
}

// reachGraph asks for one group, so that a Graph that is not there is one
// problem and not one of every permission.
func (a *App) reachGraph(ctx context.Context) error {
	_, err := a.reader.Group(ctx, a.cfg.Groups[0].ID)
	var f *graph.Fault
	if !errors.As(err, &f) || f.Status != 0 || errors.As(err, new(*noToken)) {
		return nil // there, or the check will say why not
	}
	why := oneLine(f)
	if f.Err != nil {
		why = strings.TrimPrefix(oneLine(f.Err), "no answer: ")
	}
	return fmt.Errorf("entra.graph: %s can't be reached (%s): open the way there (proxy, firewall, DNS)", a.cfg.graphRoot(), unreachedText(why))
}

// setup is the first contact with a target.
type setup struct {
	target string
	ask    func(context.Context) error
}

// setUp makes it. A target that is down is asked again with the first question
// that it gets, so the bot works without it.
func (a *App) setUp(ctx context.Context, s setup) {
	if err := s.ask(ctx); err != nil && ctx.Err() == nil {
		a.log.Warn("a target can't be asked yet; the bot works on and will ask it again", "target", s.target, "err", oneLine(err))
	}
}

// scopes are what the bot token needs; manifest.yaml asks for the same.
var scopes = []string{"chat:write", "commands", "files:write", "channels:read", "groups:read", "users:read"}

// whoAmI asks Slack who we are: the mapping of people needs the team.
func (a *App) whoAmI(ctx context.Context, api *slack.Client) (*slack.AuthTestResponse, error) {
	me, err := api.AuthTestContext(ctx)
	if err != nil {
		return nil, plainSlack(a.cfg.Slack.API, err)
	}
	// Slack names a token's scopes beside every answer.
	if has := me.Header.Get("X-OAuth-Scopes"); has != "" {
		want := slices.Clone(scopes)
		if s := a.cfg.SignIn; s != nil && len(s.Bind.Mail) > 0 {
			want = append(want, "users:read.email")
		}
		lacks := slices.DeleteFunc(want, func(s string) bool {
			return slices.Contains(strings.FieldsFunc(has, func(r rune) bool { return r == ',' || r == ' ' }), s)
		})
		if len(lacks) > 0 {
			return nil, fmt.Errorf("slack.bot_token lacks %s: add that under OAuth & Permissions, Bot Token Scopes, and install the app again", strings.Join(lacks, ", "))
		}
	}
	return me, nil
}
