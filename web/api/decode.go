package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Flaw says what is wrong with one member of a JSON body.
type Flaw string

// The flaws.
const (
	FlawUnknown  Flaw = "unknown"  // no member has this name, to the letter
	FlawRepeated Flaw = "repeated" // the member stands there twice; readers differ over which counts
	FlawType     Flaw = "type"     // the value is of another sort than the member's
)

// Fault is a member at fault. Name is its path, as in contact.email or scopes[2].
type Fault struct {
	Name string
	Flaw Flaw
}

// ErrNotJSON says that a body is not one JSON document of the expected sort in UTF-8.
var ErrNotJSON = errors.New("the body is not the JSON document that is expected")

const (
	// maxFaults bounds how many faults one answer lists.
	maxFaults = 20
	// maxDepth bounds how deep a body may nest: deeper than any wire struct.
	maxDepth = 32
	// maxFaultName bounds a member's path in an answer, in bytes: it comes from outside.
	maxFaultName = 100
)

// Decode reads a request's JSON body into v, a pointer to a wire struct: one object, members named to the letter as in
// v, each once. It returns the members at fault, all of them so far as they can be told, or ErrNotJSON. encoding/json
// alone takes members in any case and the last of two.
func Decode(body []byte, v any) ([]Fault, error) {
	if !utf8.Valid(body) {
		return nil, ErrNotJSON
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, ErrNotJSON
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(body))}
	if err := w.value(reflect.TypeOf(v).Elem(), "", 0); err != nil {
		return nil, ErrNotJSON
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrNotJSON
	}
	if len(w.faults) > 0 {
		return w.faults, nil
	}
	err := json.Unmarshal(body, v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return []Fault{{Name: cutName(wrong.Field), Flaw: FlawType}}, nil
	}
	if err != nil {
		return nil, ErrNotJSON
	}
	return nil, nil
}

// walker compares a document with a type, without reading values.
type walker struct {
	dec    *json.Decoder
	faults []Fault
}

func (w *walker) fault(name string, flaw Flaw) {
	if len(w.faults) < maxFaults {
		w.faults = append(w.faults, Fault{Name: cutName(name), Flaw: flaw})
	}
}

func cutName(name string) string {
	if len(name) > maxFaultName {
		return strings.ToValidUTF8(name[:maxFaultName], "") + "…"
	}
	return name
}

// value reads one value that is to be of type t; nil is any.
func (w *walker) value(t reflect.Type, path string, depth int) error {
	if depth > maxDepth {
		return ErrNotJSON
	}
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	t = plain(t)
	switch token {
	case json.Delim('{'):
		if t != nil && t.Kind() != reflect.Struct && t.Kind() != reflect.Map || t == timeType {
			w.fault(path, FlawType)
			t = nil
		}
		return w.object(t, path, depth)
	case json.Delim('['):
		if t != nil && t.Kind() != reflect.Slice {
			w.fault(path, FlawType)
			t = nil
		}
		return w.array(t, path, depth)
	default:
		if t != nil && !fits(token, t) {
			w.fault(path, FlawType)
		}
		return nil
	}
}

func (w *walker) object(t reflect.Type, path string, depth int) error {
	if path == "" && depth > 0 {
		path = "?"
	}
	members := membersOf(t)
	seen := map[string]bool{}
	for w.dec.More() {
		token, err := w.dec.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		full := strings.TrimPrefix(path+"."+name, ".")
		if seen[name] {
			w.fault(full, FlawRepeated)
		}
		seen[name] = true
		member, known := members[name]
		if !known && t != nil && t.Kind() == reflect.Struct {
			w.fault(full, FlawUnknown)
		}
		if err := w.value(member, full, depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

func (w *walker) array(t reflect.Type, path string, depth int) error {
	var element reflect.Type
	if t != nil {
		element = t.Elem()
	}
	for i := 0; w.dec.More(); i++ {
		if err := w.value(element, path+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

// fits reports whether a single value is of a sort that t takes. null fits everything: what it means is for the
// handler to say.
func fits(token json.Token, t reflect.Type) bool {
	switch token.(type) {
	case string:
		return t.Kind() == reflect.String || t == timeType
	case bool:
		return t.Kind() == reflect.Bool
	case float64:
		return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64
	default:
		return true
	}
}

// plain is the type that a member's JSON shows: what a pointer points to, what may be left out or null.
func plain(t reflect.Type) reflect.Type {
	for t != nil {
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		default:
			value, ok := Within(t)
			if !ok {
				return t
			}
			t = value
		}
	}
	return nil
}

// membersOf returns the members of a wire struct by their JSON names.
func membersOf(t reflect.Type) map[string]reflect.Type {
	members := map[string]reflect.Type{}
	if t == nil || t.Kind() != reflect.Struct {
		return members
	}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			maps.Copy(members, membersOf(field.Type))
			continue
		}
		if name != "" && name != "-" {
			members[name] = field.Type
		}
	}
	return members
}
