package templates_test

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/templates"
)

// payloads are texts that would become elements, attributes or script where a context is not escaped.
func payloads() []string {
	return []string{
		`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `<img src=x onerror=alert(1)>`,
		`" onmouseover="alert(1)`, `' onfocus='alert(1)' autofocus='`, "` onload=`alert(1)", `</textarea><script>alert(1)</script>`,
		`</title><script>alert(1)</script>`, `</option></select><script>alert(1)</script>`, `</pre></code><svg onload=alert(1)>`,
		`</style><script>alert(1)</script>`, `<!--><script>alert(1)</script>-->`, `--><img src=x>`, `<![CDATA[<b>]]>`, `]]><b>x</b>`,
		`<svg><script>alert(1)</script></svg>`, `<math><mi xlink:href="javascript:alert(1)">`, `<iframe srcdoc="<b>">`, `<a href=javascript:alert(1)>x</a>`,
		`javascript:alert(1)`, `JaVaScRiPt:alert(1)`, "java\tscript:alert(1)", "\x01javascript:alert(1)", `data:text/html,<script>alert(1)</script>`,
		`vbscript:msgbox(1)`, `//evil.example/x`, `&lt;script&gt;`, `&#x3c;script&#x3e;`, `&quot;&gt;<b>`, `%3Cscript%3E`, `\u003cscript\u003e`,
		`{{.}}`, `{{ template "x" }}`, `${alert(1)}`, `<%= 1 %>`, `<template><b>x</b></template>`, `<noscript><p title="</noscript><img src=x>">`,
		`<body onload=alert(1)>`, `<form action=//evil.example><input name=q>`, `<base href=//evil.example>`, `<meta http-equiv=refresh content=0>`,
		`<link rel=stylesheet href=//evil.example>`, `<details open ontoggle=alert(1)>`, `<input autofocus onfocus=alert(1)>`, `<x contenteditable onblur=alert(1)>`,
		`<plaintext>`, `<xmp><b>`, `<table><tr><td>`, `<b`, `<`, `>`, `"`, `'`, `&`, "a\r\nb", "\u2028<b>", "\uE000\uE001\uE002", "\uFEFF<b>", "\u202E<b>",
	}
}

// holder lets a walk over a view model set every string in it.
type holder struct {
	name   string
	render func(set func(string) string) templ.Component
}

// fill sets every string of a value to what set makes of it; strings that choose a state are left as they are.
func fill(v reflect.Value, set func(string) string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[templates.AppsState]() || v.Type() == reflect.TypeFor[templates.ScopesState]() {
			return
		}
		v.SetString(set(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), set)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), set)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Type.String() != "time.Time" {
				fill(v.Field(i), set)
			}
		}
	default:
	}
}

// filled returns a copy-free holder: make builds the model afresh for each render.
func filled[T any](name string, create func() T, draw func(T) templ.Component) holder {
	return holder{name: name, render: func(set func(string) string) templ.Component {
		model := create()
		fill(reflect.ValueOf(&model).Elem(), set)
		return draw(model)
	}}
}

func holders() []holder {
	all := []holder{
		filled("form", sampleBadForm, templates.AppFormPage), filled("edit", sampleClash, templates.AppFormPage),
		filled("reveal", sampleReveal, templates.AppRevealPage), filled("detail", sampleDetail, templates.AppDetailPage),
		filled("inactive", sampleInactive, templates.AppDetailPage),
		filled("rotate", func() templates.AppRotate { return sampleRotate(2) }, templates.AppRotatePage),
		filled("write", sampleWrite, templates.AppWritePage), filled("pasted", samplePasted, templates.AppPastedPage),
		filled("delete", func() templates.AppConfirm { return sampleConfirm("delete") }, templates.AppConfirmPage),
		filled("retire", func() templates.AppConfirm { return sampleConfirm("retire") }, templates.AppConfirmFragment),
		filled("history", sampleHistory, templates.AppHistoryPage),
		filled("rejections", sampleRejectionsPage, templates.AppRejectionsPage), filled("unknown", sampleUnknown, templates.UnknownClientsPage),
		filled("test", func() templates.AppTest { return sampleTest("other_app") }, templates.AppTestPage),
		filled("tested", func() templates.AppTest { return sampleTest("") }, templates.AppTestPage),
	}
	all = append(all,
		filled("scope", sampleScopePage, templates.ScopePageView), filled("no scope", sampleScopeMissing, templates.ScopeMissingPage),
		filled("add scopes", sampleScopeAdd, templates.ScopeAddPage))
	for name := range scopeLists() {
		all = append(all, filled("scopes "+name, func() templates.Scopes { return scopeLists()[name] }, templates.ScopesPage))
	}
	for name := range appPages() {
		all = append(all, filled("grid "+name, func() templates.AppsGrid { return appPages()[name] }, templates.AppsPage))
	}
	return all
}

// lenient is a context in which unknown keys are no failure: codes are filled with nonsense here.
func lenient(t testing.TB) context.Context {
	t.Helper()
	bundle, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return templates.WithAssets(i18n.With(context.Background(), bundle.For("en"), nil), frameAssets)
}

// shapeOf counts elements and attributes by name, and finds addresses that run something.
func shapeOf(ctx context.Context, t testing.TB, c templ.Component) (shape map[string]int, bad []string) {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	shape = map[string]int{}
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		if s.Nodes[0].Data != "wbr" { // where a path may break: as many as it has slashes; its attributes are counted
			shape["<"+s.Nodes[0].Data+">"]++
		}
		for _, a := range s.Nodes[0].Attr {
			shape[a.Key]++
			runs := strings.ToLower(strings.Map(func(r rune) rune {
				if r <= ' ' {
					return -1
				}
				return r
			}, a.Val))
			address := a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction"
			if address && (strings.HasPrefix(runs, "javascript:") || strings.HasPrefix(runs, "data:") || strings.HasPrefix(runs, "vbscript:")) {
				bad = append(bad, a.Key+"="+a.Val)
			}
		}
	})
	return shape, bad
}

// C57: whatever stands in a view model, the page has the elements and attributes it has with a plain word there.
func TestC57_ViewModelsStayText(t *testing.T) {
	ctx := lenient(t)
	for _, h := range holders() {
		t.Run(h.name, func(t *testing.T) {
			plain, _ := shapeOf(ctx, t, h.render(keepEmpty("word")))
			for _, payload := range payloads() {
				got, bad := shapeOf(ctx, t, h.render(keepEmpty(payload)))
				for what, n := range plain {
					if got[what] != n {
						t.Errorf("%q: %s %d times instead of %d", payload, what, got[what], n)
					}
				}
				if len(got) != len(plain) {
					t.Errorf("%q: other elements or attributes", payload)
				}
				for _, address := range bad {
					t.Errorf("%q: %s", payload, address)
				}
			}
		})
	}
}

// keepEmpty replaces strings that are there, since empty ones choose what a page shows.
func keepEmpty(with string) func(string) string {
	return func(was string) string {
		if was == "" {
			return ""
		}
		return with
	}
}

// FuzzAppPages is FuzzTemplEscape of these pages: the number of elements does not depend on what people typed.
func FuzzAppPages(f *testing.F) {
	for _, payload := range payloads()[:6] { // the others are tried by TestC57_ViewModelsStayText
		f.Add(payload)
	}
	ctx, pages := lenient(f), holders()
	plains := make([]map[string]int, len(pages))
	for i, h := range pages {
		plains[i], _ = shapeOf(ctx, f, h.render(keepEmpty("word")))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.TrimSpace(text) == "" {
			return
		}
		for i, h := range pages {
			got, bad := shapeOf(ctx, t, h.render(keepEmpty(text)))
			for what, n := range plains[i] {
				if got[what] != n {
					t.Errorf("%s: %s %d times instead of %d", h.name, what, got[what], n)
				}
			}
			if len(bad) > 0 {
				t.Errorf("%s: %v", h.name, bad)
			}
		}
	})
}
