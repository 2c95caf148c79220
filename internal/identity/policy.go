package identity

import (
	"context"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
)

// SecretExpiry is whether the secrets of an organisation's apps expire (product.md decision 5).
type SecretExpiry string

// The policies for the expiry of secrets.
const (
	ExpiryOptional    SecretExpiry = "optional"    // whoever makes a secret chooses; nothing is suggested
	ExpiryRecommended SecretExpiry = "recommended" // a year is suggested, never is allowed
	ExpiryRequired    SecretExpiry = "required"    // after CeilingDays at the latest
)

// Bounds of a policy, in days. Unused apps are told 30 days before, so fewer would say that before they are unused.
const (
	MaxCeilingDays = 3650
	MinIdleDays    = 30
	MaxIdleDays    = 3650
)

// Policy is what an organisation decided for its apps. It counts for what is made from then on: secrets that exist keep
// the end they have.
type Policy struct {
	Organisation OrganisationID
	SecretExpiry SecretExpiry
	CeilingDays  int       // the longest life of a secret while expiry is required, else 0
	IdleDays     int       // active apps unused for as long are switched off after a notice; 0: never
	Version      int64     // 0: never set, these are the defaults
	ChangedAt    time.Time // zero: never
}

// PolicyOf returns the policy of an organisation; one that has set none has the defaults: expiry recommended, no app
// switched off. It asks for no right, like Organisation: whoever makes a secret must know.
func (d *Directory) PolicyOf(ctx context.Context, org OrganisationID) (Policy, error) {
	return readPolicy(d.db.Read(ctx), org)
}

// IdlePolicies returns the policies of the live organisations that switch unused apps off.
func (d *Directory) IdlePolicies(ctx context.Context) ([]Policy, error) {
	return readIdlePolicies(d.db.Read(ctx))
}

// SetPolicy replaces the policy of p.Organisation, whose version must be the one the actor saw. It takes
// policies.manage there, or organisations.manage of the platform. The answers are problem.Invalid with faults of the
// fields secret_expiry, ceiling_days and idle_days, problem.Stale, problem.Forbidden and problem.NotFound. It returns
// the policy as it then is.
func (d *Directory) SetPolicy(ctx context.Context, actor access.Actor, p Policy) (Policy, error) {
	act := audit.Act{
		Right: ManageRight(actor, p.Organisation, access.PoliciesManage), Action: "organisation.policy", Organisation: p.Organisation,
		Target: audit.Target{Kind: "organisation", ID: string(p.Organisation)},
	}
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return Policy{}, err
	}
	if err := p.check(); err != nil {
		return Policy{}, err
	}
	err := d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		org, err := organisationWithin(tx, p.Organisation)
		if err != nil {
			return audit.Change{}, err
		}
		before, err := readPolicy(tx.DB(), p.Organisation)
		p.ChangedAt = before.ChangedAt // not for callers to say
		switch {
		case err != nil:
			return audit.Change{}, err
		case before.Version != p.Version:
			return audit.Change{}, stale()
		case before == p:
			return audit.Change{}, audit.ErrNothing
		}
		if err := writePolicy(tx, p); err != nil {
			return audit.Change{}, err
		}
		target := act.Target
		target.Label = org.Name
		return audit.Change{Target: target, Before: before.record(), After: p.record()}, nil
	})
	if err != nil {
		return Policy{}, err
	}
	return d.PolicyOf(ctx, p.Organisation)
}

func (p *Policy) check() error {
	var found faults
	if !slices.Contains([]SecretExpiry{ExpiryOptional, ExpiryRecommended, ExpiryRequired}, p.SecretExpiry) {
		found.add(fault("policy.secret_expiry", "invalid"))
	}
	switch required := p.SecretExpiry == ExpiryRequired; {
	case required && (p.CeilingDays < 1 || p.CeilingDays > MaxCeilingDays):
		found.add(fault("policy.ceiling_days", "range", "Min", 1, "Max", MaxCeilingDays))
	case !required && p.CeilingDays != 0:
		found.add(fault("policy.ceiling_days", "not_required"))
	}
	if p.IdleDays != 0 && (p.IdleDays < MinIdleDays || p.IdleDays > MaxIdleDays) {
		found.add(fault("policy.idle_days", "range", "Min", MinIdleDays, "Max", MaxIdleDays))
	}
	return found.err()
}

func (p *Policy) record() map[string]any {
	return map[string]any{
		"secret_expiry": string(p.SecretExpiry), "ceiling_days": p.CeilingDays, "idle_days": p.IdleDays,
	}
}

// defaultPolicy is that of an organisation which has set none.
func defaultPolicy(org OrganisationID) Policy {
	return Policy{Organisation: org, SecretExpiry: ExpiryRecommended}
}
