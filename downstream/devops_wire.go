package downstream

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// The wire shapes of Azure DevOps, as far as they are read.
type (
	wireIdentity struct {
		ID         string                     `json:"id"`
		Descriptor string                     `json:"descriptor"`
		Name       string                     `json:"providerDisplayName"`
		MemberOf   *[]string                  `json:"memberOf"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	wireAction struct {
		Bit  int    `json:"bit"`
		Name string `json:"name"`
	}
	wireEntry struct {
		Descriptor string `json:"descriptor"`
		Allow      int    `json:"allow"`
		Extended   *struct {
			Allow *int `json:"effectiveAllow"`
			Deny  int  `json:"effectiveDeny"`
		} `json:"extendedInfo"`
	}
	wireList struct {
		Token   string               `json:"token"`
		Entries map[string]wireEntry `json:"acesDictionary"`
	}
	accessLists []wireList
)

const objectProperty = "http://schemas.microsoft.com/identity/claims/objectidentifier"

// object is the Entra object id, which comes bare or as a typed value.
func (f wireIdentity) object() string {
	raw := f.Properties[objectProperty]
	var bare string
	if json.Unmarshal(raw, &bare) == nil {
		return bare
	}
	var typed struct {
		Value string `json:"$value"`
	}
	if json.Unmarshal(raw, &typed) != nil {
		return ""
	}
	return typed.Value
}

// named reports whether a group has that name, with or without its scope in
// brackets: "[contoso]\Project Collection Administrators".
func (f wireIdentity) named(name string) bool {
	_, short, scoped := strings.Cut(f.Name, `]\`)
	return strings.EqualFold(f.Name, name) || scoped && strings.EqualFold(short, name)
}

func (l accessLists) has(token string) bool {
	for _, w := range l {
		if strings.EqualFold(w.Token, token) {
			return true
		}
	}
	return false
}

func (l accessLists) entry(token, descriptor string) (wireEntry, bool) {
	for _, w := range l {
		if !strings.EqualFold(w.Token, token) {
			continue
		}
		for key, e := range w.Entries {
			if strings.EqualFold(key, descriptor) {
				return e, true
			}
		}
	}
	return wireEntry{}, false
}

// list is the envelope of every list. A body without it is not a list.
type list[T any] struct {
	Count *int `json:"count"`
	Value *[]T `json:"value"`
}

func (l list[T]) items() ([]T, error) {
	if l.Count == nil || l.Value == nil || *l.Count != len(*l.Value) {
		return nil, &Fault{Why: nonsense}
	}
	return *l.Value, nil
}

// identities searches. membership is "none", or "expandedUp" for every group
// that somebody is in, however deep.
func (d *DevOps) identities(ctx context.Context, by, value, membership string) ([]wireIdentity, error) {
	q := url.Values{"searchFilter": {by}, "filterValue": {value}, "queryMembership": {membership}, "api-version": {"7.2-preview.1"}}
	var l list[wireIdentity]
	if err := d.http.get(ctx, d.c.VSSPSBase+"/"+d.c.Org+"/_apis/identities?"+q.Encode(), &l); err != nil {
		return nil, err
	}
	return l.items()
}

func (d *DevOps) actions(ctx context.Context) ([]wireAction, error) {
	q := url.Values{"api-version": {"7.2-preview.1"}}
	var l list[struct {
		ID      string       `json:"namespaceId"`
		Actions []wireAction `json:"actions"`
	}]
	if err := d.http.get(ctx, d.c.DevBase+"/"+d.c.Org+"/_apis/securitynamespaces/"+url.PathEscape(d.c.Namespace)+"?"+q.Encode(), &l); err != nil {
		return nil, err
	}
	all, err := l.items()
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		if strings.EqualFold(n.ID, d.c.Namespace) {
			return n.Actions, nil
		}
	}
	return nil, &Fault{Why: "there is no security namespace " + d.c.Namespace}
}

// accessLists reads the list of our token: the entries of some descriptors, or
// all of them.
func (d *DevOps) accessLists(ctx context.Context, descriptors []string) (accessLists, error) {
	q := url.Values{"token": {d.c.ACLToken}, "includeExtendedInfo": {"true"}, "api-version": {"7.2-preview.1"}}
	if len(descriptors) > 0 {
		q.Set("descriptors", strings.Join(descriptors, ","))
	}
	var l list[wireList]
	if err := d.http.get(ctx, d.c.DevBase+"/"+d.c.Org+"/_apis/accesscontrollists/"+url.PathEscape(d.c.Namespace)+"?"+q.Encode(), &l); err != nil {
		return nil, err
	}
	return l.items()
}

// memberOf asks for the transitive membership of one person in the group. The
// shape of its no is not documented (a 404, nothing, null), and broken answers
// look the same. So a no needs a second witness that says it in so many words.
func (d *DevOps) memberOf(ctx context.Context, p activation.Person, id string, org organization) (bool, error) {
	q := url.Values{"queryMembership": {"expanded"}, "api-version": {"7.1-preview.2"}}
	at := d.c.VSSPSBase + "/" + d.c.Org + "/_apis/identities/" + url.PathEscape(id) + "/membersof/" + url.PathEscape(org.group)
	var descriptor string
	err := d.http.get(ctx, at+"?"+q.Encode(), &descriptor)
	switch {
	case isStatus(err, http.StatusNotFound), isEmpty(err), err == nil && descriptor == "": // null decodes to nothing
		if err := d.absent(ctx, p, org); err != nil {
			return false, err
		}
		return false, d.stillThere(ctx, org)
	case err != nil:
		return false, err
	case !strings.EqualFold(descriptor, org.descriptor):
		return false, &Fault{Why: "it answered about another group"}
	}
	return true, nil
}

// absent is the second witness: the person's own list of groups, without ours.
func (d *DevOps) absent(ctx context.Context, p activation.Person, org organization) error {
	all, err := d.identities(ctx, "General", p.Name, "expandedUp")
	if err != nil {
		return err
	}
	for _, f := range all {
		if !strings.EqualFold(f.object(), p.Object) {
			continue
		}
		switch {
		case f.MemberOf == nil:
			return &Fault{Why: "it does not say in which groups the person is"}
		case slices.ContainsFunc(*f.MemberOf, func(g string) bool { return strings.EqualFold(g, org.descriptor) }):
			return &Fault{Why: "two of its lists disagree about the person"}
		}
		return nil
	}
	return &Fault{Why: "it no longer knows the person"}
}

// shownFor is how long a group that was seen is believed to be there.
const shownFor = 5 * time.Minute

// stillThere shows that the group exists, so that its absence is not read as
// the person's.
func (d *DevOps) stillThere(ctx context.Context, org organization) error {
	d.mu.Lock()
	fresh := time.Since(d.shown) < shownFor
	d.mu.Unlock()
	if fresh {
		return nil
	}
	again, err := d.findGroup(ctx)
	if err != nil {
		return err
	}
	if again.group != org.group {
		return &Fault{Why: "the group was replaced by another of its name"}
	}
	d.mu.Lock()
	d.shown = time.Now()
	d.mu.Unlock()
	return nil
}
