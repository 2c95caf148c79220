package notify

import (
	"context"
	"errors"
	"fmt"
	"html"
	"maps"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"credenza.example/credenza/internal/i18n"
)

const (
	// maxSubject, maxName and maxText bound a subject line, a recipient's name and a variable of a text, in characters.
	maxSubject = 200
	maxName    = 200
	maxText    = 1000
	// maxParagraph bounds a paragraph with its variables.
	maxParagraph = 10_000
	// maxAddress is that of RFC 5321 §4.5.3.1.3 without its brackets.
	maxAddress = 254
)

// line returns text as a single line of so many characters at most, without what controls: line breaks, tabs, marks that
// turn the direction of writing.
func line(text string, most int) string {
	text = text[:min(len(text), 8*most)] // what a stranger wrote costs no more, however long it is
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return shortened(strings.Join(strings.Fields(text), " "), most)
}

// deliverable reports whether text is one plain address (C67): no name, no list, no line break, no comment.
func deliverable(text string) bool {
	if len(text) > maxAddress || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return false
	}
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Name == "" && parsed.Address == text
}

// house is what mails say of the installation.
type house struct {
	messages *i18n.Bundle
	url      string // public, without a slash at its end
	domain   string
	from     string
}

func newHouse(messages *i18n.Bundle, publicURL string, server *Server) (house, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		return house{}, fmt.Errorf("notify: %q is no public URL", publicURL)
	}
	h := house{messages: messages, url: strings.TrimSuffix(publicURL, "/"), domain: u.Hostname()}
	if net.ParseIP(h.domain) != nil {
		h.domain = "localhost" // an address is no domain
	}
	h.from = "credenza@" + h.domain
	if server != nil && server.from != "" {
		h.from = server.from
	}
	return h, nil
}

// compose makes the mail of a row that is sent at a time.
func (h house) compose(ctx context.Context, row *mailRow, at time.Time) (*gomail.Msg, error) {
	args, err := decodeArgs(row.Args)
	if err != nil {
		return nil, err
	}
	ctx = i18n.With(ctx, h.messages.For(row.Language), time.UTC)
	product := i18n.T(ctx, "product.name")
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if !deliverable(row.ToEmail) {
		return nil, errors.New("notify: the recipient's address is none")
	}
	m.FromMailAddress(&mail.Address{Name: product, Address: h.from})
	m.ToMailAddress(&mail.Address{Name: encodable(row.ToName), Address: row.ToEmail})
	title := i18n.Text(ctx, textKey(row.TextKey, "subject"), args)
	m.Subject(line(i18n.T(ctx, "mail.subject", "Product", product, "Title", title), maxSubject))
	m.SetDateWithValue(at)
	m.SetMessageIDWithValue(string(row.ID) + "@" + h.domain)
	switch {
	case row.Words == "":
		m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: nobody's holiday notice answers
	case deliverable(row.ReplyEmail):
		m.ReplyToMailAddress(&mail.Address{Name: encodable(row.ReplyName), Address: row.ReplyEmail})
	}
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetGenHeader("Content-Language", i18n.Language(ctx))
	b := h.body(ctx, row, args)
	m.SetBodyString(gomail.TypeTextPlain, b.text())
	m.AddAlternativeString(gomail.TypeTextHTML, b.html(i18n.Language(ctx)))
	return m, nil
}

// encodable returns a name that a header can hold. net/mail leaves a backslash as it is in a name that it encodes, and
// cannot read the header then.
func encodable(name string) string { return line(strings.ReplaceAll(name, `\`, " "), maxName) }

// body is what stands in a mail.
type body struct {
	hello   string
	words   [][]string // what a person wrote: paragraphs of lines
	texts   []string
	list    []string
	more    string // what the list leaves out
	leads   string // what the link leads to
	link    string
	closing string
}

func (h house) body(ctx context.Context, row *mailRow, args map[string]any) body {
	b := body{words: written(row.Words), texts: paragraphs(ctx, row.TextKey, args), closing: h.closing(ctx, row.TextKey, args)}
	b.list, _ = args["List"].([]string)
	if more, _ := args["More"].(int64); more > 0 && len(b.list) > 0 {
		b.more = i18n.T(ctx, "mail.more", "N", more)
	}
	if name := line(row.ToName, maxName); name != "" {
		b.hello = i18n.T(ctx, "mail.hello", "Name", name)
	} else {
		b.hello = i18n.T(ctx, "mail.hello_all")
	}
	if strings.HasPrefix(row.Path, "/") && !strings.HasPrefix(row.Path, "//") {
		b.leads, b.link = i18n.T(ctx, "mail.link"), h.url+row.Path
	}
	return b
}

// closing is what is said at the end: the mail's own sentence or the usual one.
func (h house) closing(ctx context.Context, key string, args map[string]any) string {
	all := map[string]any{"URL": h.url}
	maps.Copy(all, args)
	own := textKey(key, "closing")
	if text := i18n.Text(ctx, own, all); text != own { // an unknown key answers itself
		return line(text, maxParagraph)
	}
	return i18n.T(ctx, "mail.closing", "URL", h.url)
}

// written splits what a person wrote into paragraphs of lines, without what controls.
func written(words string) [][]string {
	var list [][]string
	for paragraph := range strings.SplitSeq(words, "\n\n") {
		var lines []string
		for text := range strings.SplitSeq(paragraph, "\n") {
			if text = line(text, maxParagraph); text != "" {
				lines = append(lines, text)
			}
		}
		if len(lines) > 0 {
			list = append(list, lines)
		}
	}
	return list
}

func (b body) text() string {
	parts := []string{b.hello}
	for _, lines := range b.words {
		parts = append(parts, strings.Join(lines, "\n"))
	}
	parts = append(parts, b.texts...)
	if len(b.list) > 0 {
		list := "- " + strings.Join(b.list, "\n- ")
		if b.more != "" {
			list += "\n" + b.more
		}
		parts = append(parts, list)
	}
	if b.link != "" {
		parts = append(parts, b.leads+"\n"+b.link)
	}
	return strings.Join(append(parts, "-- \n"+b.closing), "\n\n") + "\n"
}

// html writes the same with the least markup. Everything that is put in is escaped.
func (b body) html(language string) string {
	var w strings.Builder
	w.WriteString(`<!doctype html><html lang="` + html.EscapeString(language) + `"><head><meta charset="utf-8"></head><body>`)
	w.WriteString("<p>" + html.EscapeString(b.hello) + "</p>\n")
	for _, lines := range b.words {
		escaped := make([]string, len(lines))
		for i, text := range lines {
			escaped[i] = html.EscapeString(text)
		}
		w.WriteString("<p>" + strings.Join(escaped, "<br>\n") + "</p>\n")
	}
	for _, text := range b.texts {
		w.WriteString("<p>" + html.EscapeString(text) + "</p>\n")
	}
	if len(b.list) > 0 {
		w.WriteString("<ul>\n")
		for _, text := range b.list {
			w.WriteString("<li>" + html.EscapeString(text) + "</li>\n")
		}
		w.WriteString("</ul>\n")
	}
	if b.more != "" {
		w.WriteString("<p>" + html.EscapeString(b.more) + "</p>\n")
	}
	if b.link != "" {
		link := html.EscapeString(b.link)
		w.WriteString("<p>" + html.EscapeString(b.leads) + `<br><a href="` + link + `">` + link + "</a></p>\n")
	}
	w.WriteString("<hr><p><small>" + html.EscapeString(b.closing) + "</small></p></body></html>\n")
	return w.String()
}

// shortened cuts text to so many characters.
func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
