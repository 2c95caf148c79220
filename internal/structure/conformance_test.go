package structure_test

import (
	"flag"
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tests into the table of docs/conformance.md instead of checking them")

// The acceptance list of the portal counts to 17. What is about languages comes with the second one.
const acceptances = 17

var acceptedLater = []string{"UI10", "UI15"}

const conformancePage = root + "/docs/conformance.md"

var (
	goTest      = regexp.MustCompile(`^Test((?:(?:C\d+[a-d]?|UI\d+)_)+)`)
	browserTest = regexp.MustCompile("(?m)^\\s*test\\((['\"`])(.*)['\"`], ")
	inTitle     = regexp.MustCompile(`\b(C\d+[a-d]?|UI\d+)\b`)
	checkRow    = regexp.MustCompile(`(?m)^\| (C\d+[a-d]?|UI\d+) \| ([^|]+) \| ([^|]*) \|$`)
	quoted      = regexp.MustCompile("`([^`]+)`")
)

// proofs are the tests that carry the number of a check, by number: "directory Test" for one of Go, the file for one in
// the browser. Numbers are C of the checks of security, UI of the acceptance list of the portal; a test may carry several.
func proofs(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, s := range read(t) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !goTest.MatchString(f.Name.Name) {
				continue
			}
			numbers := strings.TrimSuffix(goTest.FindStringSubmatch(f.Name.Name)[1], "_")
			for number := range strings.SplitSeq(numbers, "_") {
				found[number] = append(found[number], s.dir+" "+f.Name.Name)
			}
		}
	}
	files, err := filepath.Glob(root + "/web/e2e/*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, title := range browserTest.FindAllStringSubmatch(string(text), -1) {
			for _, number := range inTitle.FindAllStringSubmatch(title[2], -1) {
				found[number[1]] = append(found[number[1]], "web/e2e/"+filepath.Base(file))
			}
		}
	}
	for number, list := range found {
		slices.Sort(list)
		found[number] = slices.Compact(list)
	}
	return found
}

// cell is how the page lists proofs: each directory once, before its tests.
func cell(list []string) string {
	var parts []string
	before := ""
	for _, proof := range list {
		dir, name, isGo := strings.Cut(proof, " ")
		switch {
		case !isGo:
			parts = append(parts, "`"+dir+"`")
		case dir == before:
			parts[len(parts)-1] += ", `" + name + "`"
		default:
			parts = append(parts, "`"+dir+"` `"+name+"`")
		}
		before = dir
	}
	return strings.Join(parts, "; ")
}

// listed are the proofs in a cell.
func listed(cell string) []string {
	var list []string
	dir := ""
	for _, text := range quoted.FindAllStringSubmatch(cell, -1) {
		switch {
		case strings.HasPrefix(text[1], "Test"):
			list = append(list, dir+" "+text[1])
		case strings.HasSuffix(text[1], ".js"):
			list = append(list, text[1])
		default:
			dir = text[1]
		}
	}
	return list
}

// TestConformanceNamesTests: each test in the table of checks exists and carries the number, and each number that a test
// carries has a row. With -update the table lists what there is; what a check is about is written by hand.
func TestConformanceNamesTests(t *testing.T) {
	raw, err := os.ReadFile(conformancePage)
	if err != nil {
		t.Fatal(err)
	}
	page, found := string(raw), proofs(t)
	if *update {
		page = checkRow.ReplaceAllStringFunc(page, func(row string) string {
			parts := checkRow.FindStringSubmatch(row)
			return fmt.Sprintf("| %s | %s | %s |", parts[1], parts[2], cell(found[parts[1]]))
		})
		if err := os.WriteFile(conformancePage, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rows := map[string]bool{}
	for _, row := range checkRow.FindAllStringSubmatch(page, -1) {
		number := row[1]
		if rows[number] {
			t.Errorf("docs/conformance.md has %s twice", number)
		}
		rows[number] = true
		names := listed(row[3])
		if len(names) == 0 {
			t.Errorf("docs/conformance.md names no test for %s", number)
		}
		for _, name := range names {
			if !slices.Contains(found[number], name) {
				t.Errorf("docs/conformance.md: there is no test %s of %s", name, number)
			}
		}
	}
	for n := 1; n <= acceptances; n++ {
		if number := fmt.Sprintf("UI%d", n); !rows[number] && !slices.Contains(acceptedLater, number) {
			t.Errorf("docs/conformance.md has no row for %s", number)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(found)) {
		if !rows[number] {
			t.Errorf("docs/conformance.md has no row for %s, which %s proves", number, found[number][0])
		}
	}
}

func TestConformanceCellIsReadBack(t *testing.T) {
	want := []string{"internal/a TestC1_X", "internal/a TestC1_Y", "web TestC1_Z", "web/e2e/x.spec.js"}
	if got := listed(cell(want)); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
