package main

import (
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// prolongedDocument is what restore and extend print.
type prolongedDocument struct {
	ClientID string     `json:"client_id"`
	SecretID string     `json:"secret_id"`
	Label    string     `json:"label"`
	State    string     `json:"state"`
	EndsAt   *time.Time `json:"ends_at"`
}

func (d prolongedDocument) write(w *tabwriter.Writer) {
	line(w, "Client ID:", d.ClientID)
	line(w, "Secret:", d.Label+", "+d.State)
	if d.EndsAt != nil {
		line(w, "Ends:", d.EndsAt.Format(time.RFC1123))
	}
}

func (p *program) appRestoreCommand() *cobra.Command {
	var secret string
	cmd := &cobra.Command{
		Use:   "restore CLIENT_ID --secret SECRET",
		Short: "Make a retired secret work again, within 24 hours",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.prolong(cmd, args[0], secret, registry.End{}, true)
		},
	}
	cmd.Flags().StringVar(&secret, "secret", "", "which secret, by ID or last four characters (required)")
	p.jsonFlag(cmd)
	mustRequire(cmd, "secret")
	return cmd
}

func (p *program) appExtendCommand() *cobra.Command {
	var secret, until string
	cmd := &cobra.Command{
		Use:   "extend CLIENT_ID --secret SECRET",
		Short: "Put off the end of a secret that a rotation ends",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.prolong(cmd, args[0], secret, registry.End{Choice: registry.EndChoice(until)}, false)
		},
	}
	cmd.Flags().StringVar(&secret, "secret", "", "which secret, by ID or last four characters (required)")
	cmd.Flags().StringVar(&until, "until", "", "when it ends, counted from now: 24h, 7d (default), 30d")
	p.jsonFlag(cmd)
	mustRequire(cmd, "secret")
	return cmd
}

// prolong restores a secret, or puts off its end, and prints it as it then is.
func (p *program) prolong(cmd *cobra.Command, clientID, name string, until registry.End, restore bool) error {
	r, err := p.open(cmd.Context(), migrateEmpty)
	if err != nil {
		return err
	}
	defer r.close()
	actor, app, err := r.findApp(cmd.Context(), clientID)
	if err != nil {
		return err
	}
	secret, ok := anySecretNamed(app, name)
	if !ok {
		return problem.Fields(problem.NewField("secret", "cli.no_secret", "Name", name))
	}
	if restore {
		err = r.registry.Restore(cmd.Context(), actor, app.ID, secret)
	} else {
		err = r.registry.Extend(cmd.Context(), actor, app.ID, secret, until)
	}
	if err != nil {
		return err
	}
	if app, err = r.registry.App(cmd.Context(), actor, app.ID); err != nil {
		return err
	}
	s, _ := app.Secret(secret)
	document := prolongedDocument{
		ClientID: app.ClientID, SecretID: string(s.ID), Label: s.Label, State: string(s.State), EndsAt: orNull(s.EndsAt),
	}
	return p.print(document, document.write)
}

// anySecretNamed returns the newest secret of an app with this ID or hint, whether it works or not.
func anySecretNamed(app registry.App, name string) (registry.SecretID, bool) {
	for _, s := range app.Secrets {
		if s.Hint == name || string(s.ID) == name {
			return s.ID, true
		}
	}
	return "", false
}
