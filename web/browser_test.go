package web_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// RoundTrip lets an http.Client talk to the portal without a network.
func (p *portal) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "192.0.2.7:4711"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	got := w.Result()
	got.Request = r
	if r.Method == http.MethodHead { // what http.Server does, and a recorder does not
		got.Body = http.NoBody
		w.Body.Reset()
	}
	var text bytes.Buffer
	p.must(got.Header.Write(&text))
	text.Write(w.Body.Bytes())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = append(p.answers, answer{r.Method + " " + r.URL.Path, text.String()})
	return got, nil
}

// holding lists the requests whose answers held a text.
func (p *portal) holding(text string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var requests []string
	for _, a := range p.answers {
		if strings.Contains(a.text, text) {
			requests = append(requests, a.request)
		}
	}
	return requests
}

// browser is somebody at the portal: cookies are kept, redirects are not followed by themselves.
type browser struct {
	p      *portal
	client *http.Client
}

// stranger is a browser in which nobody is signed in.
func (p *portal) stranger() *browser {
	jar, err := cookiejar.New(nil)
	p.must(err)
	return &browser{p: p, client: &http.Client{
		Transport: p, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as is a browser in which somebody signed in through the form.
func (p *portal) as(email string) *browser {
	p.t.Helper()
	b := p.stranger()
	answer := b.post("/signin", url.Values{"email": {email}, "password": {password}})
	if answer.status != http.StatusSeeOther {
		p.t.Fatalf("%s cannot sign in: %d\n%s", email, answer.status, answer.text("main"))
	}
	return b
}

// page is an answer.
type page struct {
	*goquery.Document

	t      testing.TB
	path   string
	status int
	header http.Header
	body   string
}

func (b *browser) get(path string) *page {
	b.p.t.Helper()
	return b.do(http.MethodGet, path, nil, nil)
}

// fragment asks for a part of a page, as the script does.
func (b *browser) fragment(path, name string) *page {
	b.p.t.Helper()
	return b.do(http.MethodGet, path, nil, http.Header{"X-Fragment": {name}})
}

// post sends a form from a page of the portal.
func (b *browser) post(path string, form url.Values) *page {
	b.p.t.Helper()
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()), nil)
}

// do sends a request as a browser would from a page of the portal. Headers given replace those.
func (b *browser) do(method, path string, body io.Reader, headers http.Header) *page {
	b.p.t.Helper()
	r, err := http.NewRequestWithContext(b.p.t.Context(), method, publicURL+path, body)
	b.p.must(err)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Origin", publicURL)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(r.Header, headers)
	answer, err := b.client.Do(r)
	b.p.must(err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	b.p.must(err)
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(text))
	b.p.must(err)
	return &page{
		Document: doc, t: b.p.t, path: path, status: answer.StatusCode, header: answer.Header, body: string(text),
	}
}

// follow goes where an answer leads.
func (b *browser) follow(answer *page) *page {
	b.p.t.Helper()
	answer.is(http.StatusSeeOther)
	return b.get(answer.to())
}

// is ends the test unless the answer has this status.
func (a *page) is(status int) *page {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d %s\n%s", a.path, a.status, status, a.header.Get("Location"), a.text("main"))
	}
	return a
}

// to is the path that a redirect leads to.
func (a *page) to() string {
	a.t.Helper()
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || (to.Host != "" && to.Scheme+"://"+to.Host != publicURL) {
		a.t.Fatalf("%s leads to %q", a.path, a.header.Get("Location"))
	}
	return to.RequestURI()
}

// text is what stands in elements, with runs of spaces made one.
func (a *page) text(selector string) string {
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}

// says ends the test unless the elements hold the text.
func (a *page) says(selector, text string) *page {
	a.t.Helper()
	if got := a.text(selector); !strings.Contains(got, text) {
		a.t.Fatalf("%s: %s says %q, want %q", a.path, selector, got, text)
	}
	return a
}

// form is what a browser would send of the page's first form of this kind if nothing was touched.
func (a *page) form(selector string) url.Values {
	a.t.Helper()
	form := a.Find(selector).First()
	if form.Length() == 0 {
		a.t.Fatalf("%s has no %s", a.path, selector)
	}
	values := url.Values{}
	form.Find("input, select, textarea").Each(func(_ int, s *goquery.Selection) {
		name, named := s.Attr("name")
		_, checked := s.Attr("checked")
		switch kind := s.AttrOr("type", ""); {
		case !named:
		case goquery.NodeName(s) == "textarea":
			values.Add(name, s.Text())
		case goquery.NodeName(s) == "select":
			values.Add(name, chosen(s))
		case kind == "submit":
		case (kind == "checkbox" || kind == "radio") && !checked:
		default:
			values.Add(name, s.AttrOr("value", ""))
		}
	})
	return values
}

// chosen is the value of a select: the option that is marked, else the first that is not disabled.
func chosen(s *goquery.Selection) string {
	option := s.Find("option[selected]")
	if option.Length() == 0 {
		option = s.Find("option:not([disabled])")
	}
	return option.First().AttrOr("value", "")
}

// problems are the lines of the summary of a form that came back, by the id of the field they lead to; "" for none.
func (a *page) problems() map[string]string {
	found := map[string]string{}
	a.Find(".error-summary li").Each(func(_ int, s *goquery.Selection) {
		found[strings.TrimPrefix(s.Find("a").AttrOr("href", ""), "#f-")] = strings.TrimSpace(s.Text())
	})
	return found
}

// with is the form with other values; nil takes a field out.
func with(form url.Values, changes map[string][]string) url.Values {
	changed := maps.Clone(form)
	for name, values := range changes {
		if values == nil {
			delete(changed, name)
		} else {
			changed[name] = values
		}
	}
	return changed
}
