package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

// trouble is something that goes wrong at Entra while a person acts.
type trouble struct {
	deed, entra string
	fault       entra.Fault // of the colleague's calls about one group
	until       []string    // what they must have read in the end
}

const create = "assignmentScheduleRequests"

// asking are the troubles of an ask, one for each of the groups for it.
var asking = []trouble{
	{"ask", "answers 503, three times", entra.Fault{Method: "POST", Path: create, Do: entra.DoStatus, Status: 503, Times: 3}, []string{"You have"}},
	{"ask", "asks to slow down: 429, 3 s", entra.Fault{Method: "POST", Path: create, Do: entra.DoStatus, Status: 429, RetryAfter: "3", Times: 2}, []string{"You have"}},
	{"ask", "hangs, and has not done it", entra.Fault{Method: "POST", Path: create, Do: entra.DoHang, Times: 1}, []string{"You have"}},
	{"ask", "breaks off, but has done it", entra.Fault{Method: "POST", Path: create, Do: entra.DoReset, Late: true, Times: 1}, []string{"You have"}},
	{"ask", "answers 504, but has done it", entra.Fault{Method: "POST", Path: create, Do: entra.DoStatus, Status: 504, Late: true, Times: 1}, []string{"You have"}},
	{"ask", "refuses it by a rule of its own", entra.Fault{Method: "POST", Path: create, Do: entra.DoStatus, Status: 400, Code: "RoleAssignmentRequestPolicyValidationFailed",
		Message: `The following policy rules failed: ["ExpirationRule"]`, Times: 1}, []string{"longer than PIM allows"}},
	{"ask", "finds that a consent was withdrawn", entra.Fault{Method: "POST", Path: create, Do: entra.DoStatus, Status: 403, Code: "PermissionScopeNotGranted", Message: "Authorization failed due to missing permission scope PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup.", Times: 1}, []string{"lacks consent"}},
}

// usual are the troubles of every other kind of ask.
var usual = []trouble{asking[0], asking[1], asking[2], asking[3]}

// met is a trouble that the ask for a group meets.
type met struct {
	trouble
	group string
}

// troubles are all asks, with the group and the trouble of each.
func troubles() (all []met) {
	for i, t := range asking {
		all = append(all, met{t, faulty[i]})
	}
	for deed, groups := range map[string][]string{"owner": owned, "start": later} {
		for i, t := range usual {
			t.deed = deed
			all = append(all, met{t, groups[i]})
		}
	}
	slices.SortStableFunc(all, func(x, y met) int { return strings.Compare(x.deed, y.deed) })
	return all
}

// typed is what the colleague types for it.
func (s *Stage) typed(t met) string {
	switch t.deed {
	case "owner":
		return fmt.Sprintf(`/pag activate %s as owner 1h "figures"`, t.group)
	case "start":
		return fmt.Sprintf(`/pag activate %s at %s for 30m "figures"`, t.group, s.Clock.Now().In(zone).Add(8*time.Minute).Format("15:04"))
	}
	return fmt.Sprintf(`/pag activate %s 1h "figures"`, t.group)
}

// faults plays them, and prints a table of what the person reads.
func (s *Stage) faults(ctx context.Context) error {
	if err := s.authorityDown(ctx); err != nil {
		return err
	}
	s.tell("Graph is unwell. The colleague asks for several groups, each of which meets another trouble.")
	defer s.anew(Colleague)()
	for _, t := range troubles() {
		t.fault.Group, t.fault.User = s.Groups[t.group].ID, s.Account(Colleague)
		defer s.Entra.Inject(t.fault)()
		if err := s.types(ctx, Colleague, s.typed(t)); err != nil {
			return err
		}
	}
	var rows [][3]string
	for _, t := range troubles() {
		row, err := s.reading(ctx, t.group, t.trouble)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	row, err := s.endingFault(ctx)
	if err != nil {
		return err
	}
	slow, err := s.pendingInPIM(ctx)
	if err != nil {
		return err
	}
	s.table(append(append(rows, slow...), row))
	return errors.Join(s.once(), s.approvalFault(ctx), s.denialFault(ctx))
}

// authorityDown has the authority fail while a person signs in, and while a
// session of before is to give a token.
func (s *Stage) authorityDown(ctx context.Context) error {
	s.tell("The authority answers 503 to the bot, while the requester signs in.")
	heal := s.Entra.Inject(entra.Fault{Path: "/oauth2/v2.0/token", Do: entra.DoStatus, Status: 503})
	defer func() { heal() }()
	if err := s.wants(ctx, Requester, "/pag signin", []string{"Sign in with your browser"}, "Microsoft"); err != nil {
		return err
	}
	heal()
	if err := s.restart(ctx); err != nil { // so that the token of the colleague's session is to be fetched anew
		return err
	}
	s.tell("And while the session that is kept for the colleague is to be used.")
	heal = s.Entra.Inject(entra.Fault{Path: "/oauth2/v2.0/token", Do: entra.DoStatus, Status: 503})
	defer s.anew(Colleague)()
	if err := s.types(ctx, Colleague, `/pag activate reports-h 1h "figures"`); err != nil {
		return err
	}
	time.Sleep(time.Second)
	heal()
	if _, err := s.sees(ctx, Colleague, "DM", 5*time.Minute, "You have", "reports-h"); err != nil {
		return err
	}
	s.machine(s.told("reports-h"))
	return nil
}

// endingFault ends what was asked for while Graph is unwell.
func (s *Stage) endingFault(ctx context.Context) ([3]string, error) {
	t := trouble{"end", "answers 503, three times", entra.Fault{Method: "POST", Path: create, Group: s.Groups[faulty[0]].ID, Do: entra.DoStatus, Status: 503, Times: 3}, []string{"ended at"}}
	s.anew(Colleague)
	defer s.Entra.Inject(t.fault)()
	if err := s.types(ctx, Colleague, "/pag deactivate "+faulty[0]); err != nil {
		return [3]string{}, err
	}
	return s.reading(ctx, faulty[0], t)
}

// approvalFault has Graph lose its answer to an approval that it has taken.
func (s *Stage) approvalFault(ctx context.Context) error {
	s.after = ""
	card, err := s.card(ctx, prodAdmins, "the same once more", "An approver is needed")
	if err != nil {
		return err
	}
	s.tell("Graph takes the approver's yes, and answers 504.")
	defer s.Entra.Inject(entra.Fault{Method: "PATCH", Path: "/stages/", Do: entra.DoStatus, Status: 504, Late: true, Times: 1})()
	if err := s.decides(ctx, Approver, card, "approve", "this time it is me", []string{"not approved", prodAdmins}); err != nil {
		return err
	}
	_, err = s.sees(ctx, Requester, "DM", 5*time.Minute, "You have", prodAdmins)
	return err
}

// pendingInPIM has PIM take asks, and take its time.
func (s *Stage) pendingInPIM(ctx context.Context) (rows [][3]string, err error) {
	s.Entra.Turn(func(d *entra.Dials) { d.Created, d.Provision = "PendingProvisioning", 2*time.Minute })
	defer s.Entra.Turn(func(d *entra.Dials) { d.Created, d.Provision = "", entra.Usual().Provision })
	all := []met{{trouble{deed: "owner"}, owned[4]}, {trouble{deed: "start"}, later[4]}}
	for _, t := range all {
		if err := s.types(ctx, Colleague, s.typed(t)); err != nil {
			return nil, err
		}
	}
	for _, t := range all {
		t.entra, t.until = "takes it, and two minutes to provide it", []string{"You have"}
		row, err := s.reading(ctx, t.group, t.trouble)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// denialFault has one no meet everything that can go wrong, one after the other;
// and PIM's reads show it late.
func (s *Stage) denialFault(ctx context.Context) error {
	s.after = ""
	if err := s.wants(ctx, Colleague, `/pag activate audit-admins 1h "me, too"`, []string{auditAdmins, "confirm with your sign-in"}, "Waiting for approval"); err != nil {
		return err
	}
	card, err := s.card(ctx, auditAdmins, "me, too", "An approver is needed")
	if err != nil {
		return err
	}
	s.tell("Graph answers the approver's no with 429, then with 503; then it hangs; then it takes it, and breaks off. What it shows lags.")
	for _, f := range []entra.Fault{{Do: entra.DoStatus, Status: 429, RetryAfter: "2"}, {Do: entra.DoStatus, Status: 503}, {Do: entra.DoHang}, {Do: entra.DoReset, Late: true}} {
		f.Method, f.Path, f.Times = "PATCH", "/stages/", 1
		defer s.Entra.Inject(f)()
	}
	s.Entra.Turn(func(d *entra.Dials) { d.ReadLag = 20 * time.Second })
	defer s.Entra.Turn(func(d *entra.Dials) { d.ReadLag = entra.Usual().ReadLag })
	if err := s.decides(ctx, Approver, card, "deny", "not today", []string{"not denied", auditAdmins}); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Colleague, "DM", 20*time.Minute, "Denied by @approver", auditAdmins, "not today"); err != nil {
		return err
	}
	_, err = s.sees(ctx, Approver, "DM", 2*time.Minute, "denied by @approver", auditAdmins)
	return err
}

// reading waits until the colleague has read the last of what there is to read
// about a group, and returns all of it.
func (s *Stage) reading(ctx context.Context, group string, t trouble) ([3]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	row := [3]string{t.deed, t.entra}
	err := s.Slack.Wait(ctx, func(slack.Snapshot) bool {
		row[2] = s.told(group)
		return contains(row[2], t.until)
	})
	if err != nil {
		return row, fmt.Errorf("%s %s, Entra %s: the colleague reads only %q", t.deed, group, t.entra, row[2])
	}
	s.seen++
	return row, nil
}

// told is all that the bot tells the colleague alone about a group.
func (s *Stage) told(group string) string {
	p := s.Person(Colleague)
	var all []string
	for _, channel := range []string{s.Channel.ID, p.DM()} {
		for _, m := range p.Messages(channel) {
			if text := p.Text(m); m.TS > s.after && (channel != s.Channel.ID || m.Ephemeral) && strings.Contains(text, group) {
				all = append(all, text)
			}
		}
	}
	return strings.Join(all, "\n")
}

// table prints what was read, trouble by trouble.
func (s *Stage) table(rows [][3]string) {
	s.tell("What the person reads:")
	for _, r := range rows {
		fmt.Fprintf(s.Out, "          %-4s Entra %s\n", r[0], r[1])
		for line := range strings.SplitSeq(r[2], "\n") {
			fmt.Fprintf(s.Out, "          | %s\n", line)
		}
	}
}

// once makes sure that PIM took no ask twice.
func (s *Stage) once() error {
	taken := map[string]int{}
	for _, r := range s.Entra.Writes() {
		if r.OID == s.Account(Colleague) && r.Action == "selfActivate" && r.Status > 0 && r.Status < 400 {
			taken[r.Group]++
		}
	}
	for _, t := range troubles() {
		want := 1
		if t.fault.Status == 400 || t.fault.Status == 403 {
			want = 0
		}
		if n := taken[s.Groups[t.group].ID]; n < want || n > 1 {
			return fmt.Errorf("PIM has taken %s %d times", t.group, n)
		}
	}
	s.tell("PIM has taken each of them once, however often it was asked.")
	return nil
}
