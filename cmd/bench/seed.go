package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver by which the file is filled
	"golang.org/x/crypto/bcrypt"
)

// seed fixes what is generated: every run has the same apps.
const seed = 20_240_917

// seeder writes many apps into the tables of the registry as if people had registered them. It goes round the product,
// which would spend a bcrypt and an audit event on each: the installation must not be running.
type seeder struct {
	random       *rand.Rand
	organisation string
	apiUser      string
	person       string
	hashes       []string
	began        time.Time // of the first registration
	now          time.Time // before and after which secrets are used and expire
	lookedUp     bool      // only what support's lookup reads: words and secrets are nine tenths of the work
}

func newSeeder(organisation string) *seeder {
	return &seeder{
		random: rand.New(rand.NewPCG(seed, 0)), organisation: organisation,
		began: time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC), now: time.Now().Truncate(24 * time.Hour),
	}
}

// seededApp is a generated app.
type seededApp struct {
	id, clientID, name, description string
	category, status                string
	first, last, email              string
	scopes                          []string
	at                              int64 // µs since 1970
	used                            int64 // 0: never
	expires                         *int64
}

// The words that names and people are made of: common enough to be met in thousands of apps, and ordinary.
var (
	systems = []string{
		"SAP", "Oracle", "Workday", "Ariba", "Coupa", "Salesforce", "ServiceNow", "Jira", "Snowflake", "Tableau", "Databricks",
		"Dynamics", "NetSuite", "Kronos", "Concur", "Okta", "MuleSoft", "Boomi", "Informatica", "Zapier",
	}
	subjects = []string{
		"spend", "invoice", "timesheet", "supplier", "worker", "candidate", "requisition", "budget", "ledger", "payment", "contract",
		"headcount", "onboarding", "badge", "tax", "audit", "rate card", "statement of work", "purchase order", "cost centre",
	}
	deeds = []string{
		"export", "import", "sync", "feed", "bridge", "loader", "report", "archive", "monitor", "gateway", "dashboard", "reconciler",
		"notifier", "mirror", "replica",
	}
	places = []string{
		"EMEA", "APAC", "Americas", "Nordics", "Iberia", "Benelux", "DACH", "UK", "India", "Japan", "Brazil", "Canada",
	}
	firstNames = []string{
		"Ana", "Bruno", "Chloe", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Katya", "Liam", "Mei", "Noor", "Olga",
		"Priya", "Quentin", "Rosa", "Samir", "Tara", "Umar", "Vera", "Wei", "Ximena", "Yusuf", "Zoe",
	}
	lastNames = []string{
		"Silva", "Okafor", "Larsen", "Novak", "Tanaka", "Murphy", "Garcia", "Kowalski", "Ivanova", "Schmidt", "Rossi", "Dubois",
		"Nguyen", "Patel", "Haddad", "Jensen", "Moreau", "Costa", "Berg", "Weber",
	}
	scopeNames = []string{"core.invoice.read", "core.invoice.write", "ccw.candidates", "ccw.contingent_workers"}
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// app generates the app with this number. Numbers make names, client IDs and IDs unique.
func (s *seeder) app(n int) seededApp {
	r := s.random
	a := seededApp{
		name:     fmt.Sprintf("%s %s %s %s %d", pick(r, systems), pick(r, subjects), pick(r, deeds), pick(r, places), n),
		category: []string{"customer", "customer", "customer", "partner", "supplier", "msp"}[r.IntN(6)],
		status:   []string{"active", "active", "active", "active", "inactive"}[r.IntN(5)],
		first:    pick(r, firstNames), last: pick(r, lastNames),
		at: s.began.Add(time.Duration(n) * 17 * time.Second).UnixMicro(),
	}
	a.description = "Moves " + pick(r, subjects) + " figures of " + pick(r, places) + " every night"
	a.email = strings.ToLower(a.first+"."+a.last) + "@acme.example"
	a.clientID = "CCWACME_" + clientIDDigits(r)
	// A UUID of version 7: the time, then the number, so that IDs sort as they were made.
	a.id = fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", uint32(a.at/1000>>16), uint16(a.at/1000), n>>20&0xfff, n>>8&0xfff, n)
	if day := r.IntN(300); day < 200 {
		a.used = s.now.AddDate(0, 0, -day).UnixMicro()
	}
	if day := r.IntN(800); day < 400 {
		end := s.now.AddDate(0, 0, day-20).UnixMicro()
		a.expires = &end
	}
	a.scopes = slices.Sorted(slices.Values(scopeNames[:1+r.IntN(len(scopeNames))]))
	return a
}

func clientIDDigits(r *rand.Rand) string {
	const digits = "23456789abcdefghijkmnpqrstuvwxyz"
	var b [20]byte
	for i := range b {
		b[i] = digits[r.IntN(len(digits))]
	}
	return string(b[:])
}

// wordsWritten is the word of every app whose words were written in today's way.
const wordsWritten = "#1"

// words are those by which the registry would find the app. The texts are of plain letters and digits, so folding is
// putting them in lower case.
func (a seededApp) words() []string {
	split := func(text string) []string {
		return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	}
	list := []string{wordsWritten}
	for mark, text := range map[string]string{
		"<": a.name, ">": a.clientID, "~": "ana silva", "@": strings.Join([]string{a.first, a.last, a.email}, " "),
	} {
		for _, word := range split(text) {
			list = append(list, word, mark+word)
		}
	}
	for _, word := range split(a.description) {
		list = append(list, "="+word)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// The statements of the seeder. Each takes many rows as one JSON array of arrays, which is ten times as fast as a
// statement for each row.
const (
	insertApps = `INSERT INTO apps (id, organisation_id, client_id, name, name_key, description, category, type,
		credential_type, api_user_id, default_api, status, generation, secret_generation, created_at, created_by_kind,
		created_by_id, modified_at, modified_by_kind, modified_by_id, version, last_used_at)
		SELECT value->>0, ?2, value->>1, value->>2, lower(value->>2), value->>3, value->>4, 'machine',
		'secret', ?3, 'core', value->>5, 1, 1, value->>6, 'person', ?4, value->>6, 'person', ?4, 1, value->>7 FROM json_each(?1)`
	insertContacts = `INSERT INTO app_contacts (id, organisation_id, app_id, rank, first_name, last_name, email, created_at)
		SELECT 'c' || substr(value->>0, 2), ?2, value->>0, 1, value->>1, value->>2, value->>3, value->>4 FROM json_each(?1)`
	insertScopes = `INSERT INTO app_scopes (organisation_id, app_id, scope)
		SELECT ?2, value->>0, value->>1 FROM json_each(?1)`
	insertSecrets = `INSERT INTO app_secrets (id, organisation_id, app_id, generation, tag, hash, hint, label, created_at,
		created_by_kind, created_by_id, version, expires_at)
		SELECT 'f' || substr(value->>0, 2), ?2, value->>0, 1, value->>1, value->>2, value->>3, 'September', value->>4,
		'person', ?4, 1, value->>5 FROM json_each(?1)`
	insertWords = `INSERT INTO seeded_words (word, app_id) SELECT value->>1, value->>0 FROM json_each(?1)`
	sortWords   = `INSERT INTO app_words (organisation_id, word, app_id)
		SELECT ?, word, app_id FROM seeded_words ORDER BY word, app_id`
	perStatement = 1000 // apps
)

// fill writes n apps of a seeder into the database of the installation, whose server must be down.
func (i *installation) fill(ctx context.Context, s *seeder, n int) (err error) {
	db, err := sql.Open("sqlite3", "file:"+i.database()+"?_journal_mode=WAL")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, setting := range []string{
		"PRAGMA synchronous = OFF", "PRAGMA cache_size = -400000", "PRAGMA temp_store = MEMORY",
		"CREATE TEMP TABLE seeded_words (word TEXT NOT NULL, app_id TEXT NOT NULL)", "BEGIN IMMEDIATE",
	} {
		if _, err := conn.ExecContext(ctx, setting); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	if err := s.prepare(ctx, conn); err != nil {
		return err
	}
	if err := s.writeAll(ctx, conn, n); err != nil {
		return err
	}
	for _, finish := range []string{"COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := conn.ExecContext(ctx, finish); err != nil {
			return fmt.Errorf("%s: %w", finish, err)
		}
	}
	return nil
}

// prepare reads whose apps they will be, and hashes a small pool of secrets that nobody knows.
func (s *seeder) prepare(ctx context.Context, conn *sql.Conn) error {
	err := conn.QueryRowContext(ctx, "SELECT id FROM robot_accounts WHERE organisation_id = ? AND kind = 'client'", s.organisation).Scan(&s.apiUser)
	if err != nil {
		return fmt.Errorf("find the API user: %w", err)
	}
	err = conn.QueryRowContext(ctx, "SELECT id FROM people WHERE organisation_id = ? LIMIT 1", s.organisation).Scan(&s.person)
	if err != nil {
		return fmt.Errorf("find a person: %w", err)
	}
	for k := range 4 {
		hash, err := bcrypt.GenerateFromPassword(fmt.Appendf(nil, "nobody's secret %d", k), bcrypt.DefaultCost)
		if err != nil {
			return err
		}
		s.hashes = append(s.hashes, string(hash))
	}
	return nil
}

// writeAll writes n apps. Words are sorted before they are written: in the order of the apps, each word of each app
// would land on another page of the index.
func (s *seeder) writeAll(ctx context.Context, conn *sql.Conn, n int) error {
	for number := 1; number <= n; {
		var apps, contacts, scopes, secrets, words [][]any
		for ; number <= n && len(apps) < perStatement; number++ {
			a := s.app(number)
			apps = append(apps, []any{a.id, a.clientID, a.name, a.description, a.category, a.status, a.at, a.used})
			contacts = append(contacts, []any{a.id, a.first, a.last, a.email, a.at})
			if s.lookedUp { // but for the word that says that the server has none to write
				words = append(words, []any{a.id, wordsWritten})
				continue
			}
			mark := sha256.Sum256([]byte(a.id))
			tag := hex.EncodeToString(mark[:])
			secrets = append(secrets, []any{a.id, tag[:11], s.hashes[s.random.IntN(len(s.hashes))], tag[60:], a.at, a.expires})
			for _, scope := range a.scopes {
				scopes = append(scopes, []any{a.id, scope})
			}
			for _, word := range a.words() {
				words = append(words, []any{a.id, word})
			}
		}
		err := errors.Join(
			s.insert(ctx, conn, insertApps, apps), s.insert(ctx, conn, insertContacts, contacts),
			s.insert(ctx, conn, insertScopes, scopes), s.insert(ctx, conn, insertSecrets, secrets),
			s.insert(ctx, conn, insertWords, words))
		if err != nil {
			return err
		}
	}
	_, err := conn.ExecContext(ctx, sortWords, s.organisation)
	return err
}

// insert writes rows by a statement of the seeder.
func (s *seeder) insert(ctx context.Context, conn *sql.Conn, statement string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, statement, string(text), s.organisation, s.apiUser, s.person) // in the order of ?1 to ?4
	return err
}
