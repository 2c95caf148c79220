package templates

import (
	"context"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// GroupsList is the page /groups.
type GroupsList struct {
	Frame   Frame
	NewHref string
	Rows    []GroupRow
	Ask     []string
}

// GroupRow is one group. Kind is built_in, local or provider; Rights are stable names.
type GroupRow struct {
	Href, Name, Kind string
	People, Robots   int
	Roles, Rights    []string
}

// GroupDetail is the page of one group. Tab is people, robots or rights.
type GroupDetail struct {
	Frame      Frame
	Row        GroupRow
	ID         string
	ModifiedAt time.Time
	Now        time.Time
	Tab        string
	TabHrefs   map[string]string
	Members    []GroupMember // of the tab
	Grants     []RightGrant
	Events     []RobotEvent
	MayManage  bool
	Action     string // where members are added and removed
	EditHref   string
	DeleteHref string // "" for built-in groups
	Weak       bool   // the group gives rights that the reader lacks
	Typed      string
	Errors     FieldErrors
}

// GroupMember is a person or a robot account. Href is "" where there is no page to show.
type GroupMember struct {
	ID, Name, Detail, Href string
	Off                    bool
}

// GroupForm makes a group or changes its name and roles. Fields it sends: name, role (repeated), version.
type GroupForm struct {
	Frame      Frame
	Edit       bool
	Action     string
	CancelHref string
	Was        string // Edit: the group's name
	Name       string
	Roles      []Option
	Typed      string // members, one a line; only of a new group
	Version    int64
	Errors     FieldErrors
}

func (f Frame) groupPage(ctx context.Context, title string, up ...Crumb) Page {
	section := i18n.T(ctx, "nav.groups")
	return Page{Frame: f, Title: title, Section: section, Crumbs: append([]Crumb{{Label: section, Href: groupsPath}}, up...)}
}

func (v GroupForm) title(ctx context.Context) string {
	if v.Edit {
		return i18n.T(ctx, "robots.edit.title", "Name", v.Was)
	}
	return i18n.T(ctx, "groups.new.title")
}

func (v GroupForm) page(ctx context.Context) Page {
	p := v.Frame.groupPage(ctx, v.title(ctx))
	if v.Edit {
		p.Crumbs = append(p.Crumbs, Crumb{Label: v.Was, Href: v.CancelHref})
	}
	p.Error = len(v.Errors) > 0
	return p
}

func (v GroupDetail) page(ctx context.Context) Page {
	p := v.Frame.groupPage(ctx, v.Row.Name)
	p.Error = len(v.Errors) > 0
	return p
}

func (v GroupDetail) tabs(ctx context.Context) []Tab {
	var tabs []Tab
	for _, code := range []string{"people", "robots", "rights"} {
		n := map[string]int{"people": v.Row.People, "robots": v.Row.Robots, "rights": len(v.Row.Rights)}[code]
		tabs = append(tabs, Tab{Label: i18n.T(ctx, "groups.tab."+code, "N", n), Href: v.TabHrefs[code], Current: code == v.Tab})
	}
	return tabs
}

func (v GroupDetail) items(ctx context.Context) []Item {
	return []Item{
		{Label: i18n.T(ctx, "robots.field.kind"), Value: i18n.T(ctx, "groups.kind."+v.Row.Kind)},
		{Label: i18n.T(ctx, "groups.field.roles"), Content: plainName(i18n.List(ctx, v.Row.Roles))},
		{Label: i18n.T(ctx, "groups.field.modified"), Content: TimeAgo(v.ModifiedAt, v.Now)},
	}
}

func (v GroupDetail) options(ctx context.Context) []Option {
	var options []Option
	for _, m := range v.Members {
		o := Option{Value: m.ID, Label: m.Name, Hint: m.Detail}
		if m.Off {
			o.Hint = i18n.T(ctx, "groups.member_off", "Detail", m.Detail)
		}
		options = append(options, o)
	}
	return options
}
