package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"pagbot/activation"
)

// Device is the third registration: a public client that signs in by device
// code, for people whose browsers can't reach the pages. It is off by default.
// Whoever hears such a code can have another enter it, so a device code
//
//   - binds nobody: it takes an account that this Slack user has confirmed in
//     a browser before;
//   - is no fresh proof, ever;
//   - makes a session and nothing else: a deed needs a click that comes after.
type Device struct {
	Client string // application id; empty: no device codes
	// Done is told what became of each code, in a sentence for its person.
	Done func(slack activation.SlackUser, ok bool, say string)
}

// DeviceCode is what a person enters, where, and until when.
type DeviceCode struct {
	Code    string
	URL     string
	Expires time.Time
}

// devices are the codes that wait, one a Slack user.
type devices struct {
	mu   sync.Mutex
	m    map[activation.SlackUser]*deviceWait
	work sync.WaitGroup
}

// deviceWait is one code whose person has not entered it yet.
type deviceWait struct{ stop context.CancelFunc }

const maxDevices = 200

// DeviceCodes reports whether people may sign in by device code.
func (s *Service) DeviceCodes() bool { return s.cfg.Device.Client != "" && s.keeps() }

// DeviceCode begins a sign-in by device code; a newer one replaces it. The
// person must have an account here already.
func (s *Service) DeviceCode(ctx context.Context, slack activation.SlackUser) (DeviceCode, error) {
	if !s.DeviceCodes() {
		return DeviceCode{}, errors.New("device codes are off")
	}
	confirmed, _, err := s.bindings(ctx, slack)
	if err != nil {
		return DeviceCode{}, err
	}
	if len(confirmed) == 0 {
		return DeviceCode{}, activation.Refusal{Code: activation.NotBound, Text: "a device code needs an account that was confirmed in a browser before"}
	}
	b := new(blob)
	client, err := s.cfg.newDevice(b)
	if err != nil {
		return DeviceCode{}, wireError(err)
	}
	life, stop := context.WithTimeout(s.life, 15*time.Minute)
	mine := &deviceWait{stop}
	if !s.devices.begin(slack, mine) {
		stop()
		return DeviceCode{}, activation.Refusal{Code: activation.Throttled, Text: "too many device codes wait"}
	}
	asked, cancel := context.WithTimeout(ctx, wireTime)
	defer cancel()
	dc, err := client.AcquireTokenByDeviceCode(asked, s.cfg.Scopes)
	if err != nil {
		s.devices.end(slack, mine)
		s.devices.work.Done()
		return DeviceCode{}, wireError(err)
	}
	go func() {
		defer s.devices.work.Done()
		defer s.devices.end(slack, mine)
		s.await(life, slack, dc, b)
	}()
	return DeviceCode{dc.Result.UserCode, dc.Result.VerificationURL, dc.Result.ExpiresOn}, nil
}

func (d *devices) begin(slack activation.SlackUser, w *deviceWait) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.m == nil {
		d.m = map[activation.SlackUser]*deviceWait{}
	}
	if old, ok := d.m[slack]; ok {
		old.stop()
	} else if len(d.m) >= maxDevices {
		return false
	}
	d.m[slack] = w
	d.work.Add(1)
	return true
}

func (d *devices) end(slack activation.SlackUser, w *deviceWait) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.stop()
	if d.m[slack] == w {
		delete(d.m, slack)
	}
}

// drop ends a code that waits, and nobody is told.
func (d *devices) drop(slack activation.SlackUser) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w, ok := d.m[slack]; ok {
		w.stop()
		delete(d.m, slack)
	}
}

// await waits until the person is done, and keeps the session if it is theirs.
func (s *Service) await(ctx context.Context, slack activation.SlackUser, dc public.DeviceCode, b *blob) {
	res, err := dc.AuthenticationResult(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled) {
		return // replaced by a newer one, signed out, or the bot stops
	}
	who, say := activation.Person{}, ""
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		say = "Nobody entered the code in time, so it is over. Nothing was done."
	case err != nil:
		say = s.deviceRefused(slack, wireError(err))
	default:
		who, say = s.deviceDone(ctx, slack, res, b)
	}
	if s.cfg.Device.Done != nil {
		s.cfg.Device.Done(slack, who.Object != "", say)
	}
}

func (s *Service) deviceRefused(slack activation.SlackUser, err error) string {
	ref := reference()
	s.cfg.Log.Warn("sign-in: the authority refused a device code", "slack", slack.ID, "error", err, "reference", ref)
	p := pageAuthority(err, ref)
	return p.Title + ". " + p.Lead + " " + p.Next + " " + p.Small
}

// deviceDone makes sure that who entered the code is who asked for it. It
// looks at object id and tenant, and never at a name.
func (s *Service) deviceDone(ctx context.Context, slack activation.SlackUser, res public.AuthResult, b *blob) (activation.Person, string) {
	nobody := activation.Person{}
	id, err := readIDToken(res.IDToken.RawToken)
	if err != nil || subtle.ConstantTimeCompare([]byte(id.Audience), []byte(s.cfg.Device.Client)) != 1 {
		s.cfg.Log.Warn("sign-in: a device code was answered with a token of something else", "slack", slack.ID, "error", err)
		return nobody, "Microsoft's answer could not be read, so nothing was kept. Use /pag signin."
	}
	f := &flow{slack: slack, home: res.Account.HomeAccountID, cache: b, asked: time.Now(), device: true}
	got := activation.Person{Tenant: id.Tenant, Object: id.Object, Name: id.Name}
	who, ok := s.cfg.People.ByObject(id.Tenant, id.Object)
	if !ok || who.Slack != slack || !equalFold(id.Tenant, s.cfg.Tenant) {
		s.log(f, "refused: a device code was entered by somebody else than who asked for it", got)
		return nobody, "The code was entered by " + shown(got) + ", which is no account of yours. Nothing was kept. If you didn't give the code away, tell your security team."
	}
	known, err := s.binding(ctx, who)
	if err == nil && !known {
		s.log(f, "refused: a device code for an account that was never confirmed", got)
		return nobody, shown(got) + " was never confirmed as yours in a browser. Nothing was kept. Use /pag signin once."
	}
	f.who = who
	if err == nil {
		err = s.vault.keep(ctx, f)
	}
	if err != nil {
		s.cfg.Log.Error("sign-in: a session by device code could not be kept", "slack", slack.ID, "error", err)
		return nobody, "You signed in, but it could not be kept. Try again in a minute."
	}
	s.log(f, "signed in by device code", who)
	return who, "You are signed in as " + shown(who) + ", by device code. It does nothing by itself: press the button or type the command again. If that was not you, type /pag signout and tell your security team."
}

// newDevice makes a client of the third registration on a cache of its own.
func (c Config) newDevice(b *blob) (public.Client, error) {
	return public.New(c.Device.Client, public.WithAuthority(c.Authority), public.WithCache(b), public.WithHTTPClient(c.HTTP),
		public.WithInstanceDiscovery(!c.NoDiscovery), public.WithClientCapabilities([]string{"CP1"}))
}

// refreshDevice gets an access token of a session by device code.
func (s *Service) refreshDevice(ctx context.Context, had *kept) (string, time.Time, error) {
	if !s.DeviceCodes() {
		return "", time.Time{}, errNotKept // they were turned off since
	}
	b := &blob{data: had.Cache}
	client, err := s.cfg.newDevice(b)
	if err != nil {
		return "", time.Time{}, wireError(err)
	}
	all, err := client.Accounts(ctx)
	if err != nil {
		return "", time.Time{}, errNotKept
	}
	for _, acc := range all {
		if strings.EqualFold(acc.HomeAccountID, had.Home) {
			res, err := client.AcquireTokenSilent(ctx, s.cfg.Scopes, public.WithSilentAccount(acc))
			if err != nil {
				return "", time.Time{}, wireError(err)
			}
			had.Cache = b.data
			return res.AccessToken, res.ExpiresOn, nil
		}
	}
	return "", time.Time{}, errNotKept
}

// Close ends what waits in the background.
func (s *Service) Close() {
	s.end()
	s.devices.work.Wait()
}
