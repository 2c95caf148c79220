package registry_test

import (
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
	for _, forged := range []string{"", "x", last, "A" + link[1:], strings.Repeat("A", 200), link + link} {
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
