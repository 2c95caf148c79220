package job

import (
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"credenza.example/credenza/internal/database"
)

// jobRow is a row of jobs.
type jobRow struct {
	ID             ID `gorm:"primaryKey"`
	OrganisationID *string
	Kind           string
	JobKey         string
	Label          string
	Payload        string
	State          State
	DueAt          time.Time `gorm:"serializer:micros"`
	Claims         int64
	Failures       int64
	Total          int64
	Done           int64
	CancelAsked    bool
	LastError      string
	CreatedAt      time.Time  `gorm:"serializer:micros;autoCreateTime:false"`
	StartedAt      *time.Time `gorm:"serializer:micros"`
	FinishedAt     *time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*jobRow) TableName() string { return "jobs" }

func (row *jobRow) job() Job {
	j := Job{
		ID: row.ID, Kind: row.Kind, Label: row.Label, State: row.State, Due: row.DueAt, Failures: int(row.Failures),
		Total: int(row.Total), Done: int(row.Done), CancelAsked: row.CancelAsked, LastError: row.LastError,
		CreatedAt: row.CreatedAt, payload: row.Payload,
	}
	if row.OrganisationID != nil {
		j.Organisation = *row.OrganisationID
	}
	if row.StartedAt != nil {
		j.StartedAt = *row.StartedAt
	}
	if row.FinishedAt != nil {
		j.FinishedAt = *row.FinishedAt
	}
	return j
}

// itemRow is a row of job_items.
type itemRow struct {
	JobID   ID     `gorm:"primaryKey"`
	Item    string `gorm:"primaryKey"`
	Outcome string
	Detail  string
	At      time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*itemRow) TableName() string { return "job_items" }

func wrap(err error, doing string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// insertJob writes a job and reports whether it did: not when one of its key waits.
func insertJob(tx *database.Tx, row *jobRow) (bool, error) {
	result := tx.DB().Clauses(clause.OnConflict{DoNothing: true}).Create(row)
	return result.RowsAffected == 1, wrap(result.Error, "write a job")
}

// dueKind returns the kind, of these, of the job that may be taken now and is due longest; empty when there is none.
func dueKind(g *gorm.DB, kinds []string, now time.Time) (kind string, err error) {
	err = g.Raw(`SELECT kind FROM jobs WHERE state IN ('queued', 'running') AND due_at <= ? AND kind IN ?
		ORDER BY due_at, id LIMIT 1`, database.Micros(now), kinds).Scan(&kind).Error
	return kind, wrap(err, "look for due jobs")
}

// nobody stands for the organisation of a job that has none, before all that are.
const nobody = "-"

func (row *jobRow) turn() string {
	if row.OrganisationID == nil {
		return nobody
	}
	return *row.OrganisationID
}

// readTurns returns for each organisation, of those after one in their order, the job of a kind that is due longest. It
// goes from organisation to organisation by the index jobs_turn, however many jobs each has, and no further than it needs
// to: the bound stands before the join, which would otherwise read the table whole where it expects many.
func readTurns(g *gorm.DB, kind, after string, now time.Time) ([]jobRow, error) {
	var rows []jobRow
	err := g.Raw(`WITH RECURSIVE turns (turn, n) AS (
			SELECT (SELECT COALESCE(organisation_id, '-') FROM jobs WHERE state IN ('queued', 'running') AND kind = ?
				AND COALESCE(organisation_id, '-') > ? ORDER BY COALESCE(organisation_id, '-') LIMIT 1), 1
			UNION ALL
			SELECT (SELECT COALESCE(organisation_id, '-') FROM jobs WHERE state IN ('queued', 'running') AND kind = ?
				AND COALESCE(organisation_id, '-') > turns.turn ORDER BY COALESCE(organisation_id, '-') LIMIT 1), turns.n + 1
			FROM turns WHERE turns.turn IS NOT NULL),
		firsts (id, n) AS (SELECT id, n FROM (
			SELECT (SELECT j.id FROM jobs j WHERE j.state IN ('queued', 'running') AND j.kind = ?
				AND COALESCE(j.organisation_id, '-') = turns.turn AND j.due_at <= ? ORDER BY j.due_at, j.id LIMIT 1) AS id, turns.n
			FROM turns WHERE turns.turn IS NOT NULL) AS due WHERE id IS NOT NULL LIMIT ?)
		SELECT jobs.id, jobs.kind, jobs.organisation_id, jobs.claims FROM firsts JOIN jobs ON jobs.id = firsts.id ORDER BY firsts.n`,
		kind, after, kind, kind, database.Micros(now), readAhead).Scan(&rows).Error
	return rows, wrap(err, "look for the organisation whose turn it is")
}

// claimJob takes a job that is as it was read, until the lease ends. One that was running failed: whoever ran it has gone.
func claimJob(tx *database.Tx, row *jobRow, lease time.Time) (bool, error) {
	result := tx.DB().Exec(`UPDATE jobs SET claims = claims + 1, failures = failures + CASE WHEN state = 'running' THEN 1 ELSE 0 END,
		state = 'running', due_at = ?, started_at = COALESCE(started_at, ?)
		WHERE id = ? AND claims = ? AND state IN ('queued', 'running') AND due_at <= ?`,
		database.Micros(lease), database.Micros(tx.Now()), string(row.ID), row.Claims, database.Micros(tx.Now()))
	if result.Error != nil || result.RowsAffected != 1 {
		return false, wrap(result.Error, "take a job")
	}
	return true, wrap(tx.DB().Where("id = ?", string(row.ID)).Take(row).Error, "read a job")
}

// holdLease prolongs the lease of a claim. It answers ErrLost when the job is another's, ErrCancelled when somebody wants
// it stopped.
func holdLease(tx *database.Tx, id ID, claim int64, lease time.Time, done int) error {
	var asked []bool
	err := tx.DB().Raw(`UPDATE jobs SET due_at = ?, done = done + ? WHERE id = ? AND state = 'running' AND claims = ?
		RETURNING cancel_asked`, database.Micros(lease), done, string(id), claim).Scan(&asked).Error
	switch {
	case err != nil:
		return wrap(err, "hold a job")
	case len(asked) == 0:
		return ErrLost
	case asked[0]:
		return ErrCancelled
	default:
		return nil
	}
}

func insertItem(tx *database.Tx, row *itemRow) error {
	result := tx.DB().Clauses(clause.OnConflict{DoNothing: true}).Create(row)
	if result.Error == nil && result.RowsAffected == 0 {
		return ErrItemDone
	}
	return wrap(result.Error, "write a job's result")
}

func amendItem(tx *database.Tx, id ID, key, outcome string) error {
	return wrap(tx.DB().Exec("UPDATE job_items SET outcome = ? WHERE job_id = ? AND item = ?", outcome, string(id), key).Error,
		"amend a job's result")
}

// ending is what a run leaves behind.
type ending struct {
	state   State
	due     time.Time // Queued
	failure bool
	text    string
}

// endRun writes the end of a run, if the job is still this claim's.
func endRun(tx *database.Tx, id ID, claim int64, e ending) error {
	var finished *int64
	if e.state != Queued {
		now := database.Micros(tx.Now())
		finished, e.due = &now, tx.Now()
	}
	failures := 0
	if e.failure {
		failures = 1
	}
	result := tx.DB().Exec(`UPDATE jobs SET state = ?, due_at = ?, failures = failures + ?, last_error = ?, finished_at = ?
		WHERE id = ? AND state = 'running' AND claims = ?`,
		string(e.state), database.Micros(e.due), failures, e.text, finished, string(id), claim)
	if result.Error == nil && result.RowsAffected == 0 {
		return ErrLost
	}
	return wrap(result.Error, "end a job")
}

func cancelJob(tx *database.Tx, organisation string, id ID) (State, error) {
	var states []State
	now := database.Micros(tx.Now())
	err := tx.DB().Raw(`UPDATE jobs SET cancel_asked = TRUE,
		finished_at = CASE WHEN state = 'queued' THEN CAST(? AS BIGINT) ELSE finished_at END,
		state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
		WHERE id = ? AND COALESCE(organisation_id, '') = ? AND state IN ('queued', 'running') RETURNING state`,
		now, string(id), organisation).Scan(&states).Error
	if err != nil || len(states) == 0 {
		return "", wrap(err, "cancel a job")
	}
	return states[0], nil
}

func replacePayload(tx *database.Tx, id ID, payload string) error {
	return wrap(tx.DB().Exec("UPDATE jobs SET payload = ? WHERE id = ?", payload, string(id)).Error, "shorten a job")
}

func readJob(g *gorm.DB, organisation string, id ID) (row jobRow, found bool, err error) {
	err = g.Omit("payload").Where("id = ? AND COALESCE(organisation_id, '') = ?", string(id), organisation).Take(&row).Error
	if database.IsNotFound(err) {
		return jobRow{}, false, nil
	}
	return row, err == nil, wrap(err, "read a job")
}

func readWhole(tx *database.Tx, organisation string, id ID) (row jobRow, err error) {
	err = tx.DB().Where("id = ? AND COALESCE(organisation_id, '') = ?", string(id), organisation).Take(&row).Error
	return row, wrap(err, "read a job")
}

func readItems(g *gorm.DB, id ID, after string, limit int) ([]itemRow, error) {
	var rows []itemRow
	err := g.Where("job_id = ? AND item > ?", string(id), after).Order("item").Limit(limit).Find(&rows).Error
	return rows, wrap(err, "read a job's results")
}

func readKeys(g *gorm.DB, id ID, outcome string, limit int) (keys []string, err error) {
	err = g.Raw("SELECT item FROM job_items WHERE job_id = ? AND outcome = ? ORDER BY item LIMIT ?", string(id), outcome, limit).
		Scan(&keys).Error
	return keys, wrap(err, "read a job's results")
}

func countItems(g *gorm.DB, id ID) (map[string]int, error) {
	var rows []struct {
		Outcome string
		N       int
	}
	err := g.Raw("SELECT outcome, count(*) AS n FROM job_items WHERE job_id = ? GROUP BY outcome", string(id)).Scan(&rows).Error
	counts := map[string]int{}
	for _, row := range rows {
		counts[row.Outcome] = row.N
	}
	return counts, wrap(err, "count a job's results")
}

// counts are what the metrics show of the table.
type counts struct {
	Waiting int64
	Dead    int64
}

func readCounts(g *gorm.DB, now time.Time) (c counts, err error) {
	err = g.Raw(`SELECT (SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND due_at <= ?) AS waiting,
		(SELECT count(*) FROM jobs WHERE state = 'dead') AS dead`, database.Micros(now)).Scan(&c).Error
	return c, wrap(err, "count jobs")
}

// sweepJobs deletes jobs that were over before a time, dead ones or the others, and reports whether there may be more. Their
// results go first, so many in a transaction and no more.
func sweepJobs(tx *database.Tx, dead bool, before time.Time) (more bool, err error) {
	states := []State{Done, Cancelled}
	if dead {
		states = []State{Dead}
	}
	var ids []string
	err = tx.DB().Raw("SELECT id FROM jobs WHERE finished_at < ? AND state IN ? LIMIT ?", database.Micros(before), states, sweepChunk).
		Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return false, wrap(err, "look for old jobs")
	}
	items := tx.DB().Exec(`DELETE FROM job_items WHERE (job_id, item) IN
		(SELECT job_id, item FROM job_items WHERE job_id IN ? LIMIT ?)`, ids, sweepItems)
	if items.Error != nil || items.RowsAffected == sweepItems {
		return true, wrap(items.Error, "delete old results")
	}
	return len(ids) == sweepChunk, wrap(tx.DB().Exec("DELETE FROM jobs WHERE id IN ?", ids).Error, "delete old jobs")
}
