package browser

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// jar keeps cookies by the rules that matter to a sign-in.
type jar struct{ cookies []cookie }

type cookie struct {
	*http.Cookie
	host    string // as set; the domain if one was named
	only    bool   // no Domain: this host alone
	expires time.Time
}

// take keeps the cookies of an answer that a browser would keep.
func (j *jar) take(u *url.URL, set []*http.Cookie, now time.Time) {
	for _, c := range set {
		if !acceptable(u, c) {
			continue
		}
		k := cookie{Cookie: c, host: u.Hostname(), only: c.Domain == "", expires: c.Expires}
		if !k.only {
			k.host = strings.TrimPrefix(strings.ToLower(c.Domain), ".")
		}
		if c.Path == "" || c.Path[0] != '/' {
			c.Path = defaultPath(u.Path)
		}
		if c.MaxAge != 0 {
			k.expires = now.Add(time.Duration(c.MaxAge) * time.Second)
		}
		j.cookies = slices.DeleteFunc(j.cookies, func(o cookie) bool {
			return o.Name == c.Name && o.host == k.host && o.Path == c.Path
		})
		if k.expires.IsZero() || k.expires.After(now) {
			j.cookies = append(j.cookies, k)
		}
	}
}

func acceptable(u *url.URL, c *http.Cookie) bool {
	prefixed := strings.HasPrefix(c.Name, "__Host-") || strings.HasPrefix(c.Name, "__Secure-")
	switch {
	case (c.Secure || prefixed) && !trustworthy(u), prefixed && !c.Secure:
		return false
	case strings.HasPrefix(c.Name, "__Host-") && (c.Domain != "" || c.Path != "/"):
		return false
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return false
	case c.Domain == "":
		return true
	}
	d := strings.TrimPrefix(strings.ToLower(c.Domain), ".")
	suffix, _ := publicsuffix.PublicSuffix(d)
	return d != suffix && within(u.Hostname(), d)
}

// carried are the cookies that go with a request.
func (j *jar) carried(r request, now time.Time) (fit []cookie) {
	cross := r.relation() == "cross-site"
	for _, c := range j.cookies {
		host := r.url.Hostname()
		switch {
		case c.only && host != c.host || !c.only && !within(host, c.host):
		case !c.expires.IsZero() && !c.expires.After(now):
		case c.Secure && !trustworthy(r.url):
		case !pathFits(r.url.Path, c.Path):
		case cross && c.SameSite == http.SameSiteStrictMode:
		case cross && c.SameSite != http.SameSiteNoneMode && r.method != "GET": // Lax, also by default
		default:
			fit = append(fit, c)
		}
	}
	sort.SliceStable(fit, func(i, k int) bool { return len(fit[i].Path) > len(fit[k].Path) })
	return fit
}

// trustworthy is https, or this machine.
func trustworthy(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func within(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

func defaultPath(p string) string {
	if i := strings.LastIndex(p, "/"); i > 0 {
		return p[:i]
	}
	return "/"
}

func pathFits(path, want string) bool {
	if path == "" {
		path = "/"
	}
	return path == want || strings.HasPrefix(path, want) && (strings.HasSuffix(want, "/") || path[len(want)] == '/')
}

// site is the registrable domain; ports don't matter to it.
func site(u *url.URL) string {
	if s, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname()); err == nil {
		return s
	}
	return u.Hostname()
}
