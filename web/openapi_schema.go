package web

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/web/api"
)

// wireSchema is the JSON Schema of a wire struct: what Go's types say, and what the tags of its members say besides, with
// the words of the rooms.
func wireSchema(t reflect.Type) (*jsonschema.Schema, error) {
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
	}})
	if err != nil {
		return nil, err
	}
	return schema, refine(schema, t)
}

// refine goes through a schema and its type side by side.
func refine(s *jsonschema.Schema, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice: // no list is null here
		s.Types, s.Type = nil, "array"
		return refine(s.Items, t.Elem())
	case reflect.Map:
		return refine(s.AdditionalProperties, t.Elem())
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			child := s.Properties[name]
			if child == nil {
				continue
			}
			if err := refineMember(s, name, field); err != nil {
				return err
			}
		}
	default: // single values are what their type says
	}
	return nil
}

// refineMember says of one member what its tags say: words (which values a text has), format and null (it may be null).
func refineMember(s *jsonschema.Schema, name string, field reflect.StructField) error {
	child, t := s.Properties[name], field.Type
	if inner, ok := api.Within(t); ok {
		schema, err := wireSchema(inner)
		if err != nil {
			return err
		}
		child, t = schema, inner
		s.Properties[name] = child
	}
	if field.Tag.Get("null") == "true" {
		child.Types, child.Type = []string{"null", child.Type}, ""
	}
	if format := field.Tag.Get("format"); format != "" {
		child.Format = format
	}
	if list, ok := wireWords()[field.Tag.Get("words")]; ok {
		word := child
		if child.Items != nil {
			word = child.Items
		}
		for _, w := range list {
			word.Enum = append(word.Enum, w)
		}
		if slices.Contains(word.Types, "null") {
			word.Enum = append(word.Enum, nil)
		}
	}
	if t == reflect.TypeFor[time.Time]() {
		return nil
	}
	return refine(child, t)
}

// wireWords are the values that texts have, as the rooms list them, by the names that tags use.
func wireWords() map[string][]string {
	return map[string][]string{
		"kind":     texts(registry.Caller, registry.ResourceServer),
		"category": texts(registry.Categories()...),
		"type":     texts(registry.Machine, registry.Web, registry.Device),
		"proof":    texts(registry.SharedSecret, registry.KeySet),
		"status":   texts(registry.Statuses()...),
		"state": texts(registry.SecretActive, registry.SecretEnding, registry.SecretExpired, registry.SecretRetired,
			registry.SecretLeaked),
		"reason": texts(registry.Planned, registry.Lost, registry.Leaked),
		"actor":  texts(access.KindPerson, access.KindApp, access.KindOperator, access.KindSystem),
		"result": texts(audit.Done, audit.Refused, audit.Failed),
		"user":   texts(identity.KindClient, identity.KindSupplier, identity.KindMSP),
		"scope":  kindCodes(),
		"access": texts(scope.AccessRead, scope.AccessWrite),
		"sort": texts(registry.SortName, registry.SortCategory, registry.SortStatus, registry.SortCreated, registry.SortModified,
			registry.SortUsed),
		"order": {"asc", "desc"},
	}
}

func texts[T ~string](list ...T) []string {
	all := make([]string, len(list))
	for i, one := range list {
		all[i] = string(one)
	}
	return all
}

// wordSchema is a text that has one of these values.
func wordSchema(words string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range wireWords()[words] {
		s.Enum = append(s.Enum, w)
	}
	return s
}
