package scope

import (
	"cmp"
	"slices"
	"strings"
)

// maxNearNames is how many names Near returns.
const maxNearNames = 3

// Near returns the names of scopes that somebody may have meant who wrote a name that is none: the one it is a misprint
// of, then those that differ from it by a few characters, else those that have its words. It is for people and no reason
// to accept anything.
func (c *Catalogue) Near(name string) []string {
	if len(name) > MaxNameLength {
		return nil
	}
	asked := strings.ToLower(name)
	type near struct {
		name string
		far  int
	}
	var found []near
	for _, s := range c.scopes {
		far := distance(asked, strings.ToLower(s.Name))
		for _, printed := range s.AlsoSpelled {
			if strings.EqualFold(printed, name) {
				far = -1
			}
		}
		if far <= tolerance(asked) {
			found = append(found, near{s.Name, far})
		}
	}
	if len(found) == 0 && len(searchWords(name)) > 0 {
		for _, hit := range c.searchWords(searchWords(name)).Hits {
			found = append(found, near{hit.Scope, 0})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(a.far, b.far) })
	var names []string
	for _, n := range found[:min(len(found), maxNearNames)] {
		names = append(names, n.name)
	}
	return names
}

// tolerance is how many slips of the finger a text of this length may hold.
func tolerance(text string) int { return max(2, len(text)/6) }

// slip returns how many slips turn the path into one of the template's: literals may be misspelled, a parameter stands
// for anything. ok is false when they differ more than that.
func (t template) slip(path []string) (slips int, ok bool) {
	if len(t) != len(path) {
		return 0, false
	}
	for i, s := range t {
		if s.parameter {
			continue
		}
		far := distance(strings.ToLower(s.text), path[i])
		if far > tolerance(s.text) || far >= len(s.text) {
			return 0, false
		}
		slips += far
	}
	return slips, true
}

// distance is the number of bytes to put in, take out or replace that turns one text into the other (Levenshtein). Texts
// whose lengths alone are far apart are not compared: the difference of the lengths is the least it can be.
func distance(a, b string) int {
	if least := max(len(a)-len(b), len(b)-len(a)); least > max(tolerance(a), tolerance(b)) {
		return least
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
