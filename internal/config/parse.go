package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The parse functions set the field of one setting. Their errors are the Text of a Fault. They repeat the value where
// it is not secret.

var clientIDPrefix = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,7}$`)

func parseAddr(field *string, value string) error {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		return fmt.Errorf("%q is not host:port; write for example 127.0.0.1:8080", value)
	}
	if strings.ContainsAny(host, " /@") {
		return fmt.Errorf("%q has a host that is neither a name nor an address", value)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port from 0 to 65535", value)
	}
	*field = value
	return nil
}

func parseGatewayAddr(field *string, value string) error {
	path, ok := strings.CutPrefix(value, "unix:")
	if !ok {
		return parseAddr(field, value)
	}
	if path == "" {
		return fmt.Errorf("%q names no path; write for example unix:/run/credenza/gateway.sock", value)
	}
	*field = value
	return nil
}

// parsePublicURL keeps the URL as browsers write an origin: lower case, without a default port and slash at the end.
func parsePublicURL(field *string, value string) error {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return fmt.Errorf("%q is not a URL; write for example https://credenza.example", value)
	case u.User != nil:
		return errors.New("must not hold a user or password")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(value, "#"):
		return fmt.Errorf("%q must have neither a query nor a fragment", value)
	case strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("%q must have no path: the product answers at the root of its host", value)
	case u.Port() != "" && !validPort(u.Port()):
		return fmt.Errorf("%q has no port from 1 to 65535", value)
	}
	*field = normalOrigin(u.Scheme, u.Hostname(), u.Port())
	return nil
}

// normalOrigin returns scheme://host[:port] as RFC 6454 section 6.2 serializes an origin.
func normalOrigin(scheme, host, port string) string {
	host = strings.ToLower(host)
	if (scheme == "https" && port == "443") || (scheme == "http" && port == "80") {
		port = ""
	}
	if port != "" {
		return scheme + "://" + net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host
}

func parseDatabaseURL(field *Secret, value string) error {
	const hint = "write for example sqlite:data/credenza.db or postgres://user:password@host/name"
	if path, ok := strings.CutPrefix(value, "sqlite:"); ok {
		switch {
		case path == "" || strings.HasSuffix(path, "/"):
			return errors.New("names no file after sqlite:; " + hint)
		case path == ":memory:":
			return errors.New("sqlite::memory: keeps nothing; " + hint)
		case strings.ContainsAny(path, "?#%"):
			return errors.New("has options after sqlite:, but takes a plain path without ?, # and %")
		}
		*field = NewSecret("sqlite:" + strings.TrimPrefix(path, "//")) // sqlite:///srv/c.db is a habit from elsewhere
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return errors.New("is not a database URL; " + hint) // without err: it repeats the password
	}
	if u.Hostname() == "" && u.Query().Get("host") == "" {
		return errors.New("names no host; " + hint)
	}
	*field = NewSecret(value)
	return nil
}

func parsePath(field *string, value string) error {
	if strings.HasSuffix(value, "/") {
		return fmt.Errorf("%q is a directory; name a file", value)
	}
	*field = value
	return nil
}

func parseDuration(field *time.Duration, value string) error {
	d, err := time.ParseDuration(value)
	if err != nil {
		return fmt.Errorf("%q is not a duration; write for example 1s or 1500ms", value)
	}
	*field = d
	return nil
}

func parseInt(field *int, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil {
		return fmt.Errorf("%q is not a whole number", value)
	}
	*field = n
	return nil
}

func parseSwitch(field *bool, value string) error {
	switch strings.ToLower(value) {
	case "on", "true", "yes", "1":
		*field = true
	case "off", "false", "no", "0":
		*field = false
	default:
		return fmt.Errorf("%q is neither on nor off", value)
	}
	return nil
}

func parseLevel(field *slog.Level, value string) error {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[strings.ToLower(value)]
	if !ok {
		return fmt.Errorf("%q is not a level; write debug, info, warn or error", value)
	}
	*field = level
	return nil
}

func parseClientIDPrefix(field *string, value string) error {
	if !clientIDPrefix.MatchString(value) {
		return fmt.Errorf("%q is not 2 to 8 of A-Z and 0-9 with a letter first", value)
	}
	*field = value
	return nil
}

func parseSMTPURL(field *Secret, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return errors.New("is not a mail server; write for example smtp://user:password@mail.example:587")
	}
	query, err := url.ParseQuery(u.RawQuery)
	from := query.Get("from")
	query.Del("from")
	if err != nil || len(query) > 0 || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return errors.New("holds more than a mail server; only ?from=ADDRESS may follow the host")
	}
	if parsed, err := mail.ParseAddress(from); from != "" && (err != nil || parsed.Address != from) {
		return errors.New("names a sender that is no mail address; write for example ?from=portal@acme.example")
	}
	*field = NewSecret(value)
	return nil
}

// parsePrefixes reads addresses and CIDR networks. An address is the network of itself.
func parsePrefixes(field *[]netip.Prefix, value string) error {
	var prefixes []netip.Prefix
	for _, item := range items(value) {
		prefix, ok := parsePrefix(item)
		if !ok {
			return fmt.Errorf("%q is neither an address nor a CIDR network", item)
		}
		if prefix != prefix.Masked() {
			return fmt.Errorf("%s has bits behind its mask; write %s", item, prefix.Masked())
		}
		prefixes = append(prefixes, prefix)
	}
	*field = prefixes
	return nil
}

// maxRate keeps a rate within what a limiter can tell apart.
const maxRate = 1_000_000

// parseRates reads a list of class=number.
func parseRates(field *map[string]int, value string) error {
	rates := map[string]int{}
	for _, item := range items(value) {
		class, number, ok := strings.Cut(item, "=")
		n, err := strconv.Atoi(strings.TrimSpace(number))
		class = strings.TrimSpace(class)
		if !ok || err != nil || class == "" || n < 1 || n > maxRate {
			return fmt.Errorf("%q is no class with a number from 1 to %d; write for example identity.read=600", item, maxRate)
		}
		rates[class] = n
	}
	*field = rates
	return nil
}

func parsePrefix(s string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), true
	}
	prefix, err := netip.ParsePrefix(s)
	return prefix, err == nil && !prefix.Addr().Is4In6()
}

// items splits a list at its commas and leaves empty items out, so that a comma at the end does no harm.
func items(value string) []string {
	var list []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

func validPort(s string) bool {
	port, err := strconv.ParseUint(s, 10, 16)
	return err == nil && port > 0
}

func loopbackURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && loopbackHost(u.Hostname())
}

// loopbackHost reports whether only this machine reaches the host. An empty host means every address.
func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
