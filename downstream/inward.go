package downstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// An address that a configuration names is asked with a credential, from inside
// somebody's network. It may not lead to what only insiders reach, and never to
// where machines keep their own credentials.

// forbidden are the hosts and addresses of cloud machines' own credentials, on
// top of all link-local addresses.
var (
	forbiddenHosts = []string{"metadata.google.internal", "metadata", "instance-data"}
	forbiddenIPs   = []netip.Addr{netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("192.0.0.192")}
	nat64          = netip.MustParsePrefix("64:ff9b::/96")
	// inside are networks that are somebody's own, on top of those that the
	// standard library knows, and those in which an address of one can hide.
	inside = prefixes("100.64.0.0/10", "0.0.0.0/8", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "fec0::/10", "::/96", "2001::/32", "2002::/16", "64:ff9b:1::/48")
)

// errInward is a connection that was not made.
var errInward = errors.New("it may not be asked there")

func prefixes(all ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// reach is how far inward an address may lead.
type reach struct {
	all    bool           // to all that is not where machines keep their credentials
	nets   []netip.Prefix // to these
	direct bool           // and past every proxy, which would look names up itself
}

// ip refuses an address that may not be asked.
func (r reach) ip(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	in := func(p netip.Prefix) bool { return p.Contains(ip) }
	switch {
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast(), ip.IsMulticast(), ip.IsUnspecified(), slices.Contains(forbiddenIPs, ip):
		return fmt.Errorf("%s is where machines keep their own credentials, or no system at all: %w", ip, errInward)
	case r.all, slices.ContainsFunc(r.nets, in):
		return nil
	case ip.IsPrivate(), ip.IsLoopback(), slices.ContainsFunc(inside, in):
		return fmt.Errorf("%s is an address inside a network: if it is meant to be there, allow it with inward: true, or for tickets with inward: [its network]: %w", ip, errInward)
	}
	return nil
}

// host refuses a host by its name. What it resolves to is looked at when it is
// called.
func (r reach) host(host string) error {
	if slices.Contains(forbiddenHosts, strings.TrimSuffix(strings.ToLower(host), ".")) {
		return fmt.Errorf("%s is where machines keep their own credentials: %w", host, errInward)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return r.ip(ip)
	}
	if !r.all && len(r.nets) == 0 && strings.EqualFold(host, "localhost") {
		return fmt.Errorf("%s is this machine: if it is meant to be there, allow it with inward: %w", host, errInward)
	}
	return nil
}

type reachKey struct{}

// Dialer connects for the HTTP client that targets are asked with. Where one is
// guarded, it looks at the address that a name was resolved to before anything
// leaves for it.
func Dialer() *net.Dialer {
	return &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second, ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		r, ok := ctx.Value(reachKey{}).(reach)
		at, err := netip.ParseAddrPort(address)
		if !ok || err != nil { // unguarded, or a socket of this machine's own
			return nil
		}
		return r.ip(at.Addr())
	}}
}

// guarded looks at where a connection really leads before anything is sent, as
// a name may resolve to something else any time: before it is made by Dialer,
// and once more after, for whatever other dialer there is. A proxy is not the
// target: it is trusted to be where the machine's settings say, or not used.
func guarded(t http.RoundTripper, r reach) http.RoundTripper {
	if t == nil {
		t = &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: Dialer().DialContext, TLSHandshakeTimeout: 10 * time.Second}
	}
	base, ok := t.(*http.Transport)
	if !ok {
		return t // a simulator's, without any network
	}
	own := base.Clone()
	dial := own.DialContext
	if dial == nil {
		dial = Dialer().DialContext
	}
	var proxies sync.Map
	if r.direct {
		own.Proxy = nil
	}
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
		host, _, _ := net.SplitHostPort(addr)
		if _, proxy := proxies.Load(host); proxy {
			return dial(ctx, network, addr)
		}
		c, err := dial(context.WithValue(ctx, reachKey{}, r), network, addr)
		if err != nil {
			return nil, err
		}
		if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
			if err := r.ip(at.Addr()); err != nil {
				_ = c.Close()
				return nil, err
			}
		}
		return c, nil
	}
	return own
}
