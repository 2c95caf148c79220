package i18n

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// style is how one language writes dates and numbers. Go has no date patterns of CLDR, so each language has its own
// few lines here; styleOf is where a new language finds its place.
type style struct {
	months    [12]string
	date      func(t time.Time, month string) string
	time      func(t time.Time) string
	thousands string // between groups of three digits
}

// styleOf returns the style of a language, the English one for languages without their own.
func styleOf(tag language.Tag) style {
	base, _ := tag.Base()
	switch base.String() {
	default:
		return english()
	}
}

func english() style {
	s := style{
		months: [12]string{
			"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
		},
		thousands: ",",
	}
	s.date = func(t time.Time, month string) string {
		return fmt.Sprintf("%d %s %d", t.Day(), month, t.Year())
	}
	s.time = func(t time.Time) string {
		return fmt.Sprintf("%s, %s %s", s.day(t), t.Format("15:04"), zoneName(t))
	}
	return s
}

// day writes the date of t in the zone t already has.
func (s style) day(t time.Time) string { return s.date(t, s.months[t.Month()-1]) }

// number writes n with separators between thousands.
func (s style) number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(s.thousands)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// zoneName returns the usual letters of the zone at t, or the offset where the zone database has no letters for it.
func zoneName(t time.Time) string {
	name, offset := t.Zone()
	if offset == 0 && (name == "" || name == "UTC") {
		return "UTC"
	}
	if name != "" && name[0] != '+' && name[0] != '-' {
		return name
	}
	return "UTC" + t.Format("-07:00")
}

// Time writes the moment with date, minute and zone letters, in the zone of the context: "22 Nov 2026, 14:05 CET".
// The zero time is "".
func Time(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	s := from(ctx)
	return s.style().time(t.In(s.zone))
}

// Date writes the day of the moment in the zone of the context: "22 Nov 2026". The zero time is "".
func Date(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	s := from(ctx)
	return s.style().day(t.In(s.zone))
}

// Number writes a whole number with the separators of the language: "1,284".
func Number(ctx context.Context, n int64) string { return from(ctx).style().number(n) }

// Zone returns the time zone of the context, UTC without one.
func Zone(ctx context.Context) *time.Location { return from(ctx).zone }

// Ago says how long before now (or after it) the moment is, in one unit: "3 days ago", "in 12 days", "just now".
func Ago(ctx context.Context, t, now time.Time) string {
	d := now.Sub(t)
	past := d >= 0
	if !past {
		d = -d
	}
	minutes := int(d / time.Minute)
	switch hours, days := minutes/60, minutes/(60*24); {
	case minutes < 1:
		return T(ctx, "time.now")
	case minutes < 60 && past:
		return T(ctx, "time.minutes_ago", "N", minutes)
	case minutes < 60:
		return T(ctx, "time.in_minutes", "N", minutes)
	case hours < 48 && past:
		return T(ctx, "time.hours_ago", "N", hours)
	case hours < 48:
		return T(ctx, "time.in_hours", "N", hours)
	case past:
		return T(ctx, "time.days_ago", "N", days)
	default:
		return T(ctx, "time.in_days", "N", days)
	}
}

// List joins the words as the language does: "a", "a and b", "a, b and c".
func List(ctx context.Context, words []string) string {
	s := from(ctx)
	if s.localizer == nil {
		return strings.Join(words, ", ")
	}
	return s.localizer.list(words)
}

func (l *Localizer) list(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	last := len(words) - 1
	head := words[0]
	for _, word := range words[1:last] {
		head = l.text(time.UTC, "list.middle", map[string]any{"Head": head, "Next": word})
	}
	return l.text(time.UTC, "list.last", map[string]any{"Head": head, "Last": words[last]})
}

func (s scene) style() style {
	if s.localizer == nil {
		return english()
	}
	return s.localizer.style
}
