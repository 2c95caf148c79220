package registry

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"credenza.example/credenza/internal/identity"
)

const (
	// maxWord bounds a word in the index, in characters; longer ones are cut, in the index and in queries alike.
	maxWord = 40
	// wholeMark begins a word that is found only when it is typed whole: those of descriptions. No folded word holds it.
	wholeMark = "="
	// wordsMark is a word of every app whose words were written in today's way, and of no other: a change of wordsOf takes
	// another one, and Reword writes the words of all others anew.
	wordsMark = "#1"
)

// marks begin the words of one part of an app, which are there a second time for the keys of the search.
var marks = map[string]string{KeyName: "<", KeyContact: "@", KeyBy: "~", KeyID: ">"}

// token is one word as the index knows it.
type token struct {
	text string
	// paired says that the text comes from a script without spaces and is a pair of characters, or a single one.
	paired bool
}

// tokens splits a text into folded words: case, accents, width and invisible characters make no difference, whatever is
// neither letter nor digit separates. Chinese and Japanese are written without spaces, so a run of theirs becomes its
// pairs of neighbours and its last character: every piece of the run is then found by its beginning. A date is a word of
// its own besides, in one spelling.
func tokens(text string) []token {
	var list []token
	for piece := range strings.FieldsSeq(text) {
		if day, ok := parseDay(piece, time.UTC); ok {
			list = append(list, token{text: day.Format(time.DateOnly)})
		}
	}
	fields := strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N) })
	for _, field := range fields {
		for field != "" {
			run, paired := scriptRun(field)
			field = field[len(run):]
			if paired {
				list = append(list, pairs(run)...)
			} else {
				list = append(list, token{text: cutRunes(run, maxWord)})
			}
		}
	}
	return list
}

// fold is identity.Fold without accents, so that "Muller" finds "Müller".
func fold(text string) string {
	bare := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(identity.Fold(text)))
	return norm.NFC.String(bare)
}

// scriptRun returns the longest beginning of a text that is all written with or all written without spaces.
func scriptRun(s string) (run string, paired bool) {
	for i, r := range s {
		p := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
		if i == 0 {
			paired = p
		} else if p != paired {
			return s[:i], paired
		}
	}
	return s, paired
}

// pairs returns each character of a run with its neighbour to the right; the last stands alone.
func pairs(run string) []token {
	runes := []rune(run)
	list := make([]token, 0, len(runes))
	for i := range runes {
		list = append(list, token{text: string(runes[i:min(i+2, len(runes))]), paired: true})
	}
	return list
}

func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// wordsOf returns the words by which an app is found, sorted, each once: those of its name, client ID, contacts and
// creator and of a resource server's API by their beginnings, those of its description as a whole (ui.md §4.1). A
// creator who is renamed later is found under the old name until the app is edited.
func wordsOf(a *App) []string {
	set := map[string]struct{}{wordsMark: {}}
	add := func(mark string, texts ...string) {
		for _, text := range texts {
			for _, t := range tokens(text) {
				set[mark+t.text] = struct{}{}
			}
		}
	}
	parts := map[string][]string{KeyName: {a.Name}, KeyID: {a.ClientID}, KeyBy: {a.CreatedBy.Name}}
	for _, c := range []Contact{a.Contact, a.SecondContact} {
		parts[KeyContact] = append(parts[KeyContact], c.FirstName, c.LastName, c.Email)
	}
	for key, texts := range parts {
		add("", texts...)
		add(marks[key], texts...)
	}
	add("", a.ResourceAPI)
	add(wholeMark, a.Description)
	return slices.Sorted(maps.Keys(set))
}
