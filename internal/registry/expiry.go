package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// ExpiryChoice is a choice of "Secret expires".
type ExpiryChoice string

// The choices. The empty choice is what the organisation's policy suggests.
const (
	Expires90Days  ExpiryChoice = "90d"
	Expires180Days ExpiryChoice = "180d"
	Expires1Year   ExpiryChoice = "1y"
	ExpiresLongest ExpiryChoice = "longest" // as late as a policy that requires expiry allows
	ExpiresOn      ExpiryChoice = "date"
	ExpiresNever   ExpiryChoice = "never"
)

// maxExpiry bounds an own date: further ahead it is a slip of the pen.
const maxExpiry = 10 // years

// Expiry is when a new secret shall expire. At counts for ExpiresOn only.
type Expiry struct {
	Choice ExpiryChoice
	At     time.Time
}

// ExpiryOption is one entry of the choice, with the moment it would mean now; zero for ExpiresOn and ExpiresNever.
type ExpiryOption struct {
	Choice ExpiryChoice
	At     time.Time
}

// ExpiryOffer is what a form offers under a policy. An own date lies after Earliest and not after Latest.
type ExpiryOffer struct {
	Options  []ExpiryOption
	Default  ExpiryChoice
	Earliest time.Time
	Latest   time.Time
	Ceiling  int // days; 0 while expiry is not required
}

// ExpiryOptions returns what the organisation allows for a new secret (product.md decision 5).
func (r *Registry) ExpiryOptions(ctx context.Context, org access.OrganisationID) (ExpiryOffer, error) {
	policy, err := r.identity.PolicyOf(ctx, org)
	if err != nil {
		return ExpiryOffer{}, err
	}
	return expiryRule{policy, r.db.Now()}.offer(), nil
}

// expiryRule judges the expiry of a secret that is made now under a policy.
type expiryRule struct {
	policy identity.Policy
	now    time.Time
}

func (r *Registry) expiryRule(ctx context.Context, org access.OrganisationID) (expiryRule, error) {
	policy, err := r.identity.PolicyOf(ctx, org)
	return expiryRule{policy, r.db.Now()}, err
}

func (rule expiryRule) required() bool { return rule.policy.SecretExpiry == identity.ExpiryRequired }

// latest is the last moment at which a new secret may expire.
func (rule expiryRule) latest() time.Time {
	if rule.required() {
		return rule.now.AddDate(0, 0, rule.policy.CeilingDays)
	}
	return rule.now.AddDate(maxExpiry, 0, 0)
}

func (rule expiryRule) offer() ExpiryOffer {
	offer := ExpiryOffer{Default: rule.suggested(), Earliest: rule.now, Latest: rule.latest()}
	named := false // one of the usual choices is the ceiling itself
	for _, c := range []ExpiryChoice{Expires90Days, Expires180Days, Expires1Year} {
		if at := c.after(rule.now); !at.After(offer.Latest) {
			offer.Options = append(offer.Options, ExpiryOption{Choice: c, At: at})
			named = named || at.Equal(offer.Latest)
		}
	}
	if !rule.required() {
		offer.Options = append(offer.Options, ExpiryOption{Choice: ExpiresOn}, ExpiryOption{Choice: ExpiresNever})
		return offer
	}
	offer.Ceiling = rule.policy.CeilingDays
	if !named {
		offer.Options = append(offer.Options, ExpiryOption{Choice: ExpiresLongest, At: offer.Latest})
	}
	offer.Options = append(offer.Options, ExpiryOption{Choice: ExpiresOn})
	return offer
}

// suggested is the choice that a form begins with: a year, as much of it as the ceiling leaves, or never where expiry is
// optional.
func (rule expiryRule) suggested() ExpiryChoice {
	if rule.policy.SecretExpiry == identity.ExpiryOptional {
		return ExpiresNever
	}
	for _, c := range []ExpiryChoice{Expires1Year, Expires180Days, Expires90Days} {
		switch at := c.after(rule.now); {
		case at.Equal(rule.latest()), c == Expires1Year && at.Before(rule.latest()):
			return c
		}
	}
	return ExpiresLongest
}

// after returns the moment that a fixed choice means, zero for the others.
func (c ExpiryChoice) after(now time.Time) time.Time {
	switch c {
	case Expires90Days:
		return now.AddDate(0, 0, 90)
	case Expires180Days:
		return now.AddDate(0, 0, 180)
	case Expires1Year:
		return now.AddDate(1, 0, 0)
	case ExpiresOn, ExpiresNever, ExpiresLongest:
		return time.Time{}
	default:
		return time.Time{}
	}
}

// resolve returns when the secret expires, nil for never, or the fault of the field "expires".
func (rule expiryRule) resolve(e Expiry) (*time.Time, *problem.Field) {
	if e.Choice == "" {
		e.Choice = rule.suggested()
	}
	var at time.Time
	switch e.Choice {
	case ExpiresNever:
		if rule.required() {
			return nil, rule.beyond()
		}
		return nil, nil
	case Expires90Days, Expires180Days, Expires1Year:
		at = e.Choice.after(rule.now)
	case ExpiresLongest:
		at = rule.latest()
	case ExpiresOn:
		at = e.At.UTC().Truncate(time.Microsecond)
		if fault := within("expires", at, rule.now, rule.now.AddDate(maxExpiry, 0, 0)); fault != nil {
			return nil, fault
		}
	default:
		fault := problem.NewField("expires", "app.expires.choose")
		return nil, &fault
	}
	if at.After(rule.latest()) {
		return nil, rule.beyond()
	}
	return &at, nil
}

// beyond is the fault of an end that the policy does not allow.
func (rule expiryRule) beyond() *problem.Field {
	fault := problem.NewField("expires", "app.expires.policy", "N", rule.policy.CeilingDays, "Latest", rule.latest())
	return &fault
}

// within reports a date that is missing, not in the future or too far ahead.
func within(field string, at, now, latest time.Time) *problem.Field {
	var fault problem.Field
	switch {
	case at.IsZero():
		fault = problem.NewField(field, "app.date.missing")
	case !at.After(now):
		fault = problem.NewField(field, "app.date.past")
	case at.After(latest):
		fault = problem.NewField(field, "app.date.too_far", "Latest", latest)
	default:
		return nil
	}
	return &fault
}

// EndChoice is a choice of when the old secret ends at a rotation.
type EndChoice string

// The choices of product.md decision 5. The empty choice is EndsIn7Days.
const (
	EndsNow       EndChoice = "now"
	EndsIn1Hour   EndChoice = "1h"
	EndsIn24Hours EndChoice = "24h"
	EndsIn7Days   EndChoice = "7d"
	EndsIn30Days  EndChoice = "30d"
	EndsOn        EndChoice = "date"

	EndsRecommended = EndsIn7Days
)

// maxOverlap bounds how long two secrets may work side by side.
const maxOverlap = 90 * 24 * time.Hour

// End is when the old secret shall end. At counts for EndsOn only.
type End struct {
	Choice EndChoice
	At     time.Time
}

// EndOption is one entry of the choice, with the moment it would mean now; zero for EndsOn.
type EndOption struct {
	Choice EndChoice
	At     time.Time
}

// EndOptions returns what a form offers, and between which moments an own date must lie.
func (r *Registry) EndOptions() (options []EndOption, earliest, latest time.Time) {
	now := r.db.Now()
	for _, c := range []EndChoice{EndsNow, EndsIn1Hour, EndsIn24Hours, EndsIn7Days, EndsIn30Days} {
		after, _ := c.after()
		options = append(options, EndOption{Choice: c, At: now.Add(after)})
	}
	return append(options, EndOption{Choice: EndsOn}), now, now.Add(maxOverlap)
}

// after returns how long the old secret still works; ok is false for a date and for what is no choice.
func (c EndChoice) after() (d time.Duration, ok bool) {
	switch c {
	case EndsNow:
		return 0, true
	case EndsIn1Hour:
		return time.Hour, true
	case EndsIn24Hours:
		return 24 * time.Hour, true
	case EndsIn7Days:
		return 7 * 24 * time.Hour, true
	case EndsIn30Days:
		return 30 * 24 * time.Hour, true
	case EndsOn:
		return 0, false
	default:
		return 0, false
	}
}

// resolve returns when the old secret ends, or the fault of the field "old_ends".
func (e End) resolve(now time.Time) (time.Time, *problem.Field) {
	choice := e.Choice
	if choice == "" {
		choice = EndsRecommended
	}
	if after, ok := choice.after(); ok {
		return now.Add(after), nil
	}
	if choice != EndsOn {
		fault := problem.NewField("old_ends", "app.old_ends.choose")
		return time.Time{}, &fault
	}
	at := e.At.UTC().Truncate(time.Microsecond)
	return at, within("old_ends", at, now, now.Add(maxOverlap))
}
