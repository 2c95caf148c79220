package templates

import (
	"context"
	"strconv"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// SignIn is the page /signin.
type SignIn struct {
	Frame   Frame
	Email   string // as typed; kept after a failure
	Next    string // path of this site to go to afterwards, sent on as the field next
	Problem string // why it failed; never says which part was wrong
	Notice  string // why one has to sign in again: "You were signed out at 14:05 …"
}

// Accept is the page /people/accept: a person sets the password by a one-time link. Link is the secret of the link and
// goes on as the field token.
type Accept struct {
	Frame        Frame
	Name, Email  string
	Organisation string
	Link         string
	MinLength    int       // of the password, in characters
	Until        time.Time // when the link ends; zero: not said
	Errors       FieldErrors
}

// Home is the page /.
type Home struct {
	Frame     Frame
	Name      string // of the signed-in person
	Find      string // where the Find box looks among one's own apps; "" leaves it out
	Lookup    *HomeLookup
	Steps     *HomeSteps
	Attention []HomeLine // at most seven, most serious first
	Checked   time.Time  // when Attention was computed; zero leaves an empty Attention out
	Counts    []HomeCount
	Recent    []HomeEvent // newest first; nil when the person may not see them
	Create    string      // href of the register page; "" leaves it out
	Scopes    string      // href of the scope catalogue, and of the API's description; "" leaves it out
	API       string
}

// HomeLookup is the Find box of support: it looks over all organisations, by POST to Action.
type HomeLookup struct {
	Action  string
	MinName int // letters of a name
}

// HomeSteps are the three steps of a new organisation, each with its done-mark. It is nil after the first token.
type HomeSteps struct {
	Registered, Copied, Called bool
	Register                   string // href of step one
	Copy                       string // href of steps two and three; "" until there is an app
}

// HomeLine is one thing that needs attention: a count with a link to the list. Code is one of expired, expiring, two,
// unused, stale and rejected.
type HomeLine struct {
	Code  string
	N     int
	More  bool  // than N
	Times int64 // rejected: how often in all
	Href  string
}

// HomeCount is one number that is a link. Code is one of active, inactive, two, expiring and unused.
type HomeCount struct {
	Code string
	N    int
	More bool // than N
	Href string
}

// HomeEvent is a recent change with a link to the thing it happened to; "" when that is gone.
type HomeEvent struct {
	AppEvent
	Href string
}

// Forbidden is the page of status 403: the rights of which one would do, and who can grant them. With Nothing set the
// person holds no right at all, and the page is the home of that person (status 200).
type Forbidden struct {
	Frame   Frame
	Rights  []string // names of rights, such as apps.view
	Holders []Holder // who can grant them
	Nothing bool
}

// Holder is a person to ask.
type Holder struct{ Name, Email string }

// Failure is the page of every other error. Status chooses title and advice; Text, when set, replaces the advice.
type Failure struct {
	Frame     Frame
	Status    int
	Text      string
	Reference string // request ID to quote; shown for 5xx
	Retry     string // GET address to try again; "" leaves the link out
}

// title is the heading of a failure.
func (f Failure) title(ctx context.Context) string {
	switch f.Status {
	case 404:
		return i18n.T(ctx, "error.404.title")
	case 405, 400, 415, 413:
		return i18n.T(ctx, "error.400.title")
	case 409:
		return i18n.T(ctx, "error.409.title")
	case 410:
		return i18n.T(ctx, "error.410.title")
	case 429:
		return i18n.T(ctx, "error.429.title")
	case 503:
		return i18n.T(ctx, "error.503.title")
	}
	if f.Status >= 500 {
		return i18n.T(ctx, "error.500.title")
	}
	return i18n.T(ctx, "error.400.title")
}

// advice says what the person can do about it.
func (f Failure) advice(ctx context.Context) string {
	switch {
	case f.Text != "":
		return f.Text
	case f.Status == 404:
		return i18n.T(ctx, "error.404.text")
	case f.Status == 409:
		return i18n.T(ctx, "error.409.text")
	case f.Status == 410:
		return i18n.T(ctx, "error.410.text")
	case f.Status == 429:
		return i18n.T(ctx, "error.429.text")
	case f.Status == 503:
		return i18n.T(ctx, "error.503.text")
	case f.Status >= 500:
		return i18n.T(ctx, "error.500.text")
	default:
		return i18n.T(ctx, "error.400.text")
	}
}

func (f Failure) code() string { return strconv.Itoa(f.Status) }

// RightPath is the full path of a right, as ui.md §4.11 and the help of S1 write it: "Integration toolkit > API consumer
// apps > View API client app". Unknown names stay as they are.
func RightPath(ctx context.Context, right string) string {
	switch right {
	case "apps.view":
		return i18n.T(ctx, "right.apps.view")
	case "apps.manage":
		return i18n.T(ctx, "right.apps.manage")
	case "apps.approve":
		return i18n.T(ctx, "right.apps.approve")
	case "docs.view":
		return i18n.T(ctx, "right.docs.view")
	case "connections.view":
		return i18n.T(ctx, "right.connections.view")
	case "connections.manage":
		return i18n.T(ctx, "right.connections.manage")
	case "robots.view":
		return i18n.T(ctx, "right.robots.view")
	case "robots.manage":
		return i18n.T(ctx, "right.robots.manage")
	case "people.manage":
		return i18n.T(ctx, "right.people.manage")
	case "roles.manage":
		return i18n.T(ctx, "right.roles.manage")
	case "policies.manage":
		return i18n.T(ctx, "right.policies.manage")
	case "audit.view":
		return i18n.T(ctx, "right.audit.view")
	default:
		return platformRightPath(ctx, right)
	}
}

func platformRightPath(ctx context.Context, right string) string {
	switch right {
	case "organisations.manage":
		return i18n.T(ctx, "right.organisations.manage")
	case "support.lookup":
		return i18n.T(ctx, "right.support.lookup")
	case "catalogue.manage":
		return i18n.T(ctx, "right.catalogue.manage")
	case "keys.manage":
		return i18n.T(ctx, "right.keys.manage")
	case "platform.audit":
		return i18n.T(ctx, "right.platform.audit")
	default:
		return right
	}
}

// kind and text of a line that needs attention.
func (l HomeLine) kind() string {
	switch l.known() {
	case "expired", "rejected":
		return KindBad
	case "expiring", "stale":
		return KindWarn
	case "two":
		return KindTwo
	default:
		return KindNeu
	}
}

func (l HomeLine) word(ctx context.Context) string {
	return i18n.T(ctx, "home.attention."+l.known()+"_word")
}

func (l HomeLine) text(ctx context.Context) string {
	key := "home.attention." + l.known()
	if l.More {
		key = "home.attention.many_" + l.known()
	}
	return i18n.T(ctx, key, "N", l.N, "Times", i18n.Number(ctx, l.Times))
}

// known is the code of a line that has a sentence.
func (l HomeLine) known() string {
	switch l.Code {
	case "expired", "expiring", "two", "stale", "rejected":
		return l.Code
	default:
		return "unused"
	}
}

func (c HomeCount) label(ctx context.Context) string {
	switch c.Code {
	case "active":
		return i18n.T(ctx, "home.count.active", "N", c.N)
	case "inactive":
		return i18n.T(ctx, "home.count.inactive", "N", c.N)
	case "two":
		return i18n.T(ctx, "home.count.two", "N", c.N)
	case "unused":
		return i18n.T(ctx, "home.count.unused", "N", c.N)
	default:
		return i18n.T(ctx, "home.count.expiring", "N", c.N)
	}
}

// number is how many, or that there are more.
func (c HomeCount) number(ctx context.Context) string {
	if c.More {
		return i18n.T(ctx, "home.count.more", "N", c.N)
	}
	return i18n.Number(ctx, int64(c.N))
}

func (f Forbidden) title(ctx context.Context) string {
	if f.Nothing {
		return i18n.T(ctx, "error.403.nothing_title")
	}
	return i18n.T(ctx, "error.403.title")
}

// mailRequest is a mail to somebody who can grant the rights, ready to be sent.
func mailRequest(ctx context.Context, address string, rights []string) string {
	paths := make([]string, len(rights))
	for i, right := range rights {
		paths[i] = RightPath(ctx, right)
	}
	return mailTo(address, i18n.T(ctx, "error.403.mail_subject"), i18n.T(ctx, "error.403.mail_body", "Rights", paths))
}
