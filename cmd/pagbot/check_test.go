package main

import (
	"strings"
	"testing"
)

// TestCheck asks beside a bot that serves, and changes nothing of it.
func TestCheck(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	s := o.start(connected)
	got := run(t, "check", "--config", o.config)
	for _, want := range []string{"Azure DevOps contoso needs ordinary access of each person's own", "Nothing here would keep a bot from serving; 2 to know."} {
		if got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("no %q: %+v", want, got)
		}
	}
	o.hidesSecrets(got.out + got.err)
	if strings.Contains(s.said(), "level=ERROR") {
		t.Errorf("the serving bot says\n%s", s.said())
	}
	// A target that the reader may not ask is one line, and keeps nobody from anything.
	o.edit("\ntargets:\n", "\ntargets:\n  - {id: role, kind: directory-role, directory-role: {role: 5d6b6bb7-de71-4623-b4af-96380a352509}}\n")
	o.edit("targets: [entra", "quorum: 3, opens: [sharepoint], targets: [role, entra")
	o.edit("proof: session", "quorum: 2, proof: session")
	got = run(t, "check", "--config", o.config)
	if got.code != 0 || !strings.Contains(got.out, "! Target role of devops-admins can't be asked: the application is not allowed to look there.\n") ||
		!strings.Contains(got.out, "! devops-admins has a quorum of 3, but only 2 can approve it in Entra: it is never reached.") ||
		!strings.Contains(got.out, "! vault-readers has a quorum of 2, but its role settings in Entra want no approval: nobody is asked at all.") ||
		!strings.Contains(got.out, "! devops-admins opens SharePoint: such permissions may take hours") {
		t.Errorf("%+v", got)
	}
	t.Log(got.out)
	o.write("pagbot.yaml", "state: state\n")
	if got = run(t, "check", "--config", o.config); got.code != 1 || got.out != "" || !strings.HasPrefix(got.err, "pagbot: ") {
		t.Errorf("%+v", got)
	}
}
