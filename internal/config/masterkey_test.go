package config_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"credenza.example/credenza/internal/config"
)

func TestDefaultMasterKeyFileFollowsTheDatabase(t *testing.T) {
	t.Chdir(t.TempDir())
	absolute, err := filepath.Abs("data/credenza.db")
	if err != nil {
		t.Fatal(err)
	}
	const pg = "postgres://app:one@db.example/credenza"
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"sqlite:data/credenza.db", "sqlite:./data/../data/credenza.db", true},
		{"sqlite:data/credenza.db", "sqlite:" + absolute, true},
		{"sqlite:data/credenza.db", "sqlite://data/credenza.db", true},
		{"sqlite:data/credenza.db", "sqlite://" + absolute, true},
		{"sqlite:data/credenza.db", "sqlite:data/other.db", false},
		{"sqlite:data/credenza.db", "sqlite:other/credenza.db", false},
		{pg, "postgres://app:two@db.example/credenza", true},
		{pg, "postgres://other@db.example:5432/credenza?sslmode=require", true},
		{pg, "postgresql://app@DB.example/credenza", true},
		{pg, "postgres:///credenza?host=db.example&port=5432", true},
		{pg, "postgres://app:one@db.example:5433/credenza", false},
		{pg, "postgres://app:one@db2.example/credenza", false},
		{pg, "postgres://app:one@db.example/other", false},
		{pg, "sqlite:" + absolute, false},
	} {
		a := mustLoad(t, "CREDENZA_DATABASE_URL="+test.a)
		b := mustLoad(t, "CREDENZA_DATABASE_URL="+test.b)
		if same := a.MasterKeyFile == b.MasterKeyFile; same != test.same {
			t.Errorf("%s and %s: same key file is %t, want %t", test.a, test.b, same, test.same)
		}
		if same := a.Database() == b.Database(); same != test.same {
			t.Errorf("%s and %s are named %s and %s", test.a, test.b, a.Database(), b.Database())
		}
	}
}

func TestMasterKeyFileName(t *testing.T) {
	got := config.MasterKeyFile("/home/ada/.config", "sqlite:/srv/credenza/credenza.db")
	if !regexp.MustCompile(`^/home/ada/\.config/credenza/master-[0-9a-f]{8}\.key$`).MatchString(got) {
		t.Errorf("MasterKeyFile = %s", got)
	}
	// A change of the derivation would cut every installation off its key.
	if want := "/home/ada/.config/credenza/master-3674cef4.key"; got != want {
		t.Errorf("MasterKeyFile = %s, want %s", got, want)
	}
	got = config.MasterKeyFile("/c", "postgres://app:pw@db.example/credenza")
	if want := "/c/credenza/master-abed3a13.key"; got != want {
		t.Errorf("MasterKeyFile = %s, want %s", got, want)
	}
}

func TestDefaultMasterKeyDirectory(t *testing.T) {
	for _, test := range []struct {
		environ []string
		want    string // "" = the setting is required
	}{
		{[]string{"HOME=/home/ada"}, "/home/ada/.config/credenza"},
		{[]string{"HOME=/home/ada", "XDG_CONFIG_HOME=/etc/ada"}, "/etc/ada/credenza"},
		{[]string{"XDG_CONFIG_HOME=/etc/ada"}, "/etc/ada/credenza"},
		{[]string{"HOME=/home/ada", "XDG_CONFIG_HOME=relative"}, "/home/ada/.config/credenza"},
		{[]string{"HOME=relative"}, ""},
		{nil, ""},
	} {
		c, err := config.Load(test.environ)
		if test.want == "" {
			expectFault(t, err, "CREDENZA_MASTER_KEY_FILE", "must be set")
			continue
		}
		if err != nil || filepath.Dir(c.MasterKeyFile) != test.want {
			t.Errorf("%q: key file %s, error %v; want it in %s", test.environ, c.MasterKeyFile, err, test.want)
		}
	}
	c, err := config.Load([]string{"CREDENZA_MASTER_KEY_FILE=master.key"})
	if err != nil || c.MasterKeyFile != "master.key" {
		t.Errorf("key file %q, error %v; want master.key without a home directory", c.MasterKeyFile, err)
	}
}

func TestDatabaseNameHoldsNoCredentials(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://app:hunter2@db.example/credenza?sslmode=require":    "postgres://db.example:5432/credenza",
		"postgres://app:hunter2@[2001:db8::1]:6432/credenza":            "postgres://[2001:db8::1]:6432/credenza",
		"postgres:///credenza?host=/run/postgresql&password=hunter2":    "postgres:///run/postgresql:5432/credenza",
		"postgres://app:hunter2@db.example":                             "postgres://db.example:5432/app",
		"postgres://app:hunter2@db.example/?dbname=credenza&port=15432": "postgres://db.example:15432/credenza",
	} {
		if got := mustLoad(t, "CREDENZA_DATABASE_URL="+url).Database(); got != want {
			t.Errorf("Database() of %s = %s, want %s", url, got, want)
		}
	}
	if got := (config.Config{DatabaseURL: config.NewSecret(":%")}).Database(); got != "" {
		t.Errorf("Database() of no URL = %s, want nothing", got)
	}
}
