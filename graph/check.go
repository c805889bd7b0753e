package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"pagbot/activation"
)

// Check makes first contact: it asks for a token and reads once what each
// permission is for. Its error says in a sentence for each finding what to do.
func (r *Reader) Check(ctx context.Context) error {
	if _, err := r.token(ctx, ""); err != nil {
		return signInTrouble(r.tenant, err)
	}
	var found []error
	try := func(permission string, err error) {
		if err != nil {
			found = append(found, r.advice(permission, err))
		}
	}
	try("User.Read.All", r.anyUser(ctx))
	for _, g := range r.groups {
		if _, err := r.Group(ctx, g); err != nil {
			try("GroupMember.Read.All", err)
			continue
		}
		_, err := r.eligibilities(ctx, "groupId eq "+quote(g))
		try("PrivilegedEligibilitySchedule.Read.AzureADGroup", err)
		_, err = r.Instances(ctx, g)
		try("PrivilegedAssignmentSchedule.Read.AzureADGroup", err)
		_, err = r.Settings(ctx, g, activation.Member)
		try("RoleManagementPolicy.Read.AzureADGroup", err)
		if len(found) > 0 {
			break // the next group would say the same
		}
	}
	return errors.Join(found...)
}

func (r *Reader) anyUser(ctx context.Context) error {
	info, err := r.users().ToGetRequestInformation(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Select: []string{"id"}, Top: new(int32(1))},
	})
	if err != nil {
		return err
	}
	_, err = r.read(ctx, info)
	return err
}

func (r *Reader) advice(permission string, err error) error {
	f := asFault(err)
	var none *tokenError
	switch {
	case errors.As(err, &none):
		return signInTrouble(r.tenant, none)
	case f.Code == "AadPremiumLicenseRequired":
		return fmt.Errorf("the tenant has no Entra ID P2 or Governance licence, which PIM needs (%w)", err)
	case f.Status == http.StatusForbidden:
		return fmt.Errorf("the reader app lacks %s: add it as an application permission and grant admin consent (%w)", permission, err)
	case f.Status == http.StatusUnauthorized:
		return fmt.Errorf("the service refuses the reader's token: is %s the right tenant and %s the right cloud? (%w)", r.tenant, r.root.Host, err)
	case f.Status == 0:
		return fmt.Errorf("%s can't be reached: open the way there (proxy, firewall, DNS) (%w)", r.root.Host, err)
	case f.Status == http.StatusTooManyRequests:
		return fmt.Errorf("the service throttles this app: try again in %v (%w)", f.After, err)
	}
	return err
}

// signIns translates what the authority answers when it gives no token. Only
// numbers that mean one thing are here.
var signIns = []struct{ code, means string }{
	{"AADSTS90002", "there is no tenant %s: copy the tenant id from Entra's overview page"},
	{"AADSTS900023", "%s is no tenant id: copy it from Entra's overview page"},
	{"AADSTS700016", "the reader app is not registered in tenant %s: check its client id, and which tenant it was made in"},
	{"AADSTS7000215", "the reader's client secret is wrong (in tenant %s): use the secret's value, not its id"},
	{"AADSTS7000222", "the reader's client secret has expired: make a new one in its app registration in tenant %s"},
	{"AADSTS700027", "the reader's certificate is not the one that its app registration in tenant %s has: upload it there"},
	{"AADSTS7000112", "the reader app is disabled in tenant %s: enable its enterprise application"},
	{"AADSTS53003", "Conditional Access in tenant %s blocks the reader app: exclude it, or its address"},
}

func signInTrouble(tenant string, err error) error {
	for _, s := range signIns {
		if strings.Contains(err.Error(), s.code+":") {
			return fmt.Errorf(s.means+" (%s)", tenant, s.code)
		}
	}
	return fmt.Errorf("no token for the reader in tenant %s: check that the authority can be reached and which credential is configured: %w", tenant, err)
}
