package i18n_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/BurntSushi/toml"
	templparser "github.com/a-h/templ/parser/v2"
	"github.com/a-h/templ/parser/v2/visitor"
)

// root is where the sources of the product begin, seen from this package.
const root = "../.."

// use is one place where a source names a message.
type use struct {
	key    string
	prefix bool // only the beginning is written there: "audit.action." + action
	at     token.Position
}

var keyPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$`)

// Every key written in a Go source or a templ component has an English message.
func TestKeysInSourcesExist(t *testing.T) {
	uses := usesInSources(t)
	if len(uses) < 100 {
		t.Fatalf("only %d keys found: the search is broken", len(uses))
	}
	keys := englishKeys(t)
	for _, u := range uses {
		switch {
		case !u.prefix && !keys[u.key]:
			t.Errorf("%s: no message %q", u.at, u.key)
		case u.prefix && !anyHasPrefix(keys, u.key):
			t.Errorf("%s: no message begins with %q", u.at, u.key)
		}
	}
}

// Every English message has words, and every key has the form of a key.
func TestMessagesAreWritten(t *testing.T) {
	for key, forms := range englishMessages(t) {
		if !keyPattern.MatchString(key) {
			t.Errorf("%q has not the form of a key", key)
		}
		if forms["other"] == "" {
			t.Errorf("%q has no general form", key)
		}
		for form, text := range forms {
			if !slices.Contains([]string{"one", "other", "description"}, form) {
				t.Errorf("%q: %q is not a form of English", key, form)
			}
			if strings.TrimSpace(text) != text {
				t.Errorf("%q: space around the text", key)
			}
			if strings.ContainsAny(text, "<\t\n") {
				t.Errorf("%q: markup or line breaks in the text", key)
			}
		}
		for _, variable := range variables.FindAllString(forms["one"], -1) {
			if !strings.Contains(forms["other"], variable) {
				t.Errorf("%q: only one plural form uses %s", key, variable)
			}
		}
	}
}

var variables = regexp.MustCompile(`{{[^}]*}}`)

// The English that product.md speaks: organisation, catalogue, and no word that ui.md §6 avoids.
func TestSpelling(t *testing.T) {
	avoid := regexp.MustCompile(`(?i)\b(organization|catalog|authoriz\w+|color|canceled)\b`)
	for key, forms := range englishMessages(t) {
		if found := avoid.FindString(forms["other"]); found != "" && !strings.Contains(key, "mail") {
			t.Errorf("%q says %q", key, found)
		}
	}
}

// No component holds words of its own (ui.md §6): text, visible attributes and words in expressions come from messages.
func TestNoBareTextInTemplates(t *testing.T) {
	files, err := filepath.Glob(root + "/templates/*.templ")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates found: %v", err)
	}
	for _, name := range files {
		file, err := templparser.Parse(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, bare := range bareText(file) {
			t.Errorf("%s: %q is no message", filepath.Base(name), bare)
		}
	}
}

// The rule itself: what it finds and what it lets through.
func TestBareText(t *testing.T) {
	for source, want := range map[string]string{
		`<p>Hello</p>`:                            "Hello",
		`<p>{ "Hello" }</p>`:                      `"Hello"`,
		`<a title="Hello">{ x }</a>`:              "Hello",
		`<input placeholder="Search"/>`:           "Search",
		`<button aria-label="Close">×</button>`:   "Close",
		`<p class="hint">·</p>`:                   "",
		`<p>{ i18n.T(ctx, "action.cancel") }</p>`: "",
		`<p>{ x }, { y }</p>`:                     "",
		"if true {\n<p>{ \" · \" }</p>\n}":        "",
	} {
		file, err := templparser.ParseString("package p\n\ntempl c() {\n" + source + "\n}\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(bareText(file), " "); got != want {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}

func bareText(file *templparser.TemplateFile) []string {
	var bare []string
	note := func(text string) {
		if strings.ContainsFunc(text, unicode.IsLetter) {
			bare = append(bare, strings.TrimSpace(text))
		}
	}
	v := visitor.New()
	v.Text = func(n *templparser.Text) error {
		note(n.Value)
		return nil
	}
	v.StringExpression = func(n *templparser.StringExpression) error {
		if expr, err := parser.ParseExpr(n.Expression.Value); err == nil {
			if literal, ok := expr.(*ast.BasicLit); ok {
				note(literal.Value)
			}
		}
		return nil
	}
	v.ConstantAttribute = func(n *templparser.ConstantAttribute) error {
		if slices.Contains([]string{"aria-label", "title", "placeholder", "alt"}, n.Key.String()) {
			note(n.Value)
		}
		return nil
	}
	if err := file.Visit(v); err != nil {
		return append(bare, err.Error())
	}
	return bare
}

// usesInSources reads the Go files of the product, those made from components included.
func usesInSources(t *testing.T) []use {
	t.Helper()
	var uses []use
	files := token.NewFileSet()
	for _, dir := range []string{"cmd", "internal", "templates", "web"} {
		packages := map[string][]*ast.File{}
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata"):
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], file)
			return nil
		})
		if err != nil {
			if dir == "cmd" || dir == "web" {
				continue // not there yet in a tree that is being built
			}
			t.Fatal(err)
		}
		for _, sources := range packages {
			uses = append(uses, usesInPackage(files, sources)...)
		}
	}
	return uses
}

// keyArguments says which argument of a call is a key, by the name the call is written with.
var keyArguments = map[string]int{
	"i18n.T": 1, "i18n.Text": 1, "problem.New": 1, "problem.Wrap": 2, "problem.NewField": 1, "Rich": 0,
}

func usesInPackage(files *token.FileSet, sources []*ast.File) []use {
	own := ownKeyArguments(sources)
	var uses []use
	add := func(expr ast.Expr) {
		if key, prefix, ok := literalKey(expr); ok {
			uses = append(uses, use{key: key, prefix: prefix, at: files.Position(expr.Pos())})
		}
	}
	for _, source := range sources {
		ast.Inspect(source, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name, local := callName(n)
				i, known := keyArguments[name]
				if !known {
					i, known = own[local]
				}
				if known && i < len(n.Args) {
					add(n.Args[i])
				}
			case *ast.KeyValueExpr:
				if field, ok := n.Key.(*ast.Ident); ok && (field.Name == "Key" || field.Name == "key") {
					if key, prefix, ok := literalKey(n.Value); ok && !prefix && keyPattern.MatchString(key) {
						add(n.Value)
					}
				}
			}
			return true
		})
	}
	return uses
}

// ownKeyArguments finds functions of the package that hand a parameter called key on to i18n or problem.
func ownKeyArguments(sources []*ast.File) map[string]int {
	own := map[string]int{}
	for _, source := range sources {
		for _, decl := range source.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			i := 0
			for _, param := range f.Type.Params.List {
				for _, name := range param.Names {
					if name.Name == "key" && handsOn(f.Body) {
						own[f.Name.Name] = i
					}
					i++
				}
			}
		}
	}
	return own
}

func handsOn(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			name, _ := callName(call)
			if i, known := keyArguments[name]; known && i < len(call.Args) {
				if arg, ok := call.Args[i].(*ast.Ident); ok && arg.Name == "key" {
					found = true
				}
			}
		}
		return !found
	})
	return found
}

// callName returns a call's name with its package or receiver, and the last part of it alone.
func callName(call *ast.CallExpr) (full, last string) {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name, f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name, f.Sel.Name
		}
		return "", f.Sel.Name
	default:
		return "", ""
	}
}

// literalKey reads a key that is written out, or the beginning of one that is put together.
func literalKey(expr ast.Expr) (key string, prefix, ok bool) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		key, err := strconv.Unquote(e.Value)
		return key, false, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		key, _, ok := literalKey(e.X)
		return key, true, ok
	default:
		return "", false, false
	}
}

func englishMessages(t *testing.T) map[string]map[string]string {
	t.Helper()
	messages := map[string]map[string]string{}
	if _, err := toml.DecodeFile("locales/active.en.toml", &messages); err != nil {
		t.Fatal(err)
	}
	return messages
}

func englishKeys(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	l := bundle(t).For("en")
	for key := range englishMessages(t) {
		keys[key] = true
		if !l.Has(key) {
			t.Errorf("%q is in the file and not in the bundle", key)
		}
	}
	if l.Keys() != len(keys) {
		t.Errorf("the bundle has %d messages, the file %d", l.Keys(), len(keys))
	}
	return keys
}

func anyHasPrefix(keys map[string]bool, prefix string) bool {
	for key := range keys {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
