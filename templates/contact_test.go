package templates_test

import (
	"testing"
	"time"

	"credenza.example/credenza/templates"
)

// TestContactIsAWholePage in each state, and offers only the answers that would change something.
func TestContactIsAWholePage(t *testing.T) {
	for state, want := range map[string]int{"": 2, "confirmed": 1, "denied": 1, "refused": 2} {
		page := templates.ContactPage(templates.ContactAsk{
			Action: "/contact/verify", Link: "forged", Organisation: "Acme <b>", Email: "jo@acme.example",
			Apps: []string{"SAP spend export", "<i>Import</i>"}, Total: 30, State: state, At: time.Date(2026, 11, 22, 13, 5, 0, 0, time.UTC),
		})
		checkPage(t, page)
		if got := renderDoc(t, page).Find("main button[name=answer]").Length(); got != want {
			t.Errorf("%q: %d answers are offered, want %d", state, got, want)
		}
	}
}
