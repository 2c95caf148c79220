package templates

import (
	"context"
	"strings"
	"unicode"

	"credenza.example/credenza/internal/i18n"
)

// ContactMail is what a prepared mail to the contact of an app says. Names come from people and may hold anything.
type ContactMail struct {
	FirstName, LastName, Email string
	App                        string
	ClientID                   string // "": the sender knows the app by its name alone, as support does
	Organisation               string
}

// href is a mailto: link with a subject and the beginning of a text. Whatever stands in the names, the mail goes to this
// one address, with this subject and text and no other header (RFC 6068 §7).
func (m ContactMail) href(ctx context.Context) string {
	return mailTo(m.Email, m.subject(ctx), m.text(ctx))
}

// subject is one line.
func (m ContactMail) subject(ctx context.Context) string {
	return oneLine(i18n.T(ctx, "mail.contact.subject", "Product", i18n.T(ctx, "product.name"), "App", oneLine(m.App)))
}

// text is the beginning of the mail, which the person who sends it writes on.
func (m ContactMail) text(ctx context.Context) string {
	app, organisation := oneLine(m.App), oneLine(m.Organisation)
	about := i18n.T(ctx, "mail.contact.about", "App", app, "Organisation", organisation, "ClientID", oneLine(m.ClientID))
	if m.ClientID == "" {
		about = i18n.T(ctx, "mail.contact.about_support", "App", app, "Organisation", organisation)
	}
	greeting := i18n.T(ctx, "mail.contact.greeting", "Name", oneLine(m.FirstName+" "+m.LastName))
	return greeting + "\n\n" + about + "\n\n"
}

// mailTo is a link that starts a mail (RFC 6068). Lines of the text end as mail has them; the subject is one line.
func mailTo(address, subject, body string) string {
	lines := strings.Split(strings.ReplaceAll(body, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = oneLine(lines[i])
	}
	return "mailto:" + mailAddress(address) + "?subject=" + mailEscape(oneLine(subject)) +
		"&body=" + mailEscape(strings.Join(lines, "\r\n"))
}

// oneLine takes out of a text what breaks a line, shows nothing or reorders what stands after it, so that a name cannot
// pass for more than a name.
func oneLine(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Noncharacter_Code_Point, r), r == '\uFEFF', r == '\u200B':
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.TrimSpace(clean)
}

// mailAddress makes an address safe to stand in a mailto: link, whatever a person typed: all but the one @ and what no
// address needs to be escaped is, so that no comma, ? or & begins another address or a header.
func mailAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return mailEscape(address)
	}
	return mailEscape(address[:at]) + "@" + mailEscape(address[at+1:])
}

// mailEscape escapes every byte but the unreserved ones of RFC 3986 §2.3: a space is %20, since programs for mail show a
// plus sign as it is.
func mailEscape(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
