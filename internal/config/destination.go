package config

import (
	"encoding"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

var _ encoding.TextMarshaler = Destination{}

// hostName is a DNS name of lower-case labels, the last of which begins with a letter: 10.0.0.999 is a slip, not a name.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Destination is one place that the guarded HTTP client may reach: a host by name or a network, on one port.
type Destination struct {
	Host   string       // lower case; "" when Prefix is meant
	Prefix netip.Prefix // invalid when Host is meant
	Port   uint16       // 443 unless written
}

// String returns the destination as it may be written in CREDENZA_OUTBOUND_ALLOW.
func (d Destination) String() string {
	host := d.Host
	if d.Prefix.IsValid() {
		host = d.Prefix.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(d.Port)))
}

// MarshalText returns String, for logs.
func (d Destination) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func parseDestinations(field *[]Destination, value string) error {
	var list []Destination
	for _, item := range items(value) {
		d, ok := parseDestination(strings.ToLower(item))
		if !ok {
			return fmt.Errorf("%q is not a host name, an address or a CIDR network with an optional :port", item)
		}
		list = append(list, d)
	}
	*field = list
	return nil
}

func parseDestination(item string) (Destination, bool) {
	d := Destination{Port: 443}
	host := item
	if _, plain := parsePrefix(item); !plain { // an IPv6 address without a port is full of colons
		if before, port, err := net.SplitHostPort(item); err == nil {
			if !validPort(port) {
				return Destination{}, false
			}
			n, _ := strconv.ParseUint(port, 10, 16) // validPort has read it
			host, d.Port = before, uint16(n)
		}
	}
	if prefix, ok := parsePrefix(strings.Trim(host, "[]")); ok {
		d.Prefix = prefix.Masked()
		return d, true
	}
	d.Host = host
	return d, len(host) <= 253 && hostName.MatchString(host)
}
