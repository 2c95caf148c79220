package scope

import (
	"slices"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
)

// Kind says what a scope lets its holder do, as a word for people. It is written in the catalogue, never read off the
// scope's name or the call's method.
type Kind string

// The kinds. Special is what no plain word covers: bypassing an approval, introspection, handing out tokens, signing in.
const (
	KindRead    Kind = "read"
	KindWrite   Kind = "write"
	KindDelete  Kind = "delete"
	KindSpecial Kind = "special"
)

// Access says whether a call changes anything. It is written in the catalogue: POST /candidates/search is a read.
type Access string

// The two sorts of calls.
const (
	AccessRead  Access = "read"
	AccessWrite Access = "write"
)

// Withheld is the reason why a scope is never given to an app; "" when it may be given.
type Withheld string

// The reasons. Sign-in scopes belong to Coupa connections (product.md decision 9). A scope of one of the portal's own
// APIs whose calls are not served opens nothing today, and must not open something by itself the day they are.
const (
	WithheldSignIn    Withheld = "sign_in"
	WithheldNotServed Withheld = "not_served"
)

// SourceKind says how far a source can be relied on.
type SourceKind string

// The kinds of sources.
const (
	SourceHelpPage  SourceKind = "help page" // stated by the system's own help page
	SourcePublic    SourceKind = "public"    // found in other public documentation
	SourceInference SourceKind = "inference" // a reading of ours
	SourceOurs      SourceKind = "ours"      // defined by this product
)

// Source is where rows of the catalogue come from.
type Source struct {
	Key  string     `yaml:"key"`
	Kind SourceKind `yaml:"kind"`
	Text string     `yaml:"text"`
}

// API is one API that tokens are made for. A token is for exactly one (protocol.md §1.1).
type API struct {
	Key      string `yaml:"key"`   // stable, lower case; the last part of the default audience
	Title    string `yaml:"title"` // a proper name, never translated
	BasePath string `yaml:"base_path"`
	TokenURL string `yaml:"token_url"` // as documented by the vendor, with {…} to fill in; "" when none is
	// TokenLifetime is how long tokens for this API live here. DocumentedLifetime is what the vendor's own token
	// server gives, for display only; 0 when not documented.
	TokenLifetime      time.Duration `yaml:"token_lifetime"`
	DocumentedLifetime time.Duration `yaml:"documented_lifetime"`
	Own                bool          `yaml:"own"` // the portal serves it: never an app's default API
	Origin             string        `yaml:"origin"`
	Mandatory          Mandatory     `yaml:"mandatory"`
	// Organisation is whose own API this is; "" for one that every organisation may use. Added says that an administrator
	// added it here.
	Organisation access.OrganisationID `yaml:"-"`
	Added        bool                  `yaml:"-"`
	Objects      []Object              `yaml:"objects"`
	Families     []Family              `yaml:"families"`
}

// Scopes returns the names of the API's scopes in the catalogue's order.
func (a API) Scopes() []string {
	var names []string
	for _, f := range a.Families {
		for _, s := range f.Scopes {
			names = append(names, s.Name)
		}
	}
	return names
}

// Mandatory holds the scopes that connections to an API always ask for, in the source's order. They are locked on for
// connections and mean nothing for apps (product.md decision 9).
type Mandatory struct {
	Source      string   `yaml:"source"`
	Connections []string `yaml:"connections"`
}

// Object is one resource of an API as its source names it.
type Object struct {
	Name     string   `yaml:"name"`
	API      string   `yaml:"-"` // key of its API
	Source   string   `yaml:"source"`
	Unserved bool     `yaml:"unserved"` // documented, but the portal, whose API this is, does not serve it
	Printed  Printed  `yaml:"printed"`
	Scopes   []string `yaml:"scopes"` // empty: no scope published, its calls are denied (product.md decision 8)
	Note     string   `yaml:"note"`
	Differs  string   `yaml:"differs"` // what other public pages say instead
	Calls    []Call   `yaml:"calls"`
}

// Unpublished reports whether no scope is published for the object: no app can reach it until a platform administrator
// maps it.
func (o Object) Unpublished() bool { return len(o.Scopes) == 0 }

// PrintedOtherwise reports whether the source's row says something else than the object's calls and scopes do: a slip
// that was corrected, or a scope that is missing or too much. Missing spaces after a method are no difference.
func (o Object) PrintedOtherwise() bool {
	if o.Printed.Source == "" {
		return false
	}
	var calls []string
	opened := make(map[string]bool)
	for _, call := range o.Calls {
		if call.Matches() {
			calls = append(calls, call.Method+call.Path)
		}
		for _, name := range call.AnyOf {
			opened[name] = true
		}
	}
	printed := o.Printed.Calls
	for _, method := range Methods() {
		printed = strings.ReplaceAll(printed, method+" /", method+"/")
	}
	useless := slices.ContainsFunc(o.Printed.Scopes, func(name string) bool { return !opened[name] })
	return printed != strings.Join(calls, " ") || len(o.Printed.Scopes) == 0 || useless
}

// Printed is a source's row exactly as printed, slips included, to be shown beside what is true (product.md decision
// 23). It is zero when no row was printed.
type Printed struct {
	Source string   `yaml:"source"`
	Calls  string   `yaml:"calls"`
	Scopes []string `yaml:"scopes"`
}

// Call is one method and path template of an object.
type Call struct {
	Method        string   `yaml:"method"`
	Path          string   `yaml:"path"` // below the API's base path; parameters as {name}, {name:int}, {name:uuid}
	Access        Access   `yaml:"access"`
	AnyOf         []string `yaml:"any_of"`     // a token with one of them may call; empty: nobody may
	Suggested     []string `yaml:"suggested"`  // what public pages hint at where AnyOf is empty; opens nothing
	ShownOnly     bool     `yaml:"shown_only"` // a slip of the source, kept to be seen
	Success       int      `yaml:"success"`    // documented status of success; 0 when not documented
	Source        string   `yaml:"source"`     // of the call; "" means the object's source
	ScopesFrom    string   `yaml:"scopes_from"`
	PrintedScopes []string `yaml:"printed_scopes"`
	Note          string   `yaml:"note"`
	Mapped        bool     `yaml:"-"` // an administrator added the call here, or says which scopes open it
}

// Matches reports whether requests are ever matched to this call; rows kept only to show a source's slip are not.
func (c Call) Matches() bool { return !c.ShownOnly }

// OpenTo reports whether a token with these scopes may make the call: any one of AnyOf will do (product.md decision 10).
// A call for which no scope is published is open to nobody.
func (c Call) OpenTo(held Set) bool { return slices.ContainsFunc(c.AnyOf, held.Has) }

// String returns method and path template, as in "GET /invoices/{id}".
func (c Call) String() string { return c.Method + " " + c.Path }

// Family is a set of scopes with a common stem, such as core.invoice: one row of the registration form.
type Family struct {
	Name     string   `yaml:"name"`
	Withheld Withheld `yaml:"withheld"`
	Scopes   []Scope  `yaml:"scopes"` // read first, then write, delete, special
}

// Permission names what a scope opens by the names of the vendor's own permission list: a resource and its actions.
type Permission struct {
	Resource string   `yaml:"resource"`
	Actions  []string `yaml:"actions"`
}

// Opened is a call together with where it stands.
type Opened struct {
	API    string // key
	Object string // name
	Call   Call
}

// Scope is one scope. It belongs to exactly one API.
type Scope struct {
	Name        string       `yaml:"name"`
	API         string       `yaml:"-"` // key of its API
	Family      string       `yaml:"-"` // name of its family
	Withheld    Withheld     `yaml:"-"` // its family's
	Kind        Kind         `yaml:"kind"`
	CoversRead  bool         `yaml:"covers_read"`  // a writing scope that opens reading too
	Twin        string       `yaml:"-"`            // the read scope of its family; "" when none is needed or known
	AlsoSpelled []string     `yaml:"also_spelled"` // spellings seen in print; found by Search, accepted nowhere
	Source      string       `yaml:"source"`
	EmptyAsOf   string       `yaml:"empty_as_of"` // the vendor's release in which the scope had no permission behind it
	Permissions []Permission `yaml:"permissions"`
	Note        string       `yaml:"note"`
	Objects     []string     `yaml:"-"` // names of the objects that list it, in the catalogue's order
	Opens       []Opened     `yaml:"-"` // the calls it opens; empty when none is published
}

// Grantable reports whether the scope may be given to an app at all. Who may give it is access.Actor.MayGrant.
func (s Scope) Grantable() bool { return s.Withheld == "" }

// Catalogue is a checked catalogue. It never changes.
type Catalogue struct {
	sources  map[string]Source
	ordered  []Source
	apis     []API
	byKey    map[string]int
	scopes   []Scope // in the catalogue's order
	byName   map[string]int
	spelling map[string]string // printed spelling → scope
	groups   [][]Group         // by API
	index    index             // of the calls that requests are matched to
	private  bool              // some API is an organisation's own
}

// APIs returns all APIs in the catalogue's order.
func (c *Catalogue) APIs() []API { return slices.Clone(c.apis) }

// API returns the API with this key.
func (c *Catalogue) API(key string) (API, bool) {
	i, ok := c.byKey[key]
	if !ok {
		return API{}, false
	}
	return c.apis[i], true
}

// Scopes returns all scopes in the catalogue's order: by API, then by family.
func (c *Catalogue) Scopes() []Scope { return slices.Clone(c.scopes) }

// Scope returns the scope with exactly this name.
func (c *Catalogue) Scope(name string) (Scope, bool) {
	i, ok := c.byName[name]
	if !ok {
		return Scope{}, false
	}
	return c.scopes[i], true
}

// Known reports whether the catalogue has a scope with exactly this name. A spelling seen in print is not known.
func (c *Catalogue) Known(name string) bool {
	_, ok := c.byName[name]
	return ok
}

// Unknown returns those of the names that the catalogue does not have, in the order given.
func (c *Catalogue) Unknown(names []string) []string {
	var unknown []string
	for _, n := range names {
		if !c.Known(n) {
			unknown = append(unknown, n)
		}
	}
	return unknown
}

// APIOf returns the key of the API that the scope belongs to.
func (c *Catalogue) APIOf(name string) (string, bool) {
	s, ok := c.Scope(name)
	return s.API, ok
}

// APIsOf returns the keys of the APIs that the scopes belong to, each once, sorted. Unknown scopes belong to none: who
// needs all of them known asks Unknown first.
func (c *Catalogue) APIsOf(names []string) []string {
	var keys []string
	for _, n := range names {
		if key, ok := c.APIOf(n); ok && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Spelled returns the scope that a misprinted name stands for, to say "did you mean" with. It is no reason to accept it.
func (c *Catalogue) Spelled(printed string) (string, bool) {
	name, ok := c.spelling[printed]
	return name, ok
}

// Source returns the source with this key.
func (c *Catalogue) Source(key string) (Source, bool) {
	s, ok := c.sources[key]
	return s, ok
}

// Sources returns all sources in the catalogue's order.
func (c *Catalogue) Sources() []Source { return slices.Clone(c.ordered) }

// MissingTwins returns the chosen writing and deleting scopes whose read twin is not chosen, in the order given: most
// programs that write also have to read. A scope of the same family that covers reading counts as the twin.
func (c *Catalogue) MissingTwins(chosen []string) []Scope {
	reads := make(map[string]bool) // family → reading is covered
	for _, n := range chosen {
		if s, ok := c.Scope(n); ok && (s.Kind == KindRead || s.CoversRead) {
			reads[s.API+" "+s.Family] = true
		}
	}
	var missing []Scope
	for _, n := range chosen {
		if s, ok := c.Scope(n); ok && s.Twin != "" && !reads[s.API+" "+s.Family] {
			missing = append(missing, s)
		}
	}
	return missing
}
