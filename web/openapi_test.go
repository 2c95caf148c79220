package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	verrors "github.com/pb33f/libopenapi-validator/errors"

	"credenza.example/credenza/web"
)

const openAPIPath = "/api/v1/openapi.json"

// contract says whether documents, requests and answers are what OpenAPI 3.1 says. Nobody here wrote it.
type contract struct {
	judge validator.Validator
	seen  map[string]bool // "METHOD path status" of answers that were judged
}

// newContract reads the description as the portal gives it.
func newContract(p *portal) *contract {
	p.t.Helper()
	doc, err := libopenapi.NewDocument([]byte(p.machine(http.MethodGet, openAPIPath, nil).is(http.StatusOK).body))
	p.must(err)
	judge, errs := validator.NewValidator(doc, config.WithFormatAssertions(), config.WithStrictServerMatching())
	if len(errs) > 0 {
		p.t.Fatal(errs)
	}
	return &contract{judge: judge, seen: map[string]bool{}}
}

// TestOpenAPIDocument: the description is an OpenAPI 3.1 document by the judgement of others.
func TestOpenAPIDocument(t *testing.T) {
	p := newPortal(t)
	c := newContract(p)
	if ok, errs := c.judge.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Errorf("%s: %s %v", e.Message, e.Reason, e.SchemaValidationErrors)
		}
	}
	got := p.machine(http.MethodGet, openAPIPath, nil)
	if got.header.Get("Content-Type") != "application/json" || strings.Contains(got.body, "apidoc.") {
		t.Errorf("%v: a text is missing", got.header)
	}
}

// judged holds an answer, and the request where it was granted, against the description.
func (p *portal) judged(got *page, method, path string, h http.Header, body any) {
	p.t.Helper()
	if p.contract == nil {
		p.contract = newContract(p)
	}
	text, _ := body.(string)
	if _, raw := body.(string); body != nil && !raw {
		b, err := json.Marshal(body)
		p.must(err)
		text = string(b)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, publicURL+path, strings.NewReader(text))
	p.must(err)
	r.Header = h.Clone()
	answer := &http.Response{StatusCode: got.status, Header: got.header, Body: io.NopCloser(strings.NewReader(got.body)), Request: r}
	var errs []*verrors.ValidationError
	if got.status < http.StatusMultipleChoices {
		_, errs = p.contract.judge.ValidateHttpRequestResponse(r, answer)
	} else if got.status != http.StatusNotFound || documented(path) {
		_, errs = p.contract.judge.ValidateHttpResponse(r, answer)
	}
	for _, e := range errs {
		p.t.Errorf("%s %s answers %d against the contract: %s: %s\n%s", method, path, got.status, e.Message, e.Reason, got.body)
		for _, detail := range e.SchemaValidationErrors {
			p.t.Errorf("  %s at %s", detail.Reason, detail.FieldPath)
		}
	}
	p.contract.seen[method+" "+routeOf(method, path)+" "+strconv.Itoa(got.status)] = true
}

// documented reports whether an address is a route's.
func documented(path string) bool {
	return slices.ContainsFunc([]string{http.MethodGet, http.MethodPost}, func(m string) bool { return routeOf(m, path) != "" })
}

// routeOf is the route that answers a request.
func routeOf(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	best := ""
	for _, r := range web.APIRoutes() {
		pattern := strings.Split(r.Path, "/")
		fits := r.Method == method && len(pattern) == len(parts)
		for i := 0; fits && i < len(parts); i++ {
			fits = pattern[i] == parts[i] || strings.HasPrefix(pattern[i], ":")
		}
		if fits && (best == "" || !strings.Contains(r.Path, ":")) {
			best = r.Path
		}
	}
	return best
}
