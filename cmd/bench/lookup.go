package main

import (
	"context"
	"database/sql"
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
)

const (
	looksPerPerson = 60 // within an hour, after which the server refuses
	lookRoute      = "support.lookup"
)

// fillNames writes the parts of names that support searches, as the server would have done when the apps were
// registered. The generated names are of plain words with one space between, so that SQL can split them.
const fillNames = `INSERT INTO app_name_parts (organisation_id, app_id, part)
	WITH RECURSIVE parts (org, id, rest) AS (
		SELECT organisation_id, id, name_key FROM apps
		UNION ALL
		SELECT org, id, substr(rest, instr(rest, ' ') + 1) FROM parts WHERE instr(rest, ' ') > 0
	)
	SELECT org, id, substr(rest, 1, 40) FROM parts ORDER BY 3, 2`

// lookups is P8: how long the server takes to look an app up over all organisations.
func lookups(ctx context.Context, b *bench) ([]figure, error) {
	apps, people := b.apps, 10
	if b.brief {
		apps, people = min(apps, 10_000), 3
	}
	i, links, err := b.platform(ctx, apps, people)
	if err != nil {
		return nil, err
	}
	looks, err := i.lookTexts(ctx, looksPerPerson*people)
	if err != nil {
		return nil, err
	}
	s, err := i.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer b.stop(s)
	for n, link := range links {
		p, err := signedIn(ctx, s, link)
		if err != nil {
			return nil, err
		}
		for _, l := range looks[n*looksPerPerson : (n+1)*looksPerPerson] {
			if err := p.look(ctx, l.text); err != nil {
				return nil, err
			}
		}
	}
	took, err := s.logged(ctx, lookRoute, len(looks))
	if err != nil {
		return nil, err
	}
	return lookFigures(looks, took, apps), nil
}

// look is one text that support types, and what kind of text it is.
type look struct{ kind, text string }

// lookFigures judges the slowest kind.
func lookFigures(looks []look, took []time.Duration, apps int) []figure {
	by := map[string][]time.Duration{}
	for k, l := range looks {
		by[l.kind] = append(by[l.kind], took[k])
	}
	var figures []figure
	for _, kind := range []string{"client ID", "name", "e-mail"} {
		figures = append(figures, figure{
			Line: "P8", What: fmt.Sprintf("support's lookup by %s over %d apps, server time, p95", kind, apps),
			Value: milliseconds(quantile(by[kind], 0.95)), Unit: "ms", Budget: 10,
			Note: fmt.Sprintf("median %.1f ms, of %d; two events and a count are written each time", milliseconds(quantile(by[kind], 0.5)), len(by[kind])),
		})
	}
	return figures
}

// platform makes an installation with many apps and some people of support, and returns the links that let them in.
func (b *bench) platform(ctx context.Context, apps, people int) (*installation, []string, error) {
	i, err := newInstallation(b.dir, b.binary)
	if err != nil {
		return nil, nil, err
	}
	org, err := i.organisation(ctx)
	if err != nil {
		return nil, nil, err
	}
	var platform organisation
	if err := i.command(ctx, &platform, "org", "create", "--name", "Platform", "--prefix", "PLAT", "--platform"); err != nil {
		return nil, nil, err
	}
	links := make([]string, people)
	for n := range links {
		var person struct {
			Link string `json:"signin_link"`
		}
		err := i.command(ctx, &person, "person", "create", "--org", "PLAT", "--role", "Support", "--email", fmt.Sprintf("support%d@platform.example", n))
		if err != nil {
			return nil, nil, err
		}
		links[n] = person.Link
	}
	began := time.Now()
	everybody := newSeeder(org.ID)
	everybody.lookedUp = true
	if err := i.fill(ctx, everybody, apps); err != nil {
		return nil, nil, fmt.Errorf("fill a database: %w", err)
	}
	err = i.withDatabase(ctx, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, fillNames)
		return err
	})
	b.say("%d apps were written in %.0f s", apps, time.Since(began).Seconds())
	return i, links, err
}

// lookTexts picks what is typed: client IDs, beginnings of names from one of their words on, common and rare, and
// addresses, each of which many apps have; by turns.
func (i *installation) lookTexts(ctx context.Context, n int) (looks []look, err error) {
	err = i.withDatabase(ctx, func(db *sql.DB) (err error) {
		rows, err := db.QueryContext(ctx, `SELECT a.client_id, a.name, c.email FROM apps a JOIN app_contacts c ON c.app_id = a.id
			WHERE a.rowid % (SELECT max(count(*) / ?1, 1) FROM apps) = 0 LIMIT ?1`, n/3)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var clientID, name, email string
			if err := rows.Scan(&clientID, &name, &email); err != nil {
				return err
			}
			words := strings.Fields(name)
			from := len(looks) / 3 % (len(words) - 1) // the last is a number, which alone may be shorter than three digits
			text := strings.Join(words[from:], " ")
			looks = append(looks, look{"client ID", clientID}, look{"name", text[:3+len(looks)%(len(text)-3)]}, look{"e-mail", email})
		}
		return rows.Err()
	})
	return looks, err
}

// withDatabase opens the installation's database, whose server must be down.
func (i *installation) withDatabase(_ context.Context, do func(db *sql.DB) error) error {
	db, err := sql.Open("sqlite3", "file:"+i.database()+"?_journal_mode=WAL")
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

// signedIn lets a person in by a link.
func signedIn(ctx context.Context, s *server, link string) (*portal, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	p := &portal{server: s, client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	return p, p.accept(ctx, link)
}

// look sends one look; anything but an answer with an app is an error.
func (p *portal) look(ctx context.Context, text string) error {
	filled := url.Values{"q": {text}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url()+"/lookup", strings.NewReader(filled.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.url())
	answer, err := p.client.Do(request)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(answer.Body)
	err = errors.Join(err, answer.Body.Close())
	if err == nil && (answer.StatusCode != http.StatusOK || !strings.Contains(string(body), `class="found"`)) {
		err = fmt.Errorf("the lookup of %q was answered %d, without an app", text, answer.StatusCode)
	}
	return err
}

// logged returns what the access log says about the n requests for a route: how long each took inside the server. Lines
// are written a moment after the answer.
func (s *server) logged(ctx context.Context, route string, n int) ([]time.Duration, error) {
	for range 100 {
		text, err := os.ReadFile(s.log)
		if err != nil {
			return nil, err
		}
		var times []time.Duration
		for line := range strings.Lines(string(text)) {
			var entry struct {
				Route    string        `json:"route"`
				Duration time.Duration `json:"duration"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Route == route {
				times = append(times, entry.Duration)
			}
		}
		if len(times) == n {
			return times, nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the access log lacks lines")
}
