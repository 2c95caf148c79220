package scope

import (
	"errors"
	"fmt"
	"strings"
)

// parameter is what a parameter of a template stands for (protocol.md §7). Each kind takes a text in one spelling only,
// so that what matches is canonical.
type parameter int

const (
	anyText  parameter = iota // 1 to 64 letters, digits, "_" and "-"
	integer                   // {name:int}: digits without sign or leading zero, below 2^63
	uuidText                  // {name:uuid}: as RFC 9562 §4 prints it, in lower case
	parameterKinds
)

const (
	maxParameter = 64 // bytes that a parameter stands for
	uuidLength   = 36
)

// segment is one part of a path template between slashes: a literal or a parameter.
type segment struct {
	text      string // the literal, or the parameter's name without braces
	parameter bool
	kind      parameter // of a parameter
}

// template is a parsed path template. Parameter names do not count when two are compared.
type template []segment

// parseTemplate reads a path template: a slash before each segment, a segment being letters, digits, "_" and "-", or a
// parameter in braces: {id}, {id:int} or {id:uuid}. No trailing slash, no empty segment, no parameter twice.
func parseTemplate(path string) (template, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("must begin with a slash")
	}
	var t template
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(path[1:], "/") {
		s, err := parseSegment(part)
		if err != nil {
			return nil, err
		}
		if s.parameter && seen[s.text] {
			return nil, fmt.Errorf("parameter {%s} stands twice", s.text)
		}
		seen[s.text] = s.parameter
		t = append(t, s)
	}
	return t, nil
}

func parseSegment(part string) (segment, error) {
	if part == "" {
		return segment{}, errors.New("has an empty segment")
	}
	if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
		name, typed, isTyped := strings.Cut(part[1:len(part)-1], ":")
		if !isWord(name) || !isLetter(name[0]) || strings.Contains(name, "-") {
			return segment{}, fmt.Errorf("parameter %q is not a name", part)
		}
		kind, known := map[string]parameter{"int": integer, "uuid": uuidText}[typed]
		if isTyped && !known {
			return segment{}, fmt.Errorf("parameter %q is of no known type", part)
		}
		return segment{text: name, parameter: true, kind: kind}, nil
	}
	if !isWord(part) {
		return segment{}, fmt.Errorf("segment %q has characters other than letters, digits, _ and -", part)
	}
	return segment{text: part}, nil
}

// takes reports whether a parameter of this kind can stand for the text, to the letter.
func (p parameter) takes(text string) bool {
	switch p {
	case integer:
		return isInteger(text)
	case uuidText:
		return isUUID(text)
	default:
		return len(text) <= maxParameter && isWord(text)
	}
}

// meets reports whether there is a text that both segments take.
func (s segment) meets(o segment) bool {
	switch {
	case s.parameter && o.parameter:
		return s.kind == o.kind || s.kind == anyText || o.kind == anyText
	case s.parameter:
		return s.kind.takes(o.text)
	case o.parameter:
		return o.kind.takes(s.text)
	default:
		return s.text == o.text
	}
}

// rivals reports whether there is a path that both templates match without one of them being meant rather than the
// other. One is meant when it has a literal where the other has a parameter, and nowhere the other way round.
func (t template) rivals(o template) bool {
	if len(t) != len(o) {
		return false
	}
	mine, theirs, mixed := false, false, false
	for i := range t {
		if !t[i].meets(o[i]) {
			return false
		}
		mine = mine || !t[i].parameter && o[i].parameter
		theirs = theirs || t[i].parameter && !o[i].parameter
		mixed = mixed || t[i].parameter && o[i].parameter && t[i].kind != o[i].kind
	}
	return mine == theirs || mixed
}

func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && !isDigit(c) && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// isInteger reports whether s is a number from 0 to 2^63-1 as strconv prints it.
func isInteger(s string) bool {
	const most = "9223372036854775807"
	if s == "" || len(s) > len(most) || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return len(s) < len(most) || s <= most
}

func isUUID(s string) bool {
	if len(s) != uuidLength {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isDigit(c) && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
