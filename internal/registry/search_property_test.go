package registry_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// An app is found by every beginning of every word of its name, in any case, alone and together; words of Chinese by
// every piece. What is left out of the name finds it no more.
func TestSearchFindsWhatWasWritten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		word := rapid.OneOf(
			rapid.StringMatching(`[a-z]{3,8}`), rapid.StringMatching(`[A-Z]{3,8}[0-9]{0,3}`), rapid.StringMatching(`[äöüéèçñß]{3,6}`),
			rapid.StringMatching(`[а-я]{3,8}`), rapid.StringMatching(`[一-龥]{2,6}`), rapid.StringMatching(`[0-9]{3,6}`),
		)
		app, _ := w.register(t, "Starting name")
		rapid.Check(t, func(r *rapid.T) {
			words := rapid.SliceOfN(word, 1, 4).Draw(r, "words")
			f := formOf(app)
			f.Name = "qq " + strings.Join(words, rapid.SampledFrom([]string{" ", "-", "_", " / ", ", "}).Draw(r, "between"))
			app = must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
			for _, word := range words {
				runes := []rune(word)
				from := 0
				if runes[0] >= '一' {
					from = rapid.IntRange(0, len(runes)-1).Draw(r, "from")
				}
				piece := string(runes[from:rapid.IntRange(from+1, len(runes)).Draw(r, "to")])
				for _, text := range []string{piece, strings.ToUpper(piece), piece + " qq", `"qq" ` + piece} {
					if page := w.search(t, registry.Query{Text: text}); page.Total != 1 {
						r.Fatalf("%q does not find %q", text, f.Name)
					}
				}
				if page := w.search(t, registry.Query{Text: word + "zzz"}); page.Total != 0 {
					r.Fatalf("%q finds %q", word+"zzz", f.Name)
				}
			}
			if page := w.search(t, registry.Query{Text: "starting"}); page.Total != 0 {
				r.Fatal("the name of before is still found")
			}
		})
	})
}

// Any text at all is answered, or is a fault of its parameter: never another error, and never another organisation's app.
func TestSearchAnswersAnything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, _ := w.register(t, "Spend export 采购")
		w.globexApp(t, "Spend export 采购")
		good := must(w.Search(t.Context(), w.globexAdmin, registry.Query{PerPage: 1}))(t)
		anything := rapid.OneOf(
			rapid.String(), rapid.StringMatching(`[a-z"=%_' :.-]{0,30}`), rapid.StringMatching(`("?(spend|export|采|购系|active|22\.11\.2026)"? ?){1,5}`),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }), rapid.Just(good.Next),
			rapid.Map(rapid.SampledFrom([]string{"", "a", "\"a"}), func(s string) string { return "scope:" + s + "\x00b" }),
			rapid.Map(rapid.SampledFrom(registry.Keys()), func(key string) string { return key + ":a\x00\xff" }),
		)
		rapid.Check(t, func(r *rapid.T) {
			q := registry.Query{Text: anything.Draw(r, "q")}
			page, err := w.Search(t.Context(), w.viewer, q)
			if err != nil && !problem.Is(err, problem.Invalid) {
				r.Fatalf("%q: %v", q.Text, err)
			}
			if page.Total > 1 || len(page.Rows) == 1 && page.Rows[0].ID != mine.ID {
				r.Fatalf("%q: %+v", q.Text, page)
			}
			place := anything.Draw(r, "place")
			for field, q := range map[string]registry.Query{"after": {After: place}, "before": {Before: place}} {
				_, err := w.Search(t.Context(), w.viewer, q)
				if p := problem.As(err); err == nil && place != "" || err != nil && (p.Code != problem.Invalid || p.Fields[0].Name != field) {
					r.Fatalf("%s=%q: %v", field, place, err)
				}
			}
		})
	})
}
