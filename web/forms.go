package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"credenza.example/credenza/internal/problem"
)

// maxForm bounds the body of a form in bytes, maxFields the number of its values (T27).
const (
	maxForm   = 64 << 10
	maxFields = 1000
)

// form is a posted form. Which names may be repeated is said by the handler, by asking with all; a name asked for with
// one that came twice is an error of that field.
type form struct {
	values url.Values
	errs   []problem.Field
}

// readForm reads the body of a POST, which must be a URL-encoded form of at most maxForm bytes.
func readForm(c *call) (*form, error) {
	r := c.Request()
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || kind != "application/x-www-form-urlencoded" || (charset != "" && charset != "utf-8" && charset != "UTF-8") {
		return nil, &statusError{status: http.StatusUnsupportedMediaType, key: "problem.form_type"}
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, &statusError{status: http.StatusUnsupportedMediaType, key: "problem.form_type"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxForm))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, &statusError{status: http.StatusRequestEntityTooLarge, key: "problem.form_size"}
		}
		return nil, problem.Wrap(err, problem.Invalid, "problem.form")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "problem.form")
	}
	n := 0
	for name, all := range values {
		n += len(all)
		for _, v := range append(all, name) {
			if !utf8.ValidString(v) || strings.Contains(v, nul) {
				return nil, problem.New(problem.Invalid, "problem.form")
			}
		}
	}
	if n > maxFields {
		return nil, &statusError{status: http.StatusRequestEntityTooLarge, key: "problem.form_size"}
	}
	return &form{values: values}, nil
}

// one returns the value of a field that may come once, "" when it is missing.
func (f *form) one(name string) string {
	all := f.values[name]
	if len(all) == 0 {
		return ""
	}
	if len(all) > 1 {
		f.errs = append(f.errs, problem.NewField(name, "problem.repeated"))
	}
	return all[0]
}

// all returns the values of a field that may be repeated.
func (f *form) all(name string) []string { return f.values[name] }

// version returns the version of the row that the form was filled from, 0 for anything else: versions of rows start at
// 1, so that 0 is stale.
func (f *form) version() int64 {
	n, err := strconv.ParseInt(f.one("version"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// err returns the problem of fields that were repeated.
func (f *form) err() error { return problem.Fields(f.errs...) }

// nul is the one character that PostgreSQL keeps in no text. Nobody types it.
const nul = "\x00"

// oneQuery returns a query parameter; the first counts, since a page view can refuse nothing. What is no text in it
// becomes a sign that says so.
func oneQuery(c *call, name string) string {
	const replacement = "\uFFFD"
	return strings.ReplaceAll(strings.ToValidUTF8(c.QueryParams().Get(name), replacement), nul, replacement)
}
