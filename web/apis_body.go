package web

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/web/api"
)

// maxBody bounds the body of a call of our own APIs, in bytes (T27).
const maxBody = 1 << 20

// apiFlaws are the sentences about members of a body.
var apiFlaws = map[api.Flaw]string{
	api.FlawUnknown: "api.member.unknown", api.FlawRepeated: "api.member.repeated", api.FlawType: "api.member.type",
}

// read reads the JSON body into a wire struct of package api, strictly: another media type is 415, more than maxBody 413,
// what is not one JSON document 400, and members that are unknown, repeated or of another type 400 naming each. A PATCH
// may also say that it is a merge patch (RFC 7396).
func (c *apiCall) read(v any) error {
	r := c.Request()
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	known := kind == "application/json" || r.Method == http.MethodPatch && kind == "application/merge-patch+json"
	charset := params["charset"]
	if err != nil || !known || charset != "" && charset != "utf-8" && charset != "UTF-8" || r.Header.Get("Content-Encoding") != "" {
		return &statusError{status: http.StatusUnsupportedMediaType, key: "api.body.type"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return &statusError{status: http.StatusRequestEntityTooLarge, key: "api.body.size"}
		}
		return problem.Wrap(err, problem.Invalid, "api.body.json")
	}
	faults, err := api.Decode(body, v)
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "api.body.json")
	}
	fields := make([]problem.Field, len(faults))
	for i, f := range faults {
		fields[i] = problem.NewField(f.Name, apiFlaws[f.Flaw])
	}
	return problem.Fields(fields...)
}

// json answers with a wire struct.
func (c *apiCall) json(status int, v any) error { return api.WriteJSON(c.Response(), status, v) }
