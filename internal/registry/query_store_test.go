package registry_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
)

// mixed is a crowd of apps of all sorts: contacts, scopes, API users, uses, and secrets in every state.
func (w *world) mixed(t *testing.T, n int) []registry.App {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	apps := w.crowd(t, n)
	for i := range apps {
		f := formOf(apps[i])
		f.Contact.FirstName, f.Contact.LastName = []string{"Ana", "Bruno", "Chloe"}[random.IntN(3)], []string{"Weber", "Okafor"}[random.IntN(2)]
		f.Scopes = [][]string{{"core.invoice.read"}, {"core.invoice.read", "core.invoice.write"}, {"ccw.candidates"}}[random.IntN(3)]
		f.Description = "Moves " + []string{"alpha", "beta", "ledgers"}[random.IntN(3)] + " around."
		apps[i] = must(w.Edit(t.Context(), w.admin, apps[i].ID, apps[i].Version, f))(t)
		for range random.IntN(3) {
			w.rotate(t, apps[i].ID, registry.Rotation{})
		}
	}
	w.usedNowAndThen(t, apps)
	err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		var ids []string
		if err := tx.DB().Raw("SELECT id FROM app_secrets ORDER BY id").Scan(&ids).Error; err != nil {
			return err
		}
		for _, id := range ids {
			ends := make([]any, 4) // expires, ends, retired, leaked
			for k, chance := range []int{2, 3, 5, 6} {
				if random.IntN(chance) == 0 {
					ends[k] = database.Micros(w.clock.Now().Add(time.Duration(random.IntN(120)-50) * 24 * time.Hour))
				}
			}
			err := tx.DB().Exec("UPDATE app_secrets SET expires_at = ?, ends_at = ?, retired_at = ?, leaked_at = ? WHERE id = ?", append(ends, id)...).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range apps {
		apps[i] = must(w.App(t.Context(), w.admin, apps[i].ID))(t)
	}
	return apps
}

// fits is the naive reference: whether an app is what a condition asks for.
func (w *world) fits(a registry.App, c registry.Condition) bool {
	return c.Not != slices.ContainsFunc(c.Values, func(v registry.Choice) bool { return w.fitsOne(a, c.Key, v) })
}

func (w *world) fitsOne(a registry.App, key string, v registry.Choice) bool {
	contact := a.Contact.FirstName + " " + a.Contact.LastName + " " + a.Contact.Email
	switch key {
	case "":
		everything := a.Name + " " + a.ClientID + " " + a.CreatedBy.Name + " " + contact
		return hasWords(everything, v) || hasWords(a.Description, registry.Choice{Text: v.Text, Quoted: true}) ||
			!v.Quoted && (v.Text == string(a.Status) || v.Text == string(a.Category))
	case "name":
		return hasWords(a.Name, v)
	case "contact":
		return hasWords(contact, v)
	case "by":
		return hasWords(a.CreatedBy.Name, v)
	case "id":
		return hasWords(a.ClientID, v)
	case "user":
		return hasWords(a.APIUser.Name, v)
	case "scope":
		return slices.ContainsFunc(a.Scopes, func(s string) bool { return s == v.Text || !v.Quoted && strings.HasPrefix(s, v.Text) })
	case "category":
		return string(a.Category) == v.Text
	case "status":
		return string(a.Status) == v.Text
	case "secret":
		return w.stands(a, v.Text)
	case "created":
		return w.happened(a.CreatedAt, v.Text)
	case "modified":
		return w.happened(a.ModifiedAt, v.Text)
	default:
		if a.LastUsedAt.IsZero() {
			return v.Text == "never" || v.Text == ">30d"
		}
		return v.Text != "never" && w.happened(a.LastUsedAt, v.Text)
	}
}

func hasWords(text string, v registry.Choice) bool {
	split := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" .:@_-", r) })
	}
	for _, want := range split(v.Text) {
		if !slices.ContainsFunc(split(text), func(has string) bool { return has == want || !v.Quoted && strings.HasPrefix(has, want) }) {
			return false
		}
	}
	return true
}

func (w *world) stands(a registry.App, state string) bool {
	now := w.clock.Now()
	code := a.Summary(now).Code
	if state == "two" {
		return len(a.Usable()) >= 2
	}
	return state == string(code) || state == "ok" && code == registry.SecretsNew
}

func (w *world) happened(at time.Time, when string) bool {
	day, now := at.UTC().Format(time.DateOnly), w.clock.Now()
	first, last, isRange := strings.Cut(when, "..")
	switch {
	case isRange:
		return (first == "" || day >= first) && (last == "" || day <= last)
	case when == ">30d":
		return at.Before(now.AddDate(0, 0, -30))
	case when == "<3w":
		return !at.Before(now.AddDate(0, 0, -21))
	case when[0] == '<':
		return day < when[1:]
	case when[0] == '>':
		return day > when[1:]
	default:
		return day == when
	}
}

// conditions draws conditions of every kind, some of which many apps fulfil and some none.
func (w *world) conditions(apps []registry.App) *rapid.Generator[registry.Condition] {
	day := rapid.Custom(func(r *rapid.T) string {
		return rapid.SampledFrom(apps).Draw(r, "app").CreatedAt.AddDate(0, 0, rapid.IntRange(-1, 1).Draw(r, "days")).UTC().Format(time.DateOnly)
	})
	when := rapid.OneOf(rapid.SampledFrom([]string{">30d", "<3w"}), day,
		rapid.Map(day, func(d string) string { return ">" + d }), rapid.Map(day, func(d string) string { return "<" + d }),
		rapid.Map(day, func(d string) string { return d + ".." }), rapid.Map(day, func(d string) string { return ".." + d }))
	values := map[string]*rapid.Generator[string]{
		"":         rapid.SampledFrom([]string{"alpha", "bet", "e", "export", "weber", "ana", "ccwacme", "ledgers", "active", "msp", "zeppelin", "gamma sync"}),
		"name":     rapid.SampledFrom([]string{"alpha", "beta imp", "ex", "gamma", "weber", "1"}),
		"contact":  rapid.SampledFrom([]string{"ana", "b", "okafor", "ana weber", "jo.weber@acme.example"}),
		"by":       rapid.SampledFrom([]string{"operator", "o", "silva"}),
		"id":       rapid.SampledFrom([]string{"ccwacme", apps[0].ClientID, apps[1].ClientID[:10]}),
		"user":     rapid.SampledFrom([]string{"client", "msp", "user", "supplier user", "nobody"}),
		"scope":    rapid.SampledFrom([]string{"core.invoice", "core.invoice.write", "ccw.candidates", "core", "none.such"}),
		"category": rapid.SampledFrom([]string{"customer", "partner", "supplier", "msp"}),
		"status":   rapid.SampledFrom([]string{"active", "inactive"}),
		"secret":   rapid.SampledFrom([]string{"ok", "two", "expiring", "expired", "none"}),
		"created":  when, "modified": when, "used": rapid.OneOf(when, rapid.Just("never")),
	}
	return rapid.Custom(func(r *rapid.T) registry.Condition {
		c := registry.Condition{Not: rapid.IntRange(0, 2).Draw(r, "not") == 0, Key: rapid.SampledFrom(append(registry.Keys(), "", "")).Draw(r, "key")}
		n := 1
		if c.Key != "" {
			n = rapid.IntRange(1, 2).Draw(r, "n")
		}
		for range n {
			v := registry.Choice{Text: values[c.Key].Draw(r, "value")}
			v.Quoted = strings.Contains(v.Text, " ") || rapid.IntRange(0, 4).Draw(r, "quoted") == 0
			c.Values = append(c.Values, v)
		}
		return c
	})
}

// Any search finds what a look at every app finds, in the same order, on both databases and by whichever way pages are
// found; and what is printed of it finds the same.
func TestSearchIsWhatItSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		apps := w.mixed(t, 40)
		w.globexApp(t, "Beta export of Globex")
		condition := w.conditions(apps)
		rapid.Check(t, func(r *rapid.T) {
			filter := registry.Filter(rapid.SliceOfN(condition, 1, 3).Draw(r, "filter"))
			w.SearchBy(rapid.SampledFrom([]int{-1, 2000}).Draw(r, "few"), rapid.SampledFrom([]int{1, 1 << 60}).Draw(r, "cost"))
			q := registry.Query{Text: filter.String(), PerPage: 100, Sort: rapid.SampledFrom([]registry.Sort{registry.SortName, registry.SortUsed}).Draw(r, "sort")}
			var found []registry.App
			for _, a := range apps {
				if !slices.ContainsFunc(filter, func(c registry.Condition) bool { return !w.fits(a, c) }) {
					found = append(found, a)
				}
			}
			want := inOrder(found, registry.Query{Sort: q.Sort})
			page := w.search(t, q)
			if diff := gocmp.Diff(want, names(page)); diff != "" && len(want)+len(page.Rows) > 0 {
				r.Fatalf("%s (-want +got):\n%s", q.Text, diff)
			}
			if page.Total != len(want) {
				r.Fatalf("%s: total %d, want %d", q.Text, page.Total, len(want))
			}
		})
	})
}

// What stands in apps about secrets follows every way in which a secret is made or ends.
func TestSearchFollowsSecrets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		stands := func(when string, want ...string) {
			t.Helper()
			for _, state := range []string{"ok", "two", "expiring", "expired", "none"} {
				page := w.search(t, registry.Query{Text: "secret:" + state})
				if (page.Total == 1) != slices.Contains(want, state) {
					t.Errorf("%s: secret:%s finds %d", when, state, page.Total)
				}
			}
		}
		stands("one", "ok")
		shown := w.rotate(t, app.ID, registry.Rotation{})
		stands("rotated", "two")
		w.clock.Advance(8 * 24 * time.Hour)
		stands("a week after", "ok")
		w.clock.Advance(340 * 24 * time.Hour)
		stands("nearly a year after", "expiring")
		w.clock.Advance(20 * 24 * time.Hour)
		stands("a year after", "expired")
		if err := w.MarkLeaked(t.Context(), w.admin, app.ID, shown.ID); err != nil {
			t.Fatal(err)
		}
		stands("leaked", "none")
	})
}

// Words that mean something to SQL or to LIKE are words.
func TestC65_KeysInjection(t *testing.T) {
	w := sqliteWorld(t)
	w.register(t, "Spend export")
	for _, evil := range []string{"' OR 1=1 --", "%", "_", `\`, "') UNION SELECT id, id FROM apps --", "\x00", "1; DROP TABLE apps"} {
		for _, key := range registry.Keys() {
			text := fmt.Sprintf(`%s:"%s"`, key, evil)
			page, err := w.Search(t.Context(), w.viewer, registry.Query{Text: text})
			if err == nil && page.Total != 0 {
				t.Errorf("%s finds %d", text, page.Total)
			}
		}
	}
	if page := w.search(t, registry.Query{Text: "scope:core.invoice.read secret:ok"}); page.Total != 1 {
		t.Errorf("%d apps are left", page.Total)
	}
}
