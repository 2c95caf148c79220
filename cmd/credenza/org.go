package main

import (
	"text/tabwriter"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/identity"
)

// orgDocument is an organisation as --json prints it.
type orgDocument struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	ShortName    string `json:"short_name"`
	ClientPrefix string `json:"client_prefix"`
	Kind         string `json:"kind"`
	Status       string `json:"status"`
}

func newOrgDocument(o identity.Organisation) orgDocument {
	return orgDocument{
		ID: string(o.ID), Name: o.Name, ShortName: o.ShortName, ClientPrefix: o.ClientPrefix,
		Kind: string(o.Kind), Status: string(o.Status),
	}
}

func (p *program) orgCommand() *cobra.Command {
	return group("org", "Organisations: create, list, policy", p.orgCreateCommand(), p.orgListCommand(), p.orgPolicyCommand())
}

func (p *program) orgCreateCommand() *cobra.Command {
	var n identity.NewOrganisation
	var platform bool
	cmd := &cobra.Command{
		Use:   "create --name NAME --prefix PREFIX",
		Short: "Create an organisation with its API users and the roles Administrator and Viewer",
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			if platform {
				n.Kind = identity.Platform
			}
			org, err := r.identity.CreateOrganisation(cmd.Context(), operator(""), n)
			if err != nil {
				return err
			}
			return p.print(newOrgDocument(org), func(w *tabwriter.Writer) {
				line(w, "Created "+org.Name)
				line(w, "ID:", org.ID)
				line(w, "Short name:", org.ShortName)
				line(w, "Client prefix:", org.ClientPrefix)
			})
		},
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "name of the organisation (required)")
	cmd.Flags().StringVar(&n.ClientPrefix, "prefix", "", "client prefix, 2-8 of A-Z0-9 (required)")
	cmd.Flags().StringVar(&n.ShortName, "short-name", "", "name in addresses and on the command line; made from the name when left out")
	cmd.Flags().BoolVar(&platform, "platform", false, "the organisation of those who run this installation")
	p.jsonFlag(cmd)
	mustRequire(cmd, "name", "prefix")
	return cmd
}

func (p *program) orgListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the organisations",
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			orgs, err := r.identity.Organisations(cmd.Context())
			if err != nil {
				return err
			}
			documents := make([]orgDocument, 0, len(orgs))
			for _, o := range orgs {
				documents = append(documents, newOrgDocument(o))
			}
			return p.print(documents, func(w *tabwriter.Writer) {
				line(w, "SHORT NAME", "PREFIX", "NAME", "KIND", "STATUS", "ID")
				for _, o := range documents {
					line(w, o.ShortName, o.ClientPrefix, o.Name, o.Kind, o.Status, o.ID)
				}
			})
		},
	}
	p.jsonFlag(cmd)
	return cmd
}
