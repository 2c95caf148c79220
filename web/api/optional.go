package api

import (
	"encoding/json"
	"reflect"
	"time"
)

// Optional is a member of a body that may be left out, or be null, where both mean something else than the empty value:
// in a PATCH what is left out stays, and null takes away (RFC 7396).
type Optional[T any] struct {
	Given bool // the member stood there, as null or a value
	Null  bool
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	o.Given = true
	if string(b) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}

func (Optional[T]) optional() {}

var (
	optionalType = reflect.TypeFor[interface{ optional() }]()
	timeType     = reflect.TypeFor[time.Time]()
)

// Within returns the type of the value of a member that may be left out; ok is false for every other type.
func Within(t reflect.Type) (value reflect.Type, ok bool) {
	if t.Kind() != reflect.Struct || !t.Implements(optionalType) {
		return nil, false
	}
	field, ok := t.FieldByName("Value")
	return field.Type, ok
}
