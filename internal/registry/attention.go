package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
)

// maxAttention bounds the lists of what somebody should act on; who has more begins with the first.
const maxAttention = 200

// Attention is what somebody of an organisation should act on besides what Counts counts. Numbers of things are counted
// up to TotalCap and one more, which says that there are more.
type Attention struct {
	StaleContacts int   // addresses, see StaleContacts
	RejectedApps  int   // apps of which requests were refused since midnight UTC
	Rejections    int64 // those requests; those of the apps that were counted
}

// Attention returns the numbers of the actor's organisation. It takes apps.view.
func (r *Registry) Attention(ctx context.Context, actor access.Actor) (Attention, error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return Attention{}, err
	}
	stale, err := r.store.countStale(ctx, actor.Organisation, TotalCap+1)
	if err != nil {
		return Attention{}, err
	}
	apps, times, err := r.store.countRejected(ctx, actor.Organisation, r.today(), TotalCap+1)
	return Attention{StaleContacts: stale, RejectedApps: apps, Rejections: times}, err
}

// today is when the day began in UTC, in µs: rejections are kept by it.
func (r *Registry) today() int64 {
	now := r.db.Now().UnixMicro()
	return now - now%dayMicros
}

// StaleContact is an address of contacts that needs another contact (Address.Stale), with the active apps it stands at:
// how many, and which when it is one.
type StaleContact struct {
	Name    string // of the contact; of one of them, when apps name its reader differently
	Email   string
	Known   Address
	Apps    int
	App     AppID
	AppName string
}

// StaleContacts returns the addresses that need another contact and stand at an active app of the actor's organisation, by
// address: 200 at most, and whether there are more. It takes apps.view.
func (r *Registry) StaleContacts(ctx context.Context, actor access.Actor) (list []StaleContact, more bool, err error) {
	if err := r.mayView(ctx, actor, "app.contacts"); err != nil {
		return nil, false, err
	}
	rows, err := r.store.staleContacts(ctx, actor.Organisation, maxAttention+1)
	for i := range rows[:min(len(rows), maxAttention)] {
		row := &rows[i]
		list = append(list, StaleContact{
			Name: row.Name, Email: row.Email, Known: row.Row.address(), Apps: row.Apps, App: row.AppID, AppName: row.AppName,
		})
	}
	return list, len(rows) > maxAttention, err
}

// RejectedApp is an app of which requests were refused since midnight UTC.
type RejectedApp struct {
	ID       AppID
	ClientID string
	Name     string
	Status   Status
	Times    int64
	LastAt   time.Time
}

// RejectedToday returns the apps of the actor's organisation of which requests were refused since midnight UTC, those
// refused most often first: 200 at most, and whether there are more. It takes apps.view. What came in the last minute may
// not be there yet.
func (r *Registry) RejectedToday(ctx context.Context, actor access.Actor) (list []RejectedApp, more bool, err error) {
	if err := r.mayView(ctx, actor, "app.rejected"); err != nil {
		return nil, false, err
	}
	rows, err := r.store.rejectedOn(ctx, actor.Organisation, r.today(), maxAttention+1)
	for _, row := range rows[:min(len(rows), maxAttention)] {
		list = append(list, RejectedApp{
			ID: row.ID, ClientID: row.ClientID, Name: row.Name, Status: row.Status, Times: row.Times, LastAt: moment(row.LastAt),
		})
	}
	return list, len(rows) > maxAttention, err
}
