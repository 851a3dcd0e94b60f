package reach

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Networks that lead to another address than they seem to, and how far into
// them the IPv4 address stands, in bytes.
var embedding = []struct {
	prefix netip.Prefix
	at     int
	flip   bool // its bits are inverted
}{
	{netip.MustParsePrefix("::ffff:0:0/96"), 12, false},   // IPv4-mapped, RFC 4291
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12, false}, // IPv4-translated, RFC 2765
	{netip.MustParsePrefix("::/96"), 12, false},           // IPv4-compatible, RFC 4291
	{netip.MustParsePrefix("64:ff9b::/96"), 12, false},    // NAT64, RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12, false},  // NAT64 of a local network, RFC 8215
	{netip.MustParsePrefix("2002::/16"), 2, false},        // 6to4, RFC 3056
	{netip.MustParsePrefix("2001::/32"), 12, true},        // Teredo, RFC 4380
}

// never are the networks that no call goes to: of this machine's own making,
// of a link, of many receivers, or of nobody (IANA's special-purpose
// registries).
var never = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"fe80::/10", "fec0::/10", "ff00::/8", "100::/64", "2001:db8::/32", "fd00:ec2::/32",
)

// private are the networks that belong to somebody's inside.
var private = prefixes(
	"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15",
	"::1/128", "fc00::/7",
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, p := range all {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// Refused returns why the address may not be reached, "" if it may: never
// link-local ones, where clouds keep their machines' credentials, and private
// ones not where only public ones are allowed, unless a prefix of
// privateTargets is around it. An IPv4 address inside an IPv6 one counts as
// itself.
func Refused(a netip.Addr, publicOnly bool, privateTargets ...netip.Prefix) string {
	inner := embedded(a.WithZone(""))
	shown := inner.String()
	if inner != a {
		shown = fmt.Sprintf("%s (as %s)", inner, a)
	}
	switch {
	case !a.IsValid() || inner.IsUnspecified() || within(inner, never):
		return fmt.Sprintf("the address %s is of a kind that is never called", shown)
	case publicOnly && within(inner, private) && !within(inner, privateTargets):
		return fmt.Sprintf("the address %s belongs to a private network; host.private_targets names those that may be called", shown)
	}
	return ""
}

func within(a netip.Addr, all []netip.Prefix) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 address that an IPv6 one leads to, or the address
// itself.
func embedded(a netip.Addr) netip.Addr {
	if !a.IsValid() || a.Is4() || a == netip.IPv6Loopback() || a == netip.IPv6Unspecified() {
		return a
	}
	b := a.As16()
	for _, e := range embedding {
		if e.prefix.Contains(a) || e.prefix.Addr().Is4In6() && a.Is4In6() {
			v := binary.BigEndian.Uint32(b[e.at:])
			if e.flip {
				v = ^v
			}
			var out [4]byte
			binary.BigEndian.PutUint32(out[:], v)
			return netip.AddrFrom4(out)
		}
	}
	return a
}
