package i18n

import (
	"context"
	"fmt"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// T returns the message of the key in the language of the context. args are pairs of name and value:
//
//	i18n.T(ctx, "apps.count", "N", 37, "Total", 1284)
//
// "N" chooses the plural form. Integers are written as numbers of the language (pass a year as a string), a time.Time
// as by Time, a []string as by List. An unknown key is returned as it is; a test finds those.
func T(ctx context.Context, key string, args ...any) string {
	if len(args) == 0 {
		return Text(ctx, key, nil)
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[fmt.Sprint(args[i])] = args[i+1]
	}
	return Text(ctx, key, m)
}

// Text is T for arguments that are already a map, as those of a problem.Error or problem.Field.
func Text(ctx context.Context, key string, args map[string]any) string {
	s := from(ctx)
	if s.localizer == nil {
		return key
	}
	return s.localizer.text(s.zone, key, args)
}

func (l *Localizer) text(zone *time.Location, key string, args map[string]any) string {
	if fixed, ok := l.fixed[key]; ok {
		return fixed
	}
	if !l.Has(key) {
		if l.fallback != nil && l.fallback.Has(key) {
			return l.fallback.text(zone, key, args)
		}
		if l.onMissing != nil {
			l.onMissing(key)
		}
		return key
	}
	data := make(map[string]any, len(args))
	for name, value := range args {
		data[name] = l.printable(zone, value)
	}
	text, err := l.messages.Localize(&goi18n.LocalizeConfig{
		MessageID: key, TemplateData: data, PluralCount: pluralCount(args["N"]),
	})
	// A message without the plural form of its count answers with "other" and an error: the text counts.
	if text == "" && err != nil {
		return key
	}
	return text
}

// printable turns an argument into what stands in the sentence.
func (l *Localizer) printable(zone *time.Location, value any) any {
	switch v := value.(type) {
	case time.Time:
		return l.style.time(v.In(zone))
	case []string:
		return l.list(v)
	default:
		if n, ok := integer(value); ok {
			return l.style.number(n)
		}
		return value
	}
}

// pluralCount returns the count for the plural rules, or nil when n is no whole number.
func pluralCount(n any) any {
	if i, ok := integer(n); ok {
		return i
	}
	return nil
}

func integer(value any) (int64, bool) {
	switch v := value.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case int32:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint8:
		return int64(v), true
	default:
		return 0, false
	}
}
