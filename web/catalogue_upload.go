package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"credenza.example/credenza/internal/problem"
)

const (
	// maxDocument bounds a document that is typed or uploaded, in bytes.
	maxDocument = 1 << 20
	// maxUnread is how much of a body that is too large is read and dropped, so that browsers get to show the answer.
	maxUnread  = 32 << 20
	maxParts   = 20
	uploadName = "file" // of the field whose content takes the place of what was typed
	typedName  = "document"
)

// readUpload reads a posted form that may carry a file: multipart/form-data or URL-encoded, whose documents are at most
// so many bytes. The content of a file that was chosen stands in the field document, with line feeds as ends of lines.
func readUpload(c *call, most int64) (*form, error) {
	r := c.Request()
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	encoded := r.Header.Get("Content-Encoding") != ""
	whole := 3*most + maxForm // a typed document may be percent-encoded, three bytes for one
	body := http.MaxBytesReader(c.Response(), r.Body, whole)
	var values url.Values
	switch {
	case err == nil && !encoded && kind == "multipart/form-data":
		values, err = readParts(multipart.NewReader(body, params["boundary"]), most)
	case err == nil && !encoded && kind == "application/x-www-form-urlencoded":
		values, err = readEncoded(body)
	default:
		return nil, &statusError{status: http.StatusUnsupportedMediaType, key: "problem.form_type"}
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large || errors.Is(err, errTooLarge) || len(values.Get(typedName)) > int(most) {
		_, _ = io.CopyN(io.Discard, r.Body, maxUnread)
		return nil, &statusError{status: http.StatusRequestEntityTooLarge, key: "problem.form_size"}
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "problem.form")
	}
	return checkedUpload(values)
}

// errTooLarge is a part of a form that is larger than a document may be.
var errTooLarge = errors.New("too large")

func checkedUpload(values url.Values) (*form, error) {
	f := &form{values: values}
	for _, all := range values {
		for i, v := range all {
			if !utf8.ValidString(v) {
				return nil, problem.New(problem.Invalid, "problem.form")
			}
			all[i] = strings.ReplaceAll(v, "\r\n", "\n")
		}
	}
	return f, nil
}

func readEncoded(body io.Reader) (url.Values, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(text))
}

// readParts reads the parts of a form. Nothing is written to disk.
func readParts(reader *multipart.Reader, most int64) (url.Values, error) {
	values := url.Values{}
	for range maxParts {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(io.LimitReader(part, most+1))
		if err != nil {
			return nil, err
		}
		if int64(len(content)) > most {
			return nil, errTooLarge
		}
		switch name := part.FormName(); {
		case name == uploadName && len(content) > 0:
			values[typedName] = []string{string(bytes.TrimPrefix(content, []byte("\ufeff")))}
		case name == uploadName, name == typedName && values.Has(typedName) && part.FileName() == "":
		default:
			values.Add(name, string(content))
		}
	}
	return nil, errors.New("too many parts")
}

// readPosted reads whatever form was posted, to keep it for somebody who has to sign in first. Of one that carries too
// much, nothing is kept.
func readPosted(c *call) (*form, error) {
	if kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return readForm(c)
	}
	f, err := readUpload(c, maxDocument)
	if err != nil {
		return &form{}, nil //nolint:nilerr // What cannot be kept is lost; signing in comes first.
	}
	return f, nil
}
