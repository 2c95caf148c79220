package registry

import (
	"time"

	"credenza.example/credenza/internal/problem"
)

// ExpiryChoice is a choice of "Secret expires". Until organisations have policies the rule is "recommended, 1 year"
// for everybody (product.md decision 5).
type ExpiryChoice string

// The choices. The empty choice is the recommended one.
const (
	Expires90Days  ExpiryChoice = "90d"
	Expires180Days ExpiryChoice = "180d"
	Expires1Year   ExpiryChoice = "1y"
	ExpiresOn      ExpiryChoice = "date"
	ExpiresNever   ExpiryChoice = "never"

	ExpiresRecommended = Expires1Year
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

// ExpiryOptions returns what a form offers, and between which moments an own date must lie.
func (r *Registry) ExpiryOptions() (options []ExpiryOption, earliest, latest time.Time) {
	now := r.db.Now()
	for _, c := range []ExpiryChoice{Expires90Days, Expires180Days, Expires1Year} {
		options = append(options, ExpiryOption{Choice: c, At: c.after(now)})
	}
	options = append(options, ExpiryOption{Choice: ExpiresOn}, ExpiryOption{Choice: ExpiresNever})
	return options, now, now.AddDate(maxExpiry, 0, 0)
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
	case ExpiresOn, ExpiresNever:
		return time.Time{}
	default:
		return time.Time{}
	}
}

// resolve returns when the secret expires, nil for never, or the fault of the field "expires".
func (e Expiry) resolve(now time.Time) (*time.Time, *problem.Field) {
	choice := e.Choice
	if choice == "" {
		choice = ExpiresRecommended
	}
	var at time.Time
	switch choice {
	case ExpiresNever:
		return nil, nil
	case Expires90Days, Expires180Days, Expires1Year:
		at = choice.after(now)
	case ExpiresOn:
		at = e.At.UTC().Truncate(time.Microsecond)
		if fault := within("expires", at, now, now.AddDate(maxExpiry, 0, 0)); fault != nil {
			return nil, fault
		}
	default:
		fault := problem.NewField("expires", "app.expires.choose")
		return nil, &fault
	}
	return &at, nil
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
