// Package problem is the error that every room returns to the edges of the product.
//
// A problem says what kind of thing went wrong (Code), which sentence tells a person about it (Key and Args, looked up
// in package i18n by the caller that renders), and which fields of the input were at fault. It holds no HTTP status and
// no prose: both are decided where an answer is written (web/errors.go for pages and JSON, internal/oauth/errors.go for
// RFC 6749). An error that is not a *Error counts as internal and its text never reaches a user.
package problem

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is the kind of a problem. The set is closed: the two places that map codes to answers list all of them.
type Code string

// The codes, each with what a caller may conclude.
const (
	Invalid         Code = "invalid"         // the input is at fault; Fields names where
	Unauthenticated Code = "unauthenticated" // nobody is signed in, or the credential is wrong
	Forbidden       Code = "forbidden"       // known, but lacks a right; Args["Right"] names it
	NotFound        Code = "not_found"       // no such thing for this actor, also: another organisation's
	Conflict        Code = "conflict"        // the state of the thing does not allow the act
	Stale           Code = "stale"           // somebody else changed the row since it was read
	Gone            Code = "gone"            // was there, was spent or has ended
	Limited         Code = "limited"         // too often; RetryAfter tells when
	Unavailable     Code = "unavailable"     // a part is missing just now; nothing was changed, safe to retry
	Internal        Code = "internal"        // anything else
)

// Field is one input field at fault. Name is the field's name in the form or the JSON body; Key and Args are the
// sentence about it.
type Field struct {
	Name string
	Key  string
	Args map[string]any
}

// Error is a problem. Err is the hidden cause: it is logged, never shown.
type Error struct {
	Code       Code
	Key        string
	Args       map[string]any
	Fields     []Field
	RetryAfter time.Duration
	Err        error
}

// New returns a problem with a code, a message key and an even list of argument names and values.
func New(code Code, key string, args ...any) *Error {
	return &Error{Code: code, Key: key, Args: pairs(args)}
}

// Wrap returns a problem with a hidden cause.
func Wrap(err error, code Code, key string, args ...any) *Error {
	return &Error{Code: code, Key: key, Args: pairs(args), Err: err}
}

// NewField returns a field at fault.
func NewField(name, key string, args ...any) Field {
	return Field{Name: name, Key: key, Args: pairs(args)}
}

// Fields returns an Invalid problem for the fields, or nil when there are none.
func Fields(fields ...Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Key: "problem.invalid", Fields: fields}
}

// Error is for logs: code, key, fields and cause, never shown to a user. It holds no argument values, since these may
// come from outside.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Key != "" {
		b.WriteString(" " + e.Key)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, " [%s: %s]", f.Name, f.Key)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the hidden cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err: Internal for errors of other types, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Is reports whether err is a problem of this code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }

// As returns err as a problem. Errors of other types become Internal with err as the hidden cause.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(err, Internal, "problem.internal")
}

func pairs(args []any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[fmt.Sprint(args[i])] = args[i+1]
	}
	return m
}
