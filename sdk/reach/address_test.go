package reach_test

import (
	"net/netip"
	"testing"

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
