package app

import (
	"strings"
	"testing"

	"pagbot/activation"
	"pagbot/downstream"
)

// provisioned is good with an application that Entra is asked to write to.
func provisioned(provisioner, onDemand string) string {
	s := strings.Replace(good, "signin:\n", "  provisioner: "+provisioner+"\nsignin:\n", 1)
	s = strings.Replace(s, "[entra, devops]", "[entra, app]", 1)
	return s + "  - {id: app, kind: scim, scim: {base: 'https://app.test', group: g, token: {env: T}}, provision_on_demand: " + onDemand + "}\n"
}

const (
	ownRegistration = "{client_id: 5b0c2a77-9d64-4f0b-8a35-6f1d2b7c4e90, client_secret: {env: P}}"
	anApplication   = "{service_principal: 9a1f7c3e-0b5d-4e2a-8c61-2d4f6b8a0c1e}"
)

// The reader stays one that reads: what writes needs a registration of its own.
func TestProvisionerIsNotTheReader(t *testing.T) {
	if _, err := parseConfig([]byte(provisioned(ownRegistration, anApplication))); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		strings.Replace(provisioned(ownRegistration, anApplication), "  provisioner: "+ownRegistration+"\n", "", 1):                                               "provision_on_demand writes, which the reader must not",
		provisioned("{client_id: 3c1a9a52-5a0c-4b7e-8a60-9a5d6f4d2e11, client_secret: {env: P}}", anApplication):                                                  "it is the reader's own registration",
		provisioned("{client_id: 3C1A9A52-5A0C-4B7E-8A60-9A5D6F4D2E11, client_secret: {env: P}}", anApplication):                                                  "it is the reader's own registration",
		provisioned("{managed_identity: true, certificate: x}", anApplication):                                                                                    "entra.provisioner: choose exactly one",
		provisioned(ownRegistration, "{service_principal: app}"):                                                                                                  "is not an object id: copy it from the application's overview",
		provisioned(ownRegistration, "{principal: x}"):                                                                                                            "there is no setting called principal in a target's provision_on_demand",
		strings.Replace(provisioned(ownRegistration, anApplication), "kind: scim, scim: {base: 'https://app.test', group: g, token: {env: T}}", "kind: entra", 1): "provision_on_demand is for what Entra provisions",
	} {
		if _, err := parseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	same := strings.Replace(provisioned("{managed_identity: true}", anApplication), "    client_id: 3c1a9a52-5a0c-4b7e-8a60-9a5d6f4d2e11\n    client_secret: {env: READER}\n", "    managed_identity: true\n", 1)
	if _, err := parseConfig([]byte(same)); err == nil || !strings.Contains(err.Error(), "it is the reader's own registration") {
		t.Errorf("one managed identity for both: %v", err)
	}
}

// Entra is asked for members, where it is configured.
func TestOnDemandIsForMembers(t *testing.T) {
	t.Setenv("T", "x")
	t.Setenv("P", "x")
	c, err := parseConfig([]byte(provisioned(ownRegistration, anApplication)))
	if err != nil {
		t.Fatal(err)
	}
	c.Groups[0].Targets, c.Targets = []string{"app"}, c.Targets[2:]
	a := &App{cfg: c, targets: map[string]downstream.Probe{}}
	if err := a.openTargets(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := a.reaches(c.Groups[0])
	if all := got[activation.Member]; len(all) != 1 || !all[0].OnDemand || len(got[activation.Owner]) != 0 {
		t.Errorf("%+v", got)
	}
}
