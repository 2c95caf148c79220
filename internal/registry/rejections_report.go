package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// Span is a part of a list: how many rows to leave out and how many to return at most.
type Span struct{ Skip, Most int }

// Rejection is what was refused alike on a day (UTC) from one network. Detail is a scope or a code, see
// RejectionReason; Secret the one that was presented, its ID empty where that is not known.
type Rejection struct {
	Reason  RejectionReason
	Detail  string
	Secret  SecretID
	Network string // as Network.String has it
	FirstAt time.Time
	LastAt  time.Time
	Times   int64
}

// Rejections are a part of what was refused of an app in the last 30 days, the last first; Total is how many rows there
// are, at most 200. Today counts the requests since midnight UTC.
type Rejections struct {
	Rows  []Rejection
	Total int
	Today int64
}

// Rejections returns what was refused of requests that named an app. It takes apps.view. What came in the last minute
// may not be there yet. Deleted apps and those of other organisations are not found.
func (r *Registry) Rejections(ctx context.Context, actor access.Actor, id AppID, p Span) (Rejections, error) {
	if err := r.mayViewApp(ctx, actor, "app.rejections", id); err != nil {
		return Rejections{}, err
	}
	rows, total, err := r.store.rejectionsOf(ctx, actor.Organisation, id, p)
	if err != nil {
		return Rejections{}, err
	}
	list := Rejections{Total: total}
	for _, row := range rows {
		list.Rows = append(list.Rows, row.rejection())
	}
	now := r.db.Now().UnixMicro()
	list.Today, err = r.store.rejectedSince(ctx, actor.Organisation, id, now-now%dayMicros)
	return list, err
}

func (row *appRejectionRow) rejection() Rejection {
	made := Rejection{
		Reason: row.Reason, Detail: row.Detail, Network: row.Network,
		FirstAt: database.FromMicros(row.FirstAt), LastAt: database.FromMicros(row.LastAt), Times: row.Times,
	}
	switch row.Reason {
	case RejectedRetired, RejectedExpired, RejectedLeaked:
		made.Secret, made.Detail = SecretID(row.Detail), ""
	default:
	}
	return made
}

// UnknownClient is a client ID with an organisation's prefix that requests named and nobody registered. Near is an app
// of the organisation whose client ID differs from it in one place; Was the name that a deleted app had to which it
// belonged.
type UnknownClient struct {
	ClientID string
	Network  string // the last one
	FirstAt  time.Time
	LastAt   time.Time
	Times    int64
	Near     *NearApp
	Was      string
}

// NearApp is an app that somebody may have meant.
type NearApp struct {
	ID       AppID
	Name     string
	ClientID string
}

// UnknownClients are a part of them, the last first; Total is how many there are, at most 1,000.
type UnknownClients struct {
	Rows  []UnknownClient
	Total int
}

// maxCompared is up to how many apps of an organisation are compared with a client ID that nobody registered.
const maxCompared = 5000

// UnknownClients returns the client IDs of the organisation's prefix that nobody registered, of the last 30 days. It
// takes apps.view.
func (r *Registry) UnknownClients(ctx context.Context, actor access.Actor, p Span) (UnknownClients, error) {
	if err := r.mayView(ctx, actor, "app.unknown"); err != nil {
		return UnknownClients{}, err
	}
	rows, total, err := r.store.unknownClients(ctx, actor.Organisation, p)
	if err != nil || len(rows) == 0 {
		return UnknownClients{Total: total}, err
	}
	apps, err := r.store.namedApps(ctx, actor.Organisation, maxCompared)
	if err != nil {
		return UnknownClients{}, err
	}
	list := UnknownClients{Total: total}
	for _, row := range rows {
		made := UnknownClient{
			ClientID: row.ClientID, Network: row.Network, Times: row.Times,
			FirstAt: database.FromMicros(row.FirstAt), LastAt: database.FromMicros(row.LastAt),
		}
		made.compare(apps)
		list.Rows = append(list.Rows, made)
	}
	return list, nil
}

// compare looks for the app that a client ID was, or may be meant for.
func (u *UnknownClient) compare(apps []namedApp) {
	for _, a := range apps {
		switch {
		case a.Deleted && a.ClientID == u.ClientID:
			u.Was = a.Name
		case !a.Deleted && u.Near == nil && oneOff(u.ClientID, a.ClientID):
			u.Near = &NearApp{ID: a.ID, Name: a.Name, ClientID: a.ClientID}
		}
	}
}

// oneOff reports whether two texts differ in one place: one character is another, missing or too many, or two
// neighbours are exchanged.
func oneOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
