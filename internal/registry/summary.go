package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
)

// SummaryCode says in one word how an app stands with its secrets.
type SummaryCode string

// The codes. The most serious one wins.
const (
	SecretsOK       SummaryCode = "ok"
	SecretsNew      SummaryCode = "new"      // one usable, never used
	SecretsTwo      SummaryCode = "two"      // two usable
	SecretsExpiring SummaryCode = "expiring" // all that are usable end within 30 days
	SecretsExpired  SummaryCode = "expired"  // none is usable, and one has expired
	SecretsNone     SummaryCode = "none"     // none is usable
)

// expiringWithin is how long before its end a secret counts as expiring.
const expiringWithin = 30 * 24 * time.Hour

// SecretSummary is what the grid shows of an app's secrets. EndsAt is when the last usable one ends, zero for never.
type SecretSummary struct {
	Code   SummaryCode
	EndsAt time.Time
}

// Summary sums up the app's secrets as they were read.
func (a *App) Summary(now time.Time) SecretSummary { return summarise(a.Secrets, now) }

func summarise(secrets []Secret, now time.Time) SecretSummary {
	usable, expired, forever, used := 0, false, false, false
	var last time.Time
	for _, s := range secrets {
		expired = expired || s.State == SecretExpired
		if !s.Usable() {
			continue
		}
		usable++
		used = used || !s.LastUsedAt.IsZero()
		forever = forever || s.EndsAt.IsZero()
		if s.EndsAt.After(last) {
			last = s.EndsAt
		}
	}
	if forever {
		last = time.Time{}
	}
	switch {
	case usable == 0 && expired:
		return SecretSummary{Code: SecretsExpired}
	case usable == 0:
		return SecretSummary{Code: SecretsNone}
	case !forever && !last.After(now.Add(expiringWithin)):
		return SecretSummary{Code: SecretsExpiring, EndsAt: last}
	case usable == 2:
		return SecretSummary{Code: SecretsTwo, EndsAt: last}
	case !used:
		return SecretSummary{Code: SecretsNew, EndsAt: last}
	default:
		return SecretSummary{Code: SecretsOK, EndsAt: last}
	}
}

// gridRows completes the rows of a page by their secrets and the names of who made them: three queries, however many
// rows.
func (r *Registry) gridRows(ctx context.Context, org access.OrganisationID, found []gridRow) ([]Row, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids := make([]AppID, len(found))
	rows := make([]Row, len(found))
	authors := make([]*Author, len(found))
	for i, g := range found {
		ids[i] = g.ID
		rows[i] = Row{
			ID: g.ID, ClientID: g.ClientID, Kind: g.Kind, ResourceAPI: g.ResourceAPI, Name: g.Name, Category: g.Category, Status: g.Status, CreatedAt: g.CreatedAt,
			CreatedBy: Author{Kind: g.CreatedByKind, ID: g.CreatedByID}, ModifiedAt: g.ModifiedAt,
			LastUsedAt: moment(g.LastUsedAt),
		}
		authors[i] = &rows[i].CreatedBy
	}
	if err := r.store.nameAuthors(ctx, org, authors); err != nil {
		return nil, err
	}
	secrets, err := r.store.secretsOf(ctx, org, ids)
	if err != nil {
		return nil, err
	}
	now := r.db.Now()
	of := map[AppID][]Secret{}
	for i := range secrets {
		of[secrets[i].AppID] = append(of[secrets[i].AppID], secrets[i].secret(now))
	}
	for i := range rows {
		rows[i].Secrets = summarise(of[rows[i].ID], now)
	}
	return rows, nil
}

// unusedFor is how long nobody has used an app that counts as unused.
const unusedFor = 90 * 24 * time.Hour

// Counts are the numbers of the home page, each counted up to TotalCap and one more, which says that there are more. All
// but Inactive count active apps only, since nothing stops working with an inactive one.
type Counts struct {
	Active     int
	Inactive   int
	TwoSecrets int // two usable
	Expiring   int // all usable secrets end within 30 days
	NoSecret   int // none is usable
	Unused     int // registered more than 90 days ago and not used since then
	// Called reports whether any app has ever got a token with its secret; it is false for a new organisation.
	Called bool
}

// Counts returns the numbers of the actor's organisation. It takes apps.view.
func (r *Registry) Counts(ctx context.Context, actor access.Actor) (Counts, error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return Counts{}, err
	}
	return r.store.counts(ctx, actor.Organisation, r.db.Now())
}
