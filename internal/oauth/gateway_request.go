package oauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// PathGateway begins the addresses at which reverse proxies ask. The API and the kind of proxy follow: they stand in the
// proxy's configuration and are never guessed from what came with the request.
const PathGateway = "/gateway/"

// described is how a kind of proxy tells of the call: in these headers, and in no others (protocol.md §7). Proxies pass
// on what clients send in the headers of the other kind.
var described = map[string]struct{ method, uri string }{
	"nginx":   {"X-Original-Method", "X-Original-Uri"},
	"traefik": {"X-Forwarded-Method", "X-Forwarded-Uri"},
}

// envoyPrefix begins the rest of the address for Envoy, which asks with the call's own method and appends its own path.
const envoyPrefix = "envoy/"

// overrides are headers by which some frameworks take another method than that of the request line.
var overrides = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// methodParameter is the parameter that does the same.
const methodParameter = "_method"

// gatewayCall is the call that a proxy asks about.
type gatewayCall struct {
	api    string
	method string
	path   string // without the query
	query  string
	flaw   gatewayFlaw
}

// gatewayFlaw says why a call can be understood in more than one way.
type gatewayFlaw string

const (
	flawNone     gatewayFlaw = ""
	flawHeaders  gatewayFlaw = "headers"  // the proxy's headers are not there exactly once
	flawOverride gatewayFlaw = "override" // something else than the request line names a method
)

// readGatewayCall reads what a proxy asks about; ok is false for an address at which nobody asks. The address is taken as
// it came: whatever cleans paths would hide what the call's own path is.
func readGatewayCall(r *http.Request) (call gatewayCall, ok bool) {
	rest, ok := strings.CutPrefix(r.RequestURI, PathGateway)
	if !ok {
		return call, false
	}
	api, rest, _ := strings.Cut(rest, "/")
	call.api = api
	var uri string
	if names, is := described[rest]; is {
		method, uris := r.Header.Values(names.method), r.Header.Values(names.uri)
		if len(method) != 1 || len(uris) != 1 {
			call.flaw = flawHeaders
			return call, true
		}
		call.method, uri = method[0], uris[0]
	} else if after, is := strings.CutPrefix(rest, envoyPrefix); is {
		call.method, uri = r.Method, "/"+after
	} else {
		return call, false
	}
	call.path, call.query, _ = strings.Cut(uri, "?")
	if overridden(r.Header, call.query) {
		call.flaw = flawOverride
	}
	return call, true
}

// overridden reports whether a header or a parameter of the address names a method.
func overridden(h http.Header, query string) bool {
	if slices.ContainsFunc(overrides, func(name string) bool { return len(h.Values(name)) > 0 }) {
		return true
	}
	return names(query, func(name string) bool { return name == methodParameter })
}

// names reports whether a query names a parameter, in any case. It splits by hand, so that a query which does not parse
// hides nothing.
func names(query string, wanted func(lowerCase string) bool) bool {
	for pair := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == ';' }) {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if wanted(strings.ToLower(strings.TrimSpace(name))) {
			return true
		}
	}
	return false
}
