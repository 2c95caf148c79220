package structure_test

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// sqlArguments says which arguments of a method of *gorm.DB become part of the SQL text: from the first to the last
// position, the receiver being 0 and -1 meaning the end. Everything else is bound.
var sqlArguments = map[string][2]int{
	"Delete": {2, 2}, "Distinct": {1, -1}, "Exec": {1, 1}, "Find": {2, 2}, "First": {2, 2}, "Group": {1, 1},
	"Having": {1, 1}, "InnerJoins": {1, 1}, "Joins": {1, 1}, "Last": {2, 2}, "Not": {1, 1}, "Omit": {1, -1},
	"Or": {1, 1}, "Order": {1, 1}, "Pluck": {1, 1}, "Raw": {1, 1}, "Select": {1, -1}, "Table": {1, 1}, "Take": {2, 2},
	"Where": {1, 1},
}

// TestC65_SQLTextIsMadeOfConstants follows every text that GORM or database/sql takes for SQL back to where it came
// from: through variables, parameters, fields, results and string builders. Only constants may stand there.
func TestC65_SQLTextIsMadeOfConstants(t *testing.T) {
	texts, foreign := buildProgram(t, "./...").foreignTexts()
	for at, value := range foreign {
		t.Errorf("%s: the SQL text is not made of constants: %s", at, value)
	}
	if texts < 20 {
		t.Errorf("found %d SQL texts: the test looks at the wrong thing", texts)
	}
}

// TestC65_FindsForeignText proves the search itself on a package that mixes good and bad.
func TestC65_FindsForeignText(t *testing.T) {
	const file = "internal/structure/testdata/sql/sql.go"
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for number, line := range strings.Split(string(content), "\n") {
		if strings.HasSuffix(line, "// foreign") {
			want = append(want, file+":"+strconv.Itoa(number+1))
		}
	}
	_, got := buildProgram(t, "./"+path.Dir(file)).foreignTexts()
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("foreign texts (-want +got):\n%s", diff)
	}
}

// foreignTexts returns how many SQL texts the program has, and for each place of one that is not made of constants what
// else is in it.
func (p *program) foreignTexts() (int, map[string]string) {
	count, foreign := 0, map[string]string{}
	p.each(func(i ssa.Instruction) {
		call, ok := i.(ssa.CallInstruction)
		if !ok {
			return
		}
		for _, text := range p.sqlTexts(call.Common()) {
			count++
			if !p.constant(text) {
				foreign[p.position(i.Pos())] = fmt.Sprintf("%s in %s", p.foreign, p.foreign.Parent())
			}
		}
	})
	return count, foreign
}

// program is the module in single static assignment form.
type program struct {
	files     *token.FileSet
	functions map[*ssa.Function]bool
	callers   map[*ssa.Function][]*ssa.CallCommon
	escaped   map[*ssa.Function]bool // also used as a value, so that not every caller is known

	stored   map[any][]ssa.Value // what is ever stored in a variable, array or map, or in a place of fieldKey
	bindings map[*ssa.Function][]*ssa.MakeClosure
	builders map[any][]*ssa.CallCommon // calls that take the place's address

	seen    map[ssa.Value]bool
	foreign ssa.Value // the last value that was not made of constants
}

// fieldKey names a field of all values of a type. Types that are printed alike are the same.
type fieldKey struct {
	owner string
	field int
}

func buildProgram(t *testing.T, patterns ...string) *program {
	t.Helper()
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
		packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: root, Context: t.Context()}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range loaded {
		for _, err := range pkg.Errors {
			t.Fatal(err)
		}
	}
	built, own := ssautil.Packages(loaded, ssa.InstantiateGenerics)
	built.Build()
	p := &program{
		files: built.Fset, functions: map[*ssa.Function]bool{}, callers: map[*ssa.Function][]*ssa.CallCommon{},
		escaped: map[*ssa.Function]bool{}, stored: map[any][]ssa.Value{},
		bindings: map[*ssa.Function][]*ssa.MakeClosure{}, builders: map[any][]*ssa.CallCommon{}, seen: map[ssa.Value]bool{},
	}
	for f := range ssautil.AllFunctions(built) {
		if f.Blocks != nil && (slices.Contains(own, f.Package()) || f.Origin() != nil) {
			p.functions[f] = true
		}
	}
	p.each(p.note)
	return p
}

// note remembers where the instruction carries values to.
func (p *program) note(i ssa.Instruction) {
	switch i := i.(type) {
	case *ssa.Store:
		p.stored[place(i.Addr)] = append(p.stored[place(i.Addr)], i.Val)
	case *ssa.MapUpdate:
		p.stored[i.Map] = append(p.stored[i.Map], i.Key, i.Value)
	case *ssa.MakeClosure:
		if f, ok := i.Fn.(*ssa.Function); ok {
			p.bindings[f] = append(p.bindings[f], i)
		}
	}
	var callee *ssa.Function
	if call, ok := i.(ssa.CallInstruction); ok {
		if callee = call.Common().StaticCallee(); callee != nil {
			p.callers[callee] = append(p.callers[callee], call.Common())
		}
		for _, argument := range call.Common().Args {
			if strings.HasSuffix(argument.Type().String(), "*strings.Builder") {
				p.builders[place(argument)] = append(p.builders[place(argument)], call.Common())
			}
		}
	}
	for _, operand := range i.Operands(nil) {
		if f, ok := (*operand).(*ssa.Function); ok && f != callee {
			p.escaped[f] = true
		}
	}
}

// place returns what an address means: a field of a type, the variable or array that an element lies in, or itself.
func place(address ssa.Value) any {
	switch a := address.(type) {
	case *ssa.FieldAddr:
		return fieldOf(a.X.Type(), a.Field)
	case *ssa.IndexAddr:
		return place(a.X)
	case *ssa.Slice:
		return place(a.X)
	default:
		return address
	}
}

func fieldOf(owner types.Type, field int) fieldKey {
	if pointer, ok := owner.Underlying().(*types.Pointer); ok {
		owner = pointer.Elem()
	}
	return fieldKey{owner: owner.String(), field: field}
}

// each visits every instruction of the module.
func (p *program) each(visit func(ssa.Instruction)) {
	for f := range p.functions {
		for _, block := range f.Blocks {
			for _, i := range block.Instrs {
				visit(i)
			}
		}
	}
}

func (p *program) position(pos token.Pos) string {
	at := p.files.Position(pos)
	_, name, _ := strings.Cut(filepath.ToSlash(at.Filename), "/internal/")
	return "internal/" + name + ":" + strconv.Itoa(at.Line)
}

// sqlTexts returns the arguments of the call that become SQL.
func (p *program) sqlTexts(call *ssa.CallCommon) []ssa.Value {
	callee := call.StaticCallee()
	if callee == nil || callee.Signature.Recv() == nil {
		return nil
	}
	span := [2]int{-1, -1}
	switch receiver := callee.Signature.Recv().Type().String(); {
	case receiver == "*gorm.io/gorm.DB":
		if s, ok := sqlArguments[callee.Name()]; ok {
			span = s
		}
	case strings.HasPrefix(receiver, "*database/sql.") && strings.HasSuffix(callee.Name(), "Context"):
		if slices.Contains([]string{"ExecContext", "QueryContext", "QueryRowContext", "PrepareContext"}, callee.Name()) {
			span = [2]int{2, 2}
		}
	}
	if span[0] < 0 {
		return nil
	}
	arguments := call.Args
	if callee.Signature.Variadic() {
		last := len(arguments) - 1
		arguments = append(slices.Clone(arguments[:last]), p.elements(arguments[last])...)
	}
	end := len(arguments)
	if span[1] >= 0 {
		end = min(end, span[1]+1)
	}
	var texts []ssa.Value
	for _, a := range arguments[min(span[0], end):end] {
		if boxed, ok := a.(*ssa.MakeInterface); ok {
			a = boxed.X
		}
		if b, ok := a.Type().Underlying().(*types.Basic); ok && b.Info()&types.IsString == 0 {
			continue // a number is bound
		}
		texts = append(texts, a)
	}
	return texts
}

// constant reports whether the value is made of constants only. A value that is met again on the way (a loop) adds
// nothing new.
func (p *program) constant(v ssa.Value) bool {
	clear(p.seen)
	p.foreign = nil
	return p.traced(v)
}

func (p *program) traced(v ssa.Value) bool {
	if p.seen[v] {
		return true
	}
	p.seen[v] = true
	if p.tracedValue(v) {
		return true
	}
	if p.foreign == nil {
		p.foreign = v
	}
	return false
}

func (p *program) tracedValue(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Const:
		return true
	case *ssa.BinOp:
		return v.Op == token.ADD && p.all(v.X, v.Y)
	case *ssa.Phi:
		return p.all(v.Edges...)
	case *ssa.UnOp:
		return v.Op == token.MUL && p.traced(v.X)
	case *ssa.Convert, *ssa.ChangeType, *ssa.MakeInterface, *ssa.Slice, *ssa.Index, *ssa.Lookup:
		return p.traced(*v.(ssa.Instruction).Operands(nil)[0])
	case *ssa.Parameter:
		return p.tracedParameter(v)
	case *ssa.FreeVar:
		return p.tracedFreeVar(v)
	case *ssa.IndexAddr:
		return p.traced(v.X)
	case *ssa.FieldAddr, *ssa.Alloc, *ssa.Global, *ssa.MakeMap:
		return p.all(p.stored[place(v)]...)
	case *ssa.Field:
		return p.all(p.stored[fieldOf(v.X.Type(), v.Field)]...)
	case *ssa.Extract:
		return p.tracedExtract(v)
	case *ssa.Call:
		return p.tracedCall(v)
	default:
		return false
	}
}

func (p *program) all(values ...ssa.Value) bool {
	return !slices.ContainsFunc(values, func(v ssa.Value) bool { return !p.traced(v) })
}

// tracedParameter asks every caller.
func (p *program) tracedParameter(v *ssa.Parameter) bool {
	f := v.Parent()
	index := slices.Index(f.Params, v)
	calls := p.callers[f]
	if p.escaped[f] || len(calls) == 0 {
		return false
	}
	for _, call := range calls {
		if !p.traced(call.Args[index]) {
			return false
		}
	}
	return true
}

// tracedFreeVar asks what the closure was made with.
func (p *program) tracedFreeVar(v *ssa.FreeVar) bool {
	index := slices.Index(v.Parent().FreeVars, v)
	for _, closure := range p.bindings[v.Parent()] {
		if !p.traced(closure.Bindings[index]) {
			return false
		}
	}
	return len(p.bindings[v.Parent()]) > 0
}

// tracedExtract knows the values of a range over a map or slice, of a lookup and of a call with several results.
func (p *program) tracedExtract(v *ssa.Extract) bool {
	switch tuple := v.Tuple.(type) {
	case *ssa.Lookup:
		return p.traced(tuple.X)
	case *ssa.Next:
		r, ok := tuple.Iter.(*ssa.Range)
		return ok && p.traced(r.X)
	case *ssa.Call:
		return p.tracedResult(tuple, v.Index)
	default:
		return false
	}
}

func (p *program) tracedCall(v *ssa.Call) bool {
	if b, ok := v.Call.Value.(*ssa.Builtin); ok {
		return b.Name() == "append" && p.all(v.Call.Args...)
	}
	callee := v.Call.StaticCallee()
	switch {
	case callee == nil:
		return p.tracedResult(v, 0)
	case callee.String() == "(*strings.Builder).String":
		return p.tracedBuilder(v.Call.Args[0])
	case callee.Package() != nil && callee.Package().Pkg.Path() == "strings":
		return p.texts(v.Call.Args)
	case callee.String() == "fmt.Sprintf":
		return p.traced(v.Call.Args[0]) && p.texts(p.elements(v.Call.Args[1]))
	default:
		return p.tracedResult(v, 0)
	}
}

// texts asks for the values that can carry text; a number cannot.
func (p *program) texts(values []ssa.Value) bool {
	return !slices.ContainsFunc(values, func(v ssa.Value) bool {
		if boxed, ok := v.(*ssa.MakeInterface); ok {
			v = boxed.X
		}
		b, basic := v.Type().Underlying().(*types.Basic)
		return !(basic && b.Info()&types.IsString == 0) && !p.traced(v)
	})
}

// tracedResult asks for what the functions return that the call may mean, all of them the module's own.
func (p *program) tracedResult(v *ssa.Call, index int) bool {
	callees, ok := p.meant(v.Call.Value, map[ssa.Value]bool{})
	for _, callee := range callees {
		if !p.functions[callee] {
			return false
		}
		for _, block := range callee.Blocks {
			if r, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return); ok && !p.traced(r.Results[index]) {
				return false
			}
		}
	}
	return ok && len(callees) > 0
}

// meant returns the functions that a value may be, and false when there may be others.
func (p *program) meant(v ssa.Value, seen map[ssa.Value]bool) ([]*ssa.Function, bool) {
	if seen[v] {
		return nil, true
	}
	seen[v] = true
	var sources []ssa.Value
	switch v := v.(type) {
	case *ssa.Function:
		return []*ssa.Function{v}, true
	case *ssa.MakeClosure:
		sources = []ssa.Value{v.Fn}
	case *ssa.ChangeType:
		sources = []ssa.Value{v.X}
	case *ssa.Phi:
		sources = v.Edges
	case *ssa.UnOp:
		sources = p.stored[place(v.X)]
		if free, ok := v.X.(*ssa.FreeVar); ok {
			sources = []ssa.Value{free}
		}
	case *ssa.Alloc:
		sources = p.stored[v]
	case *ssa.FreeVar:
		for _, closure := range p.bindings[v.Parent()] {
			sources = append(sources, closure.Bindings[slices.Index(v.Parent().FreeVars, v)])
		}
	case *ssa.Parameter:
		for _, call := range p.callers[v.Parent()] {
			sources = append(sources, call.Args[slices.Index(v.Parent().Params, v)])
		}
		if p.escaped[v.Parent()] {
			return nil, false
		}
	}
	var all []*ssa.Function
	for _, source := range sources {
		some, ok := p.meant(source, seen)
		if !ok {
			return nil, false
		}
		all = append(all, some...)
	}
	return all, len(sources) > 0
}

// tracedBuilder asks for everything that is written into the string builder, wherever the same variable, or the same
// field of a type, is meant. A builder that is handed on is not followed.
func (p *program) tracedBuilder(builder ssa.Value) bool {
	for _, call := range p.builders[place(builder)] {
		callee := call.StaticCallee()
		method := callee != nil && strings.HasPrefix(callee.String(), "(*strings.Builder).")
		if !method || !p.texts(call.Args[1:]) {
			return false
		}
	}
	return true
}

// elements returns what is stored in the array behind a slice that was made for one call.
func (p *program) elements(v ssa.Value) []ssa.Value {
	slice, ok := v.(*ssa.Slice)
	if !ok {
		if c, isConst := v.(*ssa.Const); isConst && c.IsNil() {
			return nil
		}
		return []ssa.Value{v}
	}
	var values []ssa.Value
	for _, use := range *slice.X.Referrers() {
		address, ok := use.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		for _, i := range *address.Referrers() {
			if store, ok := i.(*ssa.Store); ok && store.Addr == address {
				values = append(values, store.Val)
			}
		}
	}
	return values
}
