package templates

import (
	"context"
	"strings"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// The addresses of the lists; those below them come from package web.
const (
	robotsPath = "/robots"
	groupsPath = "/groups"
)

// RobotsList is the page /robots (ui.md §4.8).
type RobotsList struct {
	Frame   Frame
	NewHref string // "" for whoever may not make one
	Query   string
	Max     int // letters of a search
	Results RobotResults
}

// RobotResults is the part of /robots that live search swaps. Without rows and query the organisation has none.
type RobotResults struct {
	Query     string
	ClearHref string
	Rows      []RobotRow
	Pager     Pager
	NewHref   string
	Ask       []string // who may make one, for whoever may not
	Now       time.Time
}

// RobotRow is one account of the list. State is active, inactive or expired; Rights are stable names.
type RobotRow struct {
	Href, Name, DisplayName, State string
	Groups, Rights                 []string
	LastUsedAt, ExpiresAt          time.Time
}

// shownRights is how many rights a row names before it counts.
const shownRights = 3

func (r RobotRow) rights(ctx context.Context) string {
	var list []string
	for _, right := range r.Rights[:min(len(r.Rights), shownRights)] {
		path := RightPath(ctx, right)
		list = append(list, path[strings.LastIndex(path, ">")+1:])
	}
	return i18n.List(ctx, list)
}

func (r RobotRow) more() int { return max(len(r.Rights)-shownRights, 0) }

func (r RobotResults) countText(ctx context.Context) string {
	return i18n.T(ctx, "robots.count", "N", r.Pager.Total)
}

// RobotDetail is the page of one robot account.
type RobotDetail struct {
	Frame        Frame
	Row          RobotRow
	ID           string
	Kind         string
	CreatedAt    time.Time
	Now          time.Time
	Groups       []NamedLink
	Grants       []RightGrant
	Events       []RobotEvent
	ActsForApps  bool   // of a kind that apps act as
	AppsHref     string // the list of these apps
	EditHref     string
	ExtendHref   string
	ActivateHref string
	OffHref      string
	DeleteHref   string
}

// NamedLink is a thing with its page.
type NamedLink struct{ Name, Href string }

// RightGrant is an effective right with the roles that give it, of groups or held themselves (Group is empty).
type RightGrant struct {
	Right   string
	Sources []GrantSource
}

// GrantSource is one role that gives a right.
type GrantSource struct{ Role, Group, GroupHref string }

// RobotEvent is an entry of the history. Act is the stable name of the act, Result done or refused.
type RobotEvent struct {
	Act, Result, Who string
	At               time.Time
	Before, After    string
}

func robotState(ctx context.Context, state string) (kind, word string) {
	kind = KindNeu
	switch state {
	case "active":
		kind = KindOK
	case "expired":
		kind = KindBad
	}
	return kind, i18n.T(ctx, "robots.state."+state)
}

func (v RobotDetail) items(ctx context.Context) []Item {
	items := []Item{
		{Label: i18n.T(ctx, "robots.field.name"), Content: plainName(v.Row.Name)},
		{Label: i18n.T(ctx, "robots.field.display_name"), Content: plainName(v.Row.DisplayName)},
		{Label: i18n.T(ctx, "robots.field.kind"), Value: i18n.T(ctx, "robots.kind."+v.Kind)},
		{Label: i18n.T(ctx, "robots.field.created"), Content: TimeAgo(v.CreatedAt, v.Now)},
		{Label: i18n.T(ctx, "robots.field.expires"), Content: robotEnd(v.Row.ExpiresAt)},
	}
	last := Item{Label: i18n.T(ctx, "robots.field.last"), Value: i18n.T(ctx, "robots.never_used")}
	if happened(v.Row.LastUsedAt) {
		last.Content = TimeAgo(v.Row.LastUsedAt, v.Now)
	}
	return append(items, last)
}

// RobotForm makes a robot account or changes one. Fields it sends: name and kind (new), display_name, group (repeated), had
// (repeated: groups that were ticked when the form was drawn), expires_on (new), version.
type RobotForm struct {
	Frame       Frame
	Edit        bool
	Expired     bool // Edit: what is saved takes effect only once the account is extended
	Action      string
	CancelHref  string
	ExtendHref  string
	Name        string
	DisplayName string
	Kind        string
	Kinds       []string
	ExpiresOn   string
	Ceiling     int // days, 0 for none
	Min, Max    string
	Groups      []Option
	Had         []string
	Version     int64
	Errors      FieldErrors
	Request     APICall
	JSON        string
	RedrawHref  string
}

func (f Frame) robotPage(ctx context.Context, title string, up ...Crumb) Page {
	section := i18n.T(ctx, "nav.robots")
	return Page{Frame: f, Title: title, Section: section, Crumbs: append([]Crumb{{Label: section, Href: robotsPath}}, up...)}
}

func (v RobotForm) page(ctx context.Context) Page {
	p := v.Frame.robotPage(ctx, v.title(ctx))
	if v.Edit {
		p.Crumbs = append(p.Crumbs, Crumb{Label: v.Name, Href: v.CancelHref})
	}
	p.Error = len(v.Errors) > 0
	return p
}

func (v RobotForm) title(ctx context.Context) string {
	if v.Edit {
		return i18n.T(ctx, "robots.edit.title", "Name", v.Name)
	}
	return i18n.T(ctx, "robots.new.title")
}

func (v RobotForm) kinds(ctx context.Context) []Option {
	var options []Option
	for _, kind := range v.Kinds {
		options = append(options, Option{
			Value: kind, Label: i18n.T(ctx, "robots.kind."+kind), Hint: i18n.T(ctx, "robots.kind_hint."+kind), Selected: kind == v.Kind,
		})
	}
	return options
}

func (v RobotForm) expiryHint(ctx context.Context) string {
	if v.Ceiling > 0 {
		return i18n.T(ctx, "robots.expires.ceiling_hint", "N", v.Ceiling)
	}
	return i18n.T(ctx, "robots.expires.hint")
}

// RobotAsk asks before an act on a robot account or a group: activate, deactivate or delete. Of kind robot or group.
type RobotAsk struct {
	Frame      Frame
	Of         string
	Act        string
	Name       string
	Action     string
	CancelHref string
	Typed      string
	Losses     []RobotLoss
	Errors     FieldErrors
}

// RobotLoss is who loses which rights when a group is gone.
type RobotLoss struct {
	Name   string
	Robot  bool
	Rights []string
}

func (v RobotAsk) page(ctx context.Context) Page {
	section, href := i18n.T(ctx, "nav."+v.Of+"s"), "/"+v.Of+"s"
	return Page{
		Frame: v.Frame, Title: v.title(ctx), Section: section, Error: len(v.Errors) > 0,
		Crumbs: []Crumb{{Label: section, Href: href}, {Label: v.Name, Href: v.CancelHref}},
	}
}

func (v RobotAsk) title(ctx context.Context) string {
	return i18n.T(ctx, "robots.confirm."+v.Act+"_title", "Name", v.Name)
}

func (v RobotAsk) confirm(ctx context.Context) Confirm {
	kind := "danger"
	if v.Act == "activate" {
		kind = "primary"
	}
	return Confirm{
		Title: v.title(ctx), Text: []string{i18n.T(ctx, "robots.confirm."+v.Of+"_"+v.Act)}, Post: v.Action, Cancel: v.CancelHref,
		Errors: v.Errors, Button: Action{Label: v.title(ctx), Kind: kind},
	}
}

func rightWords(ctx context.Context, rights []string) string {
	words := make([]string, len(rights))
	for i, right := range rights {
		words[i] = RightPath(ctx, right)
	}
	return i18n.List(ctx, words)
}
