package reach_test

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dinrail/dinrail/sdk/reach"
)

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address        string
		public, inside bool // may it be called where only public ones may be, and where private ones may
	}{
		{"93.184.215.14", true, true},
		{"2606:2800:21f:cb07::1", true, true},
		{"127.0.0.1", false, true},
		{"10.1.2.3", false, true},
		{"172.31.255.255", false, true},
		{"172.32.0.1", true, true},
		{"192.168.0.1", false, true},
		{"100.64.0.1", false, true},
		{"::1", false, true},
		{"fd12::1", false, true},
		{"169.254.169.254", false, false},
		{"fe80::1", false, false},
		{"fd00:ec2::254", false, false},
		{"0.0.0.0", false, false},
		{"::", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		// IPv4 in IPv6.
		{"::ffff:127.0.0.1", false, true},
		{"::ffff:169.254.169.254", false, false},
		{"::ffff:93.184.215.14", true, true},
		{"::127.0.0.1", false, true},
		{"64:ff9b::7f00:1", false, true},
		{"64:ff9b::a9fe:a9fe", false, false},
		{"2002:7f00:1::1", false, true},
		{"2002:a9fe:a9fe::1", false, false},
		{"2001:0:4136:e378:8000:63bf:5601:5601", false, false}, // Teredo of 169.254.169.254
		{"::ffff:0:7f00:1", false, true},
		{"fe80::1%eth0", false, false},
	} {
		a := netip.MustParseAddr(c.address)
		if got := reach.Refused(a, true); (got == "") != c.public {
			t.Errorf("%s: %q", c.address, got)
		}
		if got := reach.Refused(a, false); (got == "") != c.inside {
			t.Errorf("%s where private ones may be called: %q", c.address, got)
		}
	}
	plants := netip.MustParsePrefix("10.20.0.0/16")
	for address, may := range map[string]bool{"10.20.1.2": true, "::ffff:10.20.1.2": true, "10.21.1.2": false, "169.254.1.1": false} {
		if got := reach.Refused(netip.MustParseAddr(address), true, plants, netip.MustParsePrefix("169.254.0.0/16")); (got == "") != may {
			t.Errorf("%s where 10.20.0.0/16 is allowed: %q", address, got)
		}
	}
	if reach.Refused(netip.Addr{}, false) == "" {
		t.Error("no address at all may be called")
	}
}

// An IPv4 address is judged alike in every form in which an IPv6 one can lead
// to it.
func TestEmbeddedAddressesAreJudgedAsThemselves(t *testing.T) {
	t.Parallel()
	forms := map[string]func(v [4]byte) [16]byte{
		"mapped": func(v [4]byte) [16]byte {
			return netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: v[0], 13: v[1], 14: v[2], 15: v[3]}).As16()
		},
		"translated": func(v [4]byte) [16]byte { return [16]byte{8: 0xff, 9: 0xff, 12: v[0], 13: v[1], 14: v[2], 15: v[3]} },
		"compatible": func(v [4]byte) [16]byte { return [16]byte{12: v[0], 13: v[1], 14: v[2], 15: v[3]} },
		"NAT64": func(v [4]byte) [16]byte {
			return [16]byte{0: 0x00, 1: 0x64, 2: 0xff, 3: 0x9b, 12: v[0], 13: v[1], 14: v[2], 15: v[3]}
		},
		"6to4": func(v [4]byte) [16]byte { return [16]byte{0: 0x20, 1: 0x02, 2: v[0], 3: v[1], 4: v[2], 5: v[3], 15: 1} },
		"Teredo": func(v [4]byte) [16]byte {
			return [16]byte{0: 0x20, 1: 0x01, 4: 7, 8: 0x80, 12: ^v[0], 13: ^v[1], 14: ^v[2], 15: ^v[3]}
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		// Near the edges of the networks, where mistakes are.
		edge := netip.MustParseAddr(rapid.SampledFrom([]string{
			"10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "169.254.0.0", "169.254.169.254", "172.16.0.0", "172.31.255.255",
			"192.168.0.0", "192.168.255.255", "198.18.0.0", "224.0.0.0", "255.255.255.255", "8.8.8.8",
		}).Draw(t, "edge")).As4()
		edge[3] += rapid.Byte().Draw(t, "off")
		plain := netip.AddrFrom4(edge)
		form := rapid.SampledFrom(slices.Sorted(maps.Keys(forms))).Draw(t, "form")
		embedded := netip.AddrFrom16(forms[form](edge))
		for _, publicOnly := range []bool{false, true} {
			want, got := reach.Refused(plain, publicOnly), reach.Refused(embedded, publicOnly)
			if (want == "") != (got == "") {
				t.Errorf("%s as %s (%s): %q, want %q", plain, embedded, form, got, want)
			}
		}
	})
}
