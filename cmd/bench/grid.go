package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// gridApps is how many apps the organisation of P6 has.
const gridApps = 10_000

// portal is a running server with many apps and somebody who is signed in.
type portal struct {
	*server

	client *http.Client
	lists  int // of apps that were asked for
}

// openPortal makes an installation with apps, starts it and signs its administrator in.
func (b *bench) openPortal(ctx context.Context, apps int) (*portal, error) {
	i, err := newInstallation(b.dir, b.binary)
	if err != nil {
		return nil, err
	}
	org, err := i.organisation(ctx)
	if err != nil {
		return nil, err
	}
	if err := i.fill(ctx, newSeeder(org.ID), apps); err != nil {
		return nil, fmt.Errorf("fill a database: %w", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	s, err := i.serve(ctx)
	if err != nil {
		return nil, err
	}
	p := &portal{server: s, client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	if err := p.accept(ctx, org.link); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return p, nil
}

// accept sets the person's password by the one-time link, which signs in.
func (p *portal) accept(ctx context.Context, link string) error {
	u, err := url.Parse(link)
	if err != nil {
		return err
	}
	const password = "nobody guesses this for a benchmark"
	filled := url.Values{"token": {u.Query().Get("token")}, "password": {password}, "password_again": {password}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url()+u.Path, strings.NewReader(filled.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.url())
	answer, err := p.client.Do(request) // follows to the first page
	if err != nil {
		return err
	}
	if answer.Body.Close(); answer.StatusCode != http.StatusOK {
		return fmt.Errorf("signing in was answered %d", answer.StatusCode)
	}
	return nil
}

// get fetches a page and tells how long it took.
func (p *portal) get(ctx context.Context, path string) (body []byte, took time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+path, nil)
	if err != nil {
		return nil, 0, err
	}
	if request.URL.Path == "/apps" {
		p.lists++
	}
	began := time.Now()
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	body, err = io.ReadAll(answer.Body)
	took = time.Since(began)
	if err = errors.Join(err, answer.Body.Close()); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s was answered %d", path, answer.StatusCode)
	}
	return body, took, err
}

// looks are the ways of looking at the grid: all that is typed in a day, common and rare.
var looks = []struct{ name, path string }{
	{"first page", "/apps"},
	{"100 rows", "/apps?per=100"},
	{"by category", "/apps?sort=category"},
	{"by status, descending", "/apps?sort=status&dir=desc"},
	{"by creation", "/apps?sort=created"},
	{"last changed first", "/apps?sort=modified&dir=desc"},
	{"filter by category", "/apps?q=category%3Amsp"},
	{"filter by status", "/apps?q=status%3Ainactive"},
	{"a status of most", "/apps?q=status%3Aactive"},
	{"both filters, sorted", "/apps?q=category%3Asupplier+status%3Ainactive&sort=modified&dir=desc"},
	{"both filters, common", "/apps?q=category%3Acustomer+status%3Aactive"},
	{"any of three categories", "/apps?q=category%3Apartner%2Csupplier%2Cmsp"},
	{"a name", "/apps?q=name%3Asap"},
	{"a beginning of names", "/apps?q=name%3As"},
	{"a contact", "/apps?q=contact%3Avera"},
	{"a contact of every app", "/apps?q=contact%3Aacme"},
	{"a creator", "/apps?q=by%3Asilva"},
	{"an API user", "/apps?q=user%3Aclient"},
	{"a scope of all", "/apps?q=scope%3Acore.invoice.read"},
	{"a scope of few", "/apps?q=scope%3Accw.contingent_workers"},
	{"a family of scopes", "/apps?q=scope%3Acore"},
	{"secrets that are fine", "/apps?q=secret%3Aok"},
	{"secrets that expire", "/apps?q=secret%3Aexpiring%2Cexpired"},
	{"two secrets", "/apps?q=secret%3Atwo"},
	{"never used", "/apps?q=used%3Anever"},
	{"not used for long", "/apps?q=used%3A%3E90d"},
	{"used lately, by use", "/apps?q=used%3A%3C30d&sort=used&dir=desc"},
	{"made since a day", "/apps?q=created%3A%3E2024-03-01"},
	{"made in two days", "/apps?q=created%3A2024-03-01..2024-03-02&sort=modified"},
	{"needs attention", "/apps?q=status%3Aactive+secret%3Aexpiring%2Cexpired%2Cnone"},
	{"unused", "/apps?q=status%3Aactive+used%3A%3E90d+created%3A%3E90d"},
	{"not a word", "/apps?q=-sap"},
	{"not a word of every app", "/apps?q=-acme"},
	{"not a status", "/apps?q=-status%3Aactive"},
	{"not two words", "/apps?q=-sap+-oracle"},
	{"not a quoted name", "/apps?q=-name%3A%22purchase+order%22"},
	{"not a scope", "/apps?q=-scope%3Accw.contingent_workers"},
	{"a word and not another", "/apps?q=invoice+-emea+-category%3Amsp"},
	{"not a contact, by use", "/apps?q=-contact%3Avera&sort=used"},
	{"two words of every app", "/apps?q=acme+every"},
	{"everything at once", "/apps?q=status%3Aactive+category%3Acustomer%2Cpartner+contact%3Aana+scope%3Acore.invoice+secret%3Aok+-sap+used%3A%3C120d"},
	{"a common word", "/apps?q=sap"},
	{"a common beginning", "/apps?q=s"},
	{"a word of every app", "/apps?q=acme"},
	{"a word of descriptions", "/apps?q=every"},
	{"two common words", "/apps?q=invoice+emea"},
	{"three words", "/apps?q=sap+invoice+export"},
	{"a common and a rare word", "/apps?q=sap+7421"},
	{"a rare number", "/apps?q=7421"},
	{"an e-mail address", "/apps?q=vera.weber%40acme.example"},
	{"quoted", "/apps?q=%22purchase+order%22"},
	{"nothing found", "/apps?q=zeppelin"},
	{"a day", "/apps?q=2024-03-02"},
	{"a status and a word", "/apps?q=inactive+oracle"},
	{"words, filter and order", "/apps?q=report+category%3Apartner&sort=created&dir=desc"},
	{"words, by last change", "/apps?q=export&sort=modified"},
}

// grid is P6: the grid of one organisation with many apps.
func grid(ctx context.Context, b *bench) (figures []figure, err error) {
	p, err := b.openPortal(ctx, gridApps)
	if err != nil {
		return nil, err
	}
	defer b.stop(p.server)
	repeat := 40
	if b.brief {
		repeat = 10
	}
	var names []string
	var round []time.Duration
	visit := func(name, path string) error {
		_, took, err := p.get(ctx, path)
		names, round = append(names, name), append(round, took)
		return err
	}
	deep, err := p.walk(ctx, gridApps/50*9/10)
	if err != nil {
		return nil, err
	}
	for range repeat {
		for _, l := range looks {
			if err := visit(l.name, l.path); err != nil {
				return nil, err
			}
		}
		if err := visit("a deep page", deep); err != nil {
			return nil, err
		}
	}
	inside, err := p.listed(ctx, len(names))
	if err != nil {
		return nil, err
	}
	return gridFigures(b, names, inside, round)
}

// gridFigures puts the times of the looks together by name: inside the server, and round trips.
func gridFigures(b *bench, names []string, inside, round []time.Duration) ([]figure, error) {
	if len(inside) != len(names) {
		return nil, fmt.Errorf("the log has %d lines for %d pages", len(inside), len(names))
	}
	by := map[string][]time.Duration{}
	for k, name := range names {
		by[name] = append(by[name], inside[k])
	}
	// Of ten, the slowest says more about the machine than about the page.
	q, called := 0.95, "p95"
	if b.brief {
		q, called = 0.5, "median"
	}
	worst, slowest := "", time.Duration(0)
	for name, times := range by {
		if t := quantile(times, q); t > slowest {
			worst, slowest = name, t
		}
	}
	b.report.Series = append(b.report.Series, gridSeries(by))
	return []figure{
		{
			Line: "P6", What: fmt.Sprintf("grid of %d apps, server time of the slowest kind of page, %s", gridApps, called),
			Value: milliseconds(slowest), Unit: "ms", Budget: 10,
			Note: fmt.Sprintf("%s; all %d kinds together %.1f ms, round trip %.1f ms; first page %.1f ms, deep page %.1f ms", worst, len(by),
				milliseconds(quantile(inside, q)), milliseconds(quantile(round, q)),
				milliseconds(quantile(by["first page"], q)), milliseconds(quantile(by["a deep page"], q))),
		},
	}, nil
}

func gridSeries(by map[string][]time.Duration) series {
	s := series{Name: "grid, server time p95 in ms"}
	for _, l := range looks {
		s.Labels, s.Y = append(s.Labels, l.name), append(s.Y, milliseconds(quantile(by[l.name], 0.95)))
	}
	s.Labels, s.Y = append(s.Labels, "a deep page"), append(s.Y, milliseconds(quantile(by["a deep page"], 0.95)))
	return s
}

// walk follows the link to the next page so often and returns where it ends.
func (p *portal) walk(ctx context.Context, pages int) (path string, err error) {
	path = "/apps"
	for range pages {
		body, _, err := p.get(ctx, path)
		if err != nil {
			return "", err
		}
		document, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		next, ok := document.Find(`a[href*="after="]`).First().Attr("href")
		if !ok {
			return "", fmt.Errorf("%s leads to no next page", path)
		}
		path = next
	}
	return path, nil
}

// listed returns what the access log says about the last n lists of apps: how long each took inside the server. Lines are
// written a moment after the answer.
func (p *portal) listed(ctx context.Context, n int) ([]time.Duration, error) {
	for range 100 {
		times, err := p.loggedLists()
		if err != nil {
			return nil, err
		}
		if len(times) == p.lists {
			return times[len(times)-n:], nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the access log lacks lines")
}

func (p *portal) loggedLists() ([]time.Duration, error) {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return nil, err
	}
	var times []time.Duration
	for line := range bytes.Lines(text) {
		var entry struct {
			Route    string        `json:"route"`
			Duration time.Duration `json:"duration"`
		}
		if json.Unmarshal(line, &entry) == nil && entry.Route == "app.list" {
			times = append(times, entry.Duration)
		}
	}
	return times, nil
}

// weight is P10: what a first visit to the grid with 50 rows fetches.
func weight(ctx context.Context, b *bench) ([]figure, error) {
	p, err := b.openPortal(ctx, 200)
	if err != nil {
		return nil, err
	}
	defer b.stop(p.server)
	html, _, err := p.get(ctx, "/apps?per=50")
	if err != nil {
		return nil, err
	}
	parts, err := partsOf(html, p.url())
	if err != nil {
		return nil, err
	}
	var sent, plainBytes int
	for _, path := range parts.own {
		body, _, err := p.get(ctx, path) // unpacked
		if err != nil {
			return nil, err
		}
		packed, err := p.packed(ctx, path)
		if err != nil {
			return nil, err
		}
		sent, plainBytes = sent+packed, plainBytes+len(body)
	}
	return []figure{
		{Line: "P10", What: "grid with 50 rows: HTML", Value: float64(len(html)) / kilobyte, Unit: "kB", Budget: 90, exact: true},
		{
			Line: "P10", What: "grid with 50 rows: CSS and JS", Value: float64(sent) / kilobyte, Unit: "kB", Budget: 40, exact: true,
			Note: fmt.Sprintf("as sent; %.1f kB unpacked, %d files", float64(plainBytes)/kilobyte, len(parts.own)),
		},
		{Line: "P10", What: "requests to other hosts", Value: float64(len(parts.foreign)), exact: true, Note: strings.Join(parts.foreign, " ")},
		{Line: "P10", What: "scripts that the first paint waits for", Value: float64(parts.blocking), exact: true},
	}, nil
}

// packed is how many bytes the network carries of a file for a browser, which takes gzip.
func (p *portal) packed(ctx context.Context, path string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+path, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := p.client.Do(request)
	if err != nil {
		return 0, err
	}
	body, err := io.ReadAll(answer.Body)
	return len(body), errors.Join(err, answer.Body.Close())
}

// parts are what a page makes a browser fetch besides itself.
type parts struct {
	own      []string // paths of stylesheets and scripts
	foreign  []string // addresses on other hosts
	blocking int      // scripts before the page is shown
}

func partsOf(html []byte, own string) (parts, error) {
	document, err := goquery.NewDocumentFromReader(bytes.NewReader(html))
	if err != nil {
		return parts{}, err
	}
	var list parts
	document.Find("link[href], script, img[src], iframe[src], source[src], object[data], use[href]").Each(func(_ int, s *goquery.Selection) {
		_, deferred := s.Attr("defer")
		_, async := s.Attr("async")
		if goquery.NodeName(s) == "script" && !deferred && !async && s.AttrOr("type", "") != "module" {
			list.blocking++
		}
		address := s.AttrOr("src", s.AttrOr("href", s.AttrOr("data", "")))
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Host != "" && "http://"+u.Host != own:
			list.foreign = append(list.foreign, address)
		case strings.HasSuffix(u.Path, ".css"), strings.HasSuffix(u.Path, ".js"):
			list.own = append(list.own, u.Path)
		}
	})
	return list, nil
}
