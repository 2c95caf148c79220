// Package templates holds every page and fragment as templ components, and the view models they are drawn from.
//
// A page is a function of one struct with plain fields (strings, numbers, times, slices); handlers in package web fill
// it. Nothing here reads a database, decides over a right or knows a domain type: what a person may not do is absent
// from the view model. Links and form targets are plain strings in it.
//
// Every text comes from i18n by key, so the context of a render must come from i18n.With and WithAssets. The content
// security policy forbids inline style, script text and on* attributes: templ's css and script blocks and
// templ.JSFuncCall are not used, state travels in data-* attributes and classes. The classes are those of
// static/app.css; what the script does with data-* attributes is listed at the top of static/app.js.
package templates
