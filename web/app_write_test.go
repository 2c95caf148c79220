package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// deny has the reader of a contact's address say that it should be somebody else.
func (p *portal) deny(email string) {
	p.t.Helper()
	reader := p.stranger()
	form := reader.get(p.askLink(email)).is(http.StatusOK).form("main form")
	form.Set("answer", "no")
	reader.post("/contact/verify", form).is(http.StatusOK)
}

// TestPreparedMail: whoever may see an app finds the mail to its contacts, to open or to copy.
func TestPreparedMail(t *testing.T) {
	p := newPortal(t)
	admin, viewer := p.as("admin@acme.example"), p.as("viewer@acme.example")
	made := admin.register(map[string][]string{
		"email": {"ana@acme.example"}, "second_first_name": {"Jo"}, "second_last_name": {"Weber"}, "second_email": {"jo@acme.example"},
	})
	path := made.path + "/mail"
	for _, from := range []string{"/apps", made.path} {
		if viewer.get(from).Find("a[href='"+path+"']").Length() != 1 {
			t.Errorf("%s does not lead to the mail", from)
		}
	}
	a := viewer.get(path).is(http.StatusOK)
	if a.Find("main section").Length() != 2 || a.Find("main a[href$='/edit']").Length() != 0 {
		t.Error("there are two contacts, and nothing that a viewer may change")
	}
	if admin.get(path).Find("main a[href='"+made.path+"/edit']").Length() != 1 {
		t.Error("who may change the contact is not led there")
	}
	mail, err := url.Parse(a.Find("main a[href^='mailto:']").Last().AttrOr("href", ""))
	p.must(err)
	subject, text := a.Find("#subject-2").AttrOr("value", ""), a.Find("#text-2").Text()
	if mail.Opaque != "jo@acme.example" || a.Find("#address-2").AttrOr("value", "") != mail.Opaque {
		t.Errorf("the mail goes to %q", mail.Opaque)
	}
	if got := mail.Query(); got.Get("subject") != subject || strings.ReplaceAll(got.Get("body"), "\r\n", "\n") != text {
		t.Errorf("the link has %v, the page %q and %q", got, subject, text)
	}
	for _, part := range []string{"Hello Jo Weber,", "SAP spend export", made.clientID, "Acme"} {
		if !strings.Contains(text, part) {
			t.Errorf("the text lacks %q: %q", part, text)
		}
	}
	p.deny("jo@acme.example")
	viewer.get(path).says("section:last-of-type", "Contact stale").says("section:last-of-type", "may be nobody's any more")
	p.as("admin@globex.example").get(path).is(http.StatusNotFound)
}

// TestPreparedMailOfAnybody: whatever stands in names, there is one address, one subject and one text.
func TestPreparedMailOfAnybody(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	const evil = `x&bcc=evil@evil.example?cc=a"><b>,%0ABcc`
	made := admin.register(map[string][]string{"name": {evil}, "first_name": {evil}, "last_name": {`</textarea><script>`}, "email": {"a+b@acme.example"}})
	a := admin.get(made.path + "/mail").is(http.StatusOK)
	href := a.Find("main a[href^='mailto:']").AttrOr("href", "")
	to, query, _ := strings.Cut(href, "?")
	fields, err := url.ParseQuery(query)
	p.must(err)
	if to != "mailto:a%2Bb@acme.example" || len(fields) != 2 || strings.Count(href, "?") != 1 || strings.Count(href, "&") != 1 {
		t.Errorf("the link is %s", href)
	}
	if a.Find("main script, main b").Length() != 0 || a.Find("main textarea").Length() != 1 {
		t.Error("a name became markup")
	}
}
