package config

import "slices"

// Option is one setting as the environment names it.
type Option struct {
	Name        string // the variable
	Default     string // its value when not set, as it would be written; "" where there is none
	DefaultText string // says the default in words where it is not one value
	Description string // one or two sentences: what it does and what may be written
	Secret      bool   // true: never printed, and NAME_FILE may name a file that holds the value

	set func(*Config, string) error
}

// Options returns every setting, in the order of docs/configuration.md. Every one is accepted from the first version
// on, also those whose room does not stand yet: an installation's settings survive an upgrade in both directions.
func Options() []Option {
	return slices.Concat(addressOptions(), storageOptions(), tokenOptions(), outsideOptions())
}

func addressOptions() []Option {
	return []Option{{
		Name:    "CREDENZA_ADDR",
		Default: "127.0.0.1:8080",
		Description: "Address of the portal and the OAuth endpoints, as host:port. With port 0 the system chooses one and " +
			"the real address is printed at the start.",
		set: func(c *Config, v string) error { return parseAddr(&c.Addr, v) },
	}, {
		Name:        "CREDENZA_PUBLIC_URL",
		DefaultText: "http:// and `CREDENZA_ADDR`",
		Description: "The URL that people and clients use: the issuer of tokens and the base of every link. https unless its " +
			"host is a loopback address, without a path. Required when `CREDENZA_ADDR` can be reached from other machines.",
		set: func(c *Config, v string) error { return parsePublicURL(&c.PublicURL, v) },
	}, {
		Name:    "CREDENZA_ADMIN_ADDR",
		Default: "127.0.0.1:8081",
		Description: "Address of `/metrics`, `/livez`, `/readyz` and pprof. Keep it away from the public: nobody is asked " +
			"to sign in there.",
		set: func(c *Config, v string) error { return parseAddr(&c.AdminAddr, v) },
	}, {
		Name:    "CREDENZA_GATEWAY_ADDR",
		Default: "127.0.0.1:8082",
		Description: "Address of the call check that reverse proxies ask (`/gateway/…`), as host:port, or unix:PATH for a " +
			"socket.",
		set: func(c *Config, v string) error { return parseGatewayAddr(&c.GatewayAddr, v) },
	}, {
		Name: "CREDENZA_TRUSTED_PROXIES",
		Description: "Addresses or CIDR networks of the reverse proxies in front, separated by commas. Only their " +
			"X-Forwarded-For is believed. Behind a proxy that is not named here, limits per network are off.",
		set: func(c *Config, v string) error { return parsePrefixes(&c.TrustedProxies, v) },
	}}
}

func storageOptions() []Option {
	return []Option{{
		Name:    "CREDENZA_DATABASE_URL",
		Default: "sqlite:data/credenza.db",
		Secret:  true,
		Description: "The database: `sqlite:PATH` for an embedded one on a local disk, or `postgres://user:password@host/name` " +
			"for PostgreSQL 15 or later.",
		set: func(c *Config, v string) error { return parseDatabaseURL(&c.DatabaseURL, v) },
	}, {
		Name:        "CREDENZA_MASTER_KEY_FILE",
		DefaultText: "`credenza/master-….key` in the user's configuration directory, named after the database",
		Description: "File that holds the master key, readable by its owner only (mode 0600). It is made together with an " +
			"empty database and never again. Keep a copy apart from the backups of the database, which never hold it.",
		set: func(c *Config, v string) error { return parsePath(&c.MasterKeyFile, v) },
	}, {
		Name:    "CREDENZA_STALE_BOUND",
		Default: "1s",
		Description: "How old the state may be on which a decision rests while the database cannot be reached: 1s to 30s. " +
			"After that, requests are answered 503.",
		set: func(c *Config, v string) error { return parseDuration(&c.StaleBound, v) },
	}}
}

func tokenOptions() []Option {
	return []Option{{
		Name:    "CREDENZA_CLIENT_ID_PREFIX",
		Default: "CCW",
		Description: "Leading letters of every new client ID, before the organisation's own prefix: 2 to 8 of A-Z and 0-9, " +
			"a letter first. Client IDs that exist stay as they are.",
		set: func(c *Config, v string) error { return parseClientIDPrefix(&c.ClientIDPrefix, v) },
	}, {
		Name:    "CREDENZA_BCRYPT_COST",
		Default: "10",
		Description: "bcrypt cost of new hashes of client secrets: 10 to 14. Each step doubles the time of a client's first " +
			"token after a start.",
		set: func(c *Config, v string) error { return parseInt(&c.BcryptCost, v) },
	}, {
		Name:    "CREDENZA_TOKEN_LOG",
		Default: "on",
		Description: "One log line for each issued token: its ID, client, secret ID, audience and network, never the token. " +
			"on or off.",
		set: func(c *Config, v string) error { return parseSwitch(&c.TokenLog, v) },
	}, {
		Name:    "CREDENZA_TOKEN_CCW_VARIANT",
		Default: "off",
		Description: "Also accept token requests in CCW's own form: a JSON body with the grant type `client_credential`. " +
			"on or off.",
		set: func(c *Config, v string) error { return parseSwitch(&c.TokenCCWVariant, v) },
	}, {
		Name: "CREDENZA_API_RATES",
		Description: "How often an organisation may call our own APIs where not as usual: a list such as " +
			"`identity.read=600,identity.change=320`. Each call's class, its number and window stand in the header " +
			"RateLimit-Policy of its answers; the window stays. Each process counts for itself.",
		set: func(c *Config, v string) error { return parseRates(&c.APIRates, v) },
	}}
}

func outsideOptions() []Option {
	return []Option{{
		Name:   "CREDENZA_SMTP_URL",
		Secret: true,
		Description: "Mail server: `smtp://user:password@host:587` (STARTTLS, which only a server on this machine may lack) or " +
			"`smtps://…:465`. Mails come from the user if that is an address, else from credenza@ and the host of the public URL, " +
			"unless `?from=ADDRESS` follows. Without a server no mail is sent: links are shown once to the administrator to pass " +
			"on, and notices stand on the pages of the apps.",
		set: func(c *Config, v string) error { return parseSMTPURL(&c.SMTPURL, v) },
	}, {
		Name: "CREDENZA_OUTBOUND_ALLOW",
		Description: "What connections, key set URLs and webhooks may reach beside public hosts on port 443: host names, " +
			"addresses or CIDR networks, each with an optional :port (443 without), separated by commas.",
		set: func(c *Config, v string) error { return parseDestinations(&c.OutboundAllow, v) },
	}, {
		Name: "CREDENZA_EGRESS_ADDRESSES",
		Description: "Addresses or CIDR networks that this installation calls out from, separated by commas. They are only " +
			"shown, for the allow lists of providers.",
		set: func(c *Config, v string) error { return parsePrefixes(&c.EgressAddresses, v) },
	}, {
		Name:        "CREDENZA_LOG_LEVEL",
		Default:     "info",
		Description: "Least level that is logged: debug, info, warn or error.",
		set:         func(c *Config, v string) error { return parseLevel(&c.LogLevel, v) },
	}, {
		Name:        "CREDENZA_DEMO_PASSWORD",
		DefaultText: "a random one, kept in `data/demo-password`",
		Secret:      true,
		Description: "The one password of all people of the demonstration (`serve --demo`). Required for `--demo` when " +
			"`CREDENZA_ADDR` can be reached from other machines.",
		set: func(c *Config, v string) error { c.DemoPassword = NewSecret(v); return nil },
	}}
}

// load sets the option's field from the environment or from the default.
func (o Option) load(c *Config, env *environment) []Fault {
	value, err := env.value(o)
	if err == nil && value == "" {
		value = o.Default
	}
	if err == nil && value != "" {
		err = o.set(c, value)
	}
	if err == nil {
		return nil
	}
	if o.Default != "" { // so that the rules between settings find no second fault in an empty field
		_ = o.set(c, o.Default) // never fails: a test loads every default
	}
	return []Fault{{Name: o.Name, Text: err.Error()}}
}
