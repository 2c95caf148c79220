package templates

import (
	"context"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// helpPath is the index of the help, which has a page for each task (ui.md §4.13).
const helpPath = "/help"

// HelpPath returns the address of a task's page, and that of the index for "".
func HelpPath(task string) string {
	if task == "" {
		return helpPath
	}
	return helpPath + "/" + task
}

// HelpIndex is the page /help.
type HelpIndex struct{ Frame Frame }

// Help is the page of a task. Task is one that IsHelpTask knows.
type Help struct {
	Frame    Frame
	Task     string
	TokenURL string // https://host/oauth2/token
}

// helpTask is the content of such a page, but for its words: those stand under help.TASK.… among the texts. Every page
// begins with help.TASK.need, the right that the task takes.
type helpTask struct {
	code  string
	place string     // code of the navigation link under which the task is done; "" when there is none
	parts []helpPart // in the order of the page
	see   []string   // other tasks
}

// helpPart is a part of a page. Exactly one of its fields is set.
type helpPart struct {
	text  string     // a paragraph, by the last part of its key
	head  string     // a heading in between
	steps int        // of an ordered list: step1, step2, …
	items int        // of a list: item1, item2, …
	pairs []helpPair // something to type, and what it does
	keys  []helpKey
}

type (
	helpPair struct{ code, text string }
	helpKey  struct{ first, second, text string }
)

// helpGroup is a heading of the index with its tasks.
type helpGroup struct {
	code  string
	tasks []helpTask
}

func helpGroups() []helpGroup {
	return []helpGroup{
		{"start", []helpTask{helpRegister(), helpScopes(), helpToken(), helpFailures(), helpEdit()}},
		{"secrets", []helpTask{helpRotate(), helpRestore(), helpLeaked(), helpHandOff()}},
		{"list", []helpTask{helpSearch(), helpViews(), helpBulk(), helpExport()}},
		{"keep", []helpTask{helpNotices(), helpUnused(), helpOff(), helpHistory()}},
		{"machines", []helpTask{helpRobots(), helpGroupsTask(), helpCatalogue(), helpAPI()}},
		{"other", []helpTask{helpLookup(), helpKeyboard()}},
	}
}

// HelpTasks returns the codes of all tasks, in the order of the index.
func HelpTasks() []string {
	var codes []string
	for _, g := range helpGroups() {
		for _, t := range g.tasks {
			codes = append(codes, t.code)
		}
	}
	return codes
}

// IsHelpTask reports whether there is a page for the task.
func IsHelpTask(code string) bool { return slices.Contains(HelpTasks(), code) }

func helpTaskOf(code string) helpTask {
	for _, g := range helpGroups() {
		for _, t := range g.tasks {
			if t.code == code {
				return t
			}
		}
	}
	return helpTask{code: code}
}

func helpRegister() helpTask {
	return helpTask{code: "register", place: "apps", parts: []helpPart{{steps: 5}, {text: "after"}}, see: []string{"scopes", "token", "handover"}}
}

func helpScopes() helpTask {
	return helpTask{code: "scopes", place: "scopes", parts: []helpPart{{steps: 3}, {text: "few"}, {text: "withheld"}}, see: []string{"register", "edit"}}
}

func helpToken() helpTask {
	return helpTask{code: "token", place: "apps", parts: []helpPart{{steps: 3}, {text: "life"}, {text: "errors"}}, see: []string{"failures", "scopes"}}
}

func helpFailures() helpTask {
	return helpTask{
		code: "failures", place: "apps",
		parts: []helpPart{{head: "test"}, {steps: 3}, {text: "kept"}, {head: "rejections"}, {text: "lines"}, {items: 6}, {text: "unknown"}},
		see:   []string{"token", "rotate", "off"},
	}
}

func helpEdit() helpTask {
	return helpTask{code: "edit", place: "apps", parts: []helpPart{{steps: 2}, {text: "scopes"}, {text: "clash"}, {text: "fixed"}}, see: []string{"scopes", "off", "history"}}
}

func helpRotate() helpTask {
	return helpTask{code: "rotate", place: "apps", parts: []helpPart{{steps: 4}, {text: "two"}, {text: "same"}}, see: []string{"restore", "leaked", "handover"}}
}

func helpRestore() helpTask {
	return helpTask{
		code: "restore", place: "apps",
		parts: []helpPart{{head: "extend"}, {text: "extend_text"}, {head: "restore"}, {text: "restore_text"}, {items: 4}},
		see:   []string{"rotate", "leaked"},
	}
}

func helpLeaked() helpTask {
	return helpTask{code: "leaked", place: "apps", parts: []helpPart{{steps: 3}, {text: "last"}, {text: "final"}}, see: []string{"rotate", "off"}}
}

func helpHandOff() helpTask {
	return helpTask{code: "handover", place: "apps", parts: []helpPart{{steps: 4}, {text: "rights"}, {text: "limits"}, {text: "reader"}}, see: []string{"register", "rotate"}}
}

func helpSearch() helpTask {
	return helpTask{
		code: "search", place: "apps",
		parts: []helpPart{
			{text: "text"},
			{pairs: []helpPair{
				{"exp", "beginning"},
				{`"spend export"`, "quoted"},
				{"supplier", "value"},
				{"2026-11-22", "day"},
				{"-export", "without"},
			}},
			{head: "keys_title"},
			{text: "keys"},
			{pairs: []helpPair{
				{"name:sap", "name"},
				{"id:CCWACME_7q2m", "id"},
				{"contact:ana", "contact"},
				{"by:silva", "by"},
				{"user:client", "user"},
				{"scope:core.invoice", "scope"},
				{"category:customer,msp", "category"},
				{"status:active", "status"},
				{"secret:expiring", "secret"},
				{"used:>90d", "used"},
				{"used:<30d", "used_lately"},
				{"used:never", "used_never"},
				{"created:2026-11-01..2026-11-22", "created"},
				{"created:<2026-11-01", "created_before"},
				{"modified:<2w", "modified"},
				{"-status:active", "not"},
			}},
			{text: "address"},
			{text: "secret_pasted"},
		},
		see: []string{"views", "bulk", "export"},
	}
}

func helpViews() helpTask {
	return helpTask{code: "views", place: "apps", parts: []helpPart{{steps: 3}, {text: "change"}, {text: "limits"}}, see: []string{"search", "export"}}
}

func helpBulk() helpTask {
	return helpTask{code: "bulk", place: "apps", parts: []helpPart{{steps: 4}, {text: "each"}, {text: "limits"}, {head: "mail"}, {text: "mail_text"}, {text: "mail_one"}}, see: []string{"search", "off", "notices"}}
}

func helpExport() helpTask {
	return helpTask{code: "export", place: "apps", parts: []helpPart{{steps: 2}, {text: "content"}, {text: "safe"}, {text: "print"}}, see: []string{"search", "views"}}
}

func helpNotices() helpTask {
	return helpTask{
		code: "notices", place: "apps",
		parts: []helpPart{{text: "text"}, {items: 5}, {text: "content"}, {head: "contact"}, {text: "asked"}, {text: "stale"}, {head: "nomail"}, {text: "kept"}},
		see:   []string{"rotate", "unused", "edit"},
	}
}

func helpUnused() helpTask {
	return helpTask{
		code: "unused", place: "apps",
		parts: []helpPart{{text: "counts"}, {steps: 3}, {head: "policy"}, {text: "policy_text"}, {text: "policy_off"}}, see: []string{"off", "notices"},
	}
}

func helpOff() helpTask {
	return helpTask{
		code: "off", place: "apps",
		parts: []helpPart{{head: "off"}, {text: "text"}, {text: "on"}, {head: "delete"}, {steps: 2}, {text: "gone"}}, see: []string{"unused", "bulk"},
	}
}

func helpHistory() helpTask {
	return helpTask{code: "history", place: "apps", parts: []helpPart{{text: "text"}, {text: "refused"}, {text: "quote"}}, see: []string{"edit", "failures"}}
}

func helpRobots() helpTask {
	return helpTask{code: "robots", place: "robots", parts: []helpPart{{steps: 4}, {text: "rights"}, {text: "delete"}}, see: []string{"groups", "api"}}
}

func helpGroupsTask() helpTask {
	return helpTask{code: "groups", place: "groups", parts: []helpPart{{steps: 3}, {text: "builtin"}, {text: "power"}}, see: []string{"robots"}}
}

func helpCatalogue() helpTask {
	return helpTask{code: "catalogue", place: "catalogue", parts: []helpPart{{items: 4}, {text: "own"}, {text: "counts"}}, see: []string{"scopes"}}
}

func helpAPI() helpTask {
	return helpTask{code: "api", place: "api", parts: []helpPart{{steps: 3}, {text: "secret"}, {text: "limits"}}, see: []string{"token", "robots"}}
}

func helpLookup() helpTask {
	return helpTask{code: "lookup", place: "lookup", parts: []helpPart{{steps: 3}, {text: "seen"}, {text: "limit"}}}
}

func helpKeyboard() helpTask {
	return helpTask{code: "keyboard", parts: []helpPart{
		{text: "text"},
		{keys: []helpKey{
			{"/", "", "search"},
			{"n", "", "new"},
			{"g", "h", "home"},
			{"g", "a", "apps"},
			{"g", "s", "scopes"},
			{"j", "", "next"},
			{"k", "", "previous"},
			{"Enter", "", "open"},
			{"?", "", "help"},
		}},
	}}
}

func (t helpTask) title(ctx context.Context) string { return i18n.T(ctx, "help."+t.code+".title") }

// rich is a sentence of the task. Rights, addresses and values may stand in any of them.
func (v Help) rich(ctx context.Context, part string) templ.Component {
	right := func(name string) templ.Component { return Name(RightPath(ctx, name)) }
	return Rich("help."+v.Task+"."+part,
		"View", right("apps.view"), "Manage", right("apps.manage"), "Support", right("support.lookup"),
		"Robots", right("robots.manage"), "Catalogue", right("catalogue.manage"), "Docs", right("docs.view"),
		"URL", Code(v.TokenURL), "Grant", Code("grant_type=client_credentials"),
		"InvalidClient", Code("invalid_client"), "InvalidScope", Code("invalid_scope"),
	)
}

// numbered are the keys of so many sentences.
func numbered(name string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = name + strconv.Itoa(i+1)
	}
	return keys
}

// placeOf is where in the portal the task is done, for whoever may go there.
func (v Help) placeOf(ctx context.Context) (navItem, bool) {
	code := helpTaskOf(v.Task).place
	for _, g := range v.Frame.navGroups(ctx) {
		for _, item := range g.items {
			if item.code == code {
				return item, true
			}
		}
	}
	return navItem{}, false
}
