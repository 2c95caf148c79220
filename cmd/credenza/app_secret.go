package main

import (
	"context"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// credentialDocument is what create and rotate print: the one moment at which the secret can be seen.
type credentialDocument struct {
	ClientID     string     `json:"client_id"`
	ClientSecret string     `json:"client_secret,omitempty"`
	SecretID     string     `json:"secret_id,omitempty"`
	ExpiresAt    *time.Time `json:"client_secret_expires_at"`
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	OldEndsAt    *time.Time `json:"old_secret_ends_at,omitempty"`
}

func newCredentialDocument(app registry.App, made *registry.NewSecret) credentialDocument {
	d := credentialDocument{ClientID: app.ClientID, ID: string(app.ID), Name: app.Name}
	if made != nil {
		d.ClientSecret, d.SecretID, d.ExpiresAt = made.Secret.Reveal(), string(made.ID), orNull(made.ExpiresAt)
		d.OldEndsAt = orNull(made.Old.EndsAt)
	}
	return d
}

func (d credentialDocument) write(w *tabwriter.Writer) {
	line(w, "Client ID:", d.ClientID)
	if d.ClientSecret == "" {
		line(w, "No secret was made.")
		return
	}
	line(w, "Secret:", d.ClientSecret)
	line(w, "It is shown this once and stored only as a hash.")
	if d.ExpiresAt != nil {
		line(w, "Expires:", d.ExpiresAt.Format(time.RFC1123))
	}
	if d.OldEndsAt != nil {
		line(w, "Old secret ends:", d.OldEndsAt.Format(time.RFC1123))
	}
}

// newAppFlags are the flags of app create, with the defaults of architecture.md §5.
type newAppFlags struct {
	org, name, description, category, apiUser, defaultAPI string
	first, last, email                                    string
	scopes                                                []string
	resourceServer                                        string // key of the API
	expires, label                                        string
	inactive, withoutSecret                               bool
}

func (p *program) appCreateCommand() *cobra.Command {
	var f newAppFlags
	cmd := &cobra.Command{
		Use:   "create --org ORG --name NAME {--scope SCOPE … | --resource-server API}",
		Short: "Register an app and print its client ID and secret",
		Args:  cobra.ExactArgs(0),
		PreRunE: func(*cobra.Command, []string) error {
			if len(f.scopes) > 0 && f.resourceServer != "" {
				return problem.New(problem.Invalid, "cli.scope_or_resource_server")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			app, made, err := r.createApp(cmd.Context(), f)
			if err != nil {
				return err
			}
			document := newCredentialDocument(app, made)
			return p.print(document, document.write)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.org, "org", "", "organisation: ID, prefix or short name (required)")
	flags.StringVar(&f.name, "name", "", "application name (required)")
	flags.StringArrayVar(&f.scopes, "scope", nil, "scope; may be repeated")
	flags.StringVar(&f.resourceServer, "resource-server", "",
		"key of an API: make the credential with which it introspects its tokens; in the platform's organisation")
	flags.StringVar(&f.description, "description", "Created on the command line", "what the app does")
	flags.StringVar(&f.category, "category", string(registry.Customer), "customer, partner, supplier or msp")
	flags.StringVar(&f.apiUser, "api-user", "", "name of the API user; the client API user when left out")
	flags.StringVar(&f.defaultAPI, "default-api", "", "key of the API that tokens are for when nothing else says so")
	flags.StringVar(&f.first, "contact-first-name", "", "contact; the first administrator when left out")
	flags.StringVar(&f.last, "contact-last-name", "", "contact")
	flags.StringVar(&f.email, "contact-email", "", "contact")
	flags.StringVar(&f.expires, "expires", "", "when the secret expires: 90d, 180d, 1y, longest (as late as the organisation allows) or never; 1y or what its policy suggests when left out")
	flags.StringVar(&f.label, "label", "", "label of the secret")
	flags.BoolVar(&f.inactive, "inactive", false, "register the app inactive")
	flags.BoolVar(&f.withoutSecret, "without-secret", false, "make no secret")
	p.jsonFlag(cmd)
	mustRequire(cmd, "org", "name")
	cmd.MarkFlagsOneRequired("scope", "resource-server")
	for _, caller := range []string{"category", "api-user", "default-api"} {
		cmd.MarkFlagsMutuallyExclusive(caller, "resource-server")
	}
	return cmd
}

func (r *rooms) createApp(ctx context.Context, f newAppFlags) (registry.App, *registry.NewSecret, error) {
	org, err := r.identity.FindOrganisation(ctx, f.org)
	if err != nil {
		return registry.App{}, nil, err
	}
	actor := operator(org.ID)
	n := registry.NewApp{
		AppFields: registry.AppFields{
			Name: f.name, Description: f.description, Category: registry.Category(f.category), Type: registry.Machine,
			CredentialType: registry.SharedSecret, Scopes: f.scopes, DefaultAPI: f.defaultAPI, Active: !f.inactive,
			Contact: registry.Contact{FirstName: f.first, LastName: f.last, Email: f.email},
		},
		Label: f.label, Expires: registry.Expiry{Choice: registry.ExpiryChoice(f.expires)}, WithoutSecret: f.withoutSecret,
	}
	if n.Contact.IsZero() {
		if n.Contact, err = r.firstAdministrator(ctx, org.ID); err != nil {
			return registry.App{}, nil, err
		}
	}
	if f.resourceServer != "" {
		if err := r.isOthersAPI(f.resourceServer); err != nil {
			return registry.App{}, nil, err
		}
		n.Kind, n.ResourceAPI = registry.ResourceServer, f.resourceServer
	} else if n.APIUser, err = r.apiUserNamed(ctx, actor, n.Category, f.apiUser); err != nil {
		return registry.App{}, nil, err
	}
	return r.registry.Register(ctx, actor, n)
}

// isOthersAPI refuses a key that names no API of the catalogue, or one of the portal's own, and says which it may be.
func (r *rooms) isOthersAPI(key string) error {
	var allowed []string
	for _, api := range r.catalogue.For("").APIs() {
		if !api.Own {
			allowed = append(allowed, api.Key)
		}
	}
	if slices.Contains(allowed, key) {
		return nil
	}
	return problem.Fields(problem.NewField("resource-server", "cli.no_resource_api", "Key", key, "Keys", strings.Join(allowed, ", ")))
}

// firstAdministrator is the contact when none is given.
func (r *rooms) firstAdministrator(ctx context.Context, org access.OrganisationID) (registry.Contact, error) {
	first, ok, err := r.identity.FirstAdministrator(ctx, org)
	if err == nil && !ok {
		err = problem.Fields(problem.NewField("contact-email", "cli.no_administrator"))
	}
	return registry.Contact{FirstName: first.FirstName, LastName: first.LastName, Email: first.Email}, err
}

// apiUserNamed finds an API user by name, or the one that an organisation has from the start for the category.
func (r *rooms) apiUserNamed(ctx context.Context, actor access.Actor, category registry.Category, name string) (identity.RobotID, error) {
	users, err := r.identity.APIUsers(ctx, actor.Organisation)
	if err != nil {
		return "", err
	}
	if name == "" {
		return userOfKind(users, category), nil
	}
	for _, u := range users {
		if identity.Fold(u.Name) == identity.Fold(name) {
			return u.ID, nil
		}
	}
	return "", problem.Fields(problem.NewField("api-user", "cli.no_api_user", "Name", name))
}

func (p *program) appRotateCommand() *cobra.Command {
	var reason, label, expires, old, oldEnds string
	cmd := &cobra.Command{
		Use:   "rotate CLIENT_ID",
		Short: "Make a new secret beside the old one and print it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			actor, app, err := r.findApp(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			made, err := r.registry.Rotate(cmd.Context(), actor, app.ID, registry.Rotation{
				Reason: registry.Reason(reason), Label: label, Old: secretNamed(app, old),
				Expires: registry.Expiry{Choice: registry.ExpiryChoice(expires)},
				OldEnds: registry.End{Choice: registry.EndChoice(oldEnds)},
			})
			if err != nil {
				return err
			}
			document := newCredentialDocument(app, made)
			return p.print(document, document.write)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "planned", "planned, lost or leaked (which ends the old secret and its tokens now)")
	cmd.Flags().StringVar(&old, "old", "", "which secret it takes over from, by ID or last four characters; needed when two work")
	cmd.Flags().StringVar(&oldEnds, "old-ends", "", "when the old secret ends: now, 1h, 24h, 7d (default), 30d")
	cmd.Flags().StringVar(&expires, "expires", "", "when the new secret expires: 90d, 180d, 1y, longest or never; 1y or what the policy suggests when left out")
	cmd.Flags().StringVar(&label, "label", "", "label of the new secret; the month when left out")
	p.jsonFlag(cmd)
	return cmd
}

// secretNamed returns the usable secret of an app with this ID or hint; what names none is handed on and refused.
func secretNamed(app registry.App, name string) registry.SecretID {
	for _, s := range app.Usable() {
		if s.Hint == name {
			return s.ID
		}
	}
	return registry.SecretID(name)
}
