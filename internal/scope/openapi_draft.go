package scope

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Note is something that an import decided and that whoever reviews the draft has to know. Code is one of imported,
// left_out, denied, several, proposed, renamed and no_base; Value is what or how many.
type Note struct{ Code, Value string }

// FromOpenAPI makes a draft in the form of catalogue.yaml out of an OpenAPI document: calls out of its paths and methods,
// scopes out of what its OAuth schemes ask of each call. Where the document has no scopes at all, one for reading and one
// for writing are proposed. What the catalogue cannot say is left out or left closed, and a note says so: nothing is
// opened that the document does not open. The draft is for a person to review and for Add to take. The answer to a
// document that cannot be read is problem.Invalid about the field document.
func FromOpenAPI(document []byte, own Owner) (draft string, notes []Note, err error) {
	d, err := readOpenAPI(document)
	if err != nil {
		return "", nil, err
	}
	m := &importer{own: own, from: d, names: map[string]string{}, taken: map[string]bool{}, opened: map[string]*usage{}}
	if err := m.collect(); err != nil {
		return "", nil, err
	}
	text, err := yaml.Marshal(m.draft())
	if err != nil {
		return "", nil, err
	}
	if len(text) > maxFileSize {
		return "", nil, importFault("catalogue.import.many", "Max", maxImported)
	}
	return string(text), m.notes(), nil
}

// importer turns a description into a draft.
type importer struct {
	own     Owner
	from    description
	base    string
	key     string
	calls   []importedCall
	leftOut []string
	several []string
	denied  int
	renamed bool
	guessed bool              // the document has no scopes: two are proposed
	writes  bool              // some call is not GET
	names   map[string]string // scope of the document → ours
	taken   map[string]bool   // scopes of ours
	opened  map[string]*usage
}

type importedCall struct {
	method, path      string
	template          template
	anyOf, suggestion []string
}

// usage is which sorts of calls a scope opens.
type usage struct{ reads, writes, deletes bool }

// The draft as YAML.
type (
	draftAPI struct {
		Key      string        `yaml:"key"`
		Title    string        `yaml:"title"`
		BasePath string        `yaml:"base_path"`
		Lifetime string        `yaml:"token_lifetime"`
		Objects  []draftObject `yaml:"objects"`
		Families []draftFamily `yaml:"families"`
	}
	draftObject struct {
		Name   string      `yaml:"name"`
		Scopes []string    `yaml:"scopes,omitempty,flow"`
		Calls  []draftCall `yaml:"calls"`
	}
	draftCall struct {
		Method    string   `yaml:"method"`
		Path      string   `yaml:"path"`
		Access    Access   `yaml:"access"`
		AnyOf     []string `yaml:"any_of,omitempty,flow"`
		Suggested []string `yaml:"suggested,omitempty,flow"`
	}
	draftFamily struct {
		Name   string       `yaml:"name"`
		Scopes []draftScope `yaml:"scopes"`
	}
	draftScope struct {
		Name       string `yaml:"name"`
		Kind       Kind   `yaml:"kind"`
		CoversRead bool   `yaml:"covers_read,omitempty"`
	}
)

// collect reads the calls of the document in the order of their paths.
func (m *importer) collect() error {
	m.base = m.basePath()
	m.key = m.own.KeyPrefix() + slug(m.from.Info.Title)
	m.look()
	for _, path := range slices.Sorted(maps.Keys(m.from.Paths)) {
		item := m.from.Paths[path]
		if item.Ref != "" {
			m.leftOut = append(m.leftOut, path)
			continue
		}
		operations := item.operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			if one := operations[method]; one != nil {
				m.call(method, path, one)
			}
		}
		if len(m.calls) > maxImported {
			return importFault("catalogue.import.many", "Max", maxImported)
		}
	}
	if len(m.calls) == 0 {
		return importFault("catalogue.import.nothing", "Paths", strings.Join(m.leftOut[:min(len(m.leftOut), maxNamed)], ", "))
	}
	return nil
}

// maxNamed is how many of many things a note names.
const maxNamed = 10

// basePath is the path of the first server, "" when there is none that a proxy could see.
func (m *importer) basePath() string {
	if len(m.from.Servers) == 0 {
		return ""
	}
	path := m.from.Servers[0].URL
	if _, rest, absolute := strings.Cut(path, "://"); absolute { // the host may be a variable, which no URL has
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	path = strings.TrimRight(path, "/")
	if t, err := parseTemplate(path); err != nil || slices.ContainsFunc(t, func(s segment) bool { return s.parameter }) {
		return ""
	}
	return path
}

// look finds out whether the document has scopes, and calls that change something.
func (m *importer) look() {
	m.guessed = true
	for _, item := range m.from.Paths {
		for method, one := range item.operations() {
			if one != nil {
				anyOf, several := m.asked(one)
				m.guessed = m.guessed && len(anyOf)+len(several) == 0
				m.writes = m.writes || method != "GET" && slices.Contains(Methods(), method)
			}
		}
	}
}

// asked returns the scopes of which any one opens the operation, by the names of the document, and those that are only
// asked for together. Schemes other than OAuth's have none.
func (m *importer) asked(one *operation) (anyOf, together []string) {
	ways := m.from.Security
	if one.Security != nil {
		ways = *one.Security
	}
	for _, way := range ways {
		var names []string
		schemes := 0
		for scheme, scopes := range way {
			schemes++
			if kind := m.from.Components.SecuritySchemes[scheme].Type; kind == "oauth2" || kind == "openIdConnect" {
				names = append(names, scopes...)
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		if len(names) == 1 && schemes == 1 {
			anyOf = append(anyOf, names...)
		} else {
			together = append(together, names...)
		}
	}
	return distinctNames(anyOf), distinctNames(together)
}

func distinctNames(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// call takes an operation over, or notes why it is not.
func (m *importer) call(method, path string, one *operation) {
	shape := canonicalPath(path)
	t, err := parseTemplate(m.base + shape)
	if !strings.HasPrefix(shape, "/") {
		err = errors.New("no path")
	}
	rivals := func(o importedCall) bool { return o.method == method && t.rivals(o.template) }
	if err != nil || len(shape) > maxPath || !slices.Contains(Methods(), method) || slices.ContainsFunc(m.calls, rivals) {
		m.leftOut = append(m.leftOut, method+" "+path)
		return
	}
	c := importedCall{method: method, path: shape, template: t}
	anyOf, together := m.asked(one)
	switch {
	case m.guessed && method == "GET" && m.writes:
		c.anyOf = []string{m.scope("read"), m.scope("write")}
	case m.guessed && method == "GET":
		c.anyOf = []string{m.scope("read")}
	case m.guessed:
		c.anyOf = []string{m.scope("write")}
	case len(anyOf) > 0:
		for _, name := range anyOf {
			c.anyOf = append(c.anyOf, m.scope(name))
		}
	default:
		for _, name := range together {
			c.suggestion = append(c.suggestion, m.scope(name))
		}
		m.denied++
		if len(together) > 0 {
			m.several = append(m.several, method+" "+path)
		}
	}
	for _, name := range c.anyOf {
		use := m.opened[name]
		use.reads = use.reads || method == "GET"
		use.deletes = use.deletes || method == "DELETE"
		use.writes = use.writes || method != "GET" && method != "DELETE"
	}
	m.calls = append(m.calls, c)
}

// canonicalPath is a path of the document with names of parameters as templates have them.
func canonicalPath(path string) string {
	parts, seen := strings.Split(path, "/"), map[string]bool{}
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") || !strings.HasSuffix(part, "}") || len(part) < 2 {
			continue
		}
		name := strings.Map(func(r rune) rune {
			if r < unicode.MaxASCII && (isLetter(byte(r)) || isDigit(byte(r)) || r == '_') {
				return r
			}
			return '_'
		}, part[1:len(part)-1])
		if name == "" || !isLetter(name[0]) {
			name = "p" + name
		}
		for n, stem := 2, name; seen[name]; n++ {
			name = stem + strconv.Itoa(n)
		}
		seen[name] = true
		parts[i] = "{" + name + "}"
	}
	return strings.Join(parts, "/")
}

// scope returns our name for a scope of the document: the same where that may be, else with what the owner's scopes
// begin with, and without what no scope may hold (RFC 6749 §3.3).
func (m *importer) scope(asked string) string {
	if name, ok := m.names[asked]; ok {
		return name
	}
	name := strings.Map(func(r rune) rune {
		if r < 0x21 || r > 0x7e || r == '"' || r == '\\' {
			return '-'
		}
		return r
	}, asked)
	prefix := m.own.ScopePrefix()
	switch {
	case m.guessed:
		prefix += strings.TrimPrefix(m.key, m.own.KeyPrefix()) + "."
	case prefix == "" && (strings.HasPrefix(name, ownScopes) || name == ""):
		prefix = m.key + "."
	}
	if name = strings.TrimPrefix(name, prefix); name == "" {
		name = "all"
	}
	name = prefix + name
	name = name[:min(len(name), MaxNameLength-4)]
	for n, stem := 2, name; m.taken[name]; n++ {
		name = stem + strconv.Itoa(n)
	}
	m.renamed = m.renamed || name != asked && !m.guessed
	m.names[asked], m.taken[name], m.opened[name] = name, true, &usage{}
	return name
}

// draft puts objects and families together.
func (m *importer) draft() draftAPI {
	d := draftAPI{Key: m.key, Title: m.title(), BasePath: m.base, Lifetime: strconv.Itoa(int(usualLifetime.Seconds())) + "s"}
	at := map[string]int{}
	for _, c := range m.calls {
		name := objectOf(c.template[len(m.baseTemplate()):])
		i, known := at[name]
		if !known {
			i = len(d.Objects)
			at[name] = i
			d.Objects = append(d.Objects, draftObject{Name: name})
		}
		o := &d.Objects[i]
		access := AccessWrite
		if c.method == "GET" {
			access = AccessRead
		}
		o.Calls = append(o.Calls, draftCall{Method: c.method, Path: c.path, Access: access, AnyOf: c.anyOf, Suggested: c.suggestion})
		o.Scopes = distinctNames(append(o.Scopes, c.anyOf...))
	}
	d.Families = m.families()
	return d
}

func (m *importer) baseTemplate() template {
	t, err := parseTemplate(m.base)
	if err != nil {
		return nil
	}
	return t
}

// maxTitle is how much of a title is taken over, in characters.
const maxTitle = 80

func (m *importer) title() string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, m.from.Info.Title)
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return m.key
	}
	runes := []rune(text)
	return strings.TrimSpace(string(runes[:min(len(runes), maxTitle)]))
}

// objectOf is what a call is about: the first part of its path that is no parameter.
func objectOf(t template) string {
	for _, s := range t {
		if !s.parameter {
			return s.text
		}
	}
	return "items"
}

// families puts scopes with a common stem together. A family has one scope for reading; others have one of their own.
func (m *importer) families() []draftFamily {
	var list []draftFamily
	at, read := map[string]int{}, map[string]bool{}
	add := func(family string, s draftScope) {
		i, known := at[family]
		if !known {
			i = len(list)
			at[family] = i
			list = append(list, draftFamily{Name: family})
		}
		list[i].Scopes = append(list[i].Scopes, s)
	}
	for _, name := range slices.SortedFunc(maps.Keys(m.opened), cmp.Compare[string]) {
		use := m.opened[name]
		s := draftScope{Name: name, Kind: KindWrite, CoversRead: use.reads}
		family := stem(name)
		switch {
		case use.reads && !use.writes && !use.deletes:
			s.Kind, s.CoversRead = KindRead, false
			if read[family] {
				family = name
			}
			read[family] = true
		case use.deletes && !use.writes && !use.reads:
			s.Kind = KindDelete
		}
		add(family, s)
	}
	return list
}

// stem is a scope's name without its last part.
func stem(name string) string {
	if i := strings.LastIndexAny(name, ".:/"); i > 0 {
		return name[:i]
	}
	return name
}

// slug makes the last part of a key out of a title.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= maxSlug {
			break
		}
	}
	text := strings.Trim(b.String(), "-")
	if text == "" || slices.Contains(reservedKeys(), text) || strings.HasPrefix(text+"-", ownKeys) {
		return "imported-api"
	}
	return text
}

const maxSlug = 40

func (m *importer) notes() []Note {
	notes := []Note{{"imported", strconv.Itoa(len(m.calls))}}
	add := func(applies bool, code string, named ...string) {
		if !applies {
			return
		}
		value := strings.Join(named[:min(len(named), maxNamed)], ", ")
		if len(named) > maxNamed {
			value += " …"
		}
		notes = append(notes, Note{code, value})
	}
	add(m.guessed, "proposed")
	add(m.base == "", "no_base")
	add(m.renamed, "renamed", m.own.ScopePrefix())
	add(len(m.several) > 0, "several", m.several...)
	add(m.denied > 0, "denied", strconv.Itoa(m.denied))
	add(len(m.leftOut) > 0, "left_out", m.leftOut...)
	return notes
}
