package slack_test

import (
	"strings"
	"testing"
	"time"

	"pagbot/sim/slack"
)

// info is a channel as the app sees it.
func (s *scene) info(channel string) map[string]any {
	s.t.Helper()
	out, _ := s.call("conversations.info", "channel", channel)["channel"].(map[string]any)
	return out
}

func TestAChannelsIDChangesWhenAShareIsStarted(t *testing.T) {
	for _, old := range []bool{false, true} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.OldChannelIDs = old })
			s.EditApp(s.app.ID, func(a *slack.App) { a.Events = append(a.Events, "channel_id_changed") })
			p := s.dial(acks)
			s.connected(1)
			ts := s.post(t)
			now, ok := s.StartShare(approvals, "T0FABRIKAM")
			if info := s.info(now.ID); !ok || now.ID == approvals || info["is_pending_ext_shared"] != true || info["is_ext_shared"] != false {
				t.Fatalf("%v", info)
			}
			if got, want := word(s.call("conversations.info", "channel", approvals)), map[bool]string{true: "ok", false: "channel_not_found"}[old]; got != want {
				t.Errorf("the old id: %s, want %s", got, want)
			}
			s.pass(time.Second)
			if got := p.last("payload", "event"); got["old_channel_id"] != approvals || got["new_channel_id"] != now.ID {
				t.Errorf("%v", got)
			}
			if got := word(s.call("chat.update", "channel", now.ID, "ts", ts, "text", "x")); got != "ok" {
				t.Errorf("messages move along: %s", got)
			}
			s.AcceptShare(now.ID)
			if info := s.info(now.ID); info["is_ext_shared"] != true || len(info["shared_team_ids"].([]any)) != 2 {
				t.Errorf("%v", info)
			}
			s.EndShare(now.ID)
			var theirs slack.Channel
			for _, c := range s.Channels() {
				if c.Team == "T0FABRIKAM" {
					theirs = c
				}
			}
			if s.info(now.ID)["is_ext_shared"] != false || theirs.Frozen == "" || theirs.ID == now.ID || strings.Join(theirs.Members, "") != outsider {
				t.Errorf("%+v", theirs)
			}
			if _, err := s.Person(outsider).Say(theirs.ID, "still here?", ""); err == nil {
				t.Error("nobody posts in a frozen channel")
			}
		})
	}
}

func TestPeopleOfElsewhere(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.AddUser(slack.User{ID: "U0AFAR", Team: "T0FABRIKAM", Name: "afar"})
		s.AddUser(slack.User{ID: "U0NEW", Team: "T0CONTOSO", Name: "new", Invited: true, MFA: true, Locale: "de-DE"})
		user := func(id string) map[string]any {
			out, _ := s.call("users.info", "user", id, "include_locale", "true")["user"].(map[string]any)
			return out
		}
		met, afar, own := user(outsider), user("U0AFAR"), user("U0NEW")
		if met["is_stranger"] != false || met["team_id"] != "T0FABRIKAM" || met["locale"] != nil {
			t.Errorf("an external member of a channel: %v", met)
		}
		if afar["is_stranger"] != true {
			t.Errorf("one whom the app never met: %v", afar)
		}
		if own["is_stranger"] != nil || own["locale"] != "de-DE" || own["has_2fa"] != true || own["is_invited_user"] != true {
			t.Errorf("one of us: %v", own)
		}
		for want, args := range map[string][]string{
			"channel_not_found": {"chat.postMessage", "channel", "U0AFAR", "text", "x"},
			"user_not_visible":  {"conversations.open", "users", "U0AFAR"},
			"ok":                {"chat.postMessage", "channel", outsider, "text", "x"},
		} {
			if got := word(s.call(args[0], args[1:]...)); got != want {
				t.Errorf("%v: %s, want %s", args, got, want)
			}
		}
		s.Turn(func(d *slack.Dials) { d.BareExternals, d.HideConfirmed = true, true })
		if met = user(outsider); met["is_restricted"] != nil || met["team_id"] != "T0FABRIKAM" {
			t.Errorf("bare: %v", met)
		}
		if own = user("U0NEW"); own["has_2fa"] != nil || own["is_email_confirmed"] != nil || own["is_admin"] != false {
			t.Errorf("hidden: %v", own)
		}
	})
}

func TestGridPayloads(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.AddTeam(slack.Team{ID: "T0CONTOSO", Domain: "contoso", Name: "Contoso", Enterprise: "E0CONTOSO", EnterpriseName: "Contoso Grid"})
		s.EditApp(s.app.ID, func(a *slack.App) { a.OrgInstalled = true })
		p := s.dial(acks)
		s.connected(1)
		ts := s.post(t, card("id-1"))
		if _, err := s.Person(approver).Click(s.ctx, approvals, ts, "approve"); err != nil {
			t.Fatal(err)
		}
		click := p.last("payload")
		if team, there := click["team"]; !there || team != nil || click["enterprise"].(map[string]any)["id"] != "E0CONTOSO" || click["is_enterprise_install"] != true {
			t.Errorf("%v", click)
		}
		if _, err := s.Person(approver).Command(s.ctx, general, "/pag list"); err != nil {
			t.Fatal(err)
		}
		if cmd := p.last("payload"); cmd["is_enterprise_install"] != "true" || cmd["enterprise_id"] != "E0CONTOSO" {
			t.Errorf("%v", cmd)
		}
		s.Turn(func(d *slack.Dials) { d.EnterpriseInstall = "bool" })
		if _, err := s.Person(approver).Command(s.ctx, general, "/pag list"); err != nil || p.last("payload")["is_enterprise_install"] != true {
			t.Errorf("%v %v", p.last("payload"), err)
		}
		for want, team := range map[string]string{"missing_argument": "", "team_access_not_granted": "T0FABRIKAM", "ok": "T0CONTOSO"} {
			if got := word(s.call("users.list", "team_id", team)); got != want {
				t.Errorf("team %q: %s, want %s", team, got, want)
			}
		}
		if u, _ := s.call("users.info", "user", requester)["user"].(map[string]any); u["enterprise_user"].(map[string]any)["enterprise_id"] != "E0CONTOSO" {
			t.Errorf("%v", u)
		}
	})
}
