package main

import (
	"text/tabwriter"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/identity"
)

// policyDocument is a policy as --json prints it.
type policyDocument struct {
	Organisation string `json:"organisation"`
	SecretExpiry string `json:"secret_expiry"`
	CeilingDays  *int   `json:"secret_ceiling_days"` // null while expiry is not required
	IdleDays     int    `json:"idle_days"`
}

func newPolicyDocument(p identity.Policy) policyDocument {
	d := policyDocument{Organisation: string(p.Organisation), SecretExpiry: string(p.SecretExpiry), IdleDays: p.IdleDays}
	if p.CeilingDays > 0 {
		d.CeilingDays = &p.CeilingDays
	}
	return d
}

func (d policyDocument) write(w *tabwriter.Writer) {
	line(w, "Secret expiry:", d.SecretExpiry)
	if d.CeilingDays != nil {
		line(w, "Longest life of a secret:", *d.CeilingDays, "days")
	}
	if d.IdleDays == 0 {
		line(w, "Unused apps:", "stay active")
	} else {
		line(w, "Unused apps:", "switched off after", d.IdleDays, "days, 30 days after they were told")
	}
}

func (p *program) orgPolicyCommand() *cobra.Command {
	var org, expiry string
	var ceiling, idle int
	cmd := &cobra.Command{
		Use:   "policy --org ORG [--secret-expiry required --ceiling DAYS] [--idle-days DAYS]",
		Short: "Show or change what an organisation requires of its apps",
		Long: "Shows the policy of an organisation. With a flag besides --org, changes that part of it first: it counts for " +
			"secrets that are made from then on, those that exist keep their end.",
		Args: cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			found, err := r.identity.FindOrganisation(cmd.Context(), org)
			if err != nil {
				return err
			}
			policy, err := r.identity.PolicyOf(cmd.Context(), found.ID)
			if err != nil {
				return err
			}
			if changed := policyFlags(cmd.Flags().Changed, &policy, expiry, ceiling, idle); changed {
				if policy, err = r.identity.SetPolicy(cmd.Context(), operator(found.ID), policy); err != nil {
					return err
				}
			}
			document := newPolicyDocument(policy)
			return p.print(document, document.write)
		},
	}
	cmd.Flags().StringVar(&org, "org", "", "organisation: ID, prefix or short name (required)")
	cmd.Flags().StringVar(&expiry, "secret-expiry", "", "optional, recommended or required")
	cmd.Flags().IntVar(&ceiling, "ceiling", 0, "while expiry is required: days after which a secret ends at the latest")
	cmd.Flags().IntVar(&idle, "idle-days", 0, "days after which an unused app is switched off; 0 for never")
	p.jsonFlag(cmd)
	mustRequire(cmd, "org")
	return cmd
}

// policyFlags puts into a policy what the flags say of it, and reports whether they say anything.
func policyFlags(given func(flag string) bool, policy *identity.Policy, expiry string, ceiling, idle int) (changed bool) {
	if given("secret-expiry") {
		changed = true
		policy.SecretExpiry = identity.SecretExpiry(expiry)
		if policy.SecretExpiry != identity.ExpiryRequired {
			policy.CeilingDays = 0
		}
	}
	if given("ceiling") {
		changed = true
		policy.CeilingDays = ceiling
	}
	if given("idle-days") {
		changed = true
		policy.IdleDays = idle
	}
	return changed
}
