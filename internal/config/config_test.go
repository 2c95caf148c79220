package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/config"
)

// load reads the variables in an environment that has a home directory.
func load(variables ...string) (config.Config, error) {
	return config.Load(append([]string{"HOME=/home/ada", "PATH=/bin"}, variables...))
}

// mustLoad is load for variables without a fault.
func mustLoad(t *testing.T, variables ...string) config.Config {
	t.Helper()
	c, err := load(variables...)
	if err != nil {
		t.Fatalf("Load(%q): %v", variables, err)
	}
	return c
}

// faults returns the faults of err; anything but nil and *config.Error ends the test.
func faults(t *testing.T, err error) []config.Fault {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *config.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is a %T, want *config.Error: %v", err, err)
	}
	return e.Faults
}

// names returns the variables at fault.
func names(faults []config.Fault) []string {
	var list []string
	for _, f := range faults {
		list = append(list, f.Name)
	}
	return list
}

var compareConfigs = cmp.Options{
	cmp.Comparer(func(a, b config.Secret) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func TestLoadWithoutSettings(t *testing.T) {
	got := mustLoad(t)
	want := config.Config{
		Addr:           "127.0.0.1:8080",
		DatabaseURL:    config.NewSecret("sqlite:data/credenza.db"),
		AdminAddr:      "127.0.0.1:8081",
		GatewayAddr:    "127.0.0.1:8082",
		StaleBound:     time.Second,
		ClientIDPrefix: "CCW",
		BcryptCost:     10,
		TokenLog:       true,
		LogLevel:       slog.LevelInfo,
	}
	if diff := cmp.Diff(want, got, compareConfigs, cmpopts.IgnoreFields(config.Config{}, "MasterKeyFile")); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if dir := filepath.Dir(got.MasterKeyFile); dir != "/home/ada/.config/credenza" {
		t.Errorf("master key file is %s, want it in /home/ada/.config/credenza", got.MasterKeyFile)
	}
}

func TestLoadReadsEverySetting(t *testing.T) {
	got := mustLoad(t,
		"CREDENZA_ADDR=0.0.0.0:443",
		"CREDENZA_PUBLIC_URL=https://Credenza.Example:443/",
		"CREDENZA_DATABASE_URL=postgres://app:pw@db.example/credenza?sslmode=verify-full",
		"CREDENZA_MASTER_KEY_FILE=/etc/credenza/master.key",
		"CREDENZA_ADMIN_ADDR=127.0.0.1:0",
		"CREDENZA_GATEWAY_ADDR=unix:/run/credenza/gateway.sock",
		"CREDENZA_STALE_BOUND=30s",
		"CREDENZA_SMTP_URL=smtps://mailer:pw@mail.example:465",
		"CREDENZA_TRUSTED_PROXIES=10.0.0.0/8, 2001:db8::1,",
		"CREDENZA_CLIENT_ID_PREFIX=ACME1",
		"CREDENZA_BCRYPT_COST=14",
		"CREDENZA_TOKEN_LOG=off",
		"CREDENZA_TOKEN_CCW_VARIANT=on",
		"CREDENZA_API_RATES=identity.read=600, identity.change = 1,",
		"CREDENZA_OUTBOUND_ALLOW=127.0.0.1:9000,10.1.0.0/16,Idp.Example:8443,[::1]:80,fd00::1,idp.example",
		"CREDENZA_EGRESS_ADDRESSES=203.0.113.7,198.51.100.0/24",
		"CREDENZA_LOG_LEVEL=WARN",
		"CREDENZA_DEMO_PASSWORD=correct horse battery",
	)
	want := config.Config{
		Addr:            "0.0.0.0:443",
		PublicURL:       "https://credenza.example",
		DatabaseURL:     config.NewSecret("postgres://app:pw@db.example/credenza?sslmode=verify-full"),
		MasterKeyFile:   "/etc/credenza/master.key",
		AdminAddr:       "127.0.0.1:0",
		GatewayAddr:     "unix:/run/credenza/gateway.sock",
		StaleBound:      30 * time.Second,
		SMTPURL:         config.NewSecret("smtps://mailer:pw@mail.example:465"),
		TrustedProxies:  prefixes("10.0.0.0/8", "2001:db8::1/128"),
		ClientIDPrefix:  "ACME1",
		BcryptCost:      14,
		TokenCCWVariant: true,
		APIRates:        map[string]int{"identity.read": 600, "identity.change": 1},
		OutboundAllow: []config.Destination{
			{Prefix: netip.MustParsePrefix("127.0.0.1/32"), Port: 9000},
			{Prefix: netip.MustParsePrefix("10.1.0.0/16"), Port: 443},
			{Host: "idp.example", Port: 8443},
			{Prefix: netip.MustParsePrefix("::1/128"), Port: 80},
			{Prefix: netip.MustParsePrefix("fd00::1/128"), Port: 443},
			{Host: "idp.example", Port: 443},
		},
		EgressAddresses: prefixes("203.0.113.7/32", "198.51.100.0/24"),
		LogLevel:        slog.LevelWarn,
		DemoPassword:    config.NewSecret("correct horse battery"),
	}
	if diff := cmp.Diff(want, got, compareConfigs); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func prefixes(list ...string) []netip.Prefix {
	var parsed []netip.Prefix
	for _, s := range list {
		parsed = append(parsed, netip.MustParsePrefix(s))
	}
	return parsed
}

func TestLoadNamesTheFault(t *testing.T) {
	for _, test := range []struct{ variable, text string }{
		{"CREDENZA_ADDR=8080", "is not host:port"},
		{"CREDENZA_ADDR=127.0.0.1", "is not host:port"},
		{"CREDENZA_ADDR=127.0.0.1:http", "no port from 0 to 65535"},
		{"CREDENZA_ADDR=127.0.0.1:65536", "no port from 0 to 65535"},
		{"CREDENZA_ADDR=127.0.0.1:-1", "no port from 0 to 65535"},
		{"CREDENZA_ADDR=user@host:80", "neither a name nor an address"},
		{"CREDENZA_ADMIN_ADDR=nowhere", "is not host:port"},
		{"CREDENZA_ADMIN_ADDR=127.0.0.1:8080", "is the address of CREDENZA_ADDR too"},
		{"CREDENZA_GATEWAY_ADDR=127.0.0.1:8081", "is the address of CREDENZA_ADMIN_ADDR too"},
		{"CREDENZA_GATEWAY_ADDR=unix:", "names no path"},
		{"CREDENZA_PUBLIC_URL=credenza.example", "is not a URL"},
		{"CREDENZA_PUBLIC_URL=ftp://credenza.example", "is not a URL"},
		{"CREDENZA_PUBLIC_URL=https://", "is not a URL"},
		{"CREDENZA_PUBLIC_URL=http://credenza.example", "must begin with https://"},
		{"CREDENZA_PUBLIC_URL=http://127.0.0.1.example", "must begin with https://"},
		{"CREDENZA_PUBLIC_URL=http://[2001:db8::1]:8080", "must begin with https://"},
		{"CREDENZA_PUBLIC_URL=https://credenza.example/portal", "must have no path"},
		{"CREDENZA_PUBLIC_URL=https://credenza.example/?a=b", "neither a query nor a fragment"},
		{"CREDENZA_PUBLIC_URL=https://credenza.example/#", "neither a query nor a fragment"},
		{"CREDENZA_PUBLIC_URL=https://credenza.example:0", "no port from 1 to 65535"},
		{"CREDENZA_PUBLIC_URL=https://ada@credenza.example", "must not hold a user"},
		{"CREDENZA_DATABASE_URL=data/credenza.db", "is not a database URL"},
		{"CREDENZA_DATABASE_URL=mysql://localhost/credenza", "is not a database URL"},
		{"CREDENZA_DATABASE_URL=sqlite:", "names no file"},
		{"CREDENZA_DATABASE_URL=sqlite:data/", "names no file"},
		{"CREDENZA_DATABASE_URL=sqlite::memory:", "keeps nothing"},
		{"CREDENZA_DATABASE_URL=sqlite:data/c.db?mode=ro", "takes a plain path"},
		{"CREDENZA_DATABASE_URL=postgres:///credenza", "names no host"},
		{"CREDENZA_MASTER_KEY_FILE=/etc/credenza/", "is a directory"},
		{"CREDENZA_STALE_BOUND=5", "is not a duration"},
		{"CREDENZA_STALE_BOUND=999ms", "999ms is out of bounds: write 1s to 30s"},
		{"CREDENZA_STALE_BOUND=31s", "31s is out of bounds: write 1s to 30s"},
		{"CREDENZA_SMTP_URL=mail.example:25", "is not a mail server"},
		{"CREDENZA_SMTP_URL=https://mail.example", "is not a mail server"},
		{"CREDENZA_SMTP_URL=smtp://mail.example?from=portal", "names a sender that is no mail address"},
		{"CREDENZA_SMTP_URL=smtp://mail.example?form=a@b.example", "holds more than a mail server"},
		{"CREDENZA_SMTP_URL=smtp://mail.example/inbox", "holds more than a mail server"},
		{"CREDENZA_TRUSTED_PROXIES=proxy.example", "neither an address nor a CIDR network"},
		{"CREDENZA_TRUSTED_PROXIES=10.0.0.1/8", "has bits behind its mask; write 10.0.0.0/8"},
		{"CREDENZA_TRUSTED_PROXIES=0.0.0.0/0", "would believe everybody"},
		{"CREDENZA_TRUSTED_PROXIES=10.0.0.0/8,::/0", "would believe everybody"},
		{"CREDENZA_CLIENT_ID_PREFIX=ccw", "is not 2 to 8 of A-Z"},
		{"CREDENZA_CLIENT_ID_PREFIX=C", "is not 2 to 8 of A-Z"},
		{"CREDENZA_CLIENT_ID_PREFIX=1CCW", "is not 2 to 8 of A-Z"},
		{"CREDENZA_CLIENT_ID_PREFIX=CREDENZAS", "is not 2 to 8 of A-Z"},
		{"CREDENZA_BCRYPT_COST=ten", "is not a whole number"},
		{"CREDENZA_BCRYPT_COST=9", "9 is out of bounds: write 10 to 14"},
		{"CREDENZA_BCRYPT_COST=15", "15 is out of bounds: write 10 to 14"},
		{"CREDENZA_TOKEN_LOG=maybe", "is neither on nor off"},
		{"CREDENZA_API_RATES=identity.read", "is no class with a number"},
		{"CREDENZA_API_RATES=identity.read=0", "is no class with a number"},
		{"CREDENZA_API_RATES==5", "is no class with a number"},
		{"CREDENZA_API_RATES=identity.read=1000001", "is no class with a number"},
		{"CREDENZA_TOKEN_CCW_VARIANT=2", "is neither on nor off"},
		{"CREDENZA_OUTBOUND_ALLOW=https://idp.example", "is not a host name"},
		{"CREDENZA_OUTBOUND_ALLOW=idp.example:0", "is not a host name"},
		{"CREDENZA_OUTBOUND_ALLOW=idp.example:https", "is not a host name"},
		{"CREDENZA_OUTBOUND_ALLOW=*.example", "is not a host name"},
		{"CREDENZA_OUTBOUND_ALLOW=10.0.0.999", "is not a host name"},
		{"CREDENZA_EGRESS_ADDRESSES=here", "neither an address nor a CIDR network"},
		{"CREDENZA_LOG_LEVEL=verbose", "write debug, info, warn or error"},
		{"CREDENZA_ADDRESS=127.0.0.1:80", "is not a setting; the nearest is CREDENZA_ADDR"},
		{"CREDENZA_BCRYPT_COSTS=10", "is not a setting; the nearest is CREDENZA_BCRYPT_COST"},
		{"CREDENZA_SMTP_FILE=/run/smtp", "is not a setting; the nearest is CREDENZA_SMTP_URL"},
		{"CREDENZA_LOG_LEVEL_FILE=/run/level", "is not a setting; the nearest is CREDENZA_LOG_LEVEL"},
	} {
		t.Run(test.variable, func(t *testing.T) {
			_, err := load(test.variable)
			got := faults(t, err)
			name, _, _ := strings.Cut(test.variable, "=")
			if len(got) != 1 || got[0].Name != name || !strings.Contains(got[0].Text, test.text) {
				t.Fatalf("faults are %q, want one of %s with %q", got, name, test.text)
			}
		})
	}
}

func TestLoadNamesEveryFaultAtOnce(t *testing.T) {
	_, err := config.Load([]string{
		"CREDENZA_ADDR=:8080",
		"CREDENZA_ADMIN_ADDR=nowhere",
		"CREDENZA_DATABASE_URL=oracle",
		"CREDENZA_BCRYPT_COST=4",
		"CREDENZA_STALE_BOUND=1h",
		"CREDENZA_ZONE=north",
		"CREDENZA_COLOUR=red",
	})
	want := []string{
		"CREDENZA_COLOUR", "CREDENZA_ZONE", "CREDENZA_ADMIN_ADDR", "CREDENZA_DATABASE_URL",
		"CREDENZA_PUBLIC_URL", "CREDENZA_STALE_BOUND", "CREDENZA_BCRYPT_COST", "CREDENZA_MASTER_KEY_FILE",
	}
	if diff := cmp.Diff(want, names(faults(t, err))); diff != "" {
		t.Fatalf("faults (-want +got):\n%s", diff)
	}
	lines := strings.Split(err.Error(), "\n")
	if lines[0] != "8 settings are wrong:" || len(lines) != 1+len(want) {
		t.Errorf("the text is\n%s\nwant a head line and one line a fault", err)
	}
	_, err = load("CREDENZA_LOG_LEVEL=loud")
	if got := err.Error(); !strings.HasPrefix(got, "one setting is wrong:\n  CREDENZA_LOG_LEVEL: ") {
		t.Errorf("the text of one fault is %q", got)
	}
}

func TestPublicURLIsRequiredBeyondLoopback(t *testing.T) {
	for _, test := range []struct {
		addr     string
		loopback bool
	}{
		{"127.0.0.1:8080", true},
		{"127.8.9.10:0", true},
		{"[::1]:8080", true},
		{"localhost:8080", true},
		{"LOCALHOST:8080", true},
		{"[::ffff:127.0.0.1]:8080", true},
		{":8080", false},
		{"0.0.0.0:8080", false},
		{"[::]:8080", false},
		{"192.0.2.1:8080", false},
		{"credenza.example:8080", false},
		{"localhost.example:8080", false},
	} {
		t.Run(test.addr, func(t *testing.T) {
			c, err := load("CREDENZA_ADDR=" + test.addr)
			if got := c.Loopback(); got != test.loopback {
				t.Errorf("Loopback() = %t, want %t", got, test.loopback)
			}
			if got := names(faults(t, err)); test.loopback != (got == nil) {
				t.Errorf("faults in %q, want one exactly beyond loopback", got)
			}
			mustLoad(t, "CREDENZA_ADDR="+test.addr, "CREDENZA_PUBLIC_URL=https://credenza.example")
		})
	}
}

func TestAddressesAreHiddenBehindAProxyThatIsNotNamed(t *testing.T) {
	const https, proxies = "CREDENZA_PUBLIC_URL=https://credenza.example", "CREDENZA_TRUSTED_PROXIES=192.0.2.1"
	for _, test := range []struct {
		settings []string
		want     bool
	}{
		{nil, false},
		{[]string{"CREDENZA_PUBLIC_URL=http://localhost:8080"}, false},
		{[]string{https}, true},
		{[]string{https, proxies}, false},
		{[]string{https, "CREDENZA_ADDR=0.0.0.0:8080"}, true},
		{[]string{proxies}, false},
	} {
		if got := mustLoad(t, test.settings...).HiddenAddresses(); got != test.want {
			t.Errorf("%q: %t, want %t", test.settings, got, test.want)
		}
	}
}

func TestIssuer(t *testing.T) {
	for _, test := range []struct{ addr, publicURL, bound, want string }{
		{"127.0.0.1:8080", "", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"127.0.0.1:0", "", "127.0.0.1:40123", "http://127.0.0.1:40123"},
		{"localhost:0", "", "127.0.0.1:40123", "http://localhost:40123"},
		{"[::1]:0", "", "[::1]:40123", "http://[::1]:40123"},
		{"127.0.0.1:80", "", "127.0.0.1:80", "http://127.0.0.1"},
		{"127.0.0.1:8080", "", "", "http://127.0.0.1:8080"},
		{"127.0.0.1:8080", "https://credenza.example/", "127.0.0.1:8080", "https://credenza.example"},
		{"127.0.0.1:8080", "HTTPS://Credenza.Example", "127.0.0.1:8080", "https://credenza.example"},
		{"127.0.0.1:8080", "https://credenza.example:443", "127.0.0.1:8080", "https://credenza.example"},
		{"127.0.0.1:8080", "https://credenza.example:8443/", "127.0.0.1:8080", "https://credenza.example:8443"},
		{"127.0.0.1:8080", "http://localhost:80", "127.0.0.1:8080", "http://localhost"},
		{"127.0.0.1:8080", "http://[::1]/", "127.0.0.1:8080", "http://[::1]"},
		{"127.0.0.1:8080", "http://[::1]:8080/", "127.0.0.1:8080", "http://[::1]:8080"},
	} {
		c := mustLoad(t, "CREDENZA_ADDR="+test.addr, "CREDENZA_PUBLIC_URL="+test.publicURL)
		if got := c.Issuer(test.bound); got != test.want {
			t.Errorf("ADDR %s, PUBLIC_URL %s: Issuer(%q) = %s, want %s", test.addr, test.publicURL, test.bound, got, test.want)
		}
	}
}

func TestValidateDemo(t *testing.T) {
	public := []string{"CREDENZA_ADDR=:443", "CREDENZA_PUBLIC_URL=https://credenza.example"}
	if err := mustLoad(t).ValidateDemo(); err != nil {
		t.Errorf("on loopback: %v", err)
	}
	if got := names(faults(t, mustLoad(t, public...).ValidateDemo())); !slices.Equal(got, []string{"CREDENZA_DEMO_PASSWORD"}) {
		t.Errorf("reachable without a password: faults in %q, want CREDENZA_DEMO_PASSWORD", got)
	}
	if got := names(faults(t, mustLoad(t, append(public, "CREDENZA_DEMO_PASSWORD=chosen")...).ValidateDemo())); !slices.Equal(got, []string{"CREDENZA_DEMO_PASSWORD"}) {
		t.Errorf("reachable with a short password: faults in %q, want CREDENZA_DEMO_PASSWORD", got)
	}
	if err := mustLoad(t, append(public, "CREDENZA_DEMO_PASSWORD=chosen by the operator")...).ValidateDemo(); err != nil {
		t.Errorf("reachable with a password: %v", err)
	}
}

func TestSharedPortZeroIsNoFault(t *testing.T) {
	mustLoad(t, "CREDENZA_ADDR=127.0.0.1:0", "CREDENZA_ADMIN_ADDR=127.0.0.1:0", "CREDENZA_GATEWAY_ADDR=127.0.0.1:0")
}

func TestEmptyIsNotSet(t *testing.T) {
	var empty []string
	for _, o := range config.Options() {
		empty = append(empty, o.Name+"=")
		if o.Secret {
			empty = append(empty, o.Name+"_FILE=")
		}
	}
	if diff := cmp.Diff(mustLoad(t), mustLoad(t, empty...), compareConfigs); diff != "" {
		t.Errorf("empty variables change settings (-without +with):\n%s", diff)
	}
}

func TestLastOfARepeatedVariableCounts(t *testing.T) {
	c := mustLoad(t, "CREDENZA_BCRYPT_COST=4", "CREDENZA_BCRYPT_COST=12")
	if c.BcryptCost != 12 {
		t.Errorf("cost is %d, want 12", c.BcryptCost)
	}
}

// secrets is a valid value for every secret setting; TestEverySecretIsCovered keeps it complete.
var secrets = map[string]string{
	"CREDENZA_DATABASE_URL":  "postgres://app:hunter2@db.example/credenza",
	"CREDENZA_SMTP_URL":      "smtp://mailer:hunter2@mail.example",
	"CREDENZA_DEMO_PASSWORD": "hunter2",
}

func TestEverySecretIsCovered(t *testing.T) {
	for _, o := range config.Options() {
		if _, ok := secrets[o.Name]; ok != o.Secret {
			t.Errorf("%s: secret is %t, in this test's list %t", o.Name, o.Secret, ok)
		}
	}
}

func TestSecretsFromFiles(t *testing.T) {
	for name, value := range secrets {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			writeFile(t, path, value+"\n")
			got := mustLoad(t, name+"_FILE="+path)
			if diff := cmp.Diff(mustLoad(t, name+"="+value), got, compareConfigs); diff != "" {
				t.Errorf("the file gives other settings than the variable (-variable +file):\n%s", diff)
			}

			_, err := load(name+"_FILE="+path, name+"="+value)
			expectFault(t, err, name, "set together with "+name+"_FILE")
			_, err = load(name + "_FILE=" + filepath.Join(filepath.Dir(path), "absent"))
			expectFault(t, err, name, "no such file")
			writeFile(t, path, "\n")
			_, err = load(name + "_FILE=" + path)
			expectFault(t, err, name, "is empty")
			writeFile(t, path, strings.Repeat("x", 64<<10+1))
			_, err = load(name + "_FILE=" + path)
			expectFault(t, err, name, "longer than")
			_, err = load(name + "_FILE=" + filepath.Dir(path))
			expectFault(t, err, name, "is a directory")
		})
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func expectFault(t *testing.T, err error, name, text string) {
	t.Helper()
	for _, f := range faults(t, err) {
		if f.Name == name && strings.Contains(f.Text, text) {
			return
		}
	}
	t.Errorf("error is %v, want %s with %q", err, name, text)
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	var variables []string
	for name, value := range secrets {
		variables = append(variables, name+"="+value)
	}
	c := mustLoad(t, variables...)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "config", c, "smtp", c.SMTPURL)
	slog.New(slog.NewTextHandler(&log, nil)).Info("config", "config", &c)
	texts := map[string]string{"JSON": string(asJSON), "slog": log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts[verb] = fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c) + fmt.Sprintf(verb, c.SMTPURL)
	}
	for name, text := range texts {
		for _, form := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2")} {
			if strings.Contains(text, form) {
				t.Errorf("%s shows a secret: %s", name, text)
			}
		}
		if !strings.Contains(text, "[redacted]") {
			t.Errorf("%s does not say [redacted]: %s", name, text)
		}
	}
	if got := mustLoad(t).SMTPURL.String(); got != "" {
		t.Errorf("a secret that is not set prints %q, want nothing", got)
	}
}

func TestErrorsNeverRepeatSecrets(t *testing.T) {
	for _, variable := range []string{
		"CREDENZA_DATABASE_URL=mysql://app:hunter2@db.example/credenza",
		"CREDENZA_DATABASE_URL=postgres://app:hunter2@db.example:port/credenza",
		"CREDENZA_DATABASE_URL=postgres://app:hunter2@/credenza",
		"CREDENZA_SMTP_URL=imap://mailer:hunter2@mail.example",
		"CREDENZA_SMTP_URL=smtp://mailer:hunter2@mail.example:%zz",
		"CREDENZA_PUBLIC_URL=https://ada:hunter2@credenza.example",
		"CREDENZA_DEMO_PASWORD=hunter2",
	} {
		_, err := load(variable)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error is %v, want one without the password", variable, err)
		}
	}
}

func TestDestinationText(t *testing.T) {
	const list = "127.0.0.1:9000,10.1.0.0/16,idp.example:8443,[fd00::1]:80"
	c := mustLoad(t, "CREDENZA_OUTBOUND_ALLOW="+list)
	var texts []string
	for _, d := range c.OutboundAllow {
		text, err := d.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	want := []string{"127.0.0.1/32:9000", "10.1.0.0/16:443", "idp.example:8443", "[fd00::1/128]:80"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	again := mustLoad(t, "CREDENZA_OUTBOUND_ALLOW="+strings.Join(texts, ","))
	if diff := cmp.Diff(c.OutboundAllow, again.OutboundAllow, compareConfigs); diff != "" {
		t.Errorf("the texts read back differ (-want +got):\n%s", diff)
	}
}
