package templates_test

import (
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/templates"
)

// mailOf is the prepared mail of a page of support whose app and contact are called so.
func mailOf(t *testing.T, app, first, email string) string {
	t.Helper()
	doc := renderDoc(t, templates.LookupPage(templates.Lookup{Frame: signedIn(), Action: "/lookup", Answer: &templates.LookupAnswer{
		By: "name", Apps: []templates.LookupApp{{
			Name: app, Organisation: "Acme", Status: "active", Contacts: []templates.AppContact{{FirstName: first, LastName: "Silva", Email: email}},
		}},
	}}))
	links := doc.Find(".found a")
	if links.Length() != 2 {
		t.Fatalf("%d links", links.Length())
	}
	return links.Last().AttrOr("href", "")
}

// TestContactMail: whatever names hold, a mail goes to one address, with one subject and one text and no other header.
func TestContactMail(t *testing.T) {
	const plain = "SAP spend export"
	for _, name := range []string{
		plain, "a&bcc=evil@evil.example", "a?subject=other", "a,b;c@evil.example", "a\r\nBcc: evil@evil.example", "a\u2028Bcc: x", "100 %0D%0A #fragment",
		"safe\u202Egpj.exe", "\u2066isolate\u2069", "\u200Fright", "\uFEFFmark\u200B", "a\x00b\x1Bc", "\xff\xfe broken", `"quoted" <b>&amp;`, "+plus+", "采购订单导出", "👩‍🔧 tool",
	} {
		href := mailOf(t, name, name, "ana.silva@acme.example")
		to, query, _ := strings.Cut(strings.TrimPrefix(href, "mailto:"), "?")
		if to != "ana.silva@acme.example" {
			t.Errorf("%q: to %q", name, to)
		}
		if strings.ContainsAny(query, "+#,;?\r\n <>\"'") || strings.Count(query, "&") != 1 || strings.Count(query, "=") != 2 {
			t.Errorf("%q: %q has something that is not escaped", name, query)
		}
		for i := range len(href) {
			if href[i] < ' ' || href[i] > '~' {
				t.Fatalf("%q: the link holds the byte %x", name, href[i])
			}
		}
		fields, err := url.ParseQuery(query)
		if err != nil || len(fields) != 2 || len(fields["subject"]) != 1 || len(fields["body"]) != 1 {
			t.Fatalf("%q: %v, %v", name, fields, err)
		}
		subject, body := fields.Get("subject"), fields.Get("body")
		if strings.ContainsAny(subject, "\r\n\u2028\u2029\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\u200E\u200F\u061C\u200B\uFEFF\x00\x1B") {
			t.Errorf("%q: the subject is %q", name, subject)
		}
		if strings.ContainsAny(body, "\u2028\u202E\u2066\u200F") || strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\n") || strings.Contains(body, "\nBcc") {
			t.Errorf("%q: the text is %q", name, body)
		}
		if strings.Count(body, "\r\n") != strings.Count(mustBody(t, mailOf(t, plain, plain, "ana.silva@acme.example")), "\r\n") {
			t.Errorf("%q: another number of lines in %q", name, body)
		}
	}
}

func mustBody(t *testing.T, href string) string {
	t.Helper()
	u, err := url.Parse(href)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("body")
}

// TestContactMailAddress: an address is one address, even one that should never have come so far.
func TestContactMailAddress(t *testing.T) {
	for address, want := range map[string]string{
		"ana+sap@acme.example": "ana%2Bsap@acme.example", "o'neil@acme.example": "o%27neil@acme.example",
		"a@b.example,c@d.example": "a%40b.example%2Cc@d.example", "a@b.example?bcc=c@d.example": "a%40b.example%3Fbcc%3Dc@d.example",
		"a\r\nb@c.example": "a%0D%0Ab@c.example", "é@ü.example": "%C3%A9@%C3%BC.example", "nothing": "nothing", "": "",
	} {
		to, _, _ := strings.Cut(strings.TrimPrefix(mailOf(t, "App", "Ana", address), "mailto:"), "?")
		if to != want {
			t.Errorf("%q becomes %q, want %q", address, to, want)
		}
	}
}
