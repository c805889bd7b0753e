package slack_test

import (
	"fmt"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"pagbot/sim/slack"
)

func (s *scene) scopes(more ...string) {
	s.EditApp(s.app.ID, func(a *slack.App) { a.Scopes = append(a.Scopes, more...) })
}

// word is the refusal of an answer, or "ok".
func word(answer map[string]any) string {
	if answer["ok"] == true {
		return "ok"
	}
	return fmt.Sprint(answer["error"])
}

func TestGroupDMs(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		both := requester + "," + approver
		if got := s.call("conversations.open", "users", both); got["needed"] != "mpim:write" {
			t.Errorf("%v", got)
		}
		s.scopes("mpim:write", "mpim:read", "im:read")
		api := s.api()
		open := func(users ...string) *slackgo.Channel {
			ch, _, _, err := api.OpenConversationContext(s.ctx, &slackgo.OpenConversationParameters{Users: users, ReturnIM: true})
			if err != nil {
				t.Fatal(err)
			}
			return ch
		}
		ch, again := open(requester, approver), open(approver, requester, "U0BOT")
		if ch.ID != again.ID || !ch.IsMpIM {
			t.Errorf("%+v and %+v", ch, again)
		}
		for i, want := range map[string]string{strings.Repeat(both+",", 1) + "U0NOBODY": "user_not_found", many(s, 9): "too_many_users", "U0BOT": "invalid_user_combination"} {
			if got := word(s.call("conversations.open", "users", i)); got != want {
				t.Errorf("%s: %s, want %s", i, got, want)
			}
		}
		if got := word(s.call("chat.postMessage", "channel", ch.ID, "text", "to both")); got != "ok" || len(s.Person(approver).Messages(ch.ID)) != 1 || s.Person(guest).Messages(ch.ID) != nil {
			t.Errorf("%s: for those two alone", got)
		}
	})
}

// many adds people and names them all.
func many(s *scene, n int) string {
	var ids []string
	for range n {
		ids = append(ids, s.AddUser(slack.User{Team: "T0CONTOSO"}).ID)
	}
	return strings.Join(ids, ",")
}

func TestListsArePaged(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		many(s, 12)
		s.scopes("im:read", "groups:history")
		for range 5 {
			s.post(t)
			s.pass(2e9)
		}
		for method, c := range map[string]struct {
			args []string
			list string
			want int
		}{
			"users.list":            {nil, "members", 16}, // guests and the bot too, not the outsider
			"conversations.list":    {[]string{"types", "public_channel,private_channel"}, "channels", 2},
			"conversations.members": {[]string{"channel", approvals}, "members", 5},
			"conversations.history": {[]string{"channel", approvals}, "messages", 5},
		} {
			n, cursor := 0, ""
			for {
				got := s.call(method, append(c.args, "limit", "2", "cursor", cursor)...)
				page, _ := got[c.list].([]any)
				n += len(page)
				if cursor, _ = got["response_metadata"].(map[string]any)["next_cursor"].(string); cursor == "" || len(page) > 2 {
					break
				}
			}
			if n != c.want {
				t.Errorf("%s: %d, want %d", method, n, c.want)
			}
			for bad, want := range map[string]string{"!": "invalid_cursor", "dXNlcnM6Mg==": "invalid_cursor"} {
				if got := word(s.call(method, append(c.args, "cursor", bad)...)); got != want {
					t.Errorf("%s with cursor %s: %s", method, bad, got)
				}
			}
			if got := word(s.call(method, append(c.args, "limit", "1001")...)); got != "invalid_limit" {
				t.Errorf("%s with limit 1001: %s", method, got)
			}
		}
	})
}

func TestHistoryAndThreads(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		if got := s.call("conversations.history", "channel", approvals); got["error"] != "missing_scope" {
			t.Errorf("%v", got)
		}
		s.scopes("groups:history")
		parent := s.call("chat.postMessage", "channel", approvals, "text", "parent", "metadata", `{"event_type":"card","event_payload":{"id":"1"}}`)["ts"].(string)
		s.call("chat.postMessage", "channel", approvals, "text", "reply", "thread_ts", parent)
		s.call("chat.postEphemeral", "channel", approvals, "user", requester, "text", "psst")
		all := s.call("conversations.history", "channel", approvals, "include_all_metadata", "true")["messages"].([]any)
		first, _ := all[0].(map[string]any)
		if len(all) != 1 || first["metadata"] != nil {
			t.Errorf("no replies, no ephemerals, no metadata without its scope: %v", all)
		}
		s.scopes("metadata.message:read")
		all = s.call("conversations.history", "channel", approvals, "include_all_metadata", "true")["messages"].([]any)
		if first, _ = all[0].(map[string]any); first["metadata"] == nil {
			t.Errorf("%v", all)
		}
		s.Turn(func(d *slack.Dials) { d.MetadataScope = "metadata:read" })
		all = s.call("conversations.history", "channel", approvals, "include_all_metadata", "true")["messages"].([]any)
		if first, _ = all[0].(map[string]any); first["metadata"] != nil {
			t.Errorf("under the other name of the scope: %v", all)
		}
		thread := s.call("conversations.replies", "channel", approvals, "ts", parent)["messages"].([]any)
		if len(thread) != 2 || word(s.call("conversations.replies", "channel", approvals, "ts", "1.2")) != "thread_not_found" {
			t.Errorf("%v", thread)
		}
	})
}

func TestUsergroups(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.AddUsergroup(slack.Usergroup{ID: "S0ONCALL", Team: "T0CONTOSO", Name: "on-call", Users: []string{approver}})
		if got := s.call("usergroups.users.list", "usergroup", "S0ONCALL"); got["needed"] != "usergroups:read" {
			t.Errorf("%v", got)
		}
		s.scopes("usergroups:read")
		users, err := s.api().GetUserGroupMembersContext(s.ctx, "S0ONCALL")
		if err != nil || len(users) != 1 || users[0] != approver {
			t.Errorf("%v %v", users, err)
		}
		groups, err := s.api().GetUserGroupsContext(s.ctx, slackgo.GetUserGroupsOptionIncludeUsers(true))
		if err != nil || len(groups) != 1 || groups[0].Handle != "on-call" || groups[0].Users[0] != approver {
			t.Errorf("%+v %v", groups, err)
		}
		if got := word(s.call("usergroups.users.list", "usergroup", "S0OTHER")); got != "no_such_subteam" {
			t.Error(got)
		}
		s.EditUsergroup("S0ONCALL", func(g *slack.Usergroup) { g.Disabled = true })
		if got := word(s.call("usergroups.users.list", "usergroup", "S0ONCALL")); got != "no_such_subteam" {
			t.Error(got)
		}
		s.AddTeam(slack.Team{ID: "T0CONTOSO", Domain: "contoso", Free: true})
		if got := word(s.call("usergroups.list")); got != "plan_upgrade_required" {
			t.Error(got)
		}
	})
}
