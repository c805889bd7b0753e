package demo

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"pagbot/sim/awsidc"
	"pagbot/sim/azure"
	"pagbot/sim/defender"
	"pagbot/sim/entra"
	"pagbot/sim/intune"
	"pagbot/sim/provision"
	"pagbot/sim/saas"
	"pagbot/sim/scim"
	"pagbot/sim/target"
)

// Other is a system behind the company's groups that nothing in the company's
// stories needs: for clients that somebody brings along.
type Other struct {
	API    string            `json:"api"`
	Manage string            `json:"manage"`
	Scope  string            `json:"scope,omitempty"` // of the tokens that it takes
	Token  string            `json:"token,omitempty"` // or the one that it takes
	Group  string            `json:"group"`           // the Entra group that opens it
	More   map[string]string `json:"more,omitempty"`
}

// Others are those systems while they are served, by name.
type Others struct {
	Systems map[string]Other
	Client  entra.App // a public client that may sign people in to all of them

	w       *Worlds
	clocks  Clocks
	jobs    []provision.App
	servers []*http.Server
}

// Names that the systems know things by.
const (
	armAudience   = "https://management.azure.com"
	deviceAPI     = "https://api.securitycenter.microsoft.com"
	subscription  = "/subscriptions/5a0b7c1e-52b1-4f0e-8a35-2c7e1f0b9d11"
	contributor   = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	scimToken     = "scim-token"
	saasToken     = "saas-token"
	storeID       = "d-9967a1b2c3"
	storeRegion   = "eu-central-1"
	storeKey      = "AKIAWORLDS"
	storeSecret   = "worlds-secret"
	intuneRoleID  = "helpdesk-assignment"
	provisionedAs = "Release managers"
	scimPrincipal = "7a3e1c5d-0b2f-4c68-9d41-5e6f7a8b9c01"
	awsPrincipal  = "7a3e1c5d-0b2f-4c68-9d41-5e6f7a8b9c02"
)

// ServeOthers serves, on free ports of the loopback interface, the systems that
// release-managers opens besides Azure DevOps.
func (w *Worlds) ServeOthers(c Clocks) (*Others, error) {
	o := &Others{Systems: map[string]Other{}, w: w, clocks: c.orReal()}
	w.Entra.AddResource(armAudience, armAudience)
	w.Entra.AddResource(deviceAPI, deviceAPI)
	o.Client = w.Entra.AddApp(entra.App{Name: "somebody's own client", Public: true, Redirects: []string{"http://localhost"},
		Delegated: []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "PrivilegedEligibilitySchedule.Read.AzureADGroup", "DeviceManagementRBAC.Read.All",
			entra.DevOpsAudience + "/user_impersonation", armAudience + "/user_impersonation", deviceAPI + "/Machine.Read"}})
	if err := errors.Join(o.azure(), o.intune(), o.defender(), o.scim(), o.aws(), o.saas(), o.provisioning()); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// Close ends the serving.
func (o *Others) Close() {
	for _, s := range o.servers {
		_ = s.Close()
	}
}

// serve puts a system on a port, its management below /manage/.
func (o *Others) serve(name string, x Other, h, manage http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/manage/", http.StripPrefix("/manage", manage))
	mux.Handle("/", h)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	o.servers = append(o.servers, s)
	go func() { _ = s.Serve(l) }()
	x.API, x.Group = "http://"+l.Addr().String(), Releasers
	x.Manage = x.API + "/manage/"
	o.Systems[name] = x
	return nil
}

// group is the object id of the group that opens everything here.
func (o *Others) group() string { return o.w.Groups[Releasers].ID }

// verify believes the authority's tokens for one audience. A token's issue is
// on the wire's clock; systems want it on the world's.
func (o *Others) verify(audience string) func(string) (target.Caller, error) {
	return func(token string) (target.Caller, error) {
		claims, err := o.w.Entra.Verify(token, audience)
		by := target.CallerOf(claims)
		issued, _ := claims["iat"].(float64)
		age := o.clocks.Wire().Sub(time.Unix(int64(issued), 0))
		by.Issued = o.clocks.World().Add(-age)
		return by, err
	}
}

func (o *Others) azure() error {
	w, err := azure.New(azure.Config{Seed: 1, Now: o.clocks.World, Wire: o.clocks.Wire, Directory: o.w.Entra, Verify: o.verify(armAudience), Readers: map[string]string{o.w.Reader.Principal: subscription},
		Assignments: []azure.Assignment{{Principal: o.group(), Role: contributor, Scope: subscription, Actions: []string{"*"}}}})
	if err != nil {
		return err
	}
	return o.serve("azure", Other{Scope: armAudience + "/.default", More: map[string]string{"subscription": subscription, "oracle": "by group and object id"}}, w.Handler(), w.Manage())
}

func (o *Others) intune() error {
	w, err := intune.New(intune.Config{Seed: 1, Now: o.clocks.World, Wire: o.clocks.Wire, Directory: o.w.Entra, Verify: o.verify(entra.GraphAudience),
		Assignments: []intune.Assignment{{ID: intuneRoleID, Name: "Help desk", Role: "help-desk", RoleName: "Help Desk Operator", Groups: []string{o.group()}, Tags: []intune.Tag{{ID: "0", Name: "Default"}}}},
		Policies:    []intune.Policy{{ID: "p1", Name: "Office laptops", Tags: []string{"0"}}, {ID: "p2", Name: "Secure workstations", Tags: []string{"1"}}}})
	if err != nil {
		return err
	}
	return o.serve("intune", Other{Scope: entra.GraphAudience + "/.default", More: map[string]string{"assignment": intuneRoleID, "oracle": "by assignment and object id"}}, w.Handler(), w.Manage())
}

func (o *Others) defender() error {
	w, err := defender.New(defender.Config{Seed: 1, Now: o.clocks.World, Wire: o.clocks.Wire, Directory: o.w.Entra, Verify: o.verify(deviceAPI),
		Roles:   []defender.Role{{ID: "responders", Name: "Incident response", Definition: "response", Groups: []string{o.group()}, DeviceGroups: []string{"Servers"}}},
		Devices: []defender.Device{{ID: "d1", Name: "srv1.contoso.example", Group: "Servers"}, {ID: "d2", Name: "lap1.contoso.example", Group: "Laptops"}}})
	if err != nil {
		return err
	}
	return o.serve("defender", Other{Scope: deviceAPI + "/.default", More: map[string]string{"role": "responders", "oracle": "by role and object id"}}, w.Handler(), w.Manage())
}

func (o *Others) scim() error {
	var users []scim.User
	for _, name := range staff {
		users = append(users, scim.User{OID: o.w.Account(name), UPN: upn(name), Provisioned: true})
	}
	w, err := scim.New(scim.Config{Seed: 1, Now: o.clocks.World, Wire: o.clocks.Wire, Directory: o.w.Entra, Token: scimToken,
		Groups: []scim.Group{{Name: provisionedAs, PAG: o.group()}}, Users: users})
	if err != nil {
		return err
	}
	o.provisioned("SCIM", scimPrincipal, w.Job)
	return o.serve("scim", Other{Token: scimToken, More: map[string]string{"group": provisionedAs, "oracle": "by group and object id"}}, w.Handler(), w.Manage())
}

func (o *Others) aws() error {
	var users []awsidc.User
	for _, name := range staff {
		users = append(users, awsidc.User{OID: o.w.Account(name), UPN: upn(name), Provisioned: true})
	}
	w, err := awsidc.New(awsidc.Config{Seed: 1, Now: o.clocks.World, Wire: o.clocks.Wire, Directory: o.w.Entra, Store: storeID, Region: storeRegion,
		Keys: map[string]string{storeKey: storeSecret}, Groups: []awsidc.Group{{Name: provisionedAs, PAG: o.group()}}, Users: users})
	if err != nil {
		return err
	}
	o.provisioned("AWS", awsPrincipal, w.Job)
	return o.serve("aws", Other{More: map[string]string{"access_key": storeKey, "secret_key": storeSecret, "store": storeID, "region": storeRegion,
		"group": provisionedAs, "oracle": "by group and object id"}}, w.Handler(), w.Manage())
}

// saas are two systems that the general HTTP target is for. They are one world:
// what one's throttle counts, the other's does, too.
func (o *Others) saas() error {
	var users []saas.User
	for _, name := range staff {
		users = append(users, saas.User{OID: o.w.Account(name), UPN: upn(name), Login: "adm-" + name + "_contoso"})
	}
	w, err := saas.New(saas.Config{Seed: 1, Now: o.clocks.World, Wire: o.clocks.Wire, Directory: o.w.Entra, Token: saasToken, PAG: o.group(), Users: users})
	if err != nil {
		return err
	}
	return errors.Join(
		o.serve("github", Other{Token: saasToken, More: map[string]string{"org": saas.Org, "team": saas.Team, "oracle": "by github and object id"}}, w.Handler(), w.Manage()),
		o.serve("salesforce", Other{Token: saasToken, More: map[string]string{"permission_set": saas.PermissionSet, "oracle": "by salesforce and object id"}}, w.Handler(), w.Manage()))
}

// provisioned lets Graph show how Entra writes to a system.
func (o *Others) provisioned(name, principal string, job *target.Job) {
	o.jobs = append(o.jobs, provision.App{Principal: principal, Name: name, Job: job})
}

// provisioning is an application that owns those, and may read the log.
func (o *Others) provisioning() error {
	own := o.w.Entra.AddApp(entra.App{Name: "provisioner", Secret: "provisioner-secret", Roles: []string{"Application.ReadWrite.OwnedBy", "AuditLog.Read.All"}})
	for i := range o.jobs {
		o.jobs[i].Owners = []string{own.Principal}
	}
	graph := o.w.Place.Graph
	o.Systems["provisioning"] = Other{API: graph, Manage: graph + "/manage/provisioning/", Group: Releasers, Scope: "https://graph.microsoft.com/.default",
		More: map[string]string{"client_id": own.ID, "client_secret": own.Secret, "scim": scimPrincipal, "aws": awsPrincipal}}
	return o.w.Provision(o.clocks, o.jobs...)
}

// staff are those with accounts.
var staff = []string{Requester, Approver, Second, Colleague}

func upn(name string) string { return fmt.Sprintf("adm-%s@contoso.example", name) }
