package scope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"credenza.example/credenza/internal/problem"
)

// The bounds of an import. MaxOpenAPI is in bytes.
const (
	MaxOpenAPI      = 2 << 20
	maxImported     = 2000 // calls
	maxNesting      = 100  // of a document's values
	maxYAMLElements = 200_000
)

// description is what an import reads of an OpenAPI document (3.0 and 3.1); the rest is passed over.
type description struct {
	OpenAPI string `json:"openapi" yaml:"openapi"`
	Swagger string `json:"swagger" yaml:"swagger"`
	Info    struct {
		Title string `json:"title" yaml:"title"`
	} `json:"info" yaml:"info"`
	Servers []struct {
		URL string `json:"url" yaml:"url"`
	} `json:"servers" yaml:"servers"`
	Security   []requirement       `json:"security" yaml:"security"`
	Paths      map[string]pathItem `json:"paths" yaml:"paths"`
	Components struct {
		SecuritySchemes map[string]struct {
			Type string `json:"type" yaml:"type"`
		} `json:"securitySchemes" yaml:"securitySchemes"`
	} `json:"components" yaml:"components"`
}

// requirement is one of several ways to be let in: schemes that are all needed, with their scopes.
type requirement map[string][]string

type pathItem struct {
	Ref     string     `json:"$ref" yaml:"$ref"`
	Get     *operation `json:"get" yaml:"get"`
	Post    *operation `json:"post" yaml:"post"`
	Put     *operation `json:"put" yaml:"put"`
	Patch   *operation `json:"patch" yaml:"patch"`
	Delete  *operation `json:"delete" yaml:"delete"`
	Options *operation `json:"options" yaml:"options"`
	Trace   *operation `json:"trace" yaml:"trace"`
}

// operations returns the operations by method.
func (p pathItem) operations() map[string]*operation {
	return map[string]*operation{
		"GET": p.Get, "POST": p.Post, "PUT": p.Put, "PATCH": p.Patch, "DELETE": p.Delete, "OPTIONS": p.Options, "TRACE": p.Trace,
	}
}

type operation struct {
	Security *[]requirement `json:"security" yaml:"security"` // nil: the document's
}

// readOpenAPI reads a document in JSON or YAML. Faults are told in words about the field document.
func readOpenAPI(document []byte) (d description, err error) {
	document = bytes.TrimPrefix(document, []byte("\ufeff"))
	if len(document) > MaxOpenAPI {
		return d, importFault("catalogue.import.large")
	}
	if trimmed := bytes.TrimSpace(document); len(trimmed) > 0 && trimmed[0] == '{' {
		err = readJSON(trimmed, &d)
	} else {
		err = readYAML(document, &d)
	}
	switch {
	case err != nil:
		return d, importFault("catalogue.import.unreadable", "Fault", plain(err))
	case d.Swagger != "":
		return d, importFault("catalogue.import.swagger")
	case !strings.HasPrefix(d.OpenAPI, "3.0") && !strings.HasPrefix(d.OpenAPI, "3.1"):
		return d, importFault("catalogue.import.version")
	case len(d.Paths) == 0:
		return d, importFault("catalogue.import.empty")
	}
	return d, nil
}

// goTypes are what the readers say about the program, which tells nobody anything.
var goTypes = regexp.MustCompile(` into \*?(scope\.|map\[|\[\])[^\n]*`)

// maxFault is how much of a reader's complaint is passed on, in bytes.
const maxFault = 400

func plain(err error) string {
	text := goTypes.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "")
	return strings.ToValidUTF8(text[:min(len(text), maxFault)], "")
}

func importFault(key string, args ...any) error {
	return problem.Fields(problem.NewField("document", key, args...))
}

func readJSON(document []byte, d *description) error {
	if err := shallow(document); err != nil {
		return err
	}
	err := json.Unmarshal(document, d)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("line %d: %s must not be of the type %s", lineOf(document, wrong.Offset), wrong.Field, wrong.Value)
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %w", lineOf(document, wrong.Offset), wrong)
	}
	return err
}

// shallow refuses JSON whose values lie deep in each other, before memory is spent on it.
func shallow(document []byte) error {
	decoder, depth := json.NewDecoder(bytes.NewReader(document)), 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", lineOf(document, decoder.InputOffset()), err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxNesting {
			return fmt.Errorf("values lie more than %d deep in each other", maxNesting)
		}
	}
}

func lineOf(document []byte, offset int64) int {
	return 1 + bytes.Count(document[:min(max(offset, 0), int64(len(document)))], []byte("\n"))
}

// readYAML refuses what could make a small document a large one: anchors and aliases, and more elements than any API has.
func readYAML(document []byte, d *description) error {
	if n := bytes.Count(document, []byte("\n")) + bytes.Count(document, []byte(",")) + bytes.Count(document, []byte("[")) +
		bytes.Count(document, []byte("{")); n > maxYAMLElements {
		return fmt.Errorf("has more than %d elements", maxYAMLElements)
	}
	if err := refuseCleverness(document); err != nil {
		return err
	}
	return yaml.Unmarshal(document, d)
}
