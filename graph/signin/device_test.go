package signin_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/browser"
	"pagbot/sim/entra"
)

// heard is what people are told of their device codes.
type heard []string

// withDevice is a world with the third registration.
func withDevice(t *testing.T, change ...func(*signin.Config)) (*world, *town, *heard) {
	t.Helper()
	h := &heard{}
	w, d := withTown(t, change...)
	app := w.entra.AddApp(entra.App{Name: "pagbot device", Public: true, Delegated: []string{scope}})
	w.cfg.Device = signin.Device{Client: app.ID, Done: func(_ activation.SlackUser, ok bool, say string) {
		*h = append(*h, map[bool]string{true: "ok: ", false: "no: "}[ok]+say)
	}}
	w.restart()
	return w, d, h
}

// enter types a device code at Microsoft, signs in and confirms there.
func (w *world) enter(b *browser.Browser, c signin.DeviceCode, u entra.User) {
	w.t.Helper()
	w.open(b, c.URL)
	w.must(b.Fill("otc", c.Code))
	_, err := b.Submit(b.Page().Forms[0].Buttons[0].Text)
	w.must(err)
	w.login(b, u, true)
	w.click(b, "Continue")
	time.Sleep(10 * time.Second) // the bot asks every five
	synctest.Wait()
}

func (h *heard) says(t *testing.T, words ...string) {
	t.Helper()
	if len(*h) == 0 {
		t.Fatal("nobody was told anything")
	}
	last := (*h)[len(*h)-1]
	for _, w := range words {
		if !strings.Contains(last, w) {
			t.Errorf("%q does not say %q", last, w)
		}
	}
}

func TestDeviceCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h := withDevice(t)
		w.session(w.requester) // confirmed in a browser, once
		mine := w.person(w.requester).Slack
		w.must(w.svc.SignOut(t.Context(), mine))
		before := w.ask(activation.End, w.person(w.requester), activation.Session)
		code, err := w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		if code.Code == "" || time.Until(code.Expires) < 14*time.Minute {
			t.Errorf("%+v", code)
		}
		w.enter(w.browser(), code, w.requester)
		h.says(t, "ok: ", "requester@contoso.example", "press the button or type the command again")
		w.noToken(before, "a click from before the code was entered")
		if len(w.deeds.released) != 0 {
			t.Errorf("entering the code released %v", w.deeds.released)
		}
		time.Sleep(time.Second)
		after := w.ask(activation.End, w.person(w.requester), activation.Session)
		w.token(after)
		time.Sleep(2 * time.Hour)
		w.restart()
		w.token(after)
		w.noToken(w.fresh(), "a device code for a fresh proof")
		if _, err := w.svc.Token(t.Context(), after, context1); !errors.Is(err, signin.ErrSignIn) {
			t.Errorf("a device code for a step-up: %v", err)
		}
		// The registration is taken away again.
		w.cfg.Device = signin.Device{}
		w.restart()
		w.noToken(after, "device codes are off")
		if _, err := w.svc.DeviceCode(t.Context(), mine); err == nil {
			t.Error("a code although they are off")
		}
	})
}

// The attacker begins as their own Slack user, whose e-mail they have made the
// victim's, and sends the victim the code.
func TestPhishedDeviceCodeWithEqualMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d, h := withDevice(t, func(c *signin.Config) { c.Bind = signin.Bind{Attribute: true, Mail: []string{"contoso.example"}} })
		attacker := w.person(w.approver).Slack
		w.session(w.approver)
		d.members["U0APPROVER"] = signin.Member{Name: "approver", Mail: w.stranger.UPN, Active: true}
		for _, victim := range []entra.User{w.stranger, w.requester} { // unlinked, and linked
			code, err := w.svc.DeviceCode(t.Context(), attacker)
			w.must(err)
			w.enter(w.browser(), code, victim)
			h.says(t, "no: ", victim.UPN, "no account of yours", "Nothing was kept")
		}
		if _, ok := w.cfg.People.ByObject(w.entra.Tenant(), w.stranger.ID); ok {
			t.Error("a device code bound somebody")
		}
		time.Sleep(time.Second)
		w.noToken(w.ask(activation.End, w.person(w.requester), activation.Session), "the victim's session")
	})
}

// An account that the mapping has, but that was never confirmed in a browser.
func TestDeviceCodeBindsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h := withDevice(t)
		mine := w.person(w.requester).Slack
		if _, err := w.svc.DeviceCode(t.Context(), mine); code(err) != activation.NotBound {
			t.Errorf("a code for who never confirmed anything: %v", err)
		}
		w.session(w.requester)
		code, err := w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		w.enter(w.browser(), code, w.admin) // theirs, but unconfirmed
		h.says(t, "no: ", "never confirmed")
		w.noToken(w.ask(activation.End, w.person(w.admin), activation.Session), "an account that was never confirmed")
	})
}

func TestDeviceCodeRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h := withDevice(t)
		w.session(w.requester)
		mine := w.person(w.requester).Slack
		_, err := w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		h.says(t, "no: Nobody entered the code in time")
		lift := w.entra.AddPolicy(entra.Policy{NoDeviceCode: true})
		b := w.browser()
		code, err := w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		w.open(b, code.URL)
		w.must(b.Fill("otc", code.Code))
		_, err = b.Submit(b.Page().Forms[0].Buttons[0].Text)
		w.must(err)
		w.login(b, w.requester, true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.says(t, "no: ", "Conditional Access")
		lift()
		// A newer code replaces the older, of which nobody is told anything.
		n := len(*h)
		old, err := w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		_, err = w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		w.enter(w.browser(), old, w.requester)
		if len(*h) != n {
			t.Errorf("told %q of a code that was replaced", (*h)[n:])
		}
		w.svc.Close()
		synctest.Wait()
		if len(*h) != n {
			t.Errorf("told %q when the bot stopped", (*h)[n:])
		}
	})
}

// Who signs out has no code left that would sign them in again.
func TestSignOutEndsDeviceCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h := withDevice(t)
		w.session(w.requester)
		mine := w.person(w.requester).Slack
		code, err := w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		w.must(w.svc.SignOut(t.Context(), mine))
		n := len(*h)
		w.enter(w.browser(), code, w.requester)
		time.Sleep(time.Minute)
		w.noToken(w.ask(activation.End, w.person(w.requester), activation.Session), "a code from before the sign-out")
		if len(*h) != n {
			t.Errorf("told %q", (*h)[n:])
		}
		code, err = w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		w.enter(w.browser(), code, w.requester)
		h.says(t, "ok: ", "requester@contoso.example")
	})
}

// An answer that was made for another app.
func TestDeviceCodeForAnotherApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h := withDevice(t)
		w.session(w.requester)
		mine := w.person(w.requester).Slack
		w.must(w.svc.SignOut(t.Context(), mine))
		w.rewrite(func(_, id map[string]any) { id["aud"] = w.app.ID })
		code, err := w.svc.DeviceCode(t.Context(), mine)
		w.must(err)
		w.enter(w.browser(), code, w.requester)
		h.says(t, "no: ", "could not be read")
		time.Sleep(time.Second)
		w.noToken(w.ask(activation.End, w.person(w.requester), activation.Session), "a token of another app")
	})
}

// Public client flows on the sign-in registration would open it to phishing.
func TestDeviceCodesNeedTheirOwnRegistration(t *testing.T) {
	w := newWorld(t)
	w.cfg.Device.Client = strings.ToUpper(w.cfg.Client)
	if _, err := signin.New(w.cfg); err == nil || !strings.Contains(err.Error(), "registration of their own") {
		t.Error(err)
	}
	w.cfg.Device.Client = "another"
	w.cfg.Custody = signin.KeepNone
	svc, err := signin.New(w.cfg)
	w.must(err)
	if svc.DeviceCodes() {
		t.Error("device codes without custody")
	}
}
