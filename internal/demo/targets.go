package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// targets is the story of what works when: the systems behind the groups, each
// late in its own way.
var targets = []scene{
	{"More systems, and when each must have followed", (*Stage).newSystems},
	{"Azure DevOps: asked and approved", (*Stage).devopsAsked},
	{"Defender: configured is not effective", (*Stage).defenderAsked},
	{"Intune: secure workstations, and nothing else", (*Stage).intuneSAW},
	{"Azure DevOps: it works, minutes later", (*Stage).devopsWorks},
	{"Intune: switched to the default scope, and told apart", (*Stage).intuneDefault},
	{"Azure DevOps: given back; what may remain, and until when", (*Stage).devopsEnds},
	{"AWS behind the SCIM cliff: six at once", (*Stage).sixAtOnce},
	{"Somebody who could work there anyway", (*Stage).had},
	{"A removal that is overdue", (*Stage).overdue},
	{"The rest is gone, and that is proven", (*Stage).provenGone},
	{"Soon enough? What was measured", (*Stage).measured},
}

// newSystems starts the bot with this story's configuration.
func (s *Stage) newSystems(ctx context.Context) error {
	y, err := s.expand()
	if err != nil {
		return err
	}
	s.systems = y
	s.tell("The bot is configured for further systems, and starts anew:")
	fmt.Fprint(s.Out, y.yaml())
	if err := s.Bot.Kill(); err != nil {
		return err
	}
	return s.Bot.Start(ctx)
}

// reads is sees, several times in a row.
func (s *Stage) reads(ctx context.Context, name, where string, within time.Duration, all ...[]string) error {
	for _, words := range all {
		if _, err := s.sees(ctx, name, where, within, words...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) devopsAsked(ctx context.Context) error {
	if err := s.asks(ctx, Requester, DevOpsAdmins, 45, "pipeline 42 is stuck"); err != nil {
		return err
	}
	card, err := s.sees(ctx, Approver, s.Channel.ID, time.Minute, DevOpsAdmins, "An approver is needed")
	if err != nil {
		return err
	}
	if err := s.votes(ctx, card, "the release can't wait"); err != nil {
		return err
	}
	return s.reads(ctx, Requester, "DM", time.Minute, []string{"You have", DevOpsAdmins, "may not know it yet"})
}

// begins asks for a group for which a kept session is proof enough.
func (s *Stage) begins(ctx context.Context, name, group, length, reason string) error {
	if err := s.types(ctx, name, fmt.Sprintf("/pag activate %s %s %q", group, length, reason)); err != nil {
		return err
	}
	return s.reads(ctx, name, "DM", time.Minute, []string{"You have", group})
}

func (s *Stage) defenderAsked(ctx context.Context) error {
	s.tell("Defender and Intune tell nobody but the person themselves what works. So requester signs in, once, and the session is kept.")
	if err := s.types(ctx, Requester, "/pag signin"); err != nil {
		return err
	}
	m, err := s.sees(ctx, Requester, s.Channel.ID, time.Minute, "Sign in with your browser")
	if err != nil {
		return err
	}
	if err := s.confirms(Requester, m); err != nil {
		return err
	}
	if err := s.begins(ctx, Requester, responders, "10m", "an alert on srv1"); err != nil {
		return err
	}
	if err := s.reads(ctx, Second, s.Channel.ID, 10*time.Minute, []string{responders, "Defender's role: configured since", "Microsoft Defender: not seen yet"}); err != nil {
		return err
	}
	return s.reads(ctx, Requester, "DM", 10*time.Minute, []string{responders, "took effect in Microsoft Defender"})
}

func (s *Stage) intuneSAW(ctx context.Context) error {
	if err := s.begins(ctx, Requester, helpSAW, "1h", "a secure workstation does not start"); err != nil {
		return err
	}
	if err := s.reads(ctx, Requester, "DM", 20*time.Minute, []string{helpSAW, "took effect in Intune (SAW)"}); err != nil {
		return err
	}
	return s.looksIntoIntune(ctx, "Secure workstations")
}

// looksIntoIntune opens Intune in the requester's browser, and compares what is
// there with what should be: only that.
func (s *Stage) looksIntoIntune(ctx context.Context, only string) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.systems.intune+"/v1.0/deviceManagement/deviceCompliancePolicies", nil)
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+played+s.Account(Requester))
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	var page struct {
		Value []struct {
			Name string `json:"displayName"`
		} `json:"value"`
	}
	if err := json.NewDecoder(r.Body).Decode(&page); err != nil {
		return fmt.Errorf("what Intune shows (%s) can't be read: %w", r.Status, err)
	}
	var names []string
	for _, p := range page.Value {
		names = append(names, p.Name)
	}
	s.seen++
	s.print(Requester, "Intune itself", "Compliance policies: "+strings.Join(names, ", "))
	if !slices.Equal(names, []string{only}) {
		return fmt.Errorf("requester should see %q only", only)
	}
	return nil
}

func (s *Stage) devopsWorks(ctx context.Context) error {
	return s.reads(ctx, Requester, "DM", 20*time.Minute, []string{DevOpsAdmins, "took effect in Azure DevOps"})
}

func (s *Stage) devopsEnds(ctx context.Context) error {
	if err := s.ends(ctx, Requester, DevOpsAdmins); err != nil {
		return err
	}
	return s.reads(ctx, Second, s.Channel.ID, time.Minute, []string{DevOpsAdmins, "Making sure that it is gone", "older sessions until"})
}

// ends gives a group back.
func (s *Stage) ends(ctx context.Context, name, group string) error {
	if err := s.types(ctx, name, "/pag deactivate "+group); err != nil {
		return err
	}
	return s.reads(ctx, name, "DM", 10*time.Minute, []string{"Your " + group + " ended at"})
}

func (s *Stage) intuneDefault(ctx context.Context) error {
	if err := s.types(ctx, Requester, `/pag check helpdesk-default 20m "a laptop does not start"`); err != nil {
		return err
	}
	if err := s.reads(ctx, Requester, s.Channel.ID, time.Minute, []string{"While " + helpSAW + " is active too", "widen each other in Intune"}); err != nil {
		return err
	}
	if err := s.types(ctx, Requester, fmt.Sprintf(`/pag switch %s %s 20m "a laptop does not start"`, helpSAW, helpDefault)); err != nil {
		return err
	}
	v, err := s.form(ctx, Requester)
	if err == nil {
		err = s.submits(ctx, Requester, v, "")
	}
	if err != nil {
		return err
	}
	if err := s.reads(ctx, Requester, "DM", 20*time.Minute, []string{"Your " + helpSAW + " ended at", "Now I ask for"}, []string{"You have", helpDefault, "you had neither for"},
		[]string{helpDefault, "took effect in Intune (Default)"},
		[]string{helpSAW, "over and gone", "Intune (SAW)"}); err != nil {
		return err
	}
	return s.looksIntoIntune(ctx, "Office laptops")
}

func (s *Stage) sixAtOnce(ctx context.Context) error {
	s.tell("Entra writes five members within minutes, if they come within ten seconds; the sixth waits for its next cycle. A preset has six groups.")
	if err := s.types(ctx, Colleague, `/pag activate all-accounts 15m "the yearly audit"`); err != nil {
		return err
	}
	m, err := s.sees(ctx, Colleague, s.Channel.ID, time.Minute, "aws-storage", "confirm all 6 with one sign-in")
	if err != nil {
		return err
	}
	if err := s.confirms(Colleague, m); err != nil {
		return err
	}
	if err := s.turns(ctx); err != nil {
		return err
	}
	for _, name := range accounts {
		if _, err := s.sees(ctx, Colleague, "DM", 15*time.Minute, "has received your "+name); err != nil {
			return err
		}
	}
	return nil
}

// turns sees that one of the six had to wait for its turn. Those eleven seconds
// are a blink here: on a busy machine they are over before the message is sent,
// and then only the journal tells.
func (s *Stage) turns(ctx context.Context) error {
	told := []string{"starts in", "arrives in minutes and not in 40"}
	person := s.Person(Colleague)
	for _, m := range person.Messages(person.DM()) {
		if contains(person.Text(m), told) {
			_, err := s.sees(ctx, Colleague, "DM", time.Minute, told...)
			return err
		}
	}
	status, err := s.Run(ctx, "status")
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(status, "\n") {
		words := strings.Fields(line)
		if !strings.Contains(line, " aws-") {
			continue
		}
		journal, err := s.Run(ctx, "journal", words[0])
		if err != nil {
			return err
		}
		if strings.Contains(journal, "waits for its turn") {
			s.seen++
			s.tell("An administrator types  pagbot journal %s\n%s", words[0], journal)
			return nil
		}
	}
	return errors.New("none of the six waited for its turn")
}

func (s *Stage) overdue(ctx context.Context) error {
	return s.reads(ctx, Requester, s.Channel.ID, time.Hour, []string{responders, "should have left Microsoft Defender by", "It still worked at"}, []string{responders, "and gone", "Microsoft Defender"})
}

func (s *Stage) provenGone(ctx context.Context) error {
	for _, name := range accounts {
		if _, err := s.sees(ctx, Colleague, "DM", time.Hour, "Your "+name, "over and gone"); err != nil {
			return err
		}
	}
	return s.reads(ctx, Requester, "DM", time.Hour, []string{helpDefault, "over and gone", "Intune (Default)"}, []string{DevOpsAdmins, "over and gone", "older ones at most until"})
}

func (s *Stage) measured(ctx context.Context) error {
	defer s.systems.close()
	s.tell("An administrator types  pagbot latency")
	out, err := s.Run(ctx, "latency")
	fmt.Fprint(s.Out, out)
	if err != nil {
		return err
	}
	s.seen++
	if !contains(out, []string{"Azure DevOps", "Intune (SAW)", "Microsoft Defender", "met", "missed"}) {
		return fmt.Errorf("the table does not judge every target")
	}
	return nil
}
