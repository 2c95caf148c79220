// Package scope owns the catalogue: which APIs there are, which objects and calls they have, and which scopes open each
// call (product.md decisions 8, 9, 23; §2, §4.2). It also owns the algebra of scope strings, type Set (RFC 6749 §3.3).
//
// The catalogue is the file catalogue.yaml, embedded and checked as a whole when it is loaded; docs/catalogue.md says
// how it is made and changed. A loaded Catalogue never changes and is safe for use by many at once. What its methods
// return shares memory with it: callers read it, never write to it. A Shelf holds the catalogue of now: what is built in
// with what administrators mapped and added, some of it seen by one organisation only. FromOpenAPI makes a draft of an
// API to add.
//
// Match says which published call a request is, and so which scopes open it (protocol.md §7). It is strict and runs on
// every call check. Search is for people: lenient, and never a reason to let a call through.
//
// Elsewhere: which right lets a person give a scope to an app is access.GrantRight; which scopes an app holds is
// package registry; what goes into a token, and the call check with its proxies and tokens, is package oauth.
package scope
