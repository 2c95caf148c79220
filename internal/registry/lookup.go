package registry

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// What support may look up (protocol.md §6).
const (
	// LooksPerHour is how often a person may look something up in the hour that begins with the first look.
	LooksPerHour = 60
	// MaxFound is how many apps an answer shows: enough to choose from, too few to copy a list.
	MaxFound = 10

	minLookup  = 3   // letters and digits of a name
	maxLookup  = 254 // characters: the longest address
	lookWindow = time.Hour

	actionLookup  = "support.lookup"
	lookupTooMany = "lookup.limit"
)

// LookupBy says as what a text was looked up.
type LookupBy string

// The ways. What has the form of a client ID is looked up as one, what holds an @ as an address.
const (
	ByClientID LookupBy = "client_id"
	ByEmail    LookupBy = "email"
	ByName     LookupBy = "name"
)

// Lookup is what support is told. More says that there are more apps than MaxFound.
type Lookup struct {
	By    LookupBy
	Found []Found
	More  bool
	Left  int // looks that the actor has left in this hour
}

// Found is all that support is told of an app: app, organisation, status, contact (protocol.md §6).
type Found struct {
	Name          string
	Organisation  string
	Status        Status
	Contact       Contact
	SecondContact Contact // zero: none
}

// Lookup finds apps over all organisations, by exact client ID, exact e-mail address of a contact, or the beginning of a
// name from any of its words on, three letters at least. Deleted apps are not found.
//
// It takes support.lookup and counts as one of LooksPerHour whether it finds anything or not; then the answer is
// problem.Limited. Each look is an event in the platform's trail, and one in the trail of the organisation for each app
// that was found; what was typed stands in neither. Faults name the field q.
func (r *Registry) Lookup(ctx context.Context, actor access.Actor, text string) (Lookup, error) {
	act := audit.Act{
		Right: access.SupportLookup, Action: actionLookup, Organisation: actor.Organisation, Target: audit.Target{Kind: "lookup"},
	}
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return Lookup{}, err
	}
	by, text, err := readLookup(text)
	if err != nil {
		return Lookup{}, err
	}
	// Asked before anything is searched, so that whoever is refused costs no search; counting asks again.
	err = r.store.mayLook(ctx, actor, r.db.Now())
	var found []foundRow
	if err == nil {
		found, err = r.store.lookup(ctx, by, text)
	}
	if err != nil {
		return Lookup{}, r.refusedLook(ctx, actor, act, err)
	}
	answer := Lookup{By: by, More: len(found) > MaxFound}
	found = found[:min(len(found), MaxFound)]
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		looks, err := countLook(tx, actor)
		answer.Left = LooksPerHour - looks
		return lookupEvents(by, found), err
	})
	if err != nil {
		return Lookup{}, r.refusedLook(ctx, actor, act, err)
	}
	for i := range found {
		answer.Found = append(answer.Found, found[i].found())
	}
	return answer, nil
}

// refusedLook notes in the trail that a look was one too many.
func (r *Registry) refusedLook(ctx context.Context, actor access.Actor, act audit.Act, err error) error {
	if problem.Is(err, problem.Limited) {
		r.trail.Refused(ctx, actor, act, lookupTooMany)
	}
	return err
}

// lookupEvents is what the trails say of a look.
func lookupEvents(by LookupBy, found []foundRow) audit.Change {
	ids := make([]string, len(found))
	change := audit.Change{}
	for i := range found {
		ids[i] = string(found[i].ID)
		change.Elsewhere = append(change.Elsewhere, audit.Elsewhere{
			Organisation: found[i].OrganisationID, After: map[string]any{"by": string(by)},
			Target: audit.Target{Kind: targetKind, ID: string(found[i].ID), Label: found[i].Name},
		})
	}
	change.After = map[string]any{"by": string(by), "apps": ids}
	return change
}

// readLookup says as what a text is to be looked up, and returns it in the form in which it is searched for.
func readLookup(text string) (LookupBy, string, error) {
	text = strings.TrimSpace(text)
	fault := func(key string, args ...any) error { return problem.Fields(problem.NewField("q", key, args...)) }
	switch {
	case text == "":
		return "", "", fault("lookup.missing")
	case utf8.RuneCountInString(text) > maxLookup:
		return "", "", fault("lookup.too_long", "Max", maxLookup)
	case LooksLikeClientID(text):
		return ByClientID, text, nil
	case strings.Contains(text, "@"):
		email, wrong := identity.Email("lookup.email", text)
		if wrong != nil {
			return "", "", fault("lookup.email")
		}
		return ByEmail, email, nil
	}
	name := phrase(text)
	if utf8.RuneCountInString(strings.ReplaceAll(name, " ", "")) < minLookup {
		return "", "", fault("lookup.too_short", "Min", minLookup)
	}
	return ByName, cutRunes(name, maxWord), nil
}

// LooksLikeClientID reports whether a text has the form of a client ID: a prefix, "_" and twenty characters of the
// alphabet (product.md decision 4).
func LooksLikeClientID(text string) bool {
	at := len(text) - clientIDRandom - 1
	if at < 1 || text[at] != '_' || !validClientID(text) {
		return false
	}
	return !strings.ContainsFunc(text[at+1:], func(c rune) bool { return !strings.ContainsRune(clientIDAlphabet, c) })
}

// phrase is a name as names are compared over all organisations: folded, with one space wherever there is neither letter
// nor digit.
func phrase(name string) string {
	words := strings.FieldsFunc(fold(name), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N) })
	return strings.Join(words, " ")
}

// nameParts are the texts whose beginnings find an app: its name from each of its words on and, in scripts without
// spaces, from each character on. They are sorted and cut to maxWord characters.
func nameParts(name string) []string {
	var parts []string
	text := phrase(name)
	before, inWord := ' ', false
	for i, r := range text {
		_, paired := scriptRun(text[i : i+utf8.RuneLen(r)])
		if r != ' ' && (before == ' ' || paired || !inWord) {
			parts = append(parts, cutRunes(text[i:], maxWord))
		}
		before, inWord = r, r != ' ' && !paired
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// namedBy reports whether a name has a part that begins like this.
func namedBy(name, beginning string) bool {
	return slices.ContainsFunc(nameParts(name), func(part string) bool { return strings.HasPrefix(part, beginning) })
}

// fillNames takes the queue of names that an older version left.
func (r *Registry) fillNames(ctx context.Context) error {
	for more := true; more; {
		err := r.db.Housekeep(ctx, func(tx *database.Tx) error {
			n, err := fillNames(tx, fillChunk)
			more = n == fillChunk
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
