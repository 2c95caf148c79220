package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/registry"
)

// appDocument is an app as --json prints it. Times are RFC 3339 in UTC. A resource server has neither category nor API
// user, and no scopes. LastUsedAt is null for one that was never used; a running server writes it each minute.
type appDocument struct {
	ClientID    string           `json:"client_id"`
	ID          string           `json:"id"`
	Kind        string           `json:"kind"`
	ResourceAPI string           `json:"resource_api,omitempty"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Category    string           `json:"category,omitempty"`
	Status      string           `json:"status"`
	APIUser     string           `json:"api_user,omitempty"`
	Scopes      []string         `json:"scopes"`
	DefaultAPI  string           `json:"default_api,omitempty"`
	Contact     contactDocument  `json:"contact"`
	CreatedAt   time.Time        `json:"created_at"`
	CreatedBy   string           `json:"created_by"`
	ModifiedAt  time.Time        `json:"modified_at"`
	ModifiedBy  string           `json:"modified_by"`
	LastUsedAt  *time.Time       `json:"last_used_at"`
	Secrets     []secretDocument `json:"secrets"`
}

type contactDocument struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
}

// secretDocument is what anybody may see of a secret. EndsAt is null for one that never ends, LastUsedAt for one that was
// never used.
type secretDocument struct {
	ID         string     `json:"id"`
	Label      string     `json:"label"`
	Hint       string     `json:"hint"`
	State      string     `json:"state"`
	CreatedAt  time.Time  `json:"created_at"`
	EndsAt     *time.Time `json:"ends_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func newAppDocument(a registry.App) appDocument {
	d := appDocument{
		ClientID: a.ClientID, ID: string(a.ID), Kind: string(a.Kind), ResourceAPI: a.ResourceAPI, Name: a.Name,
		Description: a.Description, Category: categoryOf(a.Kind, a.Category), Status: string(a.Status), APIUser: a.APIUser.Name, Scopes: append([]string{}, a.Scopes...), DefaultAPI: a.DefaultAPI,
		Contact:   contactDocument{a.Contact.FirstName, a.Contact.LastName, a.Contact.Email},
		CreatedAt: a.CreatedAt, CreatedBy: a.CreatedBy.Name, ModifiedAt: a.ModifiedAt, ModifiedBy: a.ModifiedBy.Name,
		LastUsedAt: orNull(a.LastUsedAt), Secrets: make([]secretDocument, 0, len(a.Secrets)),
	}
	for _, s := range a.Secrets {
		d.Secrets = append(d.Secrets, secretDocument{
			ID: string(s.ID), Label: s.Label, Hint: s.Hint, State: string(s.State), CreatedAt: s.CreatedAt, EndsAt: orNull(s.EndsAt),
			LastUsedAt: orNull(s.LastUsedAt),
		})
	}
	return d
}

// categoryOf is the category of an app, which a resource server has none of.
func categoryOf(kind registry.Kind, category registry.Category) string {
	if kind == registry.ResourceServer {
		return ""
	}
	return string(category)
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (p *program) appCommand() *cobra.Command {
	return group("app", "API consumer apps: create, list, show, rotate, activate, deactivate, delete",
		p.appCreateCommand(), p.appListCommand(), p.appRotateCommand(), p.appRestoreCommand(), p.appExtendCommand(),
		p.appOneCommand("show", "Show an app", func(_ context.Context, _ *rooms, _ access.Actor, app registry.App) (registry.App, error) {
			return app, nil
		}),
		p.appOneCommand("activate", "Let an app get tokens again", func(ctx context.Context, r *rooms, actor access.Actor, app registry.App) (registry.App, error) {
			return r.registry.Activate(ctx, actor, app.ID, app.Version)
		}),
		p.appOneCommand("deactivate", "Stop an app and end its tokens", func(ctx context.Context, r *rooms, actor access.Actor, app registry.App) (registry.App, error) {
			return r.registry.Deactivate(ctx, actor, app.ID, app.Version)
		}),
		p.appDeleteCommand(),
	)
}

// findApp finds an app by its client ID, whatever its organisation, and the actor who acts there.
func (r *rooms) findApp(ctx context.Context, clientID string) (access.Actor, registry.App, error) {
	client, err := r.registry.Client(ctx, clientID)
	if err != nil {
		return access.Actor{}, registry.App{}, err
	}
	actor := operator(client.Organisation)
	app, err := r.registry.ByClientID(ctx, actor, clientID)
	return actor, app, err
}

// appOneCommand is a command that takes a client ID, does one thing and prints the app as it then is.
func (p *program) appOneCommand(
	name, short string, do func(context.Context, *rooms, access.Actor, registry.App) (registry.App, error),
) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name + " CLIENT_ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			actor, app, err := r.findApp(cmd.Context(), args[0])
			if err == nil {
				app, err = do(cmd.Context(), r, actor, app)
			}
			if err != nil {
				return err
			}
			document := newAppDocument(app)
			return p.print(document, document.write)
		},
	}
	p.jsonFlag(cmd)
	return cmd
}

// write prints an app for people.
func (d appDocument) write(w *tabwriter.Writer) {
	line(w, "Client ID:", d.ClientID)
	line(w, "Name:", d.Name)
	line(w, "Status:", d.Status)
	if d.ResourceAPI != "" {
		line(w, "Introspects tokens of:", d.ResourceAPI)
	} else {
		line(w, "Category:", d.Category)
		line(w, "API user:", d.APIUser)
	}
	line(w, "Last used:", lastUsed(d.LastUsedAt))
	line(w, "Contact:", fmt.Sprintf("%s %s <%s>", d.Contact.FirstName, d.Contact.LastName, d.Contact.Email))
	for _, s := range d.Scopes {
		line(w, "Scope:", s)
	}
	for _, s := range d.Secrets {
		ends := "never ends"
		if s.EndsAt != nil {
			ends = "ends " + s.EndsAt.Format(time.RFC1123)
		}
		line(w, "Secret:", fmt.Sprintf("…%s, %s, %s, %s, last used: %s", s.Hint, s.Label, s.State, ends, lastUsed(s.LastUsedAt)))
	}
}

// lastUsed writes a last use for people.
func lastUsed(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.Format(time.RFC1123)
}

func (p *program) appDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete CLIENT_ID",
		Short: "Delete an inactive app for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			actor, app, err := r.findApp(cmd.Context(), args[0])
			if err == nil {
				err = r.registry.Delete(cmd.Context(), actor, app.ID, app.Version, app.Name)
			}
			if err != nil {
				return err
			}
			return p.print(map[string]any{"client_id": app.ClientID, "deleted": true}, func(w *tabwriter.Writer) {
				line(w, "Deleted "+app.Name+" ("+app.ClientID+")")
			})
		},
	}
	p.jsonFlag(cmd)
	return cmd
}

func (p *program) appListCommand() *cobra.Command {
	var ref, words, category, status string
	cmd := &cobra.Command{
		Use:   "list --org ORG",
		Short: "List the apps of an organisation",
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			org, err := r.identity.FindOrganisation(cmd.Context(), ref)
			if err != nil {
				return err
			}
			rows, err := r.allApps(cmd.Context(), operator(org.ID), registry.Query{
				Text: words, Category: registry.Category(category), Status: registry.Status(status),
			})
			if err != nil {
				return err
			}
			return p.print(rows, func(w *tabwriter.Writer) {
				line(w, "CLIENT ID", "NAME", "CATEGORY", "STATUS", "CREATED", "LAST USED")
				for _, row := range rows {
					what := row.Category
					if row.ResourceAPI != "" {
						what = "introspects " + row.ResourceAPI
					}
					line(w, row.ClientID, row.Name, what, row.Status, row.CreatedAt.Format(time.DateOnly), lastUsed(row.LastUsedAt))
				}
			})
		},
	}
	cmd.Flags().StringVar(&ref, "org", "", "organisation: ID, prefix or short name (required)")
	cmd.Flags().StringVar(&words, "search", "", "words to search for, as in the grid")
	cmd.Flags().StringVar(&category, "category", "", "customer, partner, supplier or msp")
	cmd.Flags().StringVar(&status, "status", "", "active or inactive")
	p.jsonFlag(cmd)
	mustRequire(cmd, "org")
	return cmd
}

// appRow is one line of app list as --json prints it.
type appRow struct {
	ClientID    string     `json:"client_id"`
	ID          string     `json:"id"`
	Kind        string     `json:"kind"`
	ResourceAPI string     `json:"resource_api,omitempty"`
	Name        string     `json:"name"`
	Category    string     `json:"category,omitempty"`
	Status      string     `json:"status"`
	CreatedAt   time.Time  `json:"created_at"`
	ModifiedAt  time.Time  `json:"modified_at"`
	LastUsedAt  *time.Time `json:"last_used_at"` // null: never
}

// allApps walks the pages of a search.
func (r *rooms) allApps(ctx context.Context, actor access.Actor, q registry.Query) ([]appRow, error) {
	q.PerPage = 100
	rows := []appRow{}
	for {
		page, err := r.registry.Search(ctx, actor, q)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			rows = append(rows, appRow{
				ClientID: row.ClientID, ID: string(row.ID), Kind: string(row.Kind), ResourceAPI: row.ResourceAPI, Name: row.Name,
				Category: categoryOf(row.Kind, row.Category),
				Status:   string(row.Status), CreatedAt: row.CreatedAt, ModifiedAt: row.ModifiedAt,
				LastUsedAt: orNull(row.LastUsedAt),
			})
		}
		if page.Next == "" {
			return rows, nil
		}
		q.After = page.Next
	}
}
