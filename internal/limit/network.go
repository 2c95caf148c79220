package limit

import "net/netip"

// Network returns the key under which strangers at this address are counted: the address itself for IPv4 (/32), the
// /64 it lies in for IPv6, since one customer has all of a /64. An IPv4 address written as IPv6 counts as IPv4, and a
// zone is dropped. Text that is no address has the one key "unknown", so it cannot be varied to escape counting.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap()
	bits := 64
	if a.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}

// siteBits is what one site is given of IPv6 (RFC 6177): 65,536 networks, which one stranger may all have.
const siteBits = 48

// Site returns the /48 around a network of IPv6, as Network returned it. It is "" for a network of IPv4 and for
// "unknown", around which nothing is known to belong together.
func Site(network string) string {
	p, err := netip.ParsePrefix(network)
	if err != nil || p.Addr().Is4() || p.Bits() < siteBits {
		return ""
	}
	return netip.PrefixFrom(p.Addr(), siteBits).Masked().String()
}
