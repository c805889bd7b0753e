package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"pagbot/graph/signin"
)

// Account reads what custody and binding must know of an account, by its object
// id. attribute names the property that holds the Slack user id, if one does:
// employeeId, extension_{app}_{name}, or onPremisesExtensionAttributes/extensionAttribute1.
func (r *Reader) Account(ctx context.Context, object, attribute string) (signin.Account, error) {
	fields := []string{"id", "userPrincipalName", "mail", "userType", "accountEnabled", "signInSessionsValidFromDateTime", "lastPasswordChangeDateTime"}
	top, inner, nested := strings.Cut(attribute, "/")
	if top != "" {
		fields = append(fields, top)
	}
	info, err := r.users().ByUserId(object).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: fields},
	})
	var q struct {
		rawPrincipal
		SignInSessionsValidFromDateTime stamp
		LastPasswordChangeDateTime      stamp
	}
	var all map[string]json.RawMessage
	if err == nil {
		err = r.readInto(ctx, info, &all)
	}
	if err == nil {
		body, _ := json.Marshal(all) // what was read a moment ago
		err = decode(body, &q)
	}
	switch {
	case NotFound(err):
		return signin.Account{}, fmt.Errorf("user %s: %w", object, signin.ErrNoAccount)
	case err == nil && !strings.EqualFold(q.ID, object):
		err = &Fault{Status: 200, Text: "the answer is about somebody else"}
	}
	if err != nil {
		return signin.Account{}, fmt.Errorf("user %s: %w", object, err)
	}
	a := signin.Account{UPN: q.UserPrincipalName, Mail: q.Mail, Revoked: q.SignInSessionsValidFromDateTime.Time,
		// An account of unknown kind or state is taken for the worse one.
		Guest: !strings.EqualFold(q.UserType, "Member"), Enabled: q.AccountEnabled != nil && *q.AccountEnabled}
	// A new password leaves the tokens of confidential clients alive; but
	// whoever changes it in a hurry does not mean that.
	if at := q.LastPasswordChangeDateTime.Time; at.After(a.Revoked) {
		a.Revoked = at
	}
	value := field(all, top)
	if nested {
		var deep map[string]json.RawMessage
		_ = json.Unmarshal(value, &deep) // null, or no object: it holds nothing
		value = field(deep, inner)
	}
	_ = json.Unmarshal(value, &a.Attribute) // no text: it names nobody
	return a, nil
}

// field finds a field in any casing.
func field(m map[string]json.RawMessage, name string) json.RawMessage {
	for k, v := range m {
		if name != "" && strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}
