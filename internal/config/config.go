// Package config reads every setting of Credenza from the environment into one struct.
//
// It owns the table of settings (Options): names, defaults, descriptions, which of them are secret; reading a secret
// from the file that NAME_FILE names; and the rules between settings. Load names every fault at once, so that whoever
// sets the product up does not repair one line per start. docs/configuration.md is generated from the same table.
//
// What a setting does lives in the room that obeys it. Nothing else in the product reads the environment. Command line
// flags belong to cmd/credenza.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Config holds the settings of one process. Make one with Load; it is a value and never changes afterwards.
type Config struct {
	Addr            string         // host:port of the portal and the OAuth endpoints; port 0 lets the system choose
	PublicURL       string         // scheme://host[:port] without a trailing slash; "" on loopback: see Issuer
	DatabaseURL     Secret         // sqlite:PATH or postgres://…; may hold a password
	MasterKeyFile   string         // path of the file that holds the master key
	AdminAddr       string         // host:port of /metrics, /livez, /readyz and pprof
	GatewayAddr     string         // host:port or unix:PATH of the call check
	StaleBound      time.Duration  // oldest state on which a decision may rest: 1 s to 30 s (protocol.md §2)
	SMTPURL         Secret         // smtp:// or smtps:// with user and password; empty: no mail is sent
	TrustedProxies  []netip.Prefix // peers whose X-Forwarded-For is believed; empty: nobody's
	ClientIDPrefix  string         // leading letters of every client ID (product decision 4)
	BcryptCost      int            // cost of new hashes of client secrets: 10 to 14 (product decision 5)
	TokenLog        bool           // one log line per issued token (product decision 18)
	TokenCCWVariant bool           // accept CCW's JSON form of the token request (product decision 7)
	APIRates        map[string]int // calls of our own APIs an organisation may make, by class, where not as built in
	OutboundAllow   []Destination  // what the guarded HTTP client may reach beyond public hosts on port 443
	EgressAddresses []netip.Prefix // addresses this installation calls out from, shown for providers' allow lists
	LogLevel        slog.Level     // least level that is logged
	DemoPassword    Secret         // password of the people of the demonstration; empty: a random one
}

// The bounds that Validate keeps.
const (
	minStaleBound, maxStaleBound = time.Second, 30 * time.Second
	minBcryptCost, maxBcryptCost = 10, 14
)

// Load reads the settings from environ, a list of NAME=value as os.Environ returns it. An empty value counts as not
// set; of a name that stands there twice the last one counts. Files named by …_FILE variables are read.
//
// The error is an *Error that names every fault, including names that begin with CREDENZA_ and are not known. The
// values of secrets stand neither in it nor in any printed form of the Config.
func Load(environ []string) (Config, error) {
	env := newEnvironment(environ)
	faults := env.unknown()
	var c Config
	for _, option := range Options() {
		faults = append(faults, option.load(&c, env)...)
	}
	if c.MasterKeyFile == "" {
		c.MasterKeyFile = env.masterKeyFile(c.DatabaseURL.Reveal())
	}
	return c, asError(append(faults, c.faults()...))
}

// Validate checks what one setting alone cannot tell: the bounds of numbers and the rules between settings. The error
// is an *Error that names every fault.
func (c Config) Validate() error { return asError(c.faults()) }

func (c Config) faults() []Fault {
	var faults []Fault
	fault := func(name, format string, args ...any) {
		faults = append(faults, Fault{Name: name, Text: fmt.Sprintf(format, args...)})
	}
	if c.PublicURL == "" && !c.Loopback() {
		fault("CREDENZA_PUBLIC_URL", "must be set because CREDENZA_ADDR (%s) can be reached from other machines", c.Addr)
	}
	if strings.HasPrefix(c.PublicURL, "http://") && !loopbackURL(c.PublicURL) {
		fault("CREDENZA_PUBLIC_URL", "must begin with https:// unless its host is this machine's loopback address")
	}
	if c.StaleBound < minStaleBound || c.StaleBound > maxStaleBound {
		fault("CREDENZA_STALE_BOUND", "%s is out of bounds: write %s to %s", c.StaleBound, minStaleBound, maxStaleBound)
	}
	if c.BcryptCost < minBcryptCost || c.BcryptCost > maxBcryptCost {
		fault("CREDENZA_BCRYPT_COST", "%d is out of bounds: write %d to %d", c.BcryptCost, minBcryptCost, maxBcryptCost)
	}
	if c.MasterKeyFile == "" {
		fault("CREDENZA_MASTER_KEY_FILE", "must be set because neither XDG_CONFIG_HOME nor HOME names a directory")
	}
	if i := slices.IndexFunc(c.TrustedProxies, func(p netip.Prefix) bool { return p.Bits() == 0 }); i >= 0 {
		fault("CREDENZA_TRUSTED_PROXIES", "%s would believe everybody: name the proxies", c.TrustedProxies[i])
	}
	return append(faults, c.sharedAddresses()...)
}

// sharedAddresses returns a fault for each listener that asks for the address of an earlier one.
func (c Config) sharedAddresses() []Fault {
	var faults []Fault
	taken := map[string]string{c.Addr: "CREDENZA_ADDR"}
	for _, l := range [][2]string{{"CREDENZA_ADMIN_ADDR", c.AdminAddr}, {"CREDENZA_GATEWAY_ADDR", c.GatewayAddr}} {
		name, addr := l[0], l[1]
		if other, ok := taken[addr]; ok && !strings.HasSuffix(addr, ":0") {
			faults = append(faults, Fault{Name: name, Text: fmt.Sprintf("%s is the address of %s too", addr, other)})
			continue
		}
		taken[addr] = name
	}
	return faults
}

// Loopback reports whether the portal listens only to this machine.
func (c Config) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Addr)
	return err == nil && loopbackHost(host)
}

// HiddenAddresses reports whether the addresses of clients cannot be known. The portal speaks plain HTTP, so a public
// URL of https means that a proxy stands in front, whose address is all that is seen unless the proxies are named. A
// client's own header has no say in it (protocol.md §3.4).
func (c Config) HiddenAddresses() bool {
	return strings.HasPrefix(c.PublicURL, "https://") && len(c.TrustedProxies) == 0
}

// minDemoPassword is how long the demonstration's password must be, in characters, where other machines can try it.
const minDemoPassword = 15

// ValidateDemo returns an error when the demonstration may not be served: its people share one password, so other
// machines may reach it only when whoever serves it chose a long one (protocol.md §9).
func (c Config) ValidateDemo() error {
	password := c.DemoPassword.Reveal()
	switch {
	case c.Loopback():
		return nil
	case password == "":
		return asError([]Fault{{
			Name: "CREDENZA_DEMO_PASSWORD",
			Text: fmt.Sprintf("must be set because --demo at CREDENZA_ADDR (%s) can be reached from other machines", c.Addr),
		}})
	case utf8.RuneCountInString(password) < minDemoPassword:
		return asError([]Fault{{
			Name: "CREDENZA_DEMO_PASSWORD",
			Text: fmt.Sprintf("needs at least %d characters because other machines can try it", minDemoPassword),
		}})
	default:
		return nil
	}
}

// Issuer returns the issuer of tokens and the base of every link, without a trailing slash: the public URL or, where
// none is set, http:// with the host of CREDENZA_ADDR and the port of bound. bound is the host:port that the listener
// got, which differs from CREDENZA_ADDR when that asks for port 0.
func (c Config) Issuer(bound string) string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	host, _, err := net.SplitHostPort(c.Addr)
	_, port, err2 := net.SplitHostPort(bound)
	if err != nil || err2 != nil {
		return "http://" + c.Addr
	}
	return normalOrigin("http", host, port)
}

// Database names the database without user, password and options, fit for logs: sqlite:/absolute/path or
// postgres://host:port/name. Two settings with one Database mean the same database.
func (c Config) Database() string { return databaseName(c.DatabaseURL.Reveal()) }

// LogValue is what slog prints of a Config: every setting by its name, secrets as [redacted], the database without its
// password.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("addr", c.Addr),
		slog.String("public_url", c.PublicURL),
		slog.String("database", c.Database()),
		slog.String("master_key_file", c.MasterKeyFile),
		slog.String("admin_addr", c.AdminAddr),
		slog.String("gateway_addr", c.GatewayAddr),
		slog.Duration("stale_bound", c.StaleBound),
		slog.Any("smtp_url", c.SMTPURL),
		slog.Any("trusted_proxies", c.TrustedProxies),
		slog.String("client_id_prefix", c.ClientIDPrefix),
		slog.Int("bcrypt_cost", c.BcryptCost),
		slog.Bool("token_log", c.TokenLog),
		slog.Any("api_rates", c.APIRates),
		slog.Bool("token_ccw_variant", c.TokenCCWVariant),
		slog.Any("outbound_allow", c.OutboundAllow),
		slog.Any("egress_addresses", c.EgressAddresses),
		slog.String("log_level", c.LogLevel.String()),
		slog.Any("demo_password", c.DemoPassword),
	)
}
