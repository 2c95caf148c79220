package scope

import "strings"

// Match returns the published call that a request is: the one whose template, below the API's base path, the path fits
// to the letter (protocol.md §7, product.md decision 8). A parameter stands for 1 to 64 letters, digits, "_" and "-", or
// for a number or a UUID in their one spelling; where a literal fits too, the literal is meant. Methods are case-exact;
// HEAD is matched as GET.
//
// Without a match nothing is published for the request and it is denied: the API or the method is unknown, the path is
// no call's, or it is one that proxies and servers may read differently: with "%", "\", ";", "//", a "." or ".."
// segment, a slash or dot at its end, or a byte outside 0x21 to 0x7E. So what matches is in its canonical form. With a
// match, Call.OpenTo says whether the scopes of a token will do. A header or parameter that overrides the method is for
// the caller to refuse, and the query for it to cut off, or MatchURI. A match allocates nothing.
func (c *Catalogue) Match(api, method, path string) (Opened, bool) {
	if method == "HEAD" {
		method = "GET"
	}
	root := c.index[indexKey{api, method}]
	if root == nil || !unequivocal(path) {
		return Opened{}, false
	}
	if found := root.find(path[1:]); found != nil {
		return *found, true
	}
	return Opened{}, false
}

// MatchURI is Match for what stands in a request line: a path with, perhaps, a query from its first "?" on, which is
// cut off first. An absolute address is no path.
func (c *Catalogue) MatchURI(api, method, uri string) (Opened, bool) {
	path, _, _ := strings.Cut(uri, "?")
	return c.Match(api, method, path)
}

// unequivocal reports whether a path means the same to everybody who reads it. Most of this the alphabet of templates
// says already; it is asked first so that no template, whatever the catalogue comes to hold, can let such a path in.
func unequivocal(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	begin := 1 // of the segment
	for i := 1; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if segment := path[begin:i]; segment == "" || segment[len(segment)-1] == '.' && (i == len(path) || isDots(segment)) {
				return false
			}
			begin = i + 1
			continue
		}
		if c := path[i]; c < 0x21 || c > 0x7e || c == '%' || c == '\\' || c == ';' {
			return false
		}
	}
	return true
}

func isDots(segment string) bool { return segment == "." || segment == ".." }

// index finds calls by API and method.
type index map[indexKey]*node

type indexKey struct{ api, method string }

// node is a place in a tree of templates: what has been read of a path leads to it.
type node struct {
	literals   map[string]*node
	parameters [parameterKinds]*node
	call       *Opened // of the template that ends here
}

// newIndex enters every call that is served and not shown only. No two are rivals (validation), so that of several
// templates that match a path, the one that takes the literal first is meant.
func newIndex(apis []API) index {
	ix := make(index)
	for _, api := range apis {
		for _, object := range api.Objects {
			for _, call := range object.Calls {
				t, err := parseTemplate(api.BasePath + call.Path)
				if err != nil || object.Unserved || !call.Matches() {
					continue
				}
				key := indexKey{api.Key, call.Method}
				if ix[key] == nil {
					ix[key] = &node{}
				}
				ix[key].enter(t, &Opened{API: api.Key, Object: object.Name, Call: call})
			}
		}
	}
	return ix
}

// enter puts a call at the end of its template.
func (n *node) enter(t template, call *Opened) {
	for _, s := range t {
		n = n.next(s)
	}
	n.call = call
}

// next returns the place behind a segment and makes it when it is not there.
func (n *node) next(s segment) *node {
	if s.parameter {
		if n.parameters[s.kind] == nil {
			n.parameters[s.kind] = &node{}
		}
		return n.parameters[s.kind]
	}
	if n.literals == nil {
		n.literals = make(map[string]*node)
	}
	if n.literals[s.text] == nil {
		n.literals[s.text] = &node{}
	}
	return n.literals[s.text]
}

// find returns the call that the rest of a path leads to, nil when there is none. It goes no deeper than the longest
// template, however long the path.
func (n *node) find(rest string) *Opened {
	part, rest, more := strings.Cut(rest, "/")
	if next := n.literals[part]; next != nil {
		if found := next.end(rest, more); found != nil {
			return found
		}
	}
	for kind, next := range n.parameters {
		if next == nil || !parameter(kind).takes(part) {
			continue
		}
		if found := next.end(rest, more); found != nil {
			return found
		}
	}
	return nil
}

func (n *node) end(rest string, more bool) *Opened {
	if more {
		return n.find(rest)
	}
	return n.call
}
