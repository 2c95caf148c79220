package registry

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// term is one thing that must be true of an app: any of its matches.
type term []match

// match is one way in which a term can be true: a word of the app lies in a range, it holds one of some scopes, a text
// column is one of some values, or number columns lie in their ranges.
type match struct {
	words  *span
	scopes []string
	column column
	among  []string
	ranges []interval
}

// span is a range of words: from included, to excluded; to is empty for the one word.
type span struct{ from, to string }

// interval is a range of a number column: from included, to excluded.
type interval struct {
	column   column
	from, to int64
}

// beyond follows every character that a word can hold: words with the beginning w lie from w to w+beyond.
const beyond = "\U0010FFFF"

// begins matches words that begin so, whole one word, after a mark.
func begins(mark, word string) match { return match{words: &span{mark + word, mark + word + beyond}} }
func whole(mark, word string) match  { return match{words: &span{from: mark + word}} }

func isOne(c column, values ...string) match { return match{column: c, among: values} }

func inRange(c column, from, to int64) match { return match{ranges: []interval{{c, from, to}}} }

// terms are what a search asks for: each of must is true, and of each of mustNot not every one is. hopeless says that
// something was asked for that nothing can be, such as a word without a letter.
type terms struct {
	must     []term
	mustNot  [][]term
	hopeless bool
}

// reader turns what was typed into what is asked of the tables.
type reader struct {
	r    *Registry // nil: only faults are looked for
	org  access.OrganisationID
	zone *time.Location
	now  time.Time

	apiUsers []identity.RobotAccount // of the organisation, once read
	held     []string                // scopes that its apps hold, once read
	named    int                     // how many API users the values name together
}

// checkFilter reports what is wrong with a search, without asking what there is to find.
func checkFilter(text string, zone *time.Location) error {
	rd := reader{zone: zone}
	_, err := rd.terms(context.Background(), text)
	return err
}

// terms reads a search. Outside quotes a word stands for everything that begins with it, inside for itself. A word that
// is also the name of a category or status, or a date, finds apps by these columns too. Faults name the field q.
func (rd *reader) terms(ctx context.Context, text string) (terms, error) {
	var t terms
	if utf8.RuneCountInString(text) > MaxQuery {
		return t, problem.Fields(problem.NewField("q", "app.search.too_long", "Max", MaxQuery))
	}
	// What is no text, and the one character that PostgreSQL does not keep, stand nowhere.
	filter := ParseFilter(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD"))
	if filter.size() > MaxTerms { // before anything is looked up
		return t, tooMany()
	}
	size, wordless := 0, 0
	filter = distinctConditions(filter)
	for _, c := range filter {
		choices, n, err := rd.choices(ctx, c)
		if err != nil {
			return t, err
		}
		if size += n; size > MaxTerms {
			return t, tooMany()
		}
		if len(choices) == 0 {
			if c.Key == "" {
				wordless++
			} else if !c.Not {
				t.hopeless = true
			}
			continue
		}
		if c.Not {
			t.mustNot = append(t.mustNot, choices...)
		} else {
			t.must = append(t.must, distribute(choices)...)
		}
		if len(t.must) > 2*MaxTerms {
			return t, tooMany()
		}
	}
	t.hopeless = t.hopeless || wordless > 0 && wordless == len(filter)
	return t, nil
}

func tooMany() error {
	return problem.Fields(problem.NewField("q", "app.search.too_many", "Max", MaxTerms))
}

// size is how many words and values a search has at least: what stands between two quotes may have several words.
func (f Filter) size() int {
	n := 0
	for _, c := range f {
		for _, v := range c.Values {
			if c.Key == "" || strings.TrimSpace(v.Text) != "" {
				n++
			}
		}
	}
	return n
}

// distinctConditions are conditions without what was said before, which nobody needs to look for again.
func distinctConditions(f Filter) Filter {
	var list Filter
	said := map[string]bool{}
	for _, c := range f {
		var values []Choice
		for _, v := range c.Values {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		c.Values = values
		if text := c.String(); !said[text] {
			said[text] = true
			list = append(list, c)
		}
	}
	return list
}

// distribute turns alternatives of terms that hold together into terms that hold together, of alternatives each.
func distribute(choices [][]term) []term {
	all := choices[0]
	for _, choice := range choices[1:] {
		var next []term
		for _, t := range all {
			for _, u := range choice {
				next = append(next, either(t, u))
			}
		}
		all = next
	}
	return all
}

// either is a term that one of two makes true. Two values of a column are one list of values.
func either(t, u term) term {
	both := slices.Clone(t)
	for _, m := range u {
		at := slices.IndexFunc(both, func(n match) bool { return len(n.among) > 0 && len(m.among) > 0 && n.column == m.column })
		if at < 0 {
			both = append(both, m)
			continue
		}
		both[at].among = slices.Concat(both[at].among, m.among)
		slices.Sort(both[at].among)
		both[at].among = slices.Compact(both[at].among)
	}
	return both
}

// choices reads one condition: what any of its values asks for, as terms that hold together, without values that hold
// no word. size is how many words and values there were.
func (rd *reader) choices(ctx context.Context, c Condition) (choices [][]term, size int, err error) {
	values := slices.DeleteFunc(slices.Clone(c.Values), func(v Choice) bool { return c.Key != "" && strings.TrimSpace(v.Text) == "" })
	if len(values) == 0 {
		return nil, 0, problem.Fields(problem.NewField("q", "app.search.empty", "Key", c.Key+":"))
	}
	for _, v := range values {
		list, err := rd.value(ctx, c.Key, v)
		if err != nil {
			return nil, 0, err
		}
		size += max(1, len(list))
		if len(list) > 0 {
			choices = append(choices, list)
		}
	}
	return choices, size, nil
}

// value reads one value of a key.
func (rd *reader) value(ctx context.Context, key string, v Choice) ([]term, error) {
	switch key {
	case "":
		if day, ok := parseDay(v.Text, rd.zone); ok && !v.Quoted {
			return []term{dayTerm(day)}, nil
		}
		return wordTerms(v, func(t token) term { return freeTerm(t, v.Quoted) }), nil
	case KeyName, KeyBy, KeyContact, KeyID:
		return wordTerms(v, func(t token) term { return markedTerm(marks[key], t, v.Quoted) }), nil
	case KeyUser:
		users, err := rd.users(ctx, v)
		return []term{{isOne("api_user_id", users...)}}, err
	case KeyScope:
		t, err := rd.scopes(ctx, v)
		return []term{t}, err
	}
	m, ok := rd.fixed(key, strings.ToLower(strings.TrimSpace(v.Text)))
	if !ok {
		return nil, problem.Fields(problem.NewField("q", "app.search.value_"+key, "Value", v.Text, "Examples", whenExamples))
	}
	return []term{{m}}, nil
}

// fixed reads a value of a key that takes only certain ones.
func (rd *reader) fixed(key, value string) (match, bool) {
	switch key {
	case KeyCategory:
		return isOne("category", value), slices.Contains(Categories(), Category(value))
	case KeyStatus:
		return isOne("status", value), slices.Contains(Statuses(), Status(value))
	case KeySecret:
		return secretMatch(SummaryCode(value), rd.now)
	case KeyUsed:
		if value == "never" {
			return inRange("last_used_at", 0, 1), true
		}
		from, to, ok := rd.when(value)
		if from == 0 && !strings.HasPrefix(value, ">") {
			from = 1 // used, then: never is 0. Not used for longer than an age, though, is what was never used too.
		}
		return inRange("last_used_at", from, to), ok
	case KeyCreated:
		from, to, ok := rd.when(value)
		return inRange("created_at", from, to), ok
	default:
		from, to, ok := rd.when(value)
		return inRange("modified_at", from, to), ok
	}
}

// secretMatch matches apps by how they stand with their secrets, as Summary says it; two is true of an app with two
// usable secrets even if both are about to end.
func secretMatch(code SummaryCode, at time.Time) (match, bool) {
	now, soon := at.UnixMicro()+1, at.Add(expiringWithin).UnixMicro()+1
	const until, twoUntil, expiredFrom = column("secrets_until"), column("two_secrets_until"), column("secret_expired_from")
	dead := interval{until, 0, now}
	ranges := map[SummaryCode][]interval{
		SecretsOK:       {{until, soon, forEver}, {twoUntil, 0, now}},
		SecretsTwo:      {{twoUntil, now, forEver}},
		SecretsExpiring: {{until, now, soon}},
		SecretsExpired:  {dead, {expiredFrom, 0, now}},
		SecretsNone:     {dead, {expiredFrom, now, forEver}},
	}[code]
	return match{ranges: ranges}, ranges != nil
}

// users returns the IDs of the organisation's API users whose names hold the words.
func (rd *reader) users(ctx context.Context, v Choice) ([]string, error) {
	if rd.r == nil {
		return nil, nil
	}
	if rd.apiUsers == nil {
		var err error
		if rd.apiUsers, err = rd.r.identity.APIUsers(ctx, rd.org); err != nil {
			return nil, err
		}
	}
	var ids []string
	for _, robot := range rd.apiUsers {
		if holds(robot.Name, v) {
			ids = append(ids, string(robot.ID))
		}
	}
	if rd.named += len(ids); rd.named > rd.r.store.ways.users {
		return nil, problem.Fields(problem.NewField("q", "app.search.many_users", "Value", v.Text, "Max", rd.r.store.ways.users))
	}
	return ids, nil
}

// holds reports whether a text has every word of a value, by its beginning or, quoted, whole. Nothing has no word.
func holds(text string, v Choice) bool {
	wanted := tokens(v.Text)
	words := tokens(text)
	for _, want := range wanted {
		if !slices.ContainsFunc(words, func(w token) bool {
			return w.text == want.text || !v.Quoted && strings.HasPrefix(w.text, want.text)
		}) {
			return false
		}
	}
	return len(wanted) > 0
}

// scopes matches what holds a scope of the catalogue that begins so in any case, or, quoted, is the one; and what was
// typed, since an app may hold a scope that has left the catalogue. Of many only those are asked for that somebody holds.
func (rd *reader) scopes(ctx context.Context, v Choice) (term, error) {
	name := strings.TrimSpace(v.Text)
	list := []string{name}
	if rd.r != nil {
		for _, s := range rd.r.catalogue.For(rd.org).Scopes() {
			begins := len(s.Name) >= len(name) && strings.EqualFold(s.Name[:len(name)], name) && (!v.Quoted || len(s.Name) == len(name))
			if begins && s.Name != name {
				list = append(list, s.Name)
			}
		}
	}
	if len(list) > 1 {
		if rd.held == nil {
			var err error
			if rd.held, err = rd.r.store.heldScopes(ctx, rd.org); err != nil {
				return nil, err
			}
		}
		list = slices.DeleteFunc(list, func(s string) bool { return s != name && !slices.Contains(rd.held, s) })
	}
	if len(list) > apartScopes {
		return term{{scopes: list}}, nil
	}
	var t term
	for _, s := range list {
		t = append(t, match{scopes: []string{s}})
	}
	return t, nil
}

// apartScopes is how many scopes are looked for one by one at most: each in the order of the apps.
const apartScopes = 8
