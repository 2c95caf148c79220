package registry

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"credenza.example/credenza/internal/problem"
)

const (
	maxQuery = 200 // characters
	maxTerms = 12
	// beyond follows every character that a word can hold: words with the beginning w lie from w to w+beyond.
	beyond = "\U0010FFFF"
)

// term is one thing that must be true of an app: any of its matches.
type term []match

// match is one way in which a term can be true: a range of words, or a column of the app.
type match struct {
	words  *span
	column column
	equals string   // column is a text
	during [2]int64 // column is a time: from, up to
}

// span is a range of words: from included, to excluded; to is empty for the one word.
type span struct{ from, to string }

// parseQuery reads the search box. Outside quotes a word stands for everything that begins with it, inside for itself;
// all words must be found. A word that is also the name of a category or status, or a date, finds apps by these columns
// too. zone says which day a moment belongs to. matchless means that something was typed that holds no word at all.
//
// This is the place of the grammar's keys and negation (ui.md §4.1): until they come, "status:active" is two words.
func parseQuery(text string, zone *time.Location) (terms []term, matchless bool, err error) {
	if utf8.RuneCountInString(text) > maxQuery {
		return nil, false, problem.Fields(problem.NewField("q", "app.search.too_long", "Max", maxQuery))
	}
	for _, p := range splitQuoted(text) {
		if day, ok := parseDay(p.text, zone); ok && !p.quoted {
			terms = append(terms, dayTerm(day))
			continue
		}
		terms = append(terms, wordTerms(p)...)
	}
	terms = slices.DeleteFunc(terms, func(t term) bool { return len(t) == 0 })
	if len(terms) > maxTerms {
		return nil, false, problem.Fields(problem.NewField("q", "app.search.too_many", "Max", maxTerms))
	}
	return terms, len(terms) == 0 && strings.TrimSpace(text) != "", nil
}

// piece is what stands between two spaces, or between two quotes.
type piece struct {
	text   string
	quoted bool
}

// splitQuoted splits at spaces; a quote opens or closes a piece wherever it stands, and the end closes an open one.
func splitQuoted(text string) []piece {
	var pieces []piece
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 1 {
			pieces = append(pieces, piece{text: part, quoted: true})
			continue
		}
		for word := range strings.FieldsSeq(part) {
			pieces = append(pieces, piece{text: word})
		}
	}
	return pieces
}

// wordTerms returns a term for each word of a piece.
func wordTerms(p piece) []term {
	list := tokens(p.text)
	var terms []term
	for i, t := range list {
		// The last character of a longer run is in the pair before.
		if t.paired && utf8.RuneCountInString(t.text) == 1 && i > 0 && list[i-1].paired {
			continue
		}
		terms = append(terms, tokenTerm(t, p.quoted))
	}
	return terms
}

func tokenTerm(t token, quoted bool) term {
	whole := match{words: &span{from: t.text}}
	begins := match{words: &span{from: t.text, to: t.text + beyond}}
	inText := match{words: &span{from: wholeMark + t.text}}
	if t.paired {
		inText.words.to = wholeMark + t.text + beyond
		return term{begins, inText}
	}
	if quoted {
		return term{whole, inText}
	}
	return append(term{begins, inText}, named(t.text)...)
}

// dayTerm matches what was made or changed on a day, and texts in which the day is written.
func dayTerm(day time.Time) term {
	word := day.Format(time.DateOnly)
	return term{
		{words: &span{from: word}},
		{words: &span{from: wholeMark + word}},
		during("created_at", day), during("modified_at", day),
	}
}

// named returns the columns whose value a word names. The codes are the English names; those of other languages come
// with the languages.
func named(word string) []match {
	var list []match
	if slices.Contains(Categories(), Category(word)) {
		list = append(list, match{column: "category", equals: word})
	}
	if slices.Contains(Statuses(), Status(word)) {
		list = append(list, match{column: "status", equals: word})
	}
	return list
}

// parseDay reads a date as people write it (ui.md §4.1) and returns its first moment.
func parseDay(text string, zone *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02", "02.01.2006", "2.1.2006", "02/01/2006", "2/1/2006"} {
		if day, err := time.ParseInLocation(layout, text, zone); err == nil {
			return day, day.Year() >= 1
		}
	}
	return time.Time{}, false
}

// during matches a time column against the day that begins at start: 23 to 25 hours.
func during(c column, start time.Time) match {
	return match{column: c, during: [2]int64{start.UnixMicro(), start.AddDate(0, 0, 1).UnixMicro()}}
}
