package templates_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

// useRows renders the panel "Use" and returns its first line and its rows.
func useRows(t *testing.T, u templates.AppUse) (first string, rows []string) {
	t.Helper()
	d := sampleDetail()
	d.Use = u
	panel := renderDoc(t, templates.AppDetailPage(d)).Find("section[aria-labelledby=use]")
	if !strings.Contains(words(panel.Find(".hint")), "within a minute") {
		t.Error("the page does not say how late counts are")
	}
	panel.Find("tbody tr").Each(func(_ int, s *goquery.Selection) {
		var cells []string
		s.Find("th, td").Each(func(_ int, cell *goquery.Selection) { cells = append(cells, words(cell)) })
		rows = append(rows, strings.Join(cells, " | "))
	})
	if len(rows) == 0 {
		rows = []string{words(panel.Find("p.muted"))}
	}
	return words(panel.Find("p").First()), rows
}

func TestUsePanel(t *testing.T) {
	many := make([]templates.NetworkUse, 0, 7)
	for i := range 7 {
		many = append(many, templates.NetworkUse{Network: fmt.Sprintf("10.0.%d.0/24", i), Week: int64(10 - i)})
	}
	for name, tt := range map[string]struct {
		use   templates.AppUse
		first string
		rows  []string
	}{
		"never used": {templates.AppUse{Secrets: sampleUse().Secrets[:1]}, "Never used: no secret has been used yet.", []string{""}},
		"used long ago, nothing works": {
			templates.AppUse{LastUsedAt: at(1, 9, 0)},
			"Last used 1 Nov 2026, 10:00 CET, 21 days ago.",
			[]string{"No secret was used in the last 7 days."},
		},
		"in use": {
			sampleUse(), "Last used 22 Nov 2026, 15:01 CET, 4 minutes ago.",
			[]string{
				"2026-11 …9fK2 | 0 | 0 | Not used in 7 days",
				"2026-02 SAP production …7Hq1 | 131 | 1,284 | 203.0.113.0/24 1,283 uses2001:db8:1::/48 1 use",
			},
		},
		"from everywhere": {
			templates.AppUse{LastUsedAt: at(22, 14, 1), Secrets: []templates.SecretUse{{Label: "a", Hint: "9fK2", Day: 49, Week: 49, Networks: many}}},
			"Last used 22 Nov 2026, 15:01 CET, 4 minutes ago.",
			[]string{
				"a …9fK2 | 49 | 49 | 10.0.0.0/24 10 uses10.0.1.0/24 9 uses10.0.2.0/24 8 uses10.0.3.0/24 7 uses" +
					"3 more networks10.0.4.0/24 6 uses10.0.5.0/24 5 uses10.0.6.0/24 4 uses",
			},
		},
		"words for networks": {
			templates.AppUse{LastUsedAt: at(22, 14, 1), Secrets: []templates.SecretUse{{
				Label: "a", Hint: "9fK2", Day: 3, Week: 3, Over: true,
				Networks: []templates.NetworkUse{{Network: "other", Week: 2}, {Network: "unknown", Week: 1}},
			}}},
			"Last used 22 Nov 2026, 15:01 CET, 4 minutes ago.",
			[]string{"a …9fK2 | 3 | 3 | other networks 2 usesunknown network 1 use"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, rows := useRows(t, tt.use)
			if first != tt.first {
				t.Errorf("first line %q, want %q", first, tt.first)
			}
			if diff := cmp.Diff(tt.rows, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The steps of a change of secret (ui.md §4.5).
func TestRotationSteps(t *testing.T) {
	one, two := []string{"203.0.113.0/24"}, []string{"203.0.113.0/24", "other"}
	for want, r := range map[string]templates.AppRotation{
		"Waiting for the first use of the new secret …9fK2.":                                               {Step: "waiting"},
		"Both secrets are in use. The old one, …7Hq1, was used 1 time in 24 hours, from 203.0.113.0/24.":   {Step: "both", OldDay: 1, OldNetworks: one},
		"Both secrets are in use. The old one, …7Hq1, was used 14 times in 24 hours, from 203.0.113.0/24.": {Step: "both", OldDay: 14, OldNetworks: one},
		"Both secrets are in use. The old one, …7Hq1, was used 14 times in 24 hours, from 2 networks.":     {Step: "both", OldDay: 14, OldNetworks: two},
		"Safe to retire: the new secret is in use, and the old one, …7Hq1, was last used on 20 Nov 2026, 09:12 CET.": {
			Step: "silent", OldUsedAt: at(20, 8, 12),
		},
		"Safe to retire: the new secret is in use, and the old one, …7Hq1, has never been used.": {Step: "silent"},
		"The old secret …7Hq1 will stop working on 29 Nov 2026, 15:05 CET, and it is still used: 1 time in 24 hours, from 203.0.113.0/24.": {
			Step: "late", OldDay: 1, OldNetworks: one,
		},
		"The old secret …7Hq1 will stop working on 29 Nov 2026, 15:05 CET, and it is still used: 14 times in 24 hours, from 2 networks.": {
			Step: "late", OldDay: 14, OldNetworks: two,
		},
		"": {},
	} {
		d := sampleDetail()
		r.NewHint, r.OldHint, r.OldEnds = "9fK2", "7Hq1", at(29, 14, 5)
		d.Rotation = &r
		strip := renderDoc(t, templates.AppDetailPage(d)).Find("section .banner")
		if got := words(strip.Find("p").Eq(1)); got != want {
			t.Errorf("%+v says %q, want %q", r, got, want)
		}
		if amber, green := strip.HasClass("banner-warn"), strip.HasClass("banner-ok"); amber != (r.Step == "late") || green != (r.Step == "silent") {
			t.Errorf("%s: amber %t, green %t", r.Step, amber, green)
		}
	}
}

func TestGridLastUse(t *testing.T) {
	g := sampleGrid(2)
	g.Results.Rows[1].LastUsedAt = time.Time{}
	g.Results.Rows[1].Secret = templates.SecretSummary{Code: "new"}
	rows := renderDoc(t, templates.AppsPage(g)).Find("#results tbody tr")
	for i, want := range []string{"21 Nov 2026, 09:30 CET", "Never used"} {
		if got := words(rows.Eq(i).Find("td:nth-child(5)")); got != want {
			t.Errorf("row %d was last used %q, want %q", i, got, want)
		}
	}
	if got := words(rows.Eq(1).Find("td:nth-child(4)")); got != "New, not used" {
		t.Errorf("a secret never used reads %q", got)
	}
}
