package devops

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"pagbot/sim/target"
)

type (
	obj    = target.Object
	answer = target.Answer
)

// call is one request to one organization.
type call struct {
	*target.Call
	o    *Organization
	rest string // of the path, after the organization and _apis
}

// Handler serves both hosts, vssps.dev.azure.com and dev.azure.com; under their
// real names it also insists on the right one.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.serve, Trouble: trouble, Type: "application/json; charset=utf-8; api-version=7.1",
		Page: "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head><body>Sign in</body></html>"})
}

// trouble is an error in the service's shape: by the number that its message
// begins with, or by the exception, which clients tell apart by its typeKey.
func trouble(status int, key, message string) answer {
	kind := "VssServiceException"
	if k, numbered := exceptions[key]; numbered {
		kind, message = k, key+": "+message
	} else if strings.HasSuffix(key, "Exception") {
		kind = key
	}
	return answer{Status: status, Body: obj{"$id": "1", "innerException": nil, "message": message,
		"typeName": "Microsoft.VisualStudio.Services.Common." + kind + ", Microsoft.VisualStudio.Services.Common",
		"typeKey":  kind, "errorCode": 0, "eventId": 3000}}
}

// exceptions are those behind the numbers.
var exceptions = map[string]string{"TF400813": "UnauthorizedRequestException", "TF400733": "RequestCanceledException", "VS800075": "ProjectDoesNotExistException"}

// serve checks who asks and what for.
func (w *World) serve(t *target.Call) answer {
	c := &call{Call: t}
	if err := w.Bearer(t); err != nil {
		a := trouble(401, "TF400813", "The user '' is not authorized to access this resource.")
		a.Header = map[string]string{"WWW-Authenticate": `Bearer authorization_uri="https://login.microsoftonline.com/` + w.tenant + `"`}
		return a
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, "/"), "/_apis/")
	if c.o = w.Org(name); c.o == nil {
		return trouble(404, "VS800075", "The organization '"+name+"' does not exist.")
	}
	if i, known := c.o.user(c.By.OID); !slices.Contains(c.o.Readers, c.By.OID) && (!known || !c.o.Users[i].Standing) {
		return trouble(401, "TF400813", "The user '"+c.By.OID+"' is not authorized to access this resource.")
	}
	if w.Throttled(c.By.OID) {
		a := trouble(429, "TF400733", "The request has been canceled: Request was blocked due to exceeding usage of resource.")
		a.Header = map[string]string{"Retry-After": w.dials.RetryAfter}
		return a
	}
	if no := unversioned(c.URL.Query().Get("api-version")); no != nil {
		return *no
	}
	if !c.By.App && c.By.Lacks("user_impersonation") {
		return trouble(401, "TF400813", "The user '"+c.By.OID+"' is not authorized to access this resource.")
	}
	if !t.JSON() {
		return trouble(415, "VssRequestContentTypeNotSupportedException", "The request indicated a Content-Type of \""+c.Header.Get("Content-Type")+"\" for method type \""+c.Method+"\" which is not supported.")
	}
	c.rest = rest
	return c.route()
}

var numbered = regexp.MustCompile(`^\d\.\d(-preview(\.\d)?)?$`)

// unversioned refuses a request without a version, or with one that there is
// not. All of 7.2 is in preview, and must be asked for as that.
func unversioned(v string) *answer {
	var a answer
	switch {
	case v == "":
		a = trouble(400, "VssVersionNotSpecifiedException", "No api-version was supplied for the request.")
	case !numbered.MatchString(v):
		a = trouble(400, "VssVersionOutOfRangeException", "The requested REST API version of "+v+" is out of range for this server.")
	case v == "7.2":
		a = trouble(400, "VssInvalidPreviewVersionException", `The requested version "7.2" of the resource is under preview. The -preview flag must be supplied in the api-version for such requests.`)
	default:
		return nil
	}
	return &a
}

func (c *call) route() answer {
	parts := strings.Split(c.rest, "/")
	host := strings.HasPrefix(c.Host, "vssps.")
	elsewhere := strings.HasSuffix(c.Host, "dev.azure.com") && host != (parts[0] == "identities" || parts[0] == "graph")
	is := func(method string, n int, names ...string) bool {
		for i, name := range names {
			if i >= len(parts) || !strings.EqualFold(parts[i], name) && name != "*" {
				return false
			}
		}
		return c.Method == method && len(parts) == n && !elsewhere
	}
	switch {
	case is("GET", 1, "identities"):
		return c.identities()
	case is("GET", 4, "identities", "*", "membersof", "*"):
		return c.membersOf(parts[1], parts[3])
	case is("POST", 3, "identities", "*", "membersof"):
		return c.refreshMembersOf(parts[1])
	case is("GET", 4, "graph", "memberships", "*", "*"), is("HEAD", 4, "graph", "memberships", "*", "*"):
		return c.directMembership(parts[2], parts[3])
	case is("POST", 2, "Contribution", "HierarchyQuery"):
		return c.portal()
	case is("GET", 2, "accesscontrollists", "*"):
		return c.accessControl(parts[1])
	case is("GET", 2, "securitynamespaces", "*"):
		return c.namespace(parts[1])
	case is("POST", 2, "security", "permissionevaluationbatch"):
		return c.evaluate()
	case is("GET", 3, "permissions", "*", "*"):
		return c.permissions(parts[1], parts[2])
	}
	return trouble(404, "VssResourceNotFoundException", "The resource cannot be found: "+c.rest)
}
