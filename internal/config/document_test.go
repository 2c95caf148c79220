package config_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md instead of comparing it")

const document = "../../docs/configuration.md"

// TestDocumentation keeps docs/configuration.md equal to the table of settings. After a change of the table run
// go test ./internal/config -update (make generate does).
func TestDocumentation(t *testing.T) {
	want := markdown()
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/configuration.md is out of date; run make generate (-want +got):\n%s", diff)
	}
}

func markdown() string {
	var b strings.Builder
	b.WriteString(`# Settings

<!-- Made from internal/config/option.go by make generate; do not edit. -->

Credenza is set up by environment variables and starts without any. A variable that is empty counts as not set. A name
that begins with ` + "`CREDENZA_`" + ` and does not stand here is refused with the nearest name that does, and all faults are
named at once.

A secret may be kept in a file: instead of ` + "`NAME`" + ` set ` + "`NAME_FILE`" + ` to the file's path. Secrets are never printed.

| Setting | Default | What it does |
| --- | --- | --- |
`)
	for _, o := range config.Options() {
		name := "`" + o.Name + "`"
		if o.Secret {
			name += "<br>or `" + o.Name + "_FILE`"
		}
		value := "none"
		if o.Default != "" {
			value = "`" + o.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, cmp.Or(o.DefaultText, value), o.Description)
	}
	b.WriteString(`
## Where the master key stands

Without ` + "`CREDENZA_MASTER_KEY_FILE`" + ` the key stands in ` + "`$XDG_CONFIG_HOME/credenza`" + `, or ` + "`~/.config/credenza`" + `, so that a copied
` + "`./data`" + ` comes without its key. The file is named ` + "`master-`" + `, eight hex digits and ` + "`.key`" + `; the digits are the beginning of
the SHA-256 of the database's name: ` + "`sqlite:/absolute/path`" + ` or ` + "`postgres://host:port/name`" + `, without user, password and
options. So two installations of one user have two keys, and a new database password changes nothing. A database that
is moved needs the setting, or its key file renamed; the error at the start names the path that was looked for.
`)
	return b.String()
}

func TestOptionsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range config.Options() {
		switch {
		case !strings.HasPrefix(o.Name, "CREDENZA_") || strings.HasSuffix(o.Name, "_FILE") && o.Secret:
			t.Errorf("%s is not a name of a setting", o.Name)
		case seen[o.Name]:
			t.Errorf("%s stands twice in the table", o.Name)
		case !strings.HasSuffix(o.Description, "."):
			t.Errorf("%s has no description of whole sentences", o.Name)
		case strings.ContainsAny(o.Description+o.DefaultText, "|\n"):
			t.Errorf("%s has a description that breaks the table of the document", o.Name)
		case o.Default != "" && o.DefaultText != "":
			t.Errorf("%s has two defaults", o.Name)
		}
		seen[o.Name] = true
	}
}
