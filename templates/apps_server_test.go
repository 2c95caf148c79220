package templates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"credenza.example/credenza/templates"
)

const spendAPI = "Coupa Core API"

// serverDetail is the page of a resource server.
func serverDetail() templates.AppDetail {
	v := sampleDetail()
	v.Head.Introspects, v.Head.Category, v.IntrospectURL = spendAPI, "partner", "http://127.0.0.1:8080/oauth2/introspect"
	v.APIUser, v.APIUserKind, v.APIUserLive, v.Type, v.Scopes, v.DefaultAPI = "", "", false, "m2m", nil, ""
	v.Try.IntrospectURL = v.IntrospectURL
	v.ActivateHref = sampleApp + "/activate"
	for _, code := range []string{"expired", "expiring", "two", "no_secret", "inactive"} {
		v.Notices = append(v.Notices, templates.AppNotice{Code: code, Hint: "9fK2", At: at(22, 13, 5), Introspects: spendAPI})
	}
	return v
}

// serverPages are all pages of a resource server.
func serverPages() map[string]templ.Component {
	edit, fresh := sampleForm(), sampleForm()
	edit.Edit, edit.Introspects = true, spendAPI
	fresh.Kinds = templates.AppKinds{
		Offered: true, Kind: "resource_server", API: "ccw",
		APIs: []templates.AppAPI{{Key: "coupa-core", Title: spendAPI}, {Key: "ccw", Title: "CCW API"}},
	}
	reveal, rotate, grid := sampleReveal(), sampleRotate(1), sampleGrid(1)
	reveal.Try.IntrospectURL = "http://127.0.0.1:8080/oauth2/introspect"
	rotate.Introspects = spendAPI
	grid.Results.Rows[0].Introspects = spendAPI
	pages := map[string]templ.Component{
		"detail": templates.AppDetailPage(serverDetail()), "edit": templates.AppFormPage(edit), "new": templates.AppFormPage(fresh),
		"reveal": templates.AppRevealPage(reveal), "rotate": templates.AppRotatePage(rotate), "grid": templates.AppsPage(grid),
	}
	for _, act := range []string{"activate", "deactivate", "delete", "retire"} {
		v := sampleConfirm(act)
		v.Introspects = spendAPI
		pages[act] = templates.AppConfirmPage(v)
		v.EndsAt = time.Time{}
		pages[act+", without end"] = templates.AppConfirmPage(v)
	}
	refused := sampleConfirm("retire")
	refused.Introspects, refused.Refusal = spendAPI, "last_secret"
	pages["refused"] = templates.AppConfirmPage(refused)
	active := sampleConfirm("delete")
	active.Introspects, active.Refusal = spendAPI, "active"
	pages["refused, active"] = templates.AppConfirmPage(active)
	history := sampleHistory()
	history.Head.Introspects = spendAPI
	pages["history"] = templates.AppHistoryPage(history)
	return pages
}

// No page says of an API what only an app that calls APIs does: it gets no tokens and has none to lose.
func TestPagesOfAResourceServer(t *testing.T) {
	for name, page := range serverPages() {
		t.Run(name, func(t *testing.T) {
			checkPage(t, page)
			main := renderDoc(t, page).Find("main")
			main.Find(".crumbs").Remove() // the list is of apps
			text := words(main)
			if strings.Contains(text, "_server") || strings.Contains(text, "apps.") {
				t.Errorf("a text is missing: %s", text)
			}
			if name == "grid" {
				return
			}
			for _, wrong := range []string{"this app", "will do", "Application name", "consumer app", "Create app", "the app."} {
				if strings.Contains(text, wrong) {
					t.Errorf("it says %q", wrong)
				}
			}
			if name == "new" {
				return
			}
			for _, wrong := range []string{
				"gets no tokens", "gets tokens", " the app ", "The app ", "An app ", "those it holds", "Tokens issued before", "tokens it bought", "Acts as", "API user",
			} {
				if strings.Contains(text, wrong) {
					t.Errorf("it says %q", wrong)
				}
			}
		})
	}
}

func TestDetailOfAResourceServer(t *testing.T) {
	doc := renderDoc(t, templates.AppDetailPage(serverDetail()))
	if got := words(doc.Find(".page-head .muted")); got != "Introspects tokens of "+spendAPI {
		t.Errorf("the head says %q", got)
	}
	if doc.Find("#token-url, #scopes, #try-token, #try-self").Length() > 0 || doc.Find("#introspect-url, #introspects, #try-introspect").Length() != 3 {
		t.Error("it shows what a caller has, or lacks what it has itself")
	}
	command := doc.Find("#try-introspect").Text()
	want := "printf 'user = \"%s:%s\"\\ndata-urlencode = \"token=%s\"\\n' \\\n    " + sampleID +
		" \\\n    \"$CCW_SECRET\" \"$CCW_TOKEN\" |\n  curl -sS -K - http://127.0.0.1:8080/oauth2/introspect"
	if strings.TrimSpace(command) != want {
		t.Errorf("the command is\n%s\nwant\n%s", command, want)
	}
}

// Parts that one kind alone is asked for are marked, so that the style sheet hides them while the other is chosen; those
// who may not choose get the form of callers as it was.
func TestFormOffersKinds(t *testing.T) {
	plain := renderDoc(t, templates.AppFormPage(sampleForm()))
	if plain.Find("[name=kind], [name=resource_api], .if-server").Length() > 0 {
		t.Error("the kind is offered to everybody")
	}
	doc := renderDoc(t, serverPages()["new"])
	if got := doc.Find("[name=kind][checked]").AttrOr("value", ""); got != "resource_server" {
		t.Errorf("chosen: %q", got)
	}
	if got := doc.Find("[name=resource_api] option[selected]").AttrOr("value", ""); got != "ccw" {
		t.Errorf("API: %q", got)
	}
	for _, field := range []string{"category", "type", "api_user", "scope"} {
		if doc.Find("[name="+field+"]").Length() == 0 || doc.Find("[name="+field+"]").Length() != doc.Find(".if-caller [name="+field+"]").Length() {
			t.Errorf("%s is not marked", field)
		}
	}
	if doc.Find(".if-server [name=resource_api]").Length() != 1 || doc.Find(".if-caller [name=name], .if-caller [name=active]").Length() > 0 {
		t.Error("what both are asked for is hidden, or the API is not")
	}
}
