package structure_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// rooms is who may import whom. A room may also import what the rooms it names may import; web may import every room,
// and cmd anything. A room that is not built yet has its place already.
var rooms = map[string][]string{
	"access":     {"problem"},
	"audit":      {"access", "database"},
	"config":     {"problem"},
	"connection": {"identity", "scope", "keyring", "outbound", "notify"},
	"database":   {"problem"},
	"i18n":       {"problem"},
	"identity":   {"audit", "keyring", "notify"},
	"job":        {"database"},
	"keyring":    {"audit"},
	"limit":      {"problem"},
	"notify":     {"job", "i18n", "outbound"},
	"oauth":      {"registry", "signin", "outbound"},
	"outbound":   {"problem"},
	"problem":    {},
	"registry":   {"identity", "scope", "secret", "keyring", "notify", "limit"},
	"scope":      {"audit"},
	"secret":     {"limit"},
	"signin":     {"identity", "limit", "outbound"},
	"static":     {},
	"templates":  {"i18n"},
}

// topLevel are the rooms that do not stand under internal.
var topLevel = []string{"static", "templates"}

// directory returns where the room stands.
func directory(room string) string {
	if slices.Contains(topLevel, room) {
		return room
	}
	return "internal/" + room
}

// examples are programs for readers of the documentation. They know nothing of the product.
const examples = "docs"

// roomOf returns the room that owns the directory: "web", "cmd", examples or a name of the table, "" for any other.
func roomOf(dir string) string {
	first, rest, _ := strings.Cut(dir, "/")
	if first == "internal" {
		first, _, _ = strings.Cut(rest, "/")
		if slices.Contains(topLevel, first) {
			return ""
		}
	}
	if _, ok := rooms[first]; ok || first == "web" || first == "cmd" || first == examples {
		return first
	}
	return ""
}

// below returns the rooms that room may import, itself included.
func below(room string) []string {
	seen := map[string]bool{room: true}
	var visit func(string)
	visit = func(name string) {
		for _, lower := range rooms[name] {
			if !seen[lower] {
				seen[lower] = true
				visit(lower)
			}
		}
	}
	visit(room)
	return slices.Sorted(maps.Keys(seen))
}

func TestRoomsHaveNoCycle(t *testing.T) {
	for room, lowers := range rooms {
		for _, lower := range lowers {
			if _, ok := rooms[lower]; !ok {
				t.Errorf("%s names %s, which is no room", room, lower)
			}
			if slices.Contains(below(lower), room) {
				t.Errorf("%s and %s may import each other", room, lower)
			}
		}
	}
}

func TestImportsFollowTheRooms(t *testing.T) {
	for _, s := range read(t) {
		room := roomOf(s.dir)
		if room == "" && s.dir != "internal/structure" {
			t.Errorf("%s belongs to no room: name the room in internal/structure and .golangci.yml, or move the file", s.path)
			continue
		}
		if room == "cmd" {
			continue
		}
		for _, imported := range s.imports() {
			dir, own := strings.CutPrefix(imported, module+"/")
			if !own {
				continue
			}
			other := roomOf(dir)
			switch {
			case other == "cmd", other == "web" && room != "web":
				t.Errorf("%s imports %s, which nothing may", s.path, dir)
			case room != "web" && !slices.Contains(below(room), other):
				t.Errorf("%s imports %s, but %s knows only %s", s.path, dir, room, strings.Join(below(room), ", "))
			}
		}
	}
}

// TestTestPackagesStayInTests keeps packages that only tests use, such as internal/database/dbtest, out of the product.
func TestTestPackagesStayInTests(t *testing.T) {
	for _, s := range read(t) {
		for _, imported := range s.imports() {
			if !s.test && strings.HasPrefix(imported, module) && strings.HasSuffix(imported, "test") {
				t.Errorf("%s imports %s outside a test", s.path, imported)
			}
		}
	}
}

// TestThirdPartyImports keeps each library in the room that wraps it.
func TestThirdPartyImports(t *testing.T) {
	for _, s := range read(t) {
		store := strings.HasPrefix(filepath.Base(s.path), "store")
		for _, imported := range s.imports() {
			switch room := roomOf(s.dir); {
			case strings.HasPrefix(imported, "gorm.io/") && room != "database" && !store:
				t.Errorf("%s imports %s: SQL lives in internal/database and in store*.go", s.path, imported)
			case strings.HasPrefix(imported, "github.com/labstack/echo") && room != "web":
				t.Errorf("%s imports %s: only web knows Echo", s.path, imported)
			case strings.HasPrefix(imported, "github.com/spf13/") && room != "cmd":
				t.Errorf("%s imports %s: only cmd knows the command line", s.path, imported)
			}
		}
	}
}

func TestNoRoomWithoutASubject(t *testing.T) {
	refused := []string{"util", "utils", "common", "helper", "helpers", "misc", "models", "model", "services", "service", "controllers", "dto"}
	for _, s := range read(t) {
		for element := range strings.SplitSeq(s.dir, "/") {
			if slices.Contains(refused, element) {
				t.Errorf("%s: %q says nothing of what the package owns", s.path, element)
			}
		}
	}
}

// TestLinterKnowsTheRooms keeps the list of depguard, which speaks up in the editor, equal to the table above.
func TestLinterKnowsTheRooms(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Files []string
		Mode  string `yaml:"list-mode"`
		Allow []string
		Deny  []struct{ Pkg string }
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct{ Rules map[string]rule }
			}
		}
	}
	if err := yaml.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	got := config.Linters.Settings.Depguard.Rules
	want := map[string]rule{}
	for room := range rooms {
		r := rule{Files: []string{"**/" + directory(room) + "/**"}, Mode: "lax", Deny: []struct{ Pkg string }{{module}}}
		for _, lower := range below(room) {
			r.Allow = append(r.Allow, module+"/"+directory(lower))
		}
		want[room] = r
	}
	for _, name := range []string{"gorm", "echo", "everywhere"} { // rules on third-party imports
		if _, ok := got[name]; !ok {
			t.Errorf("depguard has no rule %s", name)
		}
		delete(got, name)
	}
	for _, r := range got {
		slices.Sort(r.Allow)
	}
	for _, r := range want {
		slices.Sort(r.Allow)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("depguard's rules in .golangci.yml differ from the rooms (-want +got):\n%s", diff)
	}
}
