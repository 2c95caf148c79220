package notify

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/database"
)

// mailRow is a row of mails.
type mailRow struct {
	ID             ID `gorm:"primaryKey"`
	OrganisationID *string
	ToName         string
	ToEmail        string
	Language       string
	TextKey        string
	Args           string
	Path           string
	AboutKind      string
	AboutID        string
	Fleeting       bool
	Words          string
	ReplyName      string
	ReplyEmail     string
	State          State
	Attempts       int64
	LastError      string
	CreatedAt      time.Time  `gorm:"serializer:micros;autoCreateTime:false"`
	FinishedAt     *time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*mailRow) TableName() string { return "mails" }

func (row *mailRow) mail() (Mail, error) {
	args, err := decodeArgs(row.Args)
	m := Mail{
		ID: row.ID, To: Address{Name: row.ToName, Email: row.ToEmail}, Key: row.TextKey,
		About: Subject{Kind: row.AboutKind, ID: row.AboutID}, State: row.State, Attempts: int(row.Attempts), Error: row.LastError,
		CreatedAt: row.CreatedAt, args: args,
	}
	if row.OrganisationID != nil {
		m.Organisation = *row.OrganisationID
	}
	if row.FinishedAt != nil {
		m.FinishedAt = *row.FinishedAt
	}
	return m, err
}

func wrap(err error, doing string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

func insertMail(tx *database.Tx, row *mailRow) error {
	return wrap(tx.DB().Create(row).Error, "write a mail")
}

// readQueued returns a mail that waits to be sent; found is false when it is gone or over.
func readQueued(g *gorm.DB, id ID) (row mailRow, found bool, err error) {
	err = g.Where("id = ? AND state = 'queued'", string(id)).Take(&row).Error
	if database.IsNotFound(err) {
		return mailRow{}, false, nil
	}
	return row, err == nil, wrap(err, "read a mail")
}

// endMail writes what became of a mail, and reports whether it still waited for that.
func endMail(tx *database.Tx, row *mailRow) (bool, error) {
	result := tx.DB().Exec(`UPDATE mails SET state = ?, attempts = ?, last_error = ?, finished_at = ? WHERE id = ? AND state = 'queued'`,
		string(row.State), row.Attempts, row.LastError, database.Micros(tx.Now()), string(row.ID))
	if result.Error != nil || result.RowsAffected == 0 || !row.Fleeting {
		return result.RowsAffected == 1, wrap(result.Error, "end a mail")
	}
	return true, wrap(tx.DB().Exec("DELETE FROM mails WHERE id = ?", string(row.ID)).Error, "forget a mail")
}

// noteAttempt writes that a mail was tried in vain and is tried again.
func noteAttempt(tx *database.Tx, row *mailRow) error {
	return wrap(tx.DB().Exec("UPDATE mails SET attempts = ?, last_error = ? WHERE id = ? AND state = 'queued'",
		row.Attempts, row.LastError, string(row.ID)).Error, "note an attempt")
}

func readAbout(g *gorm.DB, organisation string, about Subject, limit int) ([]mailRow, error) {
	var rows []mailRow
	err := g.Where("about_kind = ? AND about_id = ? AND organisation_id = ?", about.Kind, about.ID, organisation).
		Order("id DESC").Limit(limit).Find(&rows).Error
	return rows, wrap(err, "read mails")
}

func eraseAbout(tx *database.Tx, about Subject) error {
	return wrap(tx.DB().Exec("DELETE FROM mails WHERE about_kind = ? AND about_id = ?", about.Kind, about.ID).Error, "erase mails")
}

// deleteLetters deletes letters of an organisation that wait to be sent.
func deleteLetters(tx *database.Tx, organisation string) error {
	return wrap(tx.DB().Exec("DELETE FROM mails WHERE organisation_id = ? AND words <> '' AND state = 'queued'", organisation).Error,
		"withdraw letters")
}

func sweepMails(tx *database.Tx, before time.Time, limit int) (int64, error) {
	result := tx.DB().Exec("DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE finished_at < ? LIMIT ?)",
		database.Micros(before), limit)
	return result.RowsAffected, wrap(result.Error, "delete old mails")
}

// advancePace moves a plan on by one mail and returns its end. A plan whose end has passed begins now.
func advancePace(tx *database.Tx, scope string, by time.Duration) (time.Time, error) {
	var next int64
	now, step := database.Micros(tx.Now()), by.Microseconds()
	err := tx.DB().Raw(`INSERT INTO mail_pace (scope, next_at) VALUES (?, ?)
		ON CONFLICT (scope) DO UPDATE SET next_at = CAST(? AS BIGINT) +
			CASE WHEN mail_pace.next_at > ? THEN mail_pace.next_at ELSE CAST(? AS BIGINT) END
		RETURNING next_at`, scope, now+step, step, now, now).Scan(&next).Error
	return database.FromMicros(next), wrap(err, "plan a mail")
}

// readPace returns the end of a plan, the beginning of time when there is none.
func readPace(g *gorm.DB, scope string) (time.Time, error) {
	var next int64
	err := g.Raw("SELECT next_at FROM mail_pace WHERE scope = ?", scope).Scan(&next).Error
	return database.FromMicros(next), wrap(err, "read the plan of mails")
}

func sweepPace(tx *database.Tx, limit int) (int64, error) {
	result := tx.DB().Exec("DELETE FROM mail_pace WHERE scope IN (SELECT scope FROM mail_pace WHERE next_at < ? LIMIT ?)",
		database.Micros(tx.Now()), limit)
	return result.RowsAffected, wrap(result.Error, "delete old plans of mails")
}
