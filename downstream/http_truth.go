package downstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"pagbot/activation"
)

// The three traps: questions whose answer looks like an effect and is none. A
// free question can't be configured so by accident.

// azureHosts are Resource Manager's.
var azureHosts = []string{"management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"}

// entraHosts answer from Entra's own current data (trap 1).
var entraHosts = []string{"graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn", "graph.windows.net"}

var (
	// joins are lists that a system makes from Entra's data when it is asked.
	joins = regexp.MustCompile(`(?i)/(roleassignments|rolemanagement|transitiveroleassignments|billingroleassignments)\b`)
	// aboutCaller are questions whose answer is about whoever asks (trap 3).
	aboutCaller = regexp.MustCompile(`(?i)(/selfsubject\w*reviews?\b|geteffectivepermissions|getassignedroledetails|permissionevaluationbatch|/_apis/permissions/|/billingpermissions\b|/oauth2/userinfo\b|/me(/|$))`)
	// assertsGroups are questions that tell the target in which groups the person
	// is (trap 2).
	assertsGroups = regexp.MustCompile(`(?i)/(local)?subjectaccessreviews?\b`)
	groupsGiven   = regexp.MustCompile(`(?i)"groups?(ids?)?"\s*:`)
)

// truthful refuses a question that falls into one of the traps.
func truthful(c HTTPConfig, f *form) error {
	one, err := f.wire(activation.Person{Tenant: nobody, Object: nobody, Name: "nobody@example.test"})
	if err != nil {
		return err
	}
	two, err := f.wire(activation.Person{Tenant: nobody, Object: strings.Replace(nobody, "0", "1", 1), Name: "somebody@example.test"})
	if err != nil {
		return err
	}
	u, err := url.Parse(c.URL[:len(origin.FindString(c.URL))])
	if err != nil {
		return err
	}
	host := strings.ToLower(u.Hostname())
	for _, entra := range entraHosts {
		if host == entra {
			return fmt.Errorf("%s answers from Entra's own lists, which are right long before any system acts on them: that proves configured and member, never received or effective; choose kind entra", host)
		}
	}
	path := one.path
	switch {
	case slices.ContainsFunc(azureHosts, func(h string) bool { return strings.HasSuffix(host, h) }) && joins.MatchString(path):
		return errors.New("role assignments name the group and Entra names the person: joining the two proves configured and member, never that access is effective; a question to the policy engine would")
	case aboutCaller.MatchString(path):
		return errors.New("this answers about whoever asks, which here is the bot and not the person: choose a question that names the person")
	case assertsGroups.MatchString(path), groupsGiven.MatchString(one.body):
		return errors.New("this question says itself in which groups the person is, and gets back what it said: the answer proves the group's rights, not the person's membership; leave the groups out, or choose a question that finds them by itself")
	case one == two:
		return errors.New("this question is the same for everybody, so its answer is about whoever asks: put the person into it, such as {{.User.OID}} or {{.User.UPN}}")
	}
	return nil
}

// wire is what of a question goes out, without its headers.
type wire struct{ path, query, body string }

func (f *form) wire(p activation.Person) (wire, error) {
	q, err := f.about(context.Background(), p)
	if err != nil {
		return wire{}, err
	}
	body := ""
	if q.Body != nil && q.Body != http.NoBody {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			return wire{}, err
		}
		body = string(b)
	}
	return wire{q.URL.Path, q.URL.RawQuery, body}, nil
}
