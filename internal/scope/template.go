package scope

import (
	"errors"
	"fmt"
	"strings"
)

// segment is one part of a path template between slashes: a literal or a parameter.
type segment struct {
	text      string // the literal, or the parameter's name without braces
	parameter bool
}

// template is a parsed path template. Two templates are equal when they match the same paths, so parameter names do not
// count.
type template []segment

// parseTemplate reads a path template: a slash before each segment, a segment being letters, digits, "_" and "-", or a
// parameter in braces. No trailing slash, no empty segment, no parameter twice.
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
		name := part[1 : len(part)-1]
		if !isWord(name) || !isLetter(name[0]) || strings.Contains(name, "-") {
			return segment{}, fmt.Errorf("parameter %q is not a name", part)
		}
		return segment{text: name, parameter: true}, nil
	}
	if !isWord(part) {
		return segment{}, fmt.Errorf("segment %q has characters other than letters, digits, _ and -", part)
	}
	return segment{text: part}, nil
}

// shape returns the template without parameter names: what two equal templates have in common.
func (t template) shape() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteByte('/')
		if s.parameter {
			b.WriteString("{}")
		} else {
			b.WriteString(s.text)
		}
	}
	return b.String()
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
