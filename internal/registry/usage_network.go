package registry

import "net/netip"

// Network is where a secret was used from, as use is counted, logged and shown: the /24 of an IPv4 address, the /48 of
// an IPv6 address (product.md decision 18). That tells a data centre from an office, and no person from another. The
// zero value is Unknown. It is small and comparable, so that counting by it allocates nothing.
//
// The first byte says what it is, those after it are the network's bits.
type Network uint64

const (
	// UnknownNetwork is the network of what is no address, such as the peer of a Unix socket.
	UnknownNetwork Network = 0
	// OtherNetworks stands for all networks of an hour beyond the first 20.
	OtherNetworks Network = otherKind << 56

	ip4Kind   = 1
	ip6Kind   = 2
	otherKind = 3
)

// NetworkOf returns the network of an address. An IPv4 address written as IPv6 counts as IPv4, and a zone is dropped.
// The zero address is of UnknownNetwork.
func NetworkOf(address netip.Addr) Network {
	switch address = address.Unmap(); {
	case address.Is4():
		b := address.As4()
		return pack(ip4Kind, b[:3])
	case address.Is6():
		b := address.As16()
		return pack(ip6Kind, b[:6])
	default:
		return UnknownNetwork
	}
}

func pack(kind Network, bits []byte) Network {
	n := kind
	for _, b := range bits {
		n = n<<8 | Network(b)
	}
	return n << (8 * (7 - len(bits)))
}

// String returns the network as CIDR, "unknown" or "other".
func (n Network) String() string {
	var b [16]byte
	for i := range 7 {
		b[i] = byte(n >> (8 * (6 - i)))
	}
	switch n >> 56 {
	case ip4Kind:
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(b[:4])), 24).String()
	case ip6Kind:
		return netip.PrefixFrom(netip.AddrFrom16(b), 48).String()
	case otherKind:
		return "other"
	default:
		return "unknown"
	}
}
