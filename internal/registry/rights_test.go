package registry_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// target is what a call is about.
type target struct {
	app    registry.AppID
	client string
	secret registry.SecretID
}

// call is one use case or read as an actor calls it upon an app.
type call struct {
	right  access.Right
	action string
	do     func(ctx context.Context, w *world, actor access.Actor, x target) error
	own    bool // about no app in particular: another organisation's is out of reach by itself
}

// calls has every method of the registry that takes an actor. TestEveryMethodIsJudged keeps it complete.
var calls = map[string]call{
	"Register": {access.AppsManage, "app.register", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, _, err := w.Register(ctx, actor, registry.NewApp{AppFields: w.fields("Another app")})
		return err
	}, true},
	"Edit": {access.AppsManage, "app.edit", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Edit(ctx, actor, x.app, 1, w.fields("Renamed"))
		return err
	}, false},
	"Rotate": {access.AppsManage, "app.rotate", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Rotate(ctx, actor, x.app, registry.Rotation{Reason: registry.Lost, Old: x.secret})
		return err
	}, false},
	"Retire": {access.AppsManage, "app.retire", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		return w.Retire(ctx, actor, x.app, x.secret)
	}, false},
	"MarkLeaked": {access.AppsManage, "app.leak", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		return w.MarkLeaked(ctx, actor, x.app, x.secret)
	}, false},
	"Activate": {access.AppsManage, "app.activate", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Activate(ctx, actor, x.app, 1)
		return err
	}, false},
	"Deactivate": {access.AppsManage, "app.deactivate", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Deactivate(ctx, actor, x.app, 1)
		return err
	}, false},
	"Delete": {access.AppsManage, "app.delete", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		return w.Delete(ctx, actor, x.app, 1, "Spend export")
	}, false},
	"App": {access.AppsView, "app.view", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.App(ctx, actor, x.app)
		return err
	}, false},
	"ByClientID": {access.AppsView, "app.view", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.ByClientID(ctx, actor, x.client)
		return err
	}, false},
	"Mails": {access.AppsView, "app.view", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Mails(ctx, actor, x.app)
		return err
	}, false},
	"Use": {access.AppsView, "app.view", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Use(ctx, actor, x.app)
		return err
	}, false},
	"History": {access.AppsView, "app.history", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.History(ctx, actor, x.app, 0)
		return err
	}, false},
	"Search": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.Search(ctx, actor, registry.Query{})
		return err
	}, true},
	"Total": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.Total(ctx, actor)
		return err
	}, true},
	"Extras": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Extras(ctx, actor, []registry.AppID{x.app}, registry.Columns())
		return err
	}, true},
	"Locate": {access.AppsManage, "app.secret.locate", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, _, err := w.Locate(ctx, actor, "no secret")
		if problem.Is(err, problem.Invalid) {
			return nil // the right was there
		}
		return err
	}, true},
	"Counts": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.Counts(ctx, actor)
		return err
	}, true},
	"ScopeUse": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.ScopeUse(ctx, actor)
		return err
	}, true},
	"Holding": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, _, err := w.Holding(ctx, actor, "core.invoice.read")
		return err
	}, true},
	"APIUse": {access.AppsManage, "catalogue.api_remove", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.APIUse(ctx, actor, "coupa-core", []string{"core.invoice.read"})
		return err
	}, true},
	"Addresses": {access.AppsView, "app.view", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Addresses(ctx, actor, &registry.App{ID: x.app, Contact: registry.Contact{Email: "jo@acme.example"}})
		return err
	}, true},
	"Export": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		return w.Export(ctx, actor, registry.Query{}, func([]registry.Exported) error { return nil })
	}, true},
	"Recent": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.Recent(ctx, actor, 5)
		return err
	}, true},
	"Attention": {access.AppsView, "app.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.Attention(ctx, actor)
		return err
	}, true},
	"StaleContacts": {access.AppsView, "app.contacts", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, _, err := w.StaleContacts(ctx, actor)
		return err
	}, true},
	"RejectedToday": {access.AppsView, "app.rejected", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, _, err := w.RejectedToday(ctx, actor)
		return err
	}, true},
	"Unused": {access.AppsView, "app.unused", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, _, err := w.Unused(ctx, actor)
		return err
	}, true},
	"Inspect": {access.AppsView, "app.test", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Inspect(ctx, actor, x.app, "no secret")
		return err
	}, false},
	"Rejections": {access.AppsView, "app.rejections", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.Rejections(ctx, actor, x.app, registry.Span{})
		return err
	}, false},
	"UnknownClients": {access.AppsView, "app.unknown", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.UnknownClients(ctx, actor, registry.Span{})
		return err
	}, true},
	"Lookup": {access.SupportLookup, "support.lookup", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.Lookup(ctx, actor, "spend")
		return err
	}, true},
	"Restore": {access.AppsManage, "app.restore", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		return w.Restore(ctx, actor, x.app, x.secret)
	}, false},
	"Extend": {access.AppsManage, "app.extend", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		return w.Extend(ctx, actor, x.app, x.secret, registry.End{Choice: registry.EndsIn30Days})
	}, false},
	"GiveHandOff": {access.AppsManage, "app.hand_off", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, _, err := w.GiveHandOff(ctx, actor, x.app, newHandOff(nil))
		return err
	}, false},
	"HandOffs": {access.AppsManage, "app.hand_off_list", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.HandOffs(ctx, actor, x.app)
		return err
	}, false},
	"HandOff": {access.AppsManage, "app.hand_off_withdraw", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.HandOff(ctx, actor, x.app, registry.HandOffID(database.NewID()))
		return err
	}, false},
	"WithdrawHandOff": {access.AppsManage, "app.hand_off_withdraw", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		return w.WithdrawHandOff(ctx, actor, x.app, registry.HandOffID(database.NewID()))
	}, false},
	"PlanBulk": {access.AppsManage, "app.bulk.deactivate", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.PlanBulk(ctx, actor, registry.Bulk{Act: registry.BulkDeactivate, IDs: []registry.AppID{x.app}})
		return err
	}, true},
	"StartBulk": {access.AppsManage, "app.bulk.deactivate", func(ctx context.Context, w *world, actor access.Actor, x target) error {
		_, err := w.StartBulk(ctx, actor, registry.Bulk{Act: registry.BulkDeactivate, IDs: []registry.AppID{x.app}})
		return err
	}, true},
	"BulkJob": {access.AppsManage, "app.bulk.show", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.BulkJob(ctx, actor, job.ID(database.NewID()))
		return err
	}, true},
	"BulkItems": {access.AppsManage, "app.bulk.show", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.BulkItems(ctx, actor, job.ID(database.NewID()), "", 10)
		return err
	}, true},
	"BulkDoneApps": {access.AppsManage, "app.bulk.show", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.BulkDoneApps(ctx, actor, job.ID(database.NewID()), 10)
		return err
	}, true},
	"CancelBulk": {access.AppsManage, "app.bulk.show", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		return w.CancelBulk(ctx, actor, job.ID(database.NewID()))
	}, true},
	"Views": {access.AppsView, "app.view.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.Views(ctx, actor)
		return err
	}, true},
	"View": {access.AppsView, "app.view.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.View(ctx, actor, registry.ViewID(database.NewID()))
		return unlessGone(err)
	}, true},
	"SaveView": {access.AppsView, "app.view.save", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.SaveView(ctx, actor, registry.NewView{Name: "A view"})
		return err
	}, true},
	"EditView": {access.AppsView, "app.view.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.EditView(ctx, actor, registry.ViewID(database.NewID()), 1, "Renamed", false)
		return unlessGone(err)
	}, true},
	"DeleteView": {access.AppsView, "app.view.list", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		return unlessGone(w.DeleteView(ctx, actor, registry.ViewID(database.NewID())))
	}, true},
	"RobotUse": {access.RobotsView, "robot.use", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.RobotUse(ctx, actor, w.client.ID)
		return err
	}, true},
	// What a form offers is no secret of anybody who may open a form; the page asks for the right.
	"APIUsers": {"", "", func(ctx context.Context, w *world, actor access.Actor, _ target) error {
		_, err := w.APIUsers(ctx, actor)
		return err
	}, true},
}

// unlessGone is nothing for what nobody has made: the right was there.
func unlessGone(err error) error {
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	return err
}

func TestEveryMethodIsJudged(t *testing.T) {
	actor := reflect.TypeFor[access.Actor]()
	methods := reflect.TypeFor[*registry.Registry]()
	for m := range methods.Methods() {
		takes := m.Type.NumIn() > 2 && m.Type.In(2) == actor
		if _, judged := calls[m.Name]; judged != takes {
			t.Errorf("%s takes an actor: %t, is judged: %t", m.Name, takes, judged)
		}
	}
}

// Who lacks the right is refused and recorded, and nothing changes, whether or not there is such an app (C52).
func TestC52_RightsMethodByMethod(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		there := target{app.ID, app.ClientID, shown.ID}
		nowhere := target{registry.AppID(database.NewID()), "CCWACME_22222222222222222222", shown.ID}
		for name, c := range calls {
			for who, actor := range map[string]access.Actor{"viewer": w.viewer, "nobody": w.nobody} {
				if c.right == "" || actor.Has(c.right) {
					if err := c.do(t.Context(), w, actor, there); err != nil {
						t.Errorf("%s as %s: %v", name, who, err)
					}
					continue
				}
				w.clock.Advance(61_000_000_000) // refusals are recorded once a minute
				w.unchanged(t, func() {
					for _, x := range []target{there, nowhere} {
						p := wantCode(t, c.do(t.Context(), w, actor, x), problem.Forbidden)
						if p.Args["Right"] != string(c.right) {
							t.Errorf("%s as %s misses %v", name, who, p.Args)
						}
					}
				})
				var recorded bool
				for _, e := range w.events(t, w.acme)[:2] {
					recorded = recorded || e.Action == c.action && e.Result == audit.Refused && e.ActorID == actor.ID
				}
				if !recorded {
					t.Errorf("%s as %s left no event", name, who)
				}
			}
		}
	})
}

// Another organisation's app is not there, in the same words as one that does not exist, and it stays as it is (C53).
func TestC53_IsolationMethodByMethod(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		theirs := target{app.ID, app.ClientID, shown.ID}
		none := target{registry.AppID(database.NewID()), "CCWACME_22222222222222222222", registry.SecretID(database.NewID())}
		operator := access.Operator("root", w.globex.ID)
		system := access.System("expiry", w.globex.ID)
		for name, c := range calls {
			if c.own {
				continue
			}
			for _, actor := range []access.Actor{w.globexAdmin, operator, system} {
				w.unchanged(t, func() {
					foreign, unknown := c.do(t.Context(), w, actor, theirs), c.do(t.Context(), w, actor, none)
					if !problem.Is(foreign, problem.NotFound) {
						t.Errorf("%s by %s: %v", name, actor.Name, foreign)
						return
					}
					if diff := cmp.Diff(problem.As(unknown), problem.As(foreign)); diff != "" {
						t.Errorf("%s tells another organisation's app from none:\n%s", name, diff)
					}
				})
			}
		}
		if page := must(w.Search(t.Context(), w.globexAdmin, registry.Query{Text: "spend"}))(t); page.Total != 0 || page.Rows != nil {
			t.Errorf("Globex finds %+v", page)
		}
		if counts := must(w.Counts(t.Context(), w.globexAdmin))(t); counts != (registry.Counts{}) {
			t.Errorf("Globex counts %+v", counts)
		}
		for _, u := range must(w.APIUsers(t.Context(), w.globexAdmin))(t) {
			if u.Organisation != w.globex.ID {
				t.Errorf("Globex is offered %+v", u)
			}
		}
	})
}

// The secret of another app of the same organisation is not there either.
func TestC53_SecretOfAnotherApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		_, shown := w.register(t, "Other app")
		w.unchanged(t, func() {
			wantCode(t, w.Retire(t.Context(), w.admin, app.ID, shown.ID), problem.NotFound)
			wantCode(t, w.MarkLeaked(t.Context(), w.admin, app.ID, shown.ID), problem.NotFound)
		})
	})
}

// Fields that nobody fills in cannot be: the actor and the room decide them (C54).
func TestC54_NothingFromOutsideDecidesOwnership(t *testing.T) {
	w := sqliteWorld(t)
	f := w.fields("Mass assignment")
	f.Contact.ID = "00000000-0000-7000-8000-000000000001"
	app, _ := w.registerFields(t, w.admin, f)
	if app.Contact.ID == f.Contact.ID {
		t.Error("the contact's row was named from outside")
	}
	victim, _ := w.register(t, "Victim")
	f = formOf(app)
	f.Contact = victim.Contact // the same words, and the ID of another app's row
	f.Contact.LastName = "Changed"
	edited := must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
	if edited.Contact.ID == victim.Contact.ID || w.app(t, victim.ID).Contact != victim.Contact {
		t.Error("an edit reached another app's contact")
	}
}

// An app may read itself without any right, and nothing else.
func TestAppReadsItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Self")
		other, _ := w.register(t, "Other")
		self := access.Actor{Kind: access.KindApp, ID: string(app.ID), Name: app.ClientID, Organisation: w.acme.ID}
		if got := must(w.App(t.Context(), self, app.ID))(t); got.ClientID != app.ClientID {
			t.Errorf("%+v", got)
		}
		if got := must(w.ByClientID(t.Context(), self, app.ClientID))(t); got.ID != app.ID {
			t.Errorf("%+v", got)
		}
		_, err := w.App(t.Context(), self, other.ID)
		wantCode(t, err, problem.Forbidden)
		_, err = w.ByClientID(t.Context(), self, other.ClientID)
		wantCode(t, err, problem.Forbidden)
		self.Organisation = w.globex.ID
		_, err = w.App(t.Context(), self, app.ID)
		wantCode(t, err, problem.NotFound)
	})
}

// Power, one test for each place that gives it (protocol.md §6): who may manage apps but not robots gives no app a
// robot's scope and no app an API user with that right.
func TestPower(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		manager := w.withRights(t, "manager", access.AppsManage)
		strong := w.robot(t, "automation", identity.KindClient, access.RobotsManage, access.ConnectionsManage)
		powers := map[string]struct {
			give  func(f *registry.AppFields)
			field string
			key   string
			right access.Right
		}{
			"scope of robots": {
				func(f *registry.AppFields) { f.Scopes = []string{"core.invoice.read", "PM.RobotAccount"} },
				"scopes", "app.power.scopes", access.RobotsManage,
			},
			"introspection": {
				func(f *registry.AppFields) { f.Scopes = []string{"oauth.introspect"} },
				"scopes", "app.power.scopes", access.RolesManage,
			},
			"API user with rights": {
				func(f *registry.AppFields) { f.APIUser = strong.ID },
				"api_user", "app.power.api_user", access.ConnectionsManage,
			},
		}
		for name, power := range powers {
			f := w.fields(name)
			power.give(&f)
			app, shown := w.registerFields(t, w.admin, f) // the administrator may
			plain, _ := w.register(t, name+" (plain)")
			off, _ := w.registerFields(t, w.admin, inactive(f, name+" (off)"))
			places := map[string]func() error{
				"register": func() error {
					_, _, err := w.Register(t.Context(), manager, registry.NewApp{AppFields: inactive(f, "mine")})
					return err
				},
				"edit that gives": func() error {
					g := formOf(plain)
					power.give(&g)
					_, err := w.Edit(t.Context(), manager, plain.ID, plain.Version, g)
					return err
				},
				"edit that gives again": func() error { // the category, with the power as it was
					g := formOf(app)
					g.Category = registry.Partner
					_, err := w.Edit(t.Context(), manager, app.ID, app.Version, g)
					return err
				},
				"edit that switches on": func() error {
					g := formOf(off)
					g.Active = true
					_, err := w.Edit(t.Context(), manager, off.ID, off.Version, g)
					return err
				},
				"new secret": func() error {
					_, err := w.Rotate(t.Context(), manager, app.ID, registry.Rotation{Reason: registry.Lost})
					return err
				},
				"new secret for a leaked one": func() error {
					_, err := w.Rotate(t.Context(), manager, app.ID, registry.Rotation{Reason: registry.Leaked})
					return err
				},
				"activate": func() error {
					_, err := w.Activate(t.Context(), manager, off.ID, off.Version)
					return err
				},
			}
			for place, act := range places {
				t.Run(name+"/"+place, func(t *testing.T) {
					w.clock.Advance(61_000_000_000)
					w.unchanged(t, func() {
						p := wantCode(t, act(), problem.Forbidden)
						if p.Args["Right"] != string(power.right) || len(p.Fields) != 1 || p.Fields[0].Name != power.field || p.Fields[0].Key != power.key {
							t.Errorf("got %v %v", p, p.Args)
						}
					})
					if e := w.lastEvent(t); e.Result != audit.Refused || e.Reason != power.key || e.ActorID != manager.ID {
						t.Errorf("event %+v", e)
					}
				})
			}
			// What gives no power asks for none.
			g := formOf(app)
			g.Description = "Only the description is another."
			if _, err := w.Edit(t.Context(), manager, app.ID, app.Version, g); err != nil {
				t.Errorf("%s: edit of the description: %v", name, err)
			}
			if err := w.MarkLeaked(t.Context(), manager, app.ID, shown.ID); err != nil {
				t.Errorf("%s: leaked: %v", name, err)
			}
			if _, err := w.Deactivate(t.Context(), manager, app.ID, app.Version+1); err != nil {
				t.Errorf("%s: deactivate: %v", name, err)
			}
		}
	})
}

func inactive(f registry.AppFields, name string) registry.AppFields {
	f.Name, f.Active = name, false
	return f
}

// An app as actor passes on scopes of its own token and rights of its own API user, and no more.
func TestPowerOfApps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		strong := w.robot(t, "automation", identity.KindClient, access.RobotsManage)
		maker := access.Actor{
			Kind: access.KindApp, ID: database.NewID(), Name: "CCWACME_maker", Organisation: w.acme.ID,
			Rights: access.NewSet(access.AppsManage), Scopes: []string{"core.invoice.read", "registry.apps.write"},
		}
		for name, tt := range map[string]struct {
			change func(f *registry.AppFields)
			field  string
		}{
			"own scopes":     {func(f *registry.AppFields) { f.Scopes = []string{"registry.apps.write", "core.invoice.read"} }, ""},
			"other scope":    {func(f *registry.AppFields) { f.Scopes = []string{"core.invoice.read", "core.invoice.write"} }, "scopes"},
			"other API user": {func(f *registry.AppFields) { f.APIUser = strong.ID }, "api_user"},
		} {
			f := w.fields(name)
			tt.change(&f)
			_, _, err := w.Register(t.Context(), maker, registry.NewApp{AppFields: f})
			if tt.field == "" {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if p := wantCode(t, err, problem.Forbidden); len(p.Fields) != 1 || p.Fields[0].Name != tt.field {
				t.Errorf("%s: %v", name, p)
			}
		}
	})
}

// The command line holds every right.
func TestPowerOfOperators(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("By operator")
		f.APIUser = w.robot(t, "automation", identity.KindClient, access.RobotsManage).ID
		f.Scopes = []string{"PM.RobotAccount", "oauth.introspect", "audit.events.read"}
		if _, _, err := w.Register(t.Context(), w.operator(w.acme), registry.NewApp{AppFields: f}); err != nil {
			t.Error(err)
		}
	})
}
