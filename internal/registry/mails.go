package registry

import (
	"context"
	"maps"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/notify"
)

// mailAbout is what mails about an app name as their subject.
func mailAbout(id AppID) notify.Subject { return notify.Subject{Kind: targetKind, ID: string(id)} }

// tidings are news for the contacts of an app.
type tidings struct {
	key      string // of notify.Message
	to       []Contact
	args     map[string]any
	fleeting bool
	pace     notify.Pace
}

// contacts returns who is to be called, one or two.
func (a *App) contacts() []Contact {
	list := []Contact{a.Contact}
	if !a.SecondContact.IsZero() {
		list = append(list, a.SecondContact)
	}
	return list
}

// tell queues a mail for each contact in the transaction of the act.
func (r *Registry) tell(tx *database.Tx, actor access.Actor, app *App, t tidings) error {
	if r.outbox == nil || len(t.to) == 0 {
		return nil
	}
	organisation, err := organisationName(tx, app.Organisation)
	if err != nil {
		return err
	}
	args := map[string]any{"App": app.Name, "ClientID": app.ClientID, "Organisation": organisation, "Actor": actor.Name}
	maps.Copy(args, t.args)
	for _, to := range addresses(t.to) {
		m := notify.Message{
			Organisation: string(app.Organisation), To: to, Key: t.key, Args: args,
			About: mailAbout(app.ID), Fleeting: t.fleeting, Pace: t.pace,
		}
		if !t.fleeting {
			m.Path = "/apps/" + string(app.ID)
		}
		if err := r.outbox.Mail(tx, m); err != nil {
			return err
		}
	}
	return nil
}

// addresses returns each address once.
func addresses(people []Contact) []notify.Address {
	var list []notify.Address
	seen := map[string]bool{}
	for _, c := range people {
		if key := emailKey(c.Email); !seen[key] {
			seen[key] = true
			list = append(list, notify.Address{Name: c.name(), Email: c.Email})
		}
	}
	return list
}

// everybody are the contacts of an app and the managers of its organisation.
func everybody(contacts []Contact, managers []identity.Person) []Contact {
	list := slices.Clone(contacts)
	for _, p := range managers {
		list = append(list, Contact{FirstName: p.FirstName, LastName: p.LastName, Email: p.Email})
	}
	return list
}

func (c Contact) name() string {
	return identity.Person{FirstName: c.FirstName, LastName: c.LastName}.Name()
}

// hinted is how a mail names a secret.
func hinted(hint string) string { return "…" + hint }

// tellRotated tells of a new secret and of what becomes of the one before.
func (r *Registry) tellRotated(tx *database.Tx, actor access.Actor, app *App, p plan, shown *NewSecret) error {
	old := shown.Old
	if old.ID != "" && p.how == leakedAt {
		if err := r.tellStopped(tx, actor, app, old, leakedAt); err != nil {
			return err
		}
		old = Secret{}
	}
	t := tidings{to: app.contacts(), args: map[string]any{"Secret": hinted(shown.Hint)}, pace: notify.Urgent}
	switch {
	case old.ID == "" && shown.ExpiresAt.IsZero():
		t.key = "secret_created_endless"
	case old.ID == "":
		t.key, t.args["Ends"] = "secret_created", shown.ExpiresAt
	default:
		t.args["Secret"], t.args["New"] = hinted(old.Hint), hinted(shown.Hint)
		t.key = "secret_replaced"
		if old.EndsAt.After(tx.Now()) {
			t.key, t.args["Ends"] = "rotation_started", old.EndsAt
		}
	}
	return r.tell(tx, actor, app, t)
}

// tellStopped tells of a secret that somebody took out of use.
func (r *Registry) tellStopped(tx *database.Tx, actor access.Actor, app *App, s Secret, how ending) error {
	key := "secret_retired"
	if how == leakedAt {
		key = "secret_leaked"
	}
	return r.tell(tx, actor, app, tidings{
		key: key, to: app.contacts(), args: map[string]any{"Secret": hinted(s.Hint)}, pace: notify.Urgent,
	})
}

// tellEdited tells the contacts that came and those that went, and all who stay when the app was switched off. Who only
// got another name is the same contact.
func (r *Registry) tellEdited(tx *database.Tx, actor access.Actor, before, after *App) error {
	news := []tidings{
		{key: "contact_new", to: without(after.contacts(), before.contacts()), pace: notify.Urgent},
		{key: "contact_old", to: without(before.contacts(), after.contacts()), pace: notify.Urgent},
	}
	if before.Status == Active && after.Status == Inactive {
		news = append(news, tidings{key: "app_deactivated", to: after.contacts()})
	}
	for _, t := range news {
		if err := r.tell(tx, actor, after, t); err != nil {
			return err
		}
	}
	return nil
}

// without returns the contacts whose addresses the others do not have.
func without(list, others []Contact) []Contact {
	var rest []Contact
	has := map[string]bool{}
	for _, c := range others {
		has[emailKey(c.Email)] = true
	}
	for _, c := range list {
		if !has[emailKey(c.Email)] {
			rest = append(rest, c)
		}
	}
	return rest
}

// tellDeleted forgets the mails about an app, which hold names and addresses, and sends a last one that leaves none.
func (r *Registry) tellDeleted(tx *database.Tx, actor access.Actor, app *App) error {
	if r.outbox == nil {
		return nil
	}
	if err := r.outbox.Erase(tx, mailAbout(app.ID)); err != nil {
		return err
	}
	return r.tell(tx, actor, app, tidings{key: "app_deleted", to: app.contacts(), fleeting: true})
}

// Mail is a mail about an app: what it says and what became of it.
type Mail = notify.Mail

// Mails returns the mails about an app of the last 90 days, the newest first, at most 100. It takes apps.view.
func (r *Registry) Mails(ctx context.Context, actor access.Actor, id AppID) ([]Mail, error) {
	if err := r.mayViewApp(ctx, actor, "app.view", id); err != nil {
		return nil, err
	}
	if r.outbox == nil {
		return nil, nil
	}
	return r.outbox.About(ctx, string(actor.Organisation), mailAbout(id))
}
