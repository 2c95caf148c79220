package registry_test

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
)

// Apps whose words an older version wrote are found by the keys once Reword has come by; it writes no others.
func TestReword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"Old spend export", "Other old"} {
			w.quick(t, w.admin, w.fields(name))
		}
		gone := w.quick(t, w.admin, inactive(w.fields(""), "Gone"))
		if err := w.Delete(t.Context(), w.admin, gone.ID, gone.Version, "Gone"); err != nil {
			t.Fatal(err)
		}
		words := func() (list []string) {
			t.Helper()
			if err := w.db.Read(t.Context()).Raw("SELECT word FROM app_words ORDER BY word, app_id").Scan(&list).Error; err != nil {
				t.Fatal(err)
			}
			return list
		}
		today := words()
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("DELETE FROM app_words WHERE substr(word, 1, 1) IN ('#', '<', '@', '~', '>')").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		w.quick(t, w.admin, w.fields("New spend import"))
		if page := w.search(t, registry.Query{Text: "name:spend"}); page.Total != 1 {
			t.Fatalf("%d apps are found by their names before", page.Total)
		}
		if err := w.Reword(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff([]string{"New spend import", "Old spend export"}, names(w.search(t, registry.Query{Text: "name:spend by:silva"}))); diff != "" {
			t.Error(diff)
		}
		if got := len(words()); got <= len(today) {
			t.Errorf("%d words, %d before there was another app", got, len(today))
		}
		w.unchanged(t, func() {
			if err := w.Reword(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	})
}
