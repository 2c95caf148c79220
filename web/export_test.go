package web

import "credenza.example/credenza/internal/access"

// Route is a line of the route table as tests see it. Right is empty where none is needed; Who is public, member or
// holder.
type Route struct {
	Method, Path, Name, Who string
	Right                   access.Right
}

// Routes returns the table of pages, so that a test of every route cannot forget one.
func Routes() []Route {
	words := map[whoKind]string{anybody: "public", signedIn: "member", holder: "holder"}
	var list []Route
	for _, r := range pages() {
		list = append(list, Route{r.method, r.path, r.name, words[r.who.kind], r.who.right})
	}
	return list
}
