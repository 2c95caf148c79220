// Package api holds the JSON that machines exchange with the product: wire structs and how they are written. It knows
// no room; handlers in package web fill the structs.
package api

import (
	"encoding/json"
	"net/http"
)

// Problem is an RFC 9457 problem document. Code is stable; Title and Detail are English. TraceID is the request ID to
// quote. Errors holds what is wrong with each field of the request. ErrorCode is that of a refused call, in the words of
// the CCW API; where a scope is missing, ScopesPresented are those of the token and ScopesNeeded those of which one would
// do.
type Problem struct {
	Type    string              `json:"type,omitempty"`
	Title   string              `json:"title"`
	Status  int                 `json:"status"`
	Code    string              `json:"code"`
	Detail  string              `json:"detail,omitempty"`
	TraceID string              `json:"traceId,omitempty"`
	Errors  map[string][]string `json:"errors,omitempty"`

	ErrorCode       string   `json:"error_code,omitempty"`
	ScopesPresented []string `json:"scopes_presented,omitempty"`
	ScopesNeeded    []string `json:"scopes_needed,omitempty"`
}

// Write sends the document with its status and content type.
func (p Problem) Write(w http.ResponseWriter) error {
	return write(w, p.Status, "application/problem+json", p)
}

// WriteJSON sends v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	return write(w, status, "application/json", v)
}

func write(w http.ResponseWriter, status int, contentType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}
