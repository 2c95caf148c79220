package limit_test

import (
	"testing"

	"credenza.example/credenza/internal/limit"
)

func TestNetwork(t *testing.T) {
	tests := []struct{ name, address, want string }{
		{"IPv4", "192.0.2.7", "192.0.2.7/32"},
		{"loopback", "127.0.0.1", "127.0.0.1/32"},
		{"IPv4 as IPv6", "::ffff:192.0.2.7", "192.0.2.7/32"},
		{"IPv4 as IPv6 in hexadecimal", "::ffff:c000:207", "192.0.2.7/32"},
		{"IPv6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"its neighbour", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"},
		{"next network", "2001:db8:1:3::1", "2001:db8:1:3::/64"},
		{"long form", "2001:0db8:0001:0002:0000:0000:0000:0001", "2001:db8:1:2::/64"},
		{"IPv6 loopback", "::1", "::/64"},
		{"zone", "fe80::1%eth0", "fe80::/64"},
		{"other zone", "fe80::2%25x", "fe80::/64"},
		{"empty", "", "unknown"},
		{"unix socket", "@", "unknown"},
		{"with port", "192.0.2.7:443", "unknown"},
		{"leading zero", "192.0.2.07", "unknown"},
		{"name", "example.com", "unknown"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := limit.Network(test.address); got != test.want {
				t.Errorf("Network(%q) = %q, want %q", test.address, got, test.want)
			}
		})
	}
}

func TestSite(t *testing.T) {
	for address, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
		"2001:db8:1:ffff::1":   "2001:db8:1::/48",
		"2001:db8:2::1":        "2001:db8:2::/48",
		"::1":                  "::/48",
		"192.0.2.7":            "",
		"::ffff:192.0.2.7":     "",
		"no address":           "",
	} {
		if got := limit.Site(limit.Network(address)); got != want {
			t.Errorf("site of %s: %q, want %q", address, got, want)
		}
	}
}
