// Package i18n holds every sentence the product says to people, and the way dates and numbers are written.
//
// It owns the message files (locales/active.<language>.toml, embedded), the choice of a language among those shipped,
// plural forms, and the formatters for time, date, number and list. It knows nothing of requests: the caller picks a
// Localizer and a time zone per request and puts both into the context with With; templates and error pages then ask T.
//
// Keys, codes, scopes and IDs are never translated. No sentence is built from pieces: a message names its variables
// ({{.App}}), so that a language may order them as it needs. English is the fallback and must be complete.
package i18n

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones of signed-in people must exist on machines without a zone database

	"github.com/BurntSushi/toml"
	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed locales/*.toml
var locales embed.FS

// maxAcceptLanguage bounds how much of a language list from outside is read.
const maxAcceptLanguage = 512

// Bundle holds the messages of all shipped languages. It is safe for concurrent use.
type Bundle struct {
	tags    []language.Tag // English first: what the matcher falls back to
	byTag   map[language.Tag]*Localizer
	matcher language.Matcher
	zones   sync.Map // zone name → *time.Location; holds only names the zone database knows
}

// Localizer says messages in one language. It is safe for concurrent use.
type Localizer struct {
	tag       language.Tag
	fixed     map[string]string // messages without variables, ready to print
	keys      map[string]struct{}
	messages  *goi18n.Localizer
	fallback  *Localizer // English; nil for English itself
	style     style
	onMissing func(key string)
}

// Load reads the embedded message files. An error means that a file does not parse, which is a fault of the build.
func Load() (*Bundle, error) { return load(locales) }

func load(files fs.FS) (*Bundle, error) {
	source := goi18n.NewBundle(language.English)
	source.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	paths, err := fs.Glob(files, "locales/active.*.toml")
	if err != nil {
		return nil, fmt.Errorf("list message files: %w", err)
	}
	b := &Bundle{tags: []language.Tag{language.English}, byTag: map[language.Tag]*Localizer{}}
	for _, path := range paths {
		file, err := source.LoadMessageFileFS(files, path)
		if err != nil {
			return nil, fmt.Errorf("read message file %s: %w", path, err)
		}
		b.byTag[file.Tag] = newLocalizer(file)
		if file.Tag != language.English {
			b.tags = append(b.tags, file.Tag)
		}
	}
	english, ok := b.byTag[language.English]
	if !ok {
		return nil, fmt.Errorf("no message file for English")
	}
	for tag, l := range b.byTag {
		l.messages = goi18n.NewLocalizer(source, tag.String())
		if l != english {
			l.fallback = english
		}
	}
	b.matcher = language.NewMatcher(b.tags)
	return b, nil
}

// newLocalizer prepares a language: messages without variables are kept as ready strings, because a page asks for
// hundreds of them and most hold none.
func newLocalizer(file *goi18n.MessageFile) *Localizer {
	l := &Localizer{
		tag: file.Tag, style: styleOf(file.Tag),
		fixed: map[string]string{}, keys: make(map[string]struct{}, len(file.Messages)),
	}
	for _, m := range file.Messages {
		l.keys[m.ID] = struct{}{}
		plain := m.Zero+m.One+m.Two+m.Few+m.Many == ""
		if plain && !strings.Contains(m.Other, "{{") {
			l.fixed[m.ID] = m.Other
		}
	}
	return l
}

// For returns the best shipped language for the wishes, most wanted first. Each wish is a language tag or the value of
// an Accept-Language header; what does not parse is passed over. English answers when nothing fits.
func (b *Bundle) For(wishes ...string) *Localizer {
	var tags []language.Tag
	for _, wish := range wishes {
		if len(wish) > maxAcceptLanguage {
			wish = wish[:strings.LastIndexByte(wish[:maxAcceptLanguage], ',')+1]
		}
		parsed, _, err := language.ParseAcceptLanguage(strings.TrimSuffix(wish, ","))
		if err == nil {
			tags = append(tags, parsed...)
		}
	}
	_, i, confidence := b.matcher.Match(tags...)
	if confidence == language.No {
		i = 0
	}
	return b.byTag[b.tags[i]]
}

// Languages returns the tags of the shipped languages, English first.
func (b *Bundle) Languages() []string {
	names := make([]string, len(b.tags))
	for i, tag := range b.tags {
		names[i] = tag.String()
	}
	return names
}

// Zone returns the time zone of this name (as in the cookie tz or a profile), or UTC when the name is empty or unknown.
// Names come from outside: only letters, digits and "+-_/" are looked up.
func (b *Bundle) Zone(name string) *time.Location {
	if known, ok := b.zones.Load(name); ok {
		if zone, ok := known.(*time.Location); ok {
			return zone
		}
	}
	if name == "" || name == "Local" || len(name) > 64 || strings.ContainsFunc(name, notInZoneName) {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	b.zones.Store(name, zone)
	return zone
}

func notInZoneName(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	default:
		return !strings.ContainsRune("+-_/", r)
	}
}

// Language returns the language tag, as it stands in <html lang> and Content-Language.
func (l *Localizer) Language() string { return l.tag.String() }

// Has reports whether this language itself has a message for the key.
func (l *Localizer) Has(key string) bool {
	_, ok := l.keys[key]
	return ok
}

// Keys returns the number of messages this language has.
func (l *Localizer) Keys() int { return len(l.keys) }

// OnMissing returns a copy that calls f for every key that no message file has. It is meant for tests.
func (l *Localizer) OnMissing(f func(key string)) *Localizer {
	c := *l
	c.onMissing = f
	return &c
}

// contextKey is the type of this package's one context key.
type contextKey struct{}

type scene struct {
	localizer *Localizer
	zone      *time.Location
}

// With returns a context in which T, Time and the others speak the language of l and use the zone; a nil zone is UTC.
func With(ctx context.Context, l *Localizer, zone *time.Location) context.Context {
	if zone == nil {
		zone = time.UTC
	}
	return context.WithValue(ctx, contextKey{}, scene{localizer: l, zone: zone})
}

func from(ctx context.Context) scene {
	s, ok := ctx.Value(contextKey{}).(scene)
	if !ok || s.localizer == nil {
		return scene{zone: time.UTC}
	}
	return s
}

// Language returns the language tag of the context, "en" without one.
func Language(ctx context.Context) string {
	if l := from(ctx).localizer; l != nil {
		return l.Language()
	}
	return language.English.String()
}
