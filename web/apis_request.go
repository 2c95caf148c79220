package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
)

const (
	headerETag        = "ETag"
	headerIfMatch     = "If-Match"
	headerIdempotency = "Idempotency-Key"
	// maxKey bounds an idempotency key: a UUID and much more.
	maxKey = 200
)

// appID reads the path's app ID; what cannot be one is not found.
func (c *apiCall) appID() (registry.AppID, error) {
	id, ok := registry.ParseAppID(c.Param("id"))
	if !ok {
		return "", problem.New(problem.NotFound, "problem.not_found")
	}
	return id, nil
}

// secretID reads the path's secret ID.
func (c *apiCall) secretID() (registry.SecretID, error) {
	id, ok := registry.ParseSecretID(c.Param("sid"))
	if !ok {
		return "", problem.New(problem.NotFound, "problem.not_found")
	}
	return id, nil
}

// etag is a version as a strong entity tag (RFC 9110 §8.8.3).
func etag(version int64) string { return strconv.Quote(decimal(version)) }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// ifMatch reads which version of a thing the caller has seen (RFC 9110 §13.1.1): 428 when it does not say, whichever when
// whatever version there is will do.
func (c *apiCall) ifMatch() (version int64, whichever bool, err error) {
	values := c.Request().Header.Values(headerIfMatch)
	if len(values) == 0 {
		return 0, false, &statusError{status: http.StatusPreconditionRequired, key: "api.if_match.missing", code: "precondition_required"}
	}
	tag := strings.TrimSpace(values[0])
	if tag == "*" && len(values) == 1 {
		return 0, true, nil
	}
	digits, opened := strings.CutPrefix(tag, `"`)
	digits, closed := strings.CutSuffix(digits, `"`)
	version, err = strconv.ParseInt(digits, 10, 64)
	if !opened || !closed || err != nil || len(values) > 1 {
		return 0, false, stalePrecondition() // no entity tag of ours, so none that matches
	}
	return version, false, nil
}

// stalePrecondition is the answer to a version that is not the current one.
func stalePrecondition() error {
	return &statusError{status: http.StatusPreconditionFailed, key: "api.if_match.stale", code: string(problem.Stale)}
}

// idempotencyKey reads the key under which a POST may be sent again, "" without one, and a hash of what it asks for.
func (c *apiCall) idempotencyKey(body any) (key, request string, err error) {
	values := c.Request().Header.Values(headerIdempotency)
	if len(values) == 0 {
		return "", "", nil
	}
	key = values[0]
	wrong := strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e })
	if len(values) > 1 || key == "" || len(key) > maxKey || wrong {
		return "", "", problem.New(problem.Invalid, "api.idempotency.key", "Max", maxKey)
	}
	text, err := canonical(body)
	sum := sha256.Sum256(text)
	return key, hex.EncodeToString(sum[:]), err
}

// query reads the parameters of the address, of which only the named ones may stand there, each once.
func (c *apiCall) query(names ...string) (url.Values, error) {
	values, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "api.query.unreadable")
	}
	var faults []problem.Field
	for name, all := range values {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		switch {
		case !known:
			faults = append(faults, problem.NewField(cutText(name, 100), "api.query.unknown"))
		case len(all) > 1:
			faults = append(faults, problem.NewField(name, "problem.repeated"))
		case secret.Contains(all[0]):
			faults = append(faults, problem.NewField(name, "api.query.secret"))
		}
	}
	return values, problem.Fields(faults...)
}

func cutText(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// number reads a parameter that counts something, 0 when it is left out.
func number(values url.Values, name string, most int) (int, error) {
	text := values.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, problem.Fields(problem.NewField(name, "api.query.number", "Max", most))
	}
	return n, nil
}

// link adds a web link to another page of the same list (RFC 8288), with one parameter changed.
func (c *apiCall) link(s *Server, rel string, drop []string, name, value string) {
	q := c.Request().URL.Query()
	for _, d := range drop {
		q.Del(d)
	}
	q.Set(name, value)
	c.Response().Header().Add("Link", "<"+s.PublicURL+c.Request().URL.Path+"?"+q.Encode()+`>; rel="`+rel+`"`)
}

// renamed gives the faults of a problem the names that the wire uses.
func renamed(err error, names map[string]string) error {
	if err == nil {
		return nil
	}
	p := problem.As(err)
	if len(p.Fields) == 0 {
		return err
	}
	copied := *p
	copied.Fields = make([]problem.Field, len(p.Fields))
	for i, f := range p.Fields {
		if name, ok := names[f.Name]; ok {
			f.Name = name
		}
		copied.Fields[i] = f
	}
	return &copied
}
