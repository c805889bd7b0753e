package downstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// An address that a configuration names is asked with a credential, from inside
// somebody's network. It may not lead to what only insiders reach, and never to
// where machines keep their own credentials.

// forbidden are the hosts and addresses of cloud machines' own credentials, on
// top of all link-local addresses.
var (
	forbiddenHosts = []string{"metadata.google.internal", "metadata", "instance-data"}
	forbiddenIPs   = []netip.Addr{netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("192.0.0.192")}
	sharedSpace    = netip.MustParsePrefix("100.64.0.0/10")
	nat64          = netip.MustParsePrefix("64:ff9b::/96")
)

// allowedIP refuses an address that a target may not have.
func allowedIP(ip netip.Addr, inward bool) error {
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast(), ip.IsMulticast(), ip.IsUnspecified(), slices.Contains(forbiddenIPs, ip):
		return fmt.Errorf("%s is where machines keep their own credentials, or no system at all: no target may be there", ip)
	case !inward && (ip.IsPrivate() || ip.IsLoopback() || sharedSpace.Contains(ip)):
		return fmt.Errorf("%s is an address inside a network: say inward: true if the target is meant to be there", ip)
	}
	return nil
}

// allowedHost refuses a host by its name. What it resolves to is looked at when
// it is called.
func allowedHost(host string, inward bool) error {
	if slices.Contains(forbiddenHosts, strings.TrimSuffix(strings.ToLower(host), ".")) {
		return fmt.Errorf("%s is where machines keep their own credentials: no target may be there", host)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return allowedIP(ip, inward)
	}
	if !inward && strings.EqualFold(host, "localhost") {
		return fmt.Errorf("%s is this machine: say inward: true if the target is meant to be there", host)
	}
	return nil
}

// guarded looks at where a connection really leads before anything is sent, as
// a name may resolve to something else any time. A proxy is not the target: it
// is trusted to be where the machine's settings say.
func guarded(t http.RoundTripper, inward bool) http.RoundTripper {
	if t == nil {
		t = http.DefaultTransport
	}
	base, ok := t.(*http.Transport)
	if !ok {
		return t // a simulator's, without any network
	}
	own := base.Clone()
	dial := own.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	var proxies sync.Map
	if find := own.Proxy; find != nil {
		own.Proxy = func(q *http.Request) (*url.URL, error) {
			u, err := find(q)
			if u != nil {
				proxies.Store(u.Hostname(), true)
			}
			return u, err
		}
	}
	own.DialTLSContext = nil
	own.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(addr)
		if _, proxy := proxies.Load(host); proxy {
			return c, nil
		}
		if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
			if err := allowedIP(at.Addr(), inward); err != nil {
				_ = c.Close()
				return nil, err
			}
		}
		return c, nil
	}
	return own
}
