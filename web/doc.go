// Package web is the product's face to HTTP: the route table, the middleware around it, one file of handlers per
// resource, and the two places where problems become pages or JSON (errors.go; the OAuth endpoints have their own in
// package oauth).
//
// A handler binds the request, calls one use case of a room and renders or redirects; rules, SQL and sentences live
// elsewhere. Which right a route takes stands in the route table (routes.go) and nowhere else; the use cases ask again.
// Package api beneath holds the JSON wire formats.
package web
