package structure_test

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The budgets of docs/contributing.md.
const (
	maxFileLines     = 700
	maxFunctionLines = 80
	usualLines       = 40 // nine of ten functions are no longer
)

func TestFilesAreShort(t *testing.T) {
	for _, s := range read(t) {
		if s.lines > maxFileLines && !s.generated {
			t.Errorf("%s has %d lines, the budget is %d", s.path, s.lines, maxFileLines)
		}
	}
}

func TestFunctionsAreShort(t *testing.T) {
	var all, long int
	for _, s := range read(t) {
		if s.test || s.generated {
			continue
		}
		s.functions(func(name string, f *ast.FuncDecl) {
			lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			all++
			if lines > usualLines {
				long++
			}
			if lines > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, the budget is %d", s.line(f), name, lines, maxFunctionLines)
			}
		})
	}
	if long*10 > all {
		t.Errorf("%d of %d functions have more than %d lines, the budget is one in ten", long, all, usualLines)
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	comments := map[string]string{}
	for _, s := range read(t) {
		if s.test && s.dir != "internal/structure" && !strings.HasSuffix(s.dir, "test") {
			continue
		}
		comments[s.dir] += s.file.Doc.Text()
	}
	for dir, text := range comments {
		if len(text) < 80 {
			t.Errorf("%s has no package comment that says what it owns and what lives elsewhere", dir)
		}
	}
}

func TestOneReceiverNamePerType(t *testing.T) {
	names := map[string]map[string]bool{}
	for _, s := range read(t) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || len(f.Recv.List[0].Names) == 0 || s.generated {
				continue
			}
			key := s.dir + "." + receiver(f.Recv.List[0].Type)
			if names[key] == nil {
				names[key] = map[string]bool{}
			}
			names[key][f.Recv.List[0].Names[0].Name] = true
		}
	}
	for key, set := range names {
		if len(set) > 1 {
			t.Errorf("the methods of %s have %d receiver names", key, len(set))
		}
	}
}

func TestNoHiddenStart(t *testing.T) {
	for _, s := range read(t) {
		s.functions(func(name string, f *ast.FuncDecl) {
			if name == "init" {
				t.Errorf("%s: init runs before anyone can say with what", s.line(f))
			}
		})
	}
}

func TestPanicOnlyInMust(t *testing.T) {
	for _, s := range read(t) {
		if s.test || s.generated {
			continue
		}
		s.functions(func(name string, f *ast.FuncDecl) {
			short := name[strings.LastIndex(name, ".")+1:]
			if strings.HasPrefix(strings.ToLower(short), "must") {
				return
			}
			for _, call := range calls(f.Body, "panic") {
				t.Errorf("%s: %s panics; return an error or call it Must…", s.line(call), name)
			}
		})
	}
}

// TestPackageVariablesNeverChange finds assignments to variables of the own package inside functions.
func TestPackageVariablesNeverChange(t *testing.T) {
	variables := packageVariables(read(t))
	for _, s := range read(t) {
		if s.test || s.generated {
			continue
		}
		s.functions(func(name string, f *ast.FuncDecl) {
			local := locals(f)
			ast.Inspect(f.Body, func(n ast.Node) bool {
				for _, target := range targets(n) {
					if v := base(target); v != "_" && !local[v] && variables[s.dir+"."+v] {
						t.Errorf("%s: %s changes the package's variable %s", s.line(n), name, v)
					}
				}
				return true
			})
		})
	}
}

// packageVariables returns the variables that the product's packages declare, as directory.name.
func packageVariables(list []source) map[string]bool {
	variables := map[string]bool{}
	for _, s := range list {
		for _, decl := range s.file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || s.test {
				continue
			}
			for _, spec := range g.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					for _, name := range v.Names {
						variables[s.dir+"."+name.Name] = true
					}
				}
			}
		}
	}
	return variables
}

// targets returns what the statement assigns to.
func targets(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	}
	return nil
}

// base returns the variable that the expression lies in: a for a, a.b, a[i] and *a.
func base(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return base(e.X)
	case *ast.IndexExpr:
		return base(e.X)
	case *ast.StarExpr:
		return base(e.X)
	case *ast.ParenExpr:
		return base(e.X)
	default:
		return ""
	}
}

// locals returns every name that the function declares anywhere: a name that hides a package's variable is taken for
// the local one.
func locals(f *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	add := func(list ...*ast.Ident) {
		for _, id := range list {
			names[id.Name] = true
		}
	}
	if f.Recv != nil {
		for _, field := range f.Recv.List {
			add(field.Names...)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			add(n.Names...)
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					add(id)
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					add(id)
				}
			}
		}
		return true
	})
	return names
}

// TestTestsRunAndNeverWait: a test that is skipped or waits for time to pass proves nothing on the day it matters.
func TestTestsRunAndNeverWait(t *testing.T) {
	for _, s := range read(t) {
		if !strings.HasSuffix(s.path, "_test.go") { // what starts a server for tests has to poll it
			continue
		}
		for _, name := range []string{"Skip", "Skipf", "SkipNow"} {
			for _, call := range calls(s.file, name) {
				if selector, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"t", "tb", "b", "f"}, base(selector.X)) {
					t.Errorf("%s: %s; what is missing on the machine is a failure", s.line(call), name)
				}
			}
		}
		if slices.Contains(s.imports(), "testing/synctest") {
			continue // there Sleep moves the clock of the bubble
		}
		for _, call := range calls(s.file, "Sleep") {
			t.Errorf("%s: Sleep; wait for the event, or move the test's clock", s.line(call))
		}
	}
}

// escapes are the ways round templ's escaping.
var escapes = regexp.MustCompile(`\btempl\.(Raw|SafeURL|SafeCSS|SafeCSSProperty|SafeScript|SafeScriptInline|JSUnsafeFuncCall)\b`)

func TestTemplatesEscapeEverything(t *testing.T) {
	err := walk(func(name string) error {
		written := path.Ext(name) == ".templ" || path.Ext(name) == ".go" && !strings.HasSuffix(name, "_templ.go") && !strings.HasSuffix(name, "_test.go")
		if !written {
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		for number, line := range bytes.Split(content, []byte("\n")) {
			if found := escapes.Find(line); found != nil {
				t.Errorf("%s:%d: %s goes round the escaping", name, number+1, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
