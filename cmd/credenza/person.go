package main

import (
	"context"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/identity"
)

// personDocument is a person as --json prints it. SigninLink is there only when the person was just made; it can be
// used once.
type personDocument struct {
	ID           string     `json:"id"`
	Email        string     `json:"email"`
	FirstName    string     `json:"first_name"`
	LastName     string     `json:"last_name"`
	Organisation string     `json:"organisation"`
	Status       string     `json:"status"`
	Roles        []string   `json:"roles,omitempty"`
	SigninLink   string     `json:"signin_link,omitempty"`
	LinkExpires  *time.Time `json:"link_expires_at,omitempty"`
}

func newPersonDocument(p identity.Person, org identity.Organisation) personDocument {
	return personDocument{
		ID: string(p.ID), Email: p.Email, FirstName: p.FirstName, LastName: p.LastName,
		Organisation: org.ShortName, Status: string(p.Status),
	}
}

func (p *program) personCommand() *cobra.Command {
	return group("person", "People who sign in: create, list", p.personCreateCommand(), p.personListCommand())
}

// newPersonFlags are the flags of person create.
type newPersonFlags struct {
	org, email, first, last string
	roles                   []string
	admin                   bool
}

func (p *program) personCreateCommand() *cobra.Command {
	var f newPersonFlags
	cmd := &cobra.Command{
		Use:   "create --org ORG --email ADDRESS [--admin]",
		Short: "Create a person and print a one-time sign-in link; again for somebody who has not come in yet",
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			document, err := r.createPerson(cmd.Context(), f)
			if err != nil {
				return err
			}
			return p.print(document, func(w *tabwriter.Writer) {
				line(w, "Created "+document.Email+" in "+document.Organisation)
				line(w, "This link sets the password. It can be used once, until "+document.LinkExpires.Format(time.RFC1123)+":")
				line(w, document.SigninLink)
			})
		},
	}
	cmd.Flags().StringVar(&f.org, "org", "", "organisation: ID, prefix or short name (required)")
	cmd.Flags().StringVar(&f.email, "email", "", "e-mail address (required)")
	cmd.Flags().StringVar(&f.first, "first-name", "", "first name; made from the address when left out")
	cmd.Flags().StringVar(&f.last, "last-name", "", "last name; made from the address when left out")
	cmd.Flags().StringSliceVar(&f.roles, "role", nil, "role to give; may be repeated")
	cmd.Flags().BoolVar(&f.admin, "admin", false, "give the administrator's role")
	p.jsonFlag(cmd)
	mustRequire(cmd, "org", "email")
	return cmd
}

func (r *rooms) createPerson(ctx context.Context, f newPersonFlags) (personDocument, error) {
	org, err := r.identity.FindOrganisation(ctx, f.org)
	if err != nil {
		return personDocument{}, err
	}
	n := identity.NewPerson{Organisation: org.ID, Email: f.email, FirstName: f.first, LastName: f.last, Roles: f.roles}
	if f.admin {
		n.Roles = append(n.Roles, administratorRole(org))
	}
	n.FirstName, n.LastName = namesFor(n)
	person, err := r.identity.PersonByEmail(ctx, n.Email)
	if err != nil || person.Organisation != org.ID || person.Status != identity.Invited {
		// Otherwise the person was made before and has not come in: only the link is made anew.
		if person, err = r.identity.CreatePerson(ctx, operator(org.ID), n); err != nil {
			return personDocument{}, err
		}
	}
	link, err := r.signin.MakeSetupLink(ctx, operator(org.ID), person.ID)
	if err != nil {
		return personDocument{}, err
	}
	document := newPersonDocument(person, org)
	document.Roles, document.LinkExpires = n.Roles, &link.ExpiresAt
	document.SigninLink = r.cfg.Issuer(r.cfg.Addr) + "/people/accept?" + url.Values{"token": {link.Token.Reveal()}}.Encode()
	if r.cfg.PublicURL == "" && strings.HasSuffix(r.cfg.Addr, ":0") {
		document.SigninLink = strings.TrimPrefix(document.SigninLink, r.cfg.Issuer(r.cfg.Addr)) // the server prints its port
	}
	return document, nil
}

// administratorRole is the role that --admin gives.
func administratorRole(org identity.Organisation) string {
	if org.Kind == identity.Platform {
		return identity.RolePlatformAdministrator
	}
	return identity.RoleAdministrator
}

// namesFor fills names that were left out from the part of the address before the @: a person needs both, and can
// change them later.
func namesFor(n identity.NewPerson) (first, last string) {
	local, _, _ := strings.Cut(n.Email, "@")
	a, b, ok := strings.Cut(local, ".")
	if !ok {
		b = a
	}
	first, last = n.FirstName, n.LastName
	if first == "" {
		first = a
	}
	if last == "" {
		last = b
	}
	return first, last
}

func (p *program) personListCommand() *cobra.Command {
	var ref string
	cmd := &cobra.Command{
		Use:   "list --org ORG",
		Short: "List the people of an organisation",
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
			people, err := r.identity.People(cmd.Context(), operator(org.ID), org.ID)
			if err != nil {
				return err
			}
			documents := make([]personDocument, 0, len(people))
			for _, one := range people {
				documents = append(documents, newPersonDocument(one, org))
			}
			return p.print(documents, func(w *tabwriter.Writer) {
				line(w, "E-MAIL", "NAME", "STATUS", "ID")
				for _, d := range documents {
					line(w, d.Email, d.FirstName+" "+d.LastName, d.Status, d.ID)
				}
			})
		},
	}
	cmd.Flags().StringVar(&ref, "org", "", "organisation: ID, prefix or short name (required)")
	p.jsonFlag(cmd)
	mustRequire(cmd, "org")
	return cmd
}
