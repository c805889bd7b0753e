package downstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"pagbot/activation"
)

// AWSConfig says which identity store is asked, and as whom: with a key, or in
// a role that a token file opens (as Kubernetes and other identity providers
// project it).
type AWSConfig struct {
	Region string // of the Identity Center
	Store  string // id of its identity store, d-…
	Group  string // displayName of the group there
	// Issuer of external ids there: with it people are found by their object
	// id, which must be the externalId; without it by userName.
	Issuer string

	AccessKey, SecretKey string // one way …
	Role, TokenFile      string // … or the other

	API    string           // empty: AWS itself
	HTTP   *http.Client     // nil: http.DefaultClient; redirects are never followed
	Now    func() time.Time // world time; nil: time.Now
	Limits Limits           // zero fields get defaults
}

var (
	awsRegion = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+$`)
	awsStore  = regexp.MustCompile(`^d-[0-9a-f]{10}$`)
)

func (c AWSConfig) validate() (AWSConfig, error) {
	key, role := c.AccessKey != "" && c.SecretKey != "", c.Role != "" && c.TokenFile != ""
	switch {
	case !awsRegion.MatchString(c.Region):
		return c, fmt.Errorf("aws target: %q is not a region: give the Identity Center's, such as eu-central-1", c.Region)
	case !awsStore.MatchString(c.Store):
		return c, fmt.Errorf("aws target: %q is not the id of an identity store: copy it from Identity Center, Settings (d- and ten digits)", c.Store)
	case c.Group == "":
		return c, errors.New("aws target: give the name of the group there")
	case key == role:
		return c, errors.New("aws target: give an access key with its secret key, or a role with its token file")
	}
	if c.API != "" {
		if err := safeBase(c.API); err != nil {
			return c, fmt.Errorf("aws target: %w", err)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits = c.Limits.or(Limits{Batch: 5, Rate: 100 * time.Millisecond, Timeout: 20 * time.Second, Confirm: 1, As: "its own role in AWS"})
	c.Limits.Level = activation.L1
	return c, nil
}

func (c AWSConfig) client(h *caller) *identitystore.Client {
	var base *string
	if c.API != "" {
		base = &c.API
	}
	var who aws.CredentialsProvider = credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, "")
	if c.Role != "" {
		// No retries of the library's own: the watch asks again, by its budget.
		own := sts.New(sts.Options{Region: c.Region, BaseEndpoint: base, HTTPClient: awsHTTP{h, c.Limits.Timeout}, Retryer: aws.NopRetryer{}})
		who = stscreds.NewWebIdentityRoleProvider(own, c.Role, stscreds.IdentityTokenFile(c.TokenFile), func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = "pagbot" })
	}
	return identitystore.New(identitystore.Options{Region: c.Region, BaseEndpoint: base, Credentials: aws.NewCredentialsCache(who), HTTPClient: awsHTTP{h, c.Limits.Timeout}, Retryer: aws.NopRetryer{}})
}

// signed leaves signing to the library.
func signed(context.Context, *http.Request) ([]string, error) { return nil, nil }

// awsHTTP lets the library's requests leave as all others do, and keeps from it
// whatever is not AWS's own word.
type awsHTTP struct {
	*caller
	// most is how long one request may take: the library opens a role once for
	// all who wait, and does not give up with them.
	most time.Duration
}

// Do implements identitystore.HTTPClient.
func (h awsHTTP) Do(q *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(q.Context(), h.most)
	defer cancel()
	a, body, _, err := h.send(q.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	var inside struct {
		Type string `json:"__type"`
	}
	if a.StatusCode < 400 || json.Unmarshal(body, &inside) != nil || inside.Type == "" {
		if f := refused(a, body, nil); f != nil {
			// What came may repeat what we sent: a key, a token, a signature.
			return nil, &Fault{Why: f.Why, After: retryAfter(a.Header.Get("Retry-After"), time.Now()), Err: fmt.Errorf("HTTP %d", a.StatusCode)}
		}
	}
	a.Body = io.NopCloser(bytes.NewReader(body))
	return a, nil
}

// Setup finds the group. Its error is one sentence for people.
func (a *AWS) Setup(ctx context.Context) error {
	out, err := a.store.GetGroupId(ctx, &identitystore.GetGroupIdInput{IdentityStoreId: &a.c.Store, AlternateIdentifier: unique("displayName", a.c.Group)})
	switch {
	case notThere(err):
		return fmt.Errorf("aws identity store %s: %w", a.c.Store, fault("it has no group %q: check the name, and that Entra provisions the group", a.c.Group))
	case err != nil:
		return fmt.Errorf("aws identity store %s: %w", a.c.Store, plainAWS(err))
	case aws.ToString(out.GroupId) == "" || aws.ToString(out.IdentityStoreId) != a.c.Store:
		return fmt.Errorf("aws identity store %s: %w", a.c.Store, &Fault{Why: nonsense})
	}
	a.mu.Lock()
	a.group, a.shown = *out.GroupId, time.Now()
	a.mu.Unlock()
	return nil
}

// stillThere shows that the group exists, so that its absence is not read as
// the person's.
func (a *AWS) stillThere(ctx context.Context) error {
	a.mu.Lock()
	fresh, before := time.Since(a.shown) < shownFor, a.group
	a.mu.Unlock()
	if fresh {
		return nil
	}
	if err := a.Setup(ctx); err != nil {
		return err
	}
	if a.groupID() != before {
		return &Fault{Why: "the group was replaced by another of its name"}
	}
	return nil
}

func unique(path, value string) types.AlternateIdentifier {
	return &types.AlternateIdentifierMemberUniqueAttribute{Value: types.UniqueAttribute{AttributePath: &path, AttributeValue: document.NewLazyDocument(value)}}
}

// search finds a person by their object id, or by a name which is then held
// against the object id, as far as the store has it.
func (a *AWS) search(ctx context.Context, p activation.Person) (string, error) {
	by := unique("userName", p.Name)
	if a.c.Issuer != "" {
		oid := strings.ToLower(p.Object)
		by = &types.AlternateIdentifierMemberExternalId{Value: types.ExternalId{Id: &oid, Issuer: &a.c.Issuer}}
	}
	out, err := a.store.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: &a.c.Store, AlternateIdentifier: by})
	if err != nil {
		return "", err
	}
	id := aws.ToString(out.UserId)
	if id == "" {
		return "", &Fault{Why: nonsense}
	}
	if a.c.Issuer != "" {
		return id, nil
	}
	u, err := a.store.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: &a.c.Store, UserId: &id})
	switch {
	case err != nil:
		return "", err
	case aws.ToString(u.UserId) != id || !strings.EqualFold(aws.ToString(u.UserName), p.Name):
		return "", &Fault{Why: "it answered about another person"}
	case slices.ContainsFunc(u.ExternalIds, func(e types.ExternalId) bool {
		return looksLikeGUID.MatchString(aws.ToString(e.Id)) && !strings.EqualFold(*e.Id, p.Object)
	}):
		return "", &Fault{Why: "the user of this name there is somebody else"}
	}
	return id, nil
}

// nobody shows that no account can be the person's, by their name either, and
// that the group is there.
func (a *AWS) nobody(ctx context.Context, p activation.Person) error {
	if a.c.Issuer != "" {
		_, err := a.store.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: &a.c.Store, AlternateIdentifier: unique("userName", p.Name)})
		if err == nil {
			return &Fault{Why: "it has an account of the person's name, but without their external id: see issuer"}
		}
		if !notThere(err) {
			return err
		}
	}
	return a.stillThere(ctx)
}

// memberOf asks whether a user is in the group; where that call is not allowed,
// for all the groups the user is in.
func (a *AWS) memberOf(ctx context.Context, user string) (bool, error) {
	group, member := a.groupID(), &types.MemberIdMemberUserId{Value: user}
	out, err := a.store.IsMemberInGroups(ctx, &identitystore.IsMemberInGroupsInput{IdentityStoreId: &a.c.Store, MemberId: member, GroupIds: []string{group}})
	if code(err) == "AccessDeniedException" {
		return a.listed(ctx, member, group)
	}
	if err != nil {
		return false, err
	}
	if len(out.Results) != 1 || aws.ToString(out.Results[0].GroupId) != group || !same(out.Results[0].MemberId, user) {
		return false, &Fault{Why: "it did not answer about this person and group"}
	}
	return out.Results[0].MembershipExists, nil
}

func same(m types.MemberId, user string) bool {
	u, ok := m.(*types.MemberIdMemberUserId)
	return ok && u.Value == user
}

// listed reads all memberships of a user.
func (a *AWS) listed(ctx context.Context, member *types.MemberIdMemberUserId, group string) (bool, error) {
	in := &identitystore.ListGroupMembershipsForMemberInput{IdentityStoreId: &a.c.Store, MemberId: member}
	for {
		out, err := a.store.ListGroupMembershipsForMember(ctx, in)
		if err != nil {
			return false, err
		}
		if out.GroupMemberships == nil {
			return false, &Fault{Why: nonsense}
		}
		for _, m := range out.GroupMemberships {
			if !same(m.MemberId, member.Value) {
				return false, &Fault{Why: "it answered about another person"}
			}
			if aws.ToString(m.GroupId) == group {
				return true, nil
			}
		}
		if aws.ToString(out.NextToken) == "" {
			break
		}
		in.NextToken = out.NextToken
	}
	return false, nil
}

// code is AWS's own name of an error; empty: the error is not AWS's.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func notThere(err error) bool { return code(err) == "ResourceNotFoundException" }

// plainAWS keeps AWS's name of an error and leaves its words out, which may
// repeat what we sent.
func plainAWS(err error) error {
	var f *Fault
	var throttled *types.ThrottlingException
	name := code(err)
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &throttled):
		return &Fault{Why: tooFast, After: min(time.Duration(throttled.RetryAfterSeconds)*time.Second, longestPause), Err: errors.New(name)}
	case name == "ThrottlingException", name == "Throttling", name == "TooManyRequestsException":
		return &Fault{Why: tooFast, Err: errors.New(name)}
	case name == "AccessDeniedException", name == "AccessDenied":
		return &Fault{Why: "the role is not allowed to look there", Err: errors.New(name)}
	case slices.Contains([]string{"UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "InvalidIdentityToken", "IncompleteSignatureException"}, name):
		return &Fault{Why: "it does not accept our credentials", Err: errors.New(name)}
	case name == "ResourceNotFoundException":
		return &Fault{Why: "it no longer knows the person or the group", Err: errors.New(name)}
	case name != "":
		return &Fault{Why: "an error came instead of an answer", Err: errors.New(name)}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	}
	return &Fault{Why: nonsense, Err: errors.New("AWS's library could not read it")}
}
