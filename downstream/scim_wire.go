package downstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// How a SCIM target tells who is in a group, and whom it means.
const (
	ByList       = "list"       // the group's own list of members
	ByFilter     = "filter"     // a filter on members, where lists are not shown (AWS)
	ByUser       = "user"       // the user's own list of groups
	ByExternalID = "externalId" // which is the object id
	ByUserName   = "userName"   // which is the user principal name
)

// SCIMConfig says which application is asked about which group.
type SCIMConfig struct {
	Base    string                                // such as https://app.example/scim/v2
	Group   string                                // displayName of the group there
	Members string                                // ByList (empty), ByFilter or ByUser
	Match   string                                // ByExternalID (empty) or ByUserName
	Token   func(context.Context) (string, error) // its bearer
	HTTP    *http.Client                          // nil: http.DefaultClient; redirects are never followed
	Now     func() time.Time                      // world time; nil: time.Now
	Limits  Limits                                // zero fields get defaults
}

func (c SCIMConfig) validate() (SCIMConfig, error) {
	if err := safeBase(c.Base); err != nil {
		return c, fmt.Errorf("scim target: %w", err)
	}
	if u, err := url.Parse(c.Base); err == nil && slices.Contains(entraHosts, strings.ToLower(u.Hostname())) {
		return c, fmt.Errorf("scim target: %s is Entra's own side of provisioning: give the application's SCIM service, as only that can say what it has received", u.Hostname())
	}
	c.Base = strings.TrimSuffix(c.Base, "/")
	if c.Group == "" {
		return c, errors.New("scim target: give the name of the group there")
	}
	if c.Token == nil {
		return c, errors.New("scim target: give a token to ask with")
	}
	if c.Members == "" {
		c.Members = ByList
	}
	if c.Match == "" {
		c.Match = ByExternalID
	}
	if !slices.Contains([]string{ByList, ByFilter, ByUser}, c.Members) {
		return c, fmt.Errorf("scim target: members %q is not known: choose list, filter or user", c.Members)
	}
	if c.Match != ByExternalID && c.Match != ByUserName {
		return c, fmt.Errorf("scim target: match %q is not known: choose externalId or userName", c.Match)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	batch := 20
	if c.Members != ByList {
		batch = 5
	}
	c.Limits = c.Limits.or(Limits{Batch: batch, Rate: 350 * time.Millisecond, Timeout: 20 * time.Second, Confirm: 1, As: "its SCIM token"})
	c.Limits.Level = activation.L1
	return c, nil
}

// The wire shapes of SCIM 2.0, as far as they are read.
type (
	scimGroup struct {
		ID      string     `json:"id"`
		Name    string     `json:"displayName"`
		Members *scimNames `json:"members"`
	}
	scimPerson struct {
		ID         string     `json:"id"`
		UserName   string     `json:"userName"`
		ExternalID string     `json:"externalId"`
		Groups     *scimNames `json:"groups"`
	}
	scimNames       []struct{ Value string }
	scimList[T any] struct {
		Total     *int `json:"totalResults"`
		Resources []T  `json:"Resources"`
	}
)

func (n scimNames) has(id string) bool {
	return slices.ContainsFunc(n, func(v struct{ Value string }) bool { return v.Value == id })
}

// quoted is a value of a filter.
func quoted(v string) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func (s *SCIM) read(ctx context.Context, path string, query url.Values, into any) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.c.Base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	q.Header.Set("Accept", "application/scim+json, application/json")
	return s.http.ask(q, into)
}

// where searches one kind of resource. A list without a total is no list.
func where[T any](ctx context.Context, s *SCIM, kind, filter, attributes string) ([]T, error) {
	var l scimList[T]
	query := url.Values{"filter": {filter}, "attributes": {attributes}}
	if err := s.read(ctx, "/"+kind, query, &l); err != nil {
		return nil, err
	}
	if l.Total == nil || *l.Total < len(l.Resources) || *l.Total > 0 && len(l.Resources) == 0 {
		return nil, &Fault{Why: nonsense, Err: errors.New("no SCIM list")}
	}
	return l.Resources, nil
}

// Setup finds the group and, where filters are relied on, shows that they are
// honoured. Its error is one sentence for people.
func (s *SCIM) Setup(ctx context.Context) error {
	g, err := s.find(ctx)
	if err == nil && s.c.Members == ByFilter {
		err = s.honours(ctx, g)
	}
	if err != nil {
		return fmt.Errorf("scim target %s: %w", s.c.Base, err)
	}
	s.mu.Lock()
	s.group, s.shown = g, time.Now()
	s.mu.Unlock()
	return nil
}

func (s *SCIM) ready(ctx context.Context) error {
	if s.found().ID != "" {
		return nil
	}
	return s.Setup(ctx)
}

func (s *SCIM) found() scimGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.group
}

func (s *SCIM) find(ctx context.Context) (scimGroup, error) {
	all, err := where[scimGroup](ctx, s, "Groups", "displayName eq "+quoted(s.c.Group), "id,displayName")
	if err != nil {
		return scimGroup{}, err
	}
	all = slices.DeleteFunc(all, func(g scimGroup) bool { return g.ID == "" || !strings.EqualFold(g.Name, s.c.Group) })
	switch len(all) {
	case 0:
		return scimGroup{}, fault("it has no group %q: check the name, and that Entra provisions the group", s.c.Group)
	case 1:
		return all[0], nil
	}
	return scimGroup{}, fault("it has several groups called %q", s.c.Group)
}

// nobody is a member that no group can have.
const nobody = "00000000-0000-4000-8000-6e6f626f6479"

// honours shows that the filter looks at members: a server that ignores half of
// it would find the group for everybody.
func (s *SCIM) honours(ctx context.Context, g scimGroup) error {
	is, err := s.inGroup(ctx, g, nobody)
	if err == nil && is {
		err = fault("it does not look at members in a filter and would say yes about everybody: choose members: list or user")
	}
	return err
}

func (s *SCIM) inGroup(ctx context.Context, g scimGroup, user string) (bool, error) {
	all, err := where[scimGroup](ctx, s, "Groups", "id eq "+quoted(g.ID)+" and members eq "+quoted(user), "id")
	if err != nil {
		return false, err
	}
	if len(all) > 1 || len(all) == 1 && all[0].ID != g.ID {
		return false, &Fault{Why: "it answered about another group"}
	}
	return len(all) == 1, nil
}

func (s *SCIM) filtered(ctx context.Context, user string) (bool, error) {
	return s.inGroup(ctx, s.found(), user)
}

// user finds who a person is there; empty: not there. What comes back is
// compared again, as not every server heeds a filter.
func (s *SCIM) user(ctx context.Context, p activation.Person) (string, error) {
	filter, want := ByExternalID+" eq ", strings.ToLower(p.Object) // as Entra writes it: this minds its case
	if s.c.Match == ByUserName {
		filter, want = ByUserName+" eq ", p.Name
	}
	all, err := where[scimPerson](ctx, s, "Users", filter+quoted(want), "id,userName,externalId")
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", nil
	}
	all = slices.DeleteFunc(all, func(u scimPerson) bool {
		is := u.ExternalID
		if s.c.Match == ByUserName {
			is = u.UserName
		}
		return u.ID == "" || !strings.EqualFold(is, want)
	})
	if len(all) != 1 {
		return "", &Fault{Why: fmt.Sprintf("it has %d users who could be this person", len(all))}
	}
	if looksLikeGUID.MatchString(all[0].ExternalID) && !strings.EqualFold(all[0].ExternalID, p.Object) {
		return "", &Fault{Why: "the user of this name there is somebody else"}
	}
	return all[0].ID, nil
}

// nobody shows that no account can be the person's, by the other way of finding
// one either, and that the group is there. An account that has only one of the
// two may have been in the group for long.
func (s *SCIM) nobody(ctx context.Context, p activation.Person) error {
	filter, value := ByUserName, p.Name
	if s.c.Match == ByUserName {
		filter, value = ByExternalID, strings.ToLower(p.Object)
	}
	if value == "" {
		return &Fault{Why: "it does not know this person, whose name is not known"}
	}
	all, err := where[scimPerson](ctx, s, "Users", filter+" eq "+quoted(value), "id,userName,externalId")
	if err != nil {
		return err
	}
	if len(all) > 0 {
		return fault("it has an account with the person's %s, but not with their %s: see match", filter, s.c.Match)
	}
	return s.stillThere(ctx)
}

var looksLikeGUID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// members are the ids in the group's list; none where it shows no list.
func (s *SCIM) members(ctx context.Context) ([]string, error) {
	g := s.found()
	var got scimGroup
	if err := s.read(ctx, "/Groups/"+url.PathEscape(g.ID), url.Values{"attributes": {"id,displayName,members"}}, &got); err != nil {
		return nil, err
	}
	if got.ID != g.ID {
		return nil, &Fault{Why: "it answered about another group"}
	}
	s.mu.Lock()
	s.shown = time.Now()
	s.mu.Unlock()
	if got.Members == nil {
		return nil, nil
	}
	ids := []string{}
	for _, m := range *got.Members {
		ids = append(ids, m.Value)
	}
	return ids, nil
}

// groupsOf asks for the user's own list of groups.
func (s *SCIM) groupsOf(ctx context.Context, user string) (bool, error) {
	var got scimPerson
	if err := s.read(ctx, "/Users/"+url.PathEscape(user), url.Values{"attributes": {"id,groups"}}, &got); err != nil {
		return false, err
	}
	switch {
	case got.ID != user:
		return false, &Fault{Why: "it answered about another person"}
	case got.Groups == nil:
		return false, &Fault{Why: "it shows neither who is in the group nor in which groups a person is: try members: filter"}
	}
	return got.Groups.has(s.found().ID), nil
}

// stillThere shows that the group exists, so that its absence is not read as
// the person's.
func (s *SCIM) stillThere(ctx context.Context) error {
	s.mu.Lock()
	fresh, g := time.Since(s.shown) < shownFor, s.group
	s.mu.Unlock()
	if fresh {
		return nil
	}
	again, err := s.find(ctx)
	if err == nil && s.c.Members == ByFilter {
		err = s.honours(ctx, again)
	}
	if err != nil {
		return err
	}
	if again.ID != g.ID {
		return &Fault{Why: "the group was replaced by another of its name"}
	}
	s.mu.Lock()
	s.shown = time.Now()
	s.mu.Unlock()
	return nil
}
