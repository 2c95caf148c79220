package scope

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed catalogue.yaml
var embedded []byte

const (
	maxFileSize = 1 << 20 // bytes of a catalogue file (protocol.md §10)
	fileVersion = 1
)

// file is the shape of catalogue.yaml.
type file struct {
	Version int      `yaml:"version"`
	Sources []Source `yaml:"sources"`
	APIs    []API    `yaml:"apis"`
}

// Load returns the catalogue that is built into the program. An error means that the program was built with a broken
// one.
func Load() (*Catalogue, error) {
	c, err := Parse(embedded)
	if err != nil {
		return nil, fmt.Errorf("built-in scope catalogue: %w", err)
	}
	return c, nil
}

// Parse reads and checks a catalogue. It refuses more than 1 MiB, unknown fields, repeated keys, anchors, aliases, tags
// and a second document. The error of a well-formed file names every fault that was found, one a line.
func Parse(data []byte) (*Catalogue, error) {
	f, err := read(data)
	if err != nil {
		return nil, err
	}
	return build(f)
}

// read decodes a catalogue file.
func read(data []byte) (f file, err error) {
	if err := decodeStrictly(data, &f); err != nil {
		return f, err
	}
	if f.Version != fileVersion {
		return f, fmt.Errorf("version is %d, not %d", f.Version, fileVersion)
	}
	return f, nil
}

// build checks a catalogue as a whole. It takes over what stands in f.
func build(f file) (*Catalogue, error) {
	c := assemble(f)
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.link()
	return c, nil
}

// decodeStrictly reads one YAML document that means what it says.
func decodeStrictly(data []byte, into any) error {
	if len(data) > maxFileSize {
		return fmt.Errorf("larger than %d bytes", maxFileSize)
	}
	if err := refuseCleverness(data); err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("has more than one document")
	}
	return nil
}

// refuseCleverness refuses what makes a YAML file mean more than it says: anchors, aliases, merge keys, explicit tags.
func refuseCleverness(data []byte) error {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return err
	}
	pending := []*yaml.Node{&document}
	for len(pending) > 0 {
		n := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		switch {
		case n.Kind == yaml.AliasNode, n.Anchor != "":
			return fmt.Errorf("line %d: anchors and aliases are not allowed", n.Line)
		case n.Tag == "!!merge":
			return fmt.Errorf("line %d: merge keys are not allowed", n.Line)
		case n.Style&yaml.TaggedStyle != 0:
			return fmt.Errorf("line %d: tags are not allowed", n.Line)
		}
		pending = append(pending, n.Content...)
	}
	return nil
}

// assemble fills in what rows inherit from where they stand and builds the indexes. Of two rows with one name the first
// is indexed; validate reports the second.
func assemble(f file) *Catalogue {
	c := &Catalogue{
		sources:  make(map[string]Source, len(f.Sources)),
		ordered:  f.Sources,
		apis:     f.APIs,
		byKey:    make(map[string]int, len(f.APIs)),
		byName:   make(map[string]int),
		spelling: make(map[string]string),
	}
	for _, s := range f.Sources {
		c.sources[s.Key] = s
	}
	for i, api := range c.apis {
		if _, taken := c.byKey[api.Key]; !taken {
			c.byKey[api.Key] = i
		}
		c.private = c.private || api.Organisation != ""
		for j := range api.Objects {
			api.Objects[j].API = api.Key
		}
		for _, family := range api.Families {
			c.adopt(api.Key, family)
		}
	}
	return c
}

// adopt enters the scopes of a family into the catalogue.
func (c *Catalogue) adopt(api string, family Family) {
	twin := ""
	for _, s := range family.Scopes {
		if s.Kind == KindRead {
			twin = s.Name
		}
	}
	for i := range family.Scopes {
		s := &family.Scopes[i]
		s.API, s.Family, s.Withheld = api, family.Name, family.Withheld
		if (s.Kind == KindWrite || s.Kind == KindDelete) && !s.CoversRead {
			s.Twin = twin
		}
		if _, taken := c.byName[s.Name]; !taken {
			c.byName[s.Name] = len(c.scopes)
		}
		for _, printed := range s.AlsoSpelled {
			c.spelling[printed] = s.Name
		}
		c.scopes = append(c.scopes, *s)
	}
}

// link writes into each scope which objects list it and which calls it opens, and makes the groups of the form and the
// index of calls. It needs a valid catalogue.
func (c *Catalogue) link() {
	for _, api := range c.apis {
		for _, object := range api.Objects {
			for _, name := range object.Scopes {
				s := &c.scopes[c.byName[name]]
				s.Objects = append(s.Objects, object.Name)
			}
			for _, call := range object.Calls {
				c.linkCall(object, call)
			}
		}
	}
	c.index = newIndex(c.apis)
	for i := range c.apis {
		c.refresh(&c.apis[i])
		c.groups = append(c.groups, groupsOf(c.apis[i]))
	}
}

func (c *Catalogue) linkCall(object Object, call Call) {
	if object.Unserved || !call.Matches() {
		return
	}
	for _, name := range call.AnyOf {
		s := &c.scopes[c.byName[name]]
		s.Opens = append(s.Opens, Opened{API: object.API, Object: object.Name, Call: call})
	}
}

// refresh copies the finished scopes back into the API's families, so that both views tell the same.
func (c *Catalogue) refresh(api *API) {
	for _, family := range api.Families {
		for i, s := range family.Scopes {
			family.Scopes[i] = c.scopes[c.byName[s.Name]]
		}
	}
}

// faults collects what is wrong with a catalogue.
type faults struct{ lines []string }

func (f *faults) add(where, format string, args ...any) {
	f.lines = append(f.lines, where+": "+fmt.Sprintf(format, args...))
}

func (f *faults) err() error {
	if len(f.lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(slices.Compact(f.lines), "\n"))
}
