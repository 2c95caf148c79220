// Package web is the product's face to HTTP: the route table, the middleware around it, one file of handlers per
// resource, and the two places where problems become pages or JSON (errors.go; the OAuth endpoints have their own in
// package oauth).
//
// A handler binds the request, calls one use case of a room and renders or redirects; rules, SQL and sentences live
// elsewhere. Which right a route takes stands in the route table (routes.go) and nowhere else; the use cases ask again.
// Package api beneath holds the JSON wire formats.
//
// # Our own JSON APIs
//
// apis.go holds the table of what apps call with access tokens: the management API (management*.go) and whatever else
// serves an API of the catalogue. To add an address, add a line to the table of its API, which apis joins:
//
//	{http.MethodGet, "/api/v1/apps/:id", "api.app.show", key, anyOf, right, rate, (*Server).apiApp}
//
// key is the API in the catalogue, for which the token must have been made; anyOf are scopes of it, of which the token
// must hold one (403 with error_code E4030002 else); right is the one that the API user must hold (E4030001), and the
// room asks for it again. rate says how often an organisation may call the routes of its class; Deps.APIRates overrides
// the number by the class's name. New refuses a line that declares nobody. No cookie is ever read: an app has none, and
// what no cookie opens no other site can ask a browser to do.
//
// The handler gets an apiCall. actor is what rooms take: of kind app, with the rights of the app's API user and the
// scopes that are the app's now, which is what it may pass on (protocol.md §6). read reads a JSON body into a wire struct
// of package api, strictly; json answers with one. A member that may be left out or null is an api.Optional. Errors
// are returned: a problem of a room becomes an RFC 9457 document with the status of its code, 400 where a form would say
// 422, its fields under errors by the names that the room gives them (renamed by the handler where the wire's differ).
package web
