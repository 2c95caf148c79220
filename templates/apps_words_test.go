package templates_test

import (
	"strings"
	"testing"

	"credenza.example/credenza/templates"
)

// TestBulkSpeaksOfOneApp: what is asked about one app calls it one.
func TestBulkSpeaksOfOneApp(t *testing.T) {
	for act, want := range map[string][2]string{
		"activate":   {"It can get tokens again", "They can get tokens again"},
		"deactivate": {"It gets no new tokens", "They get no new tokens"},
		"reassign":   {"first contact of the app", "first contact of each of them"},
		"mail":       {"2 addresses get one mail each", "2 addresses get one mail each"},
	} {
		for i, n := range []int{1, 3} {
			v := templates.AppsBulk{Frame: sampleFrame(), Act: act, Total: n, Addresses: 2, Names: []string{"One"}, CancelHref: "/apps"}
			if got := renderDoc(t, templates.AppsBulkPage(v)).Find("form > p").First().Text(); !strings.Contains(got, want[i]) {
				t.Errorf("%s of %d: %q", act, n, got)
			}
		}
	}
}

// TestCreatorBreaksAfterItsColon, and is the same text when it is copied.
func TestCreatorBreaksAfterItsColon(t *testing.T) {
	g := sampleGrid(2)
	g.Results.Rows[0].CreatedBy, g.Results.Rows[1].CreatedBy = "operator:root", "Ana <Silva>"
	cells := renderDoc(t, templates.AppsPage(g)).Find("tbody td:nth-child(6)")
	if got := strings.TrimSpace(cells.First().Text()); got != "operator:root" || cells.First().Find("wbr").Length() != 1 {
		t.Errorf("an operator is %q", got)
	}
	if got := strings.TrimSpace(cells.Last().Text()); got != "Ana <Silva>" || cells.Last().Find("wbr").Length() != 0 {
		t.Errorf("a person is %q", got)
	}
}

// TestLookupSaysThatThereAreMore already in its heading.
func TestLookupSaysThatThereAreMore(t *testing.T) {
	for more, want := range map[bool]string{false: "2 apps found", true: "First 2 apps"} {
		v := templates.Lookup{Frame: sampleFrame(), Action: "/lookup", Answer: &templates.LookupAnswer{
			By: "name", More: more, Apps: []templates.LookupApp{{Name: "A", Status: "active"}, {Name: "B", Status: "active"}},
		}}
		if got := renderDoc(t, templates.LookupPage(v)).Find("#found").Text(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
