package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/secret"
)

// KeepHash puts a hash in the place of the one that it was made to replace.
func (r *Registry) KeepHash(ctx context.Context, h secret.Rehash) (bool, error) {
	return r.keepHash(ctx, h)
}

// NextRows is how many rows of use are written in the transaction after one of so many that took so long.
func NextRows(rows int, took time.Duration) int { return nextRows(rows, took) }

// SearchBy sets up to how many matches of its rarest term a search finds all at once, and the weight of finding all
// against walking to them in order.
func (r *Registry) SearchBy(few, cost int) { r.store.ways.few, r.store.ways.cost = few, cost }

// ExportBy sets how many apps an export reads at once.
func (r *Registry) ExportBy(n int) { r.store.ways.export = n }

// SearchCommon sets how far terms are counted that nearly every app matches, and has no few found at once.
func (r *Registry) SearchCommon(n int) { r.store.ways.few, r.store.ways.common = 0, n }

// SearchLook sets how many matches of a term are looked at to count its apps, and has no few found at once.
func (r *Registry) SearchLook(n int) { r.store.ways.few, r.store.ways.look = 0, n }

// SearchUsers sets how many API users the values of a search may name together.
func (r *Registry) SearchUsers(n int) { r.store.ways.users = n }

// ReasonOf is what the results of a bulk change keep of why an app was refused.
func ReasonOf(err error) string { return firstKey(err) }

// RejectionsWaiting is how many rows of what was refused are counted and not written yet.
func (r *Registry) RejectionsWaiting() float64 { return r.rejected.waiting() }

// AddressAnswered is what the registry does when a mail server takes a mail or refuses it for good.
func AddressAnswered(tx *database.Tx, m notify.Mail) error { return addressAnswered(tx, m) }

// TellNews is what the job that tells of a bulk change does for one address.
func TellNews(ctx context.Context, r *Registry, org access.OrganisationID, id job.ID, key string) error {
	return r.tellNews(ctx, org, id, key, "Ana Silva")
}
