package registry_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// asks returns the links of the mails that ask an address, oldest first.
func (w *world) asks(t testing.TB, email string) []string {
	t.Helper()
	var paths []string
	err := w.db.Read(t.Context()).Raw("SELECT path FROM mails WHERE text_key = 'contact_ask' AND to_email = ? ORDER BY id", email).Scan(&paths).Error
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		link, found := strings.CutPrefix(path, registry.ContactPath+"?ask=")
		if !found {
			t.Fatalf("a mail leads to %s", path)
		}
		if paths[i], err = url.QueryUnescape(link); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func (w *world) askContacts(t testing.TB) {
	t.Helper()
	if err := w.AskContacts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

const reader = "jo@acme.example"

// withReader registers apps whose contact is the reader.
func (w *world) withReader(t testing.TB, names ...string) []registry.App {
	t.Helper()
	var apps []registry.App
	for _, name := range names {
		f := w.fields(name)
		f.Contact = registry.Contact{FirstName: "Jo", LastName: "Weber", Email: reader}
		app, _ := w.registerFields(t, w.admin, f)
		apps = append(apps, app)
	}
	return apps
}

func (w *world) known(t testing.TB, app registry.App) registry.Address {
	t.Helper()
	return must(w.Addresses(t.Context(), w.viewer, &app))(t)[app.Contact.Email]
}

// TestContactsAreAsked once for all their apps, by whichever of two servers is first, and again after a year.
func TestContactsAreAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		second := must(registry.New(w.deps))(t)
		apps := w.withReader(t, "Import", "Export")
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i, r := range []*registry.Registry{w.Registry, second} {
			both.Go(func() { errs[i] = r.AskContacts(t.Context()) })
		}
		both.Wait()
		if errs[0] != nil || errs[1] != nil {
			t.Fatal(errs)
		}
		links := w.asks(t, reader)
		if len(links) != 1 {
			t.Fatalf("%d mails", len(links))
		}
		asked := must(w.Asked(t.Context(), links[0]))(t)
		want := registry.Asked{Organisation: "Acme", Email: reader, Apps: []string{"Export", "Import"}, Total: 2}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Error(diff)
		}
		w.clock.Advance(time.Hour)
		if err := w.AnswerAsk(t.Context(), access.Origin{Address: "192.0.2.1"}, links[0], true); err != nil {
			t.Fatal(err)
		}
		for _, app := range apps {
			if diff := cmp.Diff(registry.Address{State: registry.AddressConfirmed, At: w.clock.Now()}, w.known(t, app)); diff != "" {
				t.Error(diff)
			}
		}
		for range 12 {
			w.clock.Advance(30 * day)
			w.askContacts(t)
		}
		if n := len(w.asks(t, reader)); n != 1 {
			t.Errorf("%d mails in a year", n)
		}
		w.clock.Advance(10 * day)
		w.askContacts(t)
		if n := len(w.asks(t, reader)); n != 2 {
			t.Errorf("%d mails after a year", n)
		}
	})
}

// TestContactDenies: the last answer counts, and stands in the trail without the address.
func TestContactDenies(t *testing.T) {
	w := sqliteWorld(t)
	app := w.withReader(t, "Import")[0]
	w.askContacts(t)
	link := w.asks(t, reader)[0]
	for _, right := range []bool{true, true, false, false} {
		w.clock.Advance(time.Minute)
		if err := w.AnswerAsk(t.Context(), access.Origin{}, link, right); err != nil {
			t.Fatal(err)
		}
		if got := w.known(t, app); got.Stale() == right {
			t.Errorf("after %v it is %+v", right, got)
		}
	}
	e := w.lastEvent(t)
	if e.Action != "contact.deny" || e.Target.Kind != "contact_address" || strings.Contains(e.Target.ID+e.Target.Label, "@") {
		t.Errorf("the trail says %+v", e)
	}
	n := 0
	for _, e := range w.events(t, w.acme) {
		if strings.HasPrefix(e.Action, "contact.") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d events of two answers", n)
	}
}

// TestContactLinks: what was made up, is too old, or is about nothing any more opens nothing.
func TestContactLinks(t *testing.T) {
	w := sqliteWorld(t)
	app := w.withReader(t, "Import")[0]
	w.askContacts(t)
	link := w.asks(t, reader)[0]
	last := link[:len(link)-1] + map[bool]string{true: "B", false: "A"}[strings.HasSuffix(link, "A")]
	first := map[bool]string{true: "B", false: "A"}[strings.HasPrefix(link, "A")] + link[1:]
	for _, forged := range []string{"", "x", last, first, strings.Repeat("A", 200), link + link} {
		if _, err := w.Asked(t.Context(), forged); !problem.Is(err, problem.NotFound) {
			t.Errorf("%.20s: %v", forged, err)
		}
		if err := w.AnswerAsk(t.Context(), access.Origin{}, forged, true); !problem.Is(err, problem.NotFound) {
			t.Errorf("%.20s answers: %v", forged, err)
		}
	}
	f := formOf(app)
	f.Contact = registry.Contact{FirstName: "Bo", LastName: "Berg", Email: "bo@acme.example"}
	must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
	if _, err := w.Asked(t.Context(), link); !problem.Is(err, problem.NotFound) {
		t.Errorf("about nothing: %v", err)
	}
	w.askContacts(t)
	other := w.asks(t, "bo@acme.example")[0]
	w.clock.Advance(61 * day)
	if _, err := w.Asked(t.Context(), other); !problem.Is(err, problem.Gone) {
		t.Errorf("too old: %v", err)
	}
	w.clock.Advance(365 * day)
	w.askContacts(t)
	if n := len(w.asks(t, reader)); n != 1 {
		t.Errorf("who is no contact any more got %d mails", n)
	}
}

// TestBouncedAddressIsStale until a server takes a mail to it or its reader confirms it.
func TestBouncedAddressIsStale(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app := w.withReader(t, "Import")[0]
		w.askContacts(t)
		w.clock.Advance(time.Minute)
		answer := func(state notify.State) {
			t.Helper()
			err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
				to := notify.Address{Email: "JO@acme.example"}
				return registry.AddressAnswered(tx, notify.Mail{Organisation: string(w.acme.ID), To: to, State: state})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		bounce := func() {
			t.Helper()
			answer(notify.Refused)
			if got := w.known(t, app); got.State != registry.AddressRefused || !got.Stale() {
				t.Errorf("after a bounce: %+v", got)
			}
		}
		bounce()
		answer(notify.Sent)
		if got := w.known(t, app); got.State != registry.AddressUnknown {
			t.Errorf("after a mail was taken: %+v", got)
		}
		bounce()
		w.clock.Advance(time.Minute)
		if err := w.AnswerAsk(t.Context(), access.Origin{}, w.asks(t, reader)[0], true); err != nil {
			t.Fatal(err)
		}
		if got := w.known(t, app); got.Stale() {
			t.Errorf("after the answer: %+v", got)
		}
	})
}

// addressRows are what is known of addresses, by address.
func (w *world) addressRows(t testing.TB) map[string]string {
	t.Helper()
	var rows []struct{ ID, EmailKey string }
	if err := w.db.Read(t.Context()).Raw("SELECT id, email_key FROM contact_addresses").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, row := range rows {
		ids[row.EmailKey] = row.ID
	}
	return ids
}

// TestAddressGoesWithItsLastApp, however that goes: edited, deleted. Its link then opens nothing, also when the address
// comes back; and a new name is no new address.
func TestAddressGoesWithItsLastApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		apps := w.withReader(t, "Import", "Export", "Archive")
		w.askContacts(t)
		link := w.asks(t, reader)[0]
		if err := w.AnswerAsk(t.Context(), access.Origin{}, link, true); err != nil {
			t.Fatal(err)
		}
		other := registry.Contact{FirstName: "Bo", LastName: "Berg", Email: "bo@acme.example"}
		f := formOf(apps[0])
		f.Contact.LastName = "Weber-Berg"
		app := must(w.Edit(t.Context(), w.admin, apps[0].ID, apps[0].Version, f))(t)
		if w.known(t, app).State != registry.AddressConfirmed {
			t.Error("a new name forgets what is known of the address")
		}
		f.Contact = other
		must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
		erase := func(app registry.App) {
			t.Helper()
			off := w.deactivate(t, app.ID)
			if err := w.Delete(t.Context(), w.admin, app.ID, off.Version, app.Name); err != nil {
				t.Fatal(err)
			}
		}
		erase(apps[1])
		if _, err := w.Asked(t.Context(), link); err != nil {
			t.Errorf("one app still has the address: %v", err)
		}
		erase(apps[2])
		rows := w.addressRows(t)
		if _, left := rows[reader]; left || rows["bo@acme.example"] == "" {
			t.Errorf("known: %v", rows)
		}
		w.withReader(t, "Again")
		if _, err := w.Asked(t.Context(), link); !problem.Is(err, problem.NotFound) {
			t.Errorf("an old link: %v", err)
		}
	})
}

// TestAddressesAreTidied: what an older version wrote or left is made up for, and nothing else is touched.
func TestAddressesAreTidied(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withReader(t, "Import")
		f := w.fields("Folded")
		f.Contact.Email = "Jörg.Ö@ACME.example"
		w.registerFields(t, w.admin, f)
		before := w.addressRows(t)
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			err := tx.DB().Exec("DELETE FROM contact_addresses WHERE email_key <> ?", reader).Error
			if err != nil {
				return err
			}
			return tx.DB().Exec("INSERT INTO contact_addresses (id, organisation_id, email_key, asked_at) VALUES (?, ?, 'gone@acme.example', 0)",
				database.NewID(), string(w.acme.ID)).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.TidyAddresses(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		after := w.addressRows(t)
		if len(after) != len(before) || after[reader] != before[reader] || after["jörg.Ö@acme.example"] == "" || after["gone@acme.example"] != "" {
			t.Errorf("known: %v, were: %v", after, before)
		}
	})
}

// A server that refuses a manager's address says nothing of a contact, and nothing of it is kept.
func TestOnlyContactsAreKnown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withReader(t, "Import")
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for _, email := range []string{"ana.silva@acme.example", reader} {
				m := notify.Mail{Organisation: string(w.acme.ID), To: notify.Address{Email: email}, State: notify.Refused}
				if err := registry.AddressAnswered(tx, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if rows := w.addressRows(t); len(rows) != 1 || rows[reader] == "" {
			t.Errorf("known: %v", rows)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM contact_addresses WHERE refused_at IS NOT NULL"); n != 1 {
			t.Errorf("%d are refused", n)
		}
	})
}

// TestAnswersAreBounded: whoever changes the answer again and again fills no trail; the next day it can be changed again.
func TestAnswersAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app := w.withReader(t, "Import")[0]
		w.askContacts(t)
		link := w.asks(t, reader)[0]
		kept := 0
		for i := range 50 {
			w.clock.Advance(time.Minute)
			switch err := w.AnswerAsk(t.Context(), access.Origin{}, link, i%2 == 0); {
			case err == nil:
				kept++
			case problem.As(err).Code != problem.Limited || problem.As(err).Key != "app.contact.answers_over":
				t.Fatal(err)
			}
		}
		events := 0
		for _, e := range w.events(t, w.acme) {
			if strings.HasPrefix(e.Action, "contact.") {
				events++
			}
		}
		// The same answer as the last is none: of those after the tenth every second is.
		if events != 10 || kept != 10+20 || w.known(t, app).State != registry.AddressDenied {
			t.Errorf("%d events of %d answers, the last %+v", events, kept, w.known(t, app))
		}
		w.clock.Advance(day)
		if err := w.AnswerAsk(t.Context(), access.Origin{}, link, true); err != nil || w.known(t, app).State != registry.AddressConfirmed {
			t.Errorf("the next day: %v", err)
		}
	})
}

// TestAddressesFoldAlike: an address is known by the same whatever letters it has, in what both databases and this program
// fold: the letters A to Z alone.
func TestAddressesFoldAlike(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.support(t)
		for i, email := range []string{"ÄNNE@acme.example", "Änne@acme.example", "änne@acme.example"} {
			w.named(t, fmt.Sprintf("Fold %d", i), email)
		}
		if err := w.TidyAddresses(t.Context()); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]int{"äNNE@acme.example": 1, "Änne@ACME.example": 2} {
			if got := must(w.Lookup(t.Context(), support, text))(t); len(got.Found) != want {
				t.Errorf("%s finds %v", text, got.Found)
			}
		}
		w.askContacts(t)
		links := w.asks(t, "ÄNNE@acme.example")
		if len(links) != 1 || len(w.asks(t, "änne@acme.example")) != 1 || len(w.asks(t, "Änne@acme.example")) != 0 {
			t.Fatalf("asked %v", links)
		}
		if asked := must(w.Asked(t.Context(), links[0]))(t); asked.Total != 2 {
			t.Errorf("asked about %+v", asked)
		}
		if err := w.AnswerAsk(t.Context(), access.Origin{}, links[0], false); err != nil {
			t.Fatal(err)
		}
		if got := w.staleContacts(t); len(got) != 1 || got[0].Apps != 2 || w.attention(t, w.viewer).StaleContacts != 1 {
			t.Errorf("stale: %+v", got)
		}
		f := w.fields("Fold 3")
		f.Contact.Email = "Änne@acme.example"
		app, _ := w.registerFields(t, w.admin, f)
		extras := must(w.Extras(t.Context(), w.viewer, []registry.AppID{app.ID}, []registry.Column{registry.ColumnContact}))(t)
		if !extras[app.ID].Address.Stale() {
			t.Errorf("the column says %+v", extras[app.ID])
		}
	})
}
