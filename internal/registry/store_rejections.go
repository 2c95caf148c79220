package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/secret"
)

// What is kept of one app and of one organisation (protocol.md §10). Half of an app's rows is for requests that came
// with a secret of the app, so that strangers do not push out what its people have to know.
const (
	maxAppRejections  = 100 // of each half
	maxUnknownClients = 1000
)

// appRejectionRow is a row of app_rejections.
type appRejectionRow struct {
	AppID          AppID           `gorm:"primaryKey"`
	Day            int64           `gorm:"primaryKey;autoIncrement:false"`
	Reason         RejectionReason `gorm:"primaryKey"`
	Detail         string          `gorm:"primaryKey"`
	Network        string          `gorm:"primaryKey"`
	OrganisationID access.OrganisationID
	Proven         bool
	Times          int64
	FirstAt        int64
	LastAt         int64
}

// TableName names the table for the ORM.
func (*appRejectionRow) TableName() string { return "app_rejections" }

// unknownClientRow is a row of unknown_clients.
type unknownClientRow struct {
	OrganisationID access.OrganisationID `gorm:"primaryKey"`
	ClientID       string                `gorm:"primaryKey"`
	Network        string
	Times          int64
	FirstAt        int64
	LastAt         int64
}

// TableName names the table for the ORM.
func (*unknownClientRow) TableName() string { return "unknown_clients" }

// owner is the app that a client ID belongs to.
type owner struct {
	ID             AppID
	OrganisationID access.OrganisationID
	ClientID       string
}

// addRejections adds to what is there and returns how many requests named a client that nobody registered.
func addRejections(tx *database.Tx, part []rejection, installation string) (unknown int64, err error) {
	owners, err := ownersOf(tx, part)
	if err != nil {
		return 0, err
	}
	var known, strange []rejection
	for _, r := range part {
		if _, is := owners[r.clientID]; is {
			known = append(known, r)
			continue
		}
		strange = append(strange, r)
		for _, row := range r.rows {
			unknown += row.times
		}
	}
	if err := addOfApps(tx, known, owners); err != nil {
		return 0, err
	}
	return unknown, addUnknown(tx, strange, installation)
}

// ownersOf returns the apps of client IDs, without those that are deleted.
func ownersOf(tx *database.Tx, part []rejection) (map[string]owner, error) {
	ids := make([]string, len(part))
	for i, r := range part {
		ids[i] = r.clientID
	}
	var rows []owner
	err := tx.DB().Raw("SELECT id, organisation_id, client_id FROM apps WHERE client_id IN ? AND deleted_at IS NULL", ids).Scan(&rows).Error
	owners := make(map[string]owner, len(rows))
	for _, row := range rows {
		owners[row.ClientID] = row
	}
	return owners, wrap(err, "look for apps by client ID")
}

// addOfApps writes what was refused of apps and keeps to how much is kept of each.
func addOfApps(tx *database.Tx, known []rejection, owners map[string]owner) error {
	if len(known) == 0 {
		return nil
	}
	apps := make([]AppID, len(known))
	for i, r := range known {
		apps[i] = owners[r.clientID].ID
	}
	ended, err := endedSecrets(tx, known, owners)
	if err != nil {
		return err
	}
	networks, err := rejectedNetworks(tx, apps)
	if err != nil {
		return err
	}
	rows := newRowsOfApps{networks: networks, at: map[appRejectionRow]int{}}
	for _, r := range known {
		for _, row := range r.rows {
			rows.add(owners[r.clientID], row, ended)
		}
	}
	slices.SortFunc(rows.list, byRejectionKey)
	if err := upsertRejections(tx, rows.list); err != nil {
		return err
	}
	return trimRejections(tx, apps)
}

// slotOf is the slot of an app's secrets.
type slotOf struct {
	app  AppID
	slot int8
}

// endedSecret is what has become of the newest secret in a slot.
type endedSecret struct {
	id     SecretID
	reason RejectionReason
}

// endedSecrets returns what has become of the secrets that were presented and are not usable any more.
func endedSecrets(tx *database.Tx, known []rejection, owners map[string]owner) (map[slotOf]endedSecret, error) {
	var apps []string
	for _, r := range known {
		for _, row := range r.rows {
			if row.slot != noSlot {
				apps = append(apps, string(owners[r.clientID].ID))
				break
			}
		}
	}
	found := map[slotOf]endedSecret{}
	if len(apps) == 0 {
		return found, nil
	}
	var rows []secretRow
	err := tx.DB().Omit("hash", "tag").Where("app_id IN ?", apps).Order("app_id, generation").Find(&rows).Error
	for i := range rows { // the newest of a slot comes last
		s := rows[i].secret(tx.Now())
		if reason, ended := reasonOf(s.State); ended {
			found[slotOf{rows[i].AppID, int8(secret.SlotOf(s.Generation))}] = endedSecret{s.ID, reason}
		}
	}
	return found, wrap(err, "read ended secrets")
}

func reasonOf(state SecretState) (reason RejectionReason, ended bool) {
	switch state {
	case SecretRetired:
		return RejectedRetired, true
	case SecretExpired:
		return RejectedExpired, true
	case SecretLeaked:
		return RejectedLeaked, true
	case SecretActive, SecretEnding:
		return "", false
	default:
		return "", false
	}
}

// rejectedNetworks returns how many networks are told apart already, by a row's key without its network, and which
// these are.
func rejectedNetworks(tx *database.Tx, apps []AppID) (map[appRejectionRow]map[string]struct{}, error) {
	var rows []appRejectionRow
	err := tx.DB().Raw("SELECT app_id, day, reason, detail, network FROM app_rejections WHERE app_id IN ? AND day >= ?",
		apps, tx.Now().UnixMicro()-2*dayMicros).Scan(&rows).Error
	known := map[appRejectionRow]map[string]struct{}{}
	for _, row := range rows {
		tell(known, row)
	}
	return known, wrap(err, "read the networks of what was refused")
}

// tell notes the network of a row and reports whether it is one of those that are told apart.
func tell(known map[appRejectionRow]map[string]struct{}, row appRejectionRow) bool {
	network := row.Network
	row = appRejectionRow{AppID: row.AppID, Day: row.Day, Reason: row.Reason, Detail: row.Detail}
	if known[row] == nil {
		known[row] = map[string]struct{}{}
	}
	if _, is := known[row][network]; !is && len(known[row]) >= maxRejectionNetworks && network != OtherNetworks.String() {
		return false
	}
	known[row][network] = struct{}{}
	return true
}

// newRowsOfApps collects rows to write, no two of which have the same key.
type newRowsOfApps struct {
	networks map[appRejectionRow]map[string]struct{}
	at       map[appRejectionRow]int // by key, in list
	list     []appRejectionRow
}

func (n *newRowsOfApps) add(of owner, r rejectedRow, ended map[slotOf]endedSecret) {
	key := appRejectionRow{AppID: of.ID, Day: r.day, Reason: r.reason, Detail: r.detail, Network: r.network.String()}
	if e, is := ended[slotOf{of.ID, r.slot}]; is && r.slot != noSlot {
		key.Reason, key.Detail = e.reason, string(e.id)
	}
	if !tell(n.networks, key) {
		key.Network = OtherNetworks.String()
	}
	row := key
	row.OrganisationID, row.Proven = of.OrganisationID, key.Reason.proven()
	row.Times, row.FirstAt, row.LastAt = r.times, r.first, r.last
	if i, is := n.at[key]; is {
		had := &n.list[i]
		had.Times += row.Times
		had.FirstAt, had.LastAt = min(had.FirstAt, row.FirstAt), max(had.LastAt, row.LastAt)
		return
	}
	n.at[key] = len(n.list)
	n.list = append(n.list, row)
}

// byRejectionKey orders rows by their key. Replicas write in this order, so that on PostgreSQL neither waits for what the other
// holds while it holds what the other waits for.
func byRejectionKey(a, b appRejectionRow) int {
	return cmp.Or(cmp.Compare(a.AppID, b.AppID), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Reason, b.Reason),
		cmp.Compare(a.Detail, b.Detail), cmp.Compare(a.Network, b.Network))
}

func upsertRejections(tx *database.Tx, rows []appRejectionRow) error {
	add := clause.OnConflict{
		Columns: []clause.Column{{Name: "app_id"}, {Name: "day"}, {Name: "reason"}, {Name: "detail"}, {Name: "network"}},
		DoUpdates: clause.Assignments(map[string]any{
			"times":    gorm.Expr("app_rejections.times + excluded.times"),
			"first_at": gorm.Expr("CASE WHEN excluded.first_at < app_rejections.first_at THEN excluded.first_at ELSE app_rejections.first_at END"),
			"last_at":  gorm.Expr("CASE WHEN excluded.last_at > app_rejections.last_at THEN excluded.last_at ELSE app_rejections.last_at END"),
		}),
	}
	return wrap(tx.DB().Clauses(add).CreateInBatches(&rows, 500).Error, "write what was refused")
}

// trimRejections deletes the oldest rows of apps that have more than are kept.
func trimRejections(tx *database.Tx, apps []AppID) error {
	var full []appRejectionRow
	err := tx.DB().Raw("SELECT app_id, proven FROM app_rejections WHERE app_id IN ? GROUP BY app_id, proven HAVING count(*) > ?",
		apps, maxAppRejections).Scan(&full).Error
	for _, row := range full {
		if err != nil {
			break
		}
		err = tx.DB().Exec(`DELETE FROM app_rejections WHERE app_id = ? AND (day, reason, detail, network) IN
			(SELECT day, reason, detail, network FROM app_rejections WHERE app_id = ? AND proven = ?
			ORDER BY last_at DESC, day DESC, reason, detail, network LIMIT 100000 OFFSET ?)`,
			string(row.AppID), string(row.AppID), row.Proven, maxAppRejections).Error
	}
	return wrap(err, "forget what was refused long ago")
}

// addUnknown writes client IDs that nobody registered under the organisations whose prefix they have.
func addUnknown(tx *database.Tx, strange []rejection, installation string) error {
	organisations, err := organisationsOf(tx, strange, installation)
	if err != nil || len(organisations) == 0 {
		return err
	}
	var rows []unknownClientRow
	var touched []access.OrganisationID
	for _, r := range strange {
		prefix, _ := splitClientID(r.clientID)
		org, is := organisations[strings.TrimPrefix(prefix, installation)]
		if !is || !strings.HasPrefix(prefix, installation) {
			continue
		}
		rows = append(rows, r.unknown(org))
		touched = append(touched, org)
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b unknownClientRow) int {
		return cmp.Or(cmp.Compare(a.OrganisationID, b.OrganisationID), cmp.Compare(a.ClientID, b.ClientID))
	})
	add := clause.OnConflict{
		Columns: []clause.Column{{Name: "organisation_id"}, {Name: "client_id"}},
		DoUpdates: clause.Assignments(map[string]any{
			"times":   gorm.Expr("unknown_clients.times + excluded.times"),
			"network": gorm.Expr("excluded.network"),
			"last_at": gorm.Expr("CASE WHEN excluded.last_at > unknown_clients.last_at THEN excluded.last_at ELSE unknown_clients.last_at END"),
		}),
	}
	if err := tx.DB().Clauses(add).Create(&rows).Error; err != nil {
		return wrap(err, "write unknown clients")
	}
	return trimUnknown(tx, touched)
}

// unknown sums up what was refused of a client ID. The network is the last one.
func (r rejection) unknown(org access.OrganisationID) unknownClientRow {
	sum := r.rows[0]
	for _, row := range r.rows[1:] {
		if row.last > sum.last {
			sum.network = row.network
		}
		sum.add(row)
	}
	return unknownClientRow{
		OrganisationID: org, ClientID: r.clientID, Network: sum.network.String(), Times: sum.times, FirstAt: sum.first, LastAt: sum.last,
	}
}

// organisationsOf returns the organisations of client prefixes.
func organisationsOf(tx *database.Tx, strange []rejection, installation string) (map[string]access.OrganisationID, error) {
	prefixes := []string{}
	for _, r := range strange {
		if prefix, ok := splitClientID(r.clientID); ok && strings.HasPrefix(prefix, installation) {
			prefixes = append(prefixes, prefix[len(installation):])
		}
	}
	if len(prefixes) == 0 {
		return nil, nil
	}
	var rows []struct {
		ID           access.OrganisationID
		ClientPrefix string
	}
	err := tx.DB().Raw("SELECT id, client_prefix FROM organisations WHERE client_prefix IN ?", prefixes).Scan(&rows).Error
	found := make(map[string]access.OrganisationID, len(rows))
	for _, row := range rows {
		found[row.ClientPrefix] = row.ID
	}
	return found, wrap(err, "look for organisations by prefix")
}

// trimUnknown deletes what was named least often where an organisation has more than is kept: invented client IDs come
// once, a wrong one that somebody uses comes again and again.
func trimUnknown(tx *database.Tx, organisations []access.OrganisationID) error {
	var full []access.OrganisationID
	err := tx.DB().Raw("SELECT organisation_id FROM unknown_clients WHERE organisation_id IN ? GROUP BY organisation_id HAVING count(*) > ?",
		organisations, maxUnknownClients).Scan(&full).Error
	for _, org := range full {
		if err != nil {
			break
		}
		err = tx.DB().Exec(`DELETE FROM unknown_clients WHERE organisation_id = ? AND client_id IN
			(SELECT client_id FROM unknown_clients WHERE organisation_id = ?
			ORDER BY times DESC, last_at DESC, client_id LIMIT 100000 OFFSET ?)`, string(org), string(org), maxUnknownClients).Error
	}
	return wrap(err, "forget unknown clients")
}

// rejectionsOf returns rows of what was refused of an app, the last first, how many there are, and how many requests were
// refused since a moment at which a day begins.
func (s *store) rejectionsOf(ctx context.Context, org access.OrganisationID, id AppID, p Span) (rows []appRejectionRow, total int, err error) {
	err = s.db.Read(ctx).Where("organisation_id = ? AND app_id = ?", string(org), string(id)).
		Order("last_at DESC, day DESC, reason, detail, network").Offset(p.Skip).Limit(p.Most).Find(&rows).Error
	if err != nil {
		return nil, 0, wrap(err, "read what was refused")
	}
	err = s.db.Read(ctx).Raw("SELECT count(*) FROM app_rejections WHERE organisation_id = ? AND app_id = ?", string(org), string(id)).Scan(&total).Error
	return rows, total, wrap(err, "count what was refused")
}

// rejectedSince returns how many requests of an app were refused on days that began at a moment or later.
func (s *store) rejectedSince(ctx context.Context, org access.OrganisationID, id AppID, day int64) (times int64, err error) {
	err = s.db.Read(ctx).Raw("SELECT COALESCE(SUM(times), 0) FROM app_rejections WHERE organisation_id = ? AND app_id = ? AND day >= ?",
		string(org), string(id), day).Scan(&times).Error
	return times, wrap(err, "count what was refused")
}

// unknownClients returns client IDs of an organisation's prefix that nobody registered, the last first, and how many
// there are. One that was registered since, as a restored backup may have it, is left out.
func (s *store) unknownClients(ctx context.Context, org access.OrganisationID, p Span) (rows []unknownClientRow, total int, err error) {
	const from = ` FROM unknown_clients u WHERE u.organisation_id = ?
		AND NOT EXISTS (SELECT 1 FROM apps a WHERE a.client_id = u.client_id AND a.deleted_at IS NULL)`
	err = s.db.Read(ctx).Raw("SELECT u.*"+from+" ORDER BY u.last_at DESC, u.client_id LIMIT ? OFFSET ?",
		string(org), p.Most, p.Skip).Scan(&rows).Error
	if err != nil {
		return nil, 0, wrap(err, "read unknown clients")
	}
	err = s.db.Read(ctx).Raw("SELECT count(*)"+from, string(org)).Scan(&total).Error
	return rows, total, wrap(err, "count unknown clients")
}

// namedApp is an app by name and client ID.
type namedApp struct {
	ID       AppID
	Name     string
	ClientID string
	Deleted  bool
}

// namedApps returns the apps of an organisation, deleted ones too; at most so many, by the time they were made.
func (s *store) namedApps(ctx context.Context, org access.OrganisationID, most int) (apps []namedApp, err error) {
	err = s.db.Read(ctx).Raw(`SELECT id, name, client_id, deleted_at IS NOT NULL AS deleted FROM apps
		WHERE organisation_id = ? ORDER BY id DESC LIMIT ?`, string(org), most).Scan(&apps).Error
	return apps, wrap(err, "read the names of apps")
}
