package web

import (
	"slices"
	"strings"
	"time"

	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// The filter form of the grid writes the grammar of the search box (ui.md §4.1). Its fields come beside q, as the
// parameters of a form, and are folded into q by a redirect: the address of a list has all of its filters in q.

// listFilters are the fields that are chosen from a list; textFilters hold words. Both are named as their keys.
func listFilters() []string {
	return []string{registry.KeyCategory, registry.KeyStatus, registry.KeySecret, registry.KeyUsed}
}

func textFilters() []string {
	return []string{registry.KeyContact, registry.KeyBy, registry.KeyUser, registry.KeyScope}
}

// dayFilters are two fields each: created_from, created_to.
func dayFilters() []string { return []string{registry.KeyCreated, registry.KeyModified} }

// filterChoices are what the lists offer. The search box takes more.
func filterChoices(key string) []string {
	switch key {
	case registry.KeyCategory:
		return categoryCodes()
	case registry.KeyStatus:
		return statusCodes()
	case registry.KeySecret:
		return []string{"ok", "two", "expiring", "expired", "none"}
	default:
		return []string{"<30d", ">30d", ">90d", ">365d", "never"}
	}
}

// folded returns the search with what the fields of the filter form ask for besides, and whether there were any.
func folded(c *call, text string) (string, bool) {
	params := c.QueryParams()
	filter, some := registry.ParseFilter(text), false
	add := func(key, value string) {
		if value = strings.TrimSpace(strings.ReplaceAll(value, `"`, " ")); value != "" {
			quoted := strings.ContainsAny(value, " \t\n")
			filter = append(filter, registry.Condition{Key: key, Values: []registry.Choice{{Text: value, Quoted: quoted}}})
		}
	}
	for _, key := range listFilters() {
		some = some || params.Has(key)
		add(key, params.Get(key))
	}
	for _, key := range textFilters() {
		some = some || params.Has(key)
		for word := range strings.FieldsSeq(strings.ReplaceAll(params.Get(key), `"`, " ")) {
			filter = append(filter, registry.ParseFilter(key+":"+word)...)
		}
	}
	for _, key := range dayFilters() {
		from, to := params.Get(key+"_from"), params.Get(key+"_to")
		some = some || params.Has(key+"_from") || params.Has(key+"_to")
		if from != to && from+to != "" {
			from += ".." + to
		}
		add(key, from)
	}
	if !some {
		return text, false
	}
	return bounded(filter.String()), true
}

// filterForm is the form that writes this search: what its fields can say stands in them, the rest stays in q.
func (g grid) filterForm() templates.AppsFilterForm {
	form := templates.AppsFilterForm{Action: appsPath, Keep: g.keep(), Values: map[string]string{}, Choices: map[string][]string{}}
	for _, key := range listFilters() {
		form.Choices[key] = filterChoices(key)
	}
	var rest registry.Filter
	for _, c := range registry.ParseFilter(g.text) {
		if !fill(form.Values, c) {
			rest = append(rest, c)
		}
	}
	form.Rest = rest.String()
	return form
}

// fill puts a condition into the fields of the form, if they can say it.
func fill(values map[string]string, c registry.Condition) bool {
	if c.Not || slices.ContainsFunc(c.Values, func(v registry.Choice) bool { return v.Quoted || v.Text == "" }) {
		return false
	}
	value := strings.TrimPrefix(c.String(), c.Key+":")
	switch {
	case slices.Contains(listFilters(), c.Key):
		value = strings.ToLower(value)
		if values[c.Key] != "" || !slices.Contains(filterChoices(c.Key), value) {
			return false
		}
		values[c.Key] = value
	case slices.Contains(textFilters(), c.Key):
		values[c.Key] = strings.TrimSpace(values[c.Key] + " " + value)
	case slices.Contains(dayFilters(), c.Key):
		from, to, isRange := strings.Cut(value, "..")
		if !isRange {
			to = from
		}
		if !isDay(from) || !isDay(to) || values[c.Key+"_from"]+values[c.Key+"_to"] != "" {
			return false
		}
		values[c.Key+"_from"], values[c.Key+"_to"] = from, to
	default:
		return false
	}
	return true
}

// isDay reports whether a date field of a browser can hold it.
func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil || s == ""
}

// filters are the chips above the list: each takes one condition out of the search.
func (g grid) filters() []templates.AppsFilter {
	var list []templates.AppsFilter
	filter := registry.ParseFilter(g.text)
	for i, c := range filter[:min(len(filter), 2*registry.MaxTerms)] {
		rest := g.first()
		rest.text = filter.Without(i).String()
		list = append(list, templates.AppsFilter{Token: c.String(), RemoveHref: rest.href()})
	}
	return list
}

// gridViews are the tabs that everybody has: searches by a name.
var gridViews = []struct{ code, text string }{
	{"all", ""},
	{"active", "status:active"},
	{"attention", "status:active secret:expiring,expired,none"},
	{"unused", "status:active used:>90d created:>90d"},
}

func (g grid) tabs() []templates.AppsTab {
	now := registry.ParseFilter(g.text).String()
	tabs := make([]templates.AppsTab, 0, len(gridViews))
	for _, view := range gridViews {
		to := g.first()
		to.text = view.text
		tabs = append(tabs, templates.AppsTab{Code: view.code, Href: to.href(), Current: now == view.text})
	}
	return tabs
}
