// Package structure_test reads the module's own source and keeps the rules of its shape: who may import whom, which two
// doors lead to a write, how long a file and a function may be, what may not stand anywhere. The rules and their reasons
// are in docs/contributing.md; what a linter can tell alone is in .golangci.yml.
//
// It owns no code of the product. It parses, and never builds or runs what it reads.
package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "credenza.example/credenza"

// source is one Go file of the module.
type source struct {
	path      string // from the module's root, with slashes
	dir       string
	test      bool // _test.go, or a package that only tests use
	generated bool
	lines     int
	set       *token.FileSet
	file      *ast.File
}

// line returns where node stands, for messages.
func (s source) line(node ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(node.Pos()).Line)
}

// imports returns the import paths of the file.
func (s source) imports() []string {
	var list []string
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// functions calls visit for each function and method that has a body, with its name as a reader would write it.
func (s source) functions(visit func(name string, f *ast.FuncDecl)) {
	for _, decl := range s.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		name := f.Name.Name
		if f.Recv != nil && len(f.Recv.List) == 1 {
			name = receiver(f.Recv.List[0].Type) + "." + name
		}
		visit(name, f)
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	default:
		return "?"
	}
}

const root = "../.."

// sources returns every Go file of the module, parsed once.
var sources = sync.OnceValues(readSources)

func readSources() ([]source, error) {
	var list []source
	set := token.NewFileSet()
	err := walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, name, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		list = append(list, source{
			path:      name,
			dir:       dir,
			test:      strings.HasSuffix(name, "_test.go") || strings.HasSuffix(dir, "test") && dir != ".",
			generated: ast.IsGenerated(file),
			lines:     strings.Count(string(content), "\n"),
			set:       set,
			file:      file,
		})
		return nil
	})
	return list, err
}

// walk calls visit for each file of the module that is not hidden, installed or made by a build.
func walk(visit func(name string) error) error {
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err = filepath.Rel(root, name)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			hidden := strings.HasPrefix(path.Base(name), ".") && name != "."
			if hidden || slices.Contains([]string{"bin", "data", "web/e2e/node_modules"}, name) || path.Base(name) == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		return visit(name)
	})
}

// read returns sources, or ends the test.
func read(t *testing.T) []source {
	t.Helper()
	list, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("found no Go files")
	}
	return list
}

// calls returns the calls of functions and methods with this name in node, whatever they belong to.
func calls(node ast.Node, name string) []*ast.CallExpr {
	var found []*ast.CallExpr
	ast.Inspect(node, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.SelectorExpr:
			ok = f.Sel.Name == name
		case *ast.Ident:
			ok = f.Name == name
		default:
			ok = false
		}
		if ok {
			found = append(found, call)
		}
		return true
	})
	return found
}
