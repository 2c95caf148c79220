package web

import (
	"net"
	"net/http"
	"time"

	"credenza.example/credenza/internal/access"
)

// Route is a line of the route table as tests see it. Right is empty where none is needed; Who is public, member or
// holder; Or is another right that will do.
type Route struct {
	Method, Path, Name, Who string
	Right, Or               access.Right
}

// Routes returns the table of pages, so that a test of every route cannot forget one.
func Routes() []Route {
	words := map[whoKind]string{anybody: "public", signedIn: "member", holder: "holder"}
	var list []Route
	for _, r := range pages() {
		list = append(list, Route{r.method, r.path, r.name, words[r.who.kind], r.who.right, r.who.or})
	}
	return list
}

// APIRoute is a line of the table of our own JSON APIs.
type APIRoute struct {
	Method, Path, Name, API string
	AnyOf                   []string
	Right                   access.Right
}

// APIRoutes returns that table.
func APIRoutes() []APIRoute {
	var list []APIRoute
	for _, r := range apis() {
		list = append(list, APIRoute{r.method, r.path, r.name, r.api, r.anyOf, r.right})
	}
	return list
}

// Rates reports whether the numbers of calls, by class, can be had.
func Rates(most map[string]int) error {
	_, err := newRates(apis(), most, time.Now)
	return err
}

// FormPage returns the path of the page of a form that is posted to a path of a route.
func FormPage(r Route, path string) (page string, keeps bool) {
	return route{path: r.Path}.formPage(path)
}

// Machine is a line of the table of what programs call. Methods is empty where all are taken; Who is public, client or
// token.
type Machine struct {
	Methods         []string
	Path, Name, Who string
}

// Machines returns that table.
func Machines(s *Server) []Machine {
	words := map[whoKind]string{anybody: "public", client: "client", token: "token"}
	var list []Machine
	for _, m := range s.machines() {
		list = append(list, Machine{m.methods, m.path, m.name, words[m.who.kind]})
	}
	return list
}

// Mounted returns what the server really answers, as "METHOD path".
func Mounted(s *Server) []string {
	var list []string
	for _, r := range s.echo.Routes() {
		list = append(list, r.Method+" "+r.Path)
	}
	return list
}

// MountPage mounts a page that declares only what is given, to see that New would refuse it.
func MountPage(s *Server, path string) error {
	return s.mountPages([]route{{method: http.MethodGet, path: path, name: "test"}})
}

// MountMachine does the same among what programs call.
func MountMachine(s *Server, path string) error {
	return s.mountMachines([]machine{{path: path, name: "test"}})
}

// Gate are the limits of a listener: of newcomers, how long they count, of connections, and after what time those give
// way that are silent or slow.
type Gate struct {
	Newcomers    int
	NewcomerTime time.Duration
	Connections  int
	Silent, Slow time.Duration
	Crowded      bool // requests wait for their turn
}

// ServeGated is Serve with other limits and no turns.
func ServeGated(s *http.Server, l net.Listener, limits Gate) error {
	g := newGate(l, gateLimits{
		limits.Newcomers, limits.NewcomerTime, limits.Connections, limits.Silent, limits.Slow,
	}, func() bool { return limits.Crowded })
	s.ConnState = g.heard
	return s.Serve(g)
}

// Turns is a handler behind turns, with how many requests wait.
func Turns(room int, age, patience time.Duration, next http.Handler) (handler http.Handler, waiting func() int) {
	t := newTurns(room, age, patience)
	return t.wrap(next), t.waitingNow
}

// HelpOf is which help belongs to a route.
func HelpOf(route string) string { return helpOf(route) }
