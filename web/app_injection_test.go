package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
)

// scripts is a corpus of texts that become scripts where one context of HTML is taken for another.
var scripts = []string{
	`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`,
	`"><svg onload=alert(1)>`, `'><img src=x onerror=alert(1)>`, `" onmouseover="alert(1)`, `' onfocus='alert(1)' autofocus='`,
	`" autofocus onfocus=alert(1) x="`, "` onerror=alert(1) `", `javascript:alert(1)`, `JaVaScRiPt:alert(1)`, `java&#115;cript:alert(1)`,
	`data:text/html,<script>alert(1)</script>`, `vbscript:msgbox(1)`, `<a href="javascript:alert(1)">x</a>`, `<iframe src=//e.example>`,
	`<object data=x>`, `<embed src=x>`, `<base href=//e.example>`, `<meta http-equiv=refresh content=0>`, `<link rel=stylesheet href=//e.example>`,
	`<style>*{x:expression(1)}</style>`, `<math><mtext></p><script>alert(1)</script>`, `<details open ontoggle=alert(1)>`,
	`<form action=//e.example><input type=submit>`, `<input autofocus onfocus=alert(1)>`, `<button formaction=javascript:alert(1)>x`,
	`<textarea autofocus onfocus=alert(1)>`, `</textarea><script>alert(1)</script>`, `</title><script>alert(1)</script>`,
	`</option></select><img src=x onerror=alert(1)>`, `<!--<script>alert(1)</script>-->`, `--><img src=x onerror=alert(1)>`,
	`<![CDATA[<script>alert(1)</script>]]>`, `<x onclick=alert(1)>click`, `<video><source onerror=alert(1)>`, `<marquee onstart=alert(1)>`,
	`<template><script>alert(1)</script></template>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`{{constructor.constructor('alert(1)')()}}`, `${alert(1)}`, `<%= 7*7 %>`, `{{.Secret}}`, `{{ 7*7 }}`, `&lt;script&gt;alert(1)&lt;/script&gt;`,
	`&#60;script&#62;alert(1)&#60;/script&#62;`, `%3Cscript%3Ealert(1)%3C/script%3E`, `\u003cscript\u003ealert(1)`, `\x3cscript\x3ealert(1)`,
	`＜script＞alert(1)＜/script＞`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<IMG """><SCRIPT>alert(1)</SCRIPT>">`,
	`" style="background:url(//e.example)`, `<p style=x:expression(1)>`, `" data-reveal="//e.example" data-secret="`, `" data-dialog href="//e.example`,
	`//e.example/x`, `\\e.example\x`, `@import '//e.example'`, `url(javascript:alert(1))`, `';alert(1)//`, `";alert(1)//`,
}

var handler = regexp.MustCompile(`^on`)

// inert fails when a page has what only a hostile text could have put there.
func inert(t *testing.T, a *page) {
	t.Helper()
	a.Find("*").Each(func(_ int, s *selection) {
		for _, attribute := range s.Nodes[0].Attr {
			switch name := strings.ToLower(attribute.Key); {
			case handler.MatchString(name), name == "style", name == "srcdoc":
				t.Errorf("%s has an attribute %s", a.path, attribute.Key)
			case name == "href" || name == "src" || name == "action" || name == "formaction":
				to, err := url.Parse(attribute.Val)
				if err != nil || to.Host != "" || (to.Scheme != "" && to.Scheme != "mailto") {
					t.Errorf("%s leads to %q", a.path, attribute.Val)
				}
			}
		}
	})
	if n := a.Find("script").Length(); n > 1 {
		t.Errorf("%s has %d scripts", a.path, n)
	}
}

// shape is how many elements of each kind a page has: the same for harmless and for hostile texts.
func shape(a *page) map[string]int {
	count := map[string]int{}
	a.Find("*").Each(func(_ int, s *selection) { count[s.Nodes[0].Data]++ })
	return count
}

// cut is a text that fits a field of n characters.
func cut(text string, n int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), n)])
}

// TestC57_StoredTexts stores each payload in every field that takes it and compares all pages with those of an app with
// harmless texts.
func TestC57_StoredTexts(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	number := 0
	texts := func(s string) map[string][]string {
		number++ // names that fold alike are the same name
		return map[string][]string{
			"name": {cut(s, 76) + strconv.Itoa(number)}, "description": {cut(s+" padded to ten characters", 500)}, "first_name": {cut(s, 80)}, "last_name": {cut(s, 80)},
			"second_first_name": {cut(s, 80)}, "second_last_name": {cut(s, 80)}, "second_email": {"jo@acme.example"},
		}
	}
	pages := func(made registered) []*page {
		list := []*page{made.page}
		for _, sub := range []string{"", "/history", "/edit", "/secrets/new", "/deactivate", "/delete"} {
			list = append(list, admin.get(made.path+sub).is(http.StatusOK))
		}
		list = append(list, admin.fragment(made.path+"/deactivate", "dialog"), admin.get("/apps?q="+made.clientID).is(http.StatusOK))
		return list
	}
	edit := func(made registered, s string) {
		form := with(admin.get(made.path+"/edit").form("main form"), texts(s))
		form.Set("do", "save")
		admin.follow(admin.post(made.path+"/edit", form)).is(http.StatusOK)
		form = admin.get(made.path + "/secrets/new").form("main form")
		form["label"], form["do"] = []string{cut(s, 60)}, []string{"create"}
		inert(t, admin.post(made.path+"/secrets/new", form).is(http.StatusOK))
	}
	harmless := admin.register(texts("harmless text"))
	edit(harmless, "harmless text")
	want := pages(harmless)
	for i, payload := range scripts {
		hostile := admin.register(texts(payload))
		edit(hostile, payload)
		for j, got := range pages(hostile) {
			inert(t, got)
			if diff := cmp.Diff(shape(want[j]), shape(got)); diff != "" {
				t.Errorf("payload %d changes %s: %s", i, got.path, diff)
			}
		}
	}
	inert(t, admin.get("/apps?per=100").is(http.StatusOK))
}

// TestC57_ReflectedTexts sends each payload in every field and parameter that comes back without being stored.
func TestC57_ReflectedTexts(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	base := admin.newApp(map[string][]string{"second_email": {""}, "expires_on": {""}, "default_api": {""}, "scope_q": {""}, "redraw": {""}})
	fields := []string{
		"name", "description", "category", "first_name", "last_name", "email", "second_first_name", "second_email", "type",
		"credential_type", "expiry", "expires_on", "api_user", "scope", "default_api", "scope_q", "nonce", "version", "active",
	}
	rotate := with(admin.get(made.path+"/secrets/new").form("main form"), map[string][]string{"do": {"create"}, "why": {"x"}})
	for _, payload := range scripts {
		all := url.Values{"do": {"save"}}
		for _, field := range fields {
			all[field] = []string{payload}
		}
		inert(t, admin.post("/apps", all).is(http.StatusUnprocessableEntity))
		inert(t, admin.post("/apps/new", with(base, map[string][]string{"scope_q": {payload}, "scope": {payload}, "redraw": {payload}})).is(http.StatusOK))
		inert(t, admin.post(made.path+"/edit", all)) // stale: both versions are shown
		for _, field := range []string{"label", "expires_on", "end_at", "end", "why", "expiry", "nonce", "old"} {
			inert(t, admin.post(made.path+"/secrets/new", with(rotate, map[string][]string{field: {payload}})).is(http.StatusUnprocessableEntity))
		}
		off := admin.post(made.path+"/delete", url.Values{"confirm_name": {payload}, "version": {payload}})
		inert(t, off)
		q := url.QueryEscape(payload)
		for _, query := range []string{
			"q=" + q, "sort=" + q, "dir=" + q, "per=" + q, "after=" + q, "before=" + q, "category=" + q, "status=" + q, "hint=" + q, q + "=" + q,
		} {
			inert(t, admin.get("/apps?"+query))
			inert(t, admin.fragment("/apps?"+query, "results"))
		}
		inert(t, admin.get("/apps/new?name="+q+"&category="+q+"&scope="+q).is(http.StatusOK))
		inert(t, admin.get(made.path+"/history?before="+q+"&from="+q).is(http.StatusOK))
		inert(t, admin.get("/apps/"+url.PathEscape(payload)))
		inert(t, admin.get(made.path+"/secrets/"+url.PathEscape(payload)+"/retire"))
	}
}

// queries is a corpus of texts that become statements where values are not bound.
var queries = []string{
	`'`, `''`, `"`, "`", `\`, `\'`, `;`, `--`, `/*`, `*/`, `#`, `%`, `_`, `%%`, `%_%`, `\%`, `*`, `?`, `$1`, `:name`, `@x`, `?1`,
	`' OR '1'='1`, `' OR 1=1--`, `" OR ""="`, `1 OR 1=1`, `1; DROP TABLE apps`, `'; DROP TABLE apps;--`, `x' AND 1=(SELECT COUNT(*) FROM apps)--`,
	`name; DELETE FROM apps`, `name DESC, (SELECT 1)`, `name/**/`, `(CASE WHEN 1=1 THEN name ELSE id END)`, `1 UNION SELECT hash FROM app_secrets`,
	`' UNION SELECT hash,hint FROM app_secrets--`, `x'||(SELECT hash FROM app_secrets LIMIT 1)||'`, `randomblob(1000000000)`, `1 AND sleep(5)`,
	`'; SELECT pg_sleep(5);--`, `name COLLATE nocase`, `0x27`, `%27`, `%2527`, "a\x00b", "a\nb", "\r\n", "\u2028", "ʼ", "＇", "𝄞", "\ufffd",
	`-1`, `0`, `00`, `1e9`, `9223372036854775808`, `-9223372036854775809`, `NaN`, `null`, `true`, `[]`, `{}`, `../../etc/passwd`, `..%2f..`,
	`${jndi:ldap://e.example/x}`, `status:active`, `-status:active`, `name:"x" category:customer,partner`, `used:>90d`, `created:2026-01-01..2026-12-31`,
	strings.Repeat("a ", 150), strings.Repeat("x", 5000), strings.Repeat(`"`, 150), strings.Repeat("é", 200), strings.Repeat("(", 300),
}

// TestC65_Queries puts each text into every parameter and path: the answer is a page, or that there is no such thing.
func TestC65_Queries(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	admin.register(appNamed("Another app"))
	grid := admin.get("/apps?per=1&sort=created").is(http.StatusOK)
	cursor := mustQuery(t, grid.Find("a[rel=next]").AttrOr("href", "")).Get("after")
	if cursor == "" {
		t.Fatal("the list has no second page")
	}
	texts := append(slices.Clone(queries), cursor[:len(cursor)-1], cursor+"A", "A"+cursor[1:], strings.ToUpper(cursor), cursor+"=", cursor+"\n")
	for _, text := range texts {
		q := url.QueryEscape(text)
		for _, name := range []string{"q", "category", "status", "sort", "dir", "per", "after", "before", "hint", "view"} {
			got := admin.get("/apps?" + name + "=" + q)
			if got.status == http.StatusSeeOther { // a filter leads to the search that it means
				got = admin.get(got.header.Get("Location"))
			}
			if got.status != http.StatusOK && got.status != http.StatusBadRequest {
				t.Errorf("%s=%q: %d", name, text, got.status)
			}
			if name != "q" && name != "hint" && name != "view" && strings.TrimSpace(text) != "" && got.status == http.StatusOK && !harmlessValue(name, text) {
				t.Errorf("%s=%q is taken", name, text)
			}
		}
		admin.get(made.path + "/history?before=" + q + "&from=" + q).is(http.StatusOK)
		for _, path := range []string{"/apps/", made.path + "/secrets/"} {
			got := admin.get(path + url.PathEscape(text))
			if got.status != http.StatusNotFound {
				t.Errorf("%s%q: %d", path, text, got.status)
			}
		}
		admin.get("/apps/" + url.PathEscape(text) + "/edit").is(http.StatusNotFound)
	}
	for _, bytes := range []string{"%ff%fe", "%c0%af", "a%80", "%ed%a0%80"} {
		for _, path := range []string{"/apps?q=", "/apps?status=", "/apps/new?name=", "/apps?after=", made.path + "/history?before=", "/apps/" + bytes + "?"} {
			if got := admin.get(path + bytes); got.status >= http.StatusInternalServerError || !utf8.ValidString(got.body) {
				t.Errorf("%s%s: %d", path, bytes, got.status)
			}
		}
	}
	// A place of one order means nothing in another.
	for _, query := range []string{"sort=created&dir=desc", "sort=name", "sort=modified"} {
		admin.get("/apps?" + query + "&after=" + url.QueryEscape(cursor)).is(http.StatusBadRequest)
	}
	admin.get("/apps?sort=created&per=1&after="+url.QueryEscape(cursor)).is(http.StatusOK).says(".pager-range", "2-2 of 2")
	admin.get("/apps").says(".pager-range", "1-2 of 2")
	var n int
	p.must(p.db.Read(t.Context()).Raw("SELECT count(*) FROM apps").Scan(&n).Error)
	if n != 2 {
		t.Errorf("%d apps are left", n)
	}
}

// harmlessValue reports whether a text of the corpus is a value of the parameter.
func harmlessValue(name, text string) bool {
	switch name {
	case "per":
		return text == "00" || text == "+1"
	case "category", "status": // quotes hold nothing
		return strings.Trim(text, `"`) == ""
	}
	return false
}

func mustQuery(t *testing.T, href string) url.Values {
	t.Helper()
	u, err := url.Parse(href)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// TestIDsOfOtherShapes: upper case, braces and other spellings of an ID are not that ID.
func TestIDsOfOtherShapes(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	id := string(made.id)
	for _, other := range []string{
		strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), id + " ", " " + id, id + "\x00", id[:35],
		id + "0", database.NewID(), made.clientID,
	} {
		admin.get("/apps/" + url.PathEscape(other)).is(http.StatusNotFound)
	}
}
