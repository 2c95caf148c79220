package registry

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// forEver is beyond all moments.
const forEver = int64(math.MaxInt64)

// wordTerms returns a term for each word of a value.
func wordTerms(v Choice, of func(token) term) []term {
	list := tokens(v.Text)
	var terms []term
	for i, t := range list {
		// The last character of a longer run is in the pair before.
		if t.paired && utf8.RuneCountInString(t.text) == 1 && i > 0 && list[i-1].paired {
			continue
		}
		terms = append(terms, of(t))
	}
	return terms
}

// freeTerm is a word that may stand anywhere.
func freeTerm(t token, quoted bool) term {
	if t.paired {
		return term{begins("", t.text), begins(wholeMark, t.text)}
	}
	if quoted {
		return term{whole("", t.text), whole(wholeMark, t.text)}
	}
	return append(term{begins("", t.text), whole(wholeMark, t.text)}, named(t.text)...)
}

// markedTerm is a word that must stand in the part of an app that the mark says.
func markedTerm(mark string, t token, quoted bool) term {
	if quoted && !t.paired {
		return term{whole(mark, t.text)}
	}
	return term{begins(mark, t.text)}
}

// dayTerm matches what was made or changed on a day, and texts in which the day is written.
func dayTerm(day time.Time) term {
	word := day.Format(time.DateOnly)
	from, to := day.UnixMicro(), dayAfter(day).UnixMicro()
	return term{whole("", word), whole(wholeMark, word), inRange("created_at", from, to), inRange("modified_at", from, to)}
}

// named returns the columns whose value a word names. The codes are the English names; those of other languages come
// with the languages.
func named(word string) []match {
	var list []match
	if slices.Contains(Categories(), Category(word)) {
		list = append(list, isOne("category", word))
	}
	if slices.Contains(Statuses(), Status(word)) {
		list = append(list, isOne("status", word))
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

// dayAfter is 23 to 25 hours later.
func dayAfter(day time.Time) time.Time { return day.AddDate(0, 0, 1) }

// ageForm is how long ago something was: a number of days, weeks or months.
var ageForm = regexp.MustCompile(`^([<>])([0-9]{1,4})([dwm])$`)

// whenExamples show what when reads.
const whenExamples = "2026-11-22, 2026-11-01..2026-11-22, <2026-11-22, >2026-11-22, <30d, >12w, >6m"

// when reads a day, "<" or ">" with a day (before it, after it), two days with ".." between them, one of which may be left
// out, or an age: ">90d" is longer ago than 90 days, "<90d" is within the last 90 days. It returns the moments, the last
// excluded; 0 is since ever.
func (rd *reader) when(value string) (from, to int64, ok bool) {
	if m := ageForm.FindStringSubmatch(value); m != nil {
		n, err := strconv.Atoi(m[2])
		at := rd.ago(n, m[3]).UnixMicro()
		if m[1] == ">" {
			return 0, max(at, 1), err == nil
		}
		return max(at, 0), forEver, err == nil
	}
	first, last, isRange := strings.Cut(value, "..")
	switch {
	case isRange && first+last != "":
		return rd.between(first, last)
	case strings.HasPrefix(value, ">"), strings.HasPrefix(value, "<"):
		return rd.beside(value[:1], value[1:])
	default:
		return rd.between(value, value)
	}
}

// between is from a day to a day, both included; "" is no bound.
func (rd *reader) between(first, last string) (from, to int64, ok bool) {
	to = forEver
	var begin time.Time
	if first != "" {
		if begin, ok = parseDay(first, rd.zone); !ok {
			return 0, 0, false
		}
		from = max(begin.UnixMicro(), 0)
	}
	if last != "" {
		end, ok := parseDay(last, rd.zone)
		return from, dayAfter(end).UnixMicro(), ok && !begin.After(end)
	}
	return from, to, true
}

// beside is before or after a day, without the day itself.
func (rd *reader) beside(sign, text string) (from, to int64, ok bool) {
	day, ok := parseDay(text, rd.zone)
	if sign == ">" {
		return max(dayAfter(day).UnixMicro(), 0), forEver, ok
	}
	return 0, day.UnixMicro(), ok
}

func (rd *reader) ago(n int, unit string) time.Time {
	switch unit {
	case "w":
		n *= 7
	case "m":
		return rd.now.AddDate(0, -n, 0)
	}
	return rd.now.AddDate(0, 0, -n)
}
