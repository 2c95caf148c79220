package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm/clause"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
)

const (
	// maxToken is longer than any token this package makes; what is longer was made elsewhere.
	maxToken = 100
	// keepEnded is how long a session's row outlives it, so that the sign-in page can say when and why it ended and
	// what was typed can be kept.
	keepEnded = 24 * time.Hour
	keepLinks = 30 * 24 * time.Hour
	chunk     = 500
)

// digest is what a token is stored and found by (protocol.md §3.6).
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

type sessionRow struct {
	TokenHash  string `gorm:"primaryKey"`
	PersonID   string
	Data       string
	CreatedAt  time.Time `gorm:"serializer:micros"`
	LastSeenAt time.Time `gorm:"serializer:micros"`
	ExpiresAt  time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*sessionRow) TableName() string { return "sessions" }

// end returns when the session ends if nobody uses it any more, and whether for that reason.
func (r *sessionRow) end() (at time.Time, idle bool) {
	at = r.LastSeenAt.Add(IdleLimit)
	if at.Before(r.ExpiresAt) {
		return at, true
	}
	return r.ExpiresAt, false
}

func (r *sessionRow) live(now time.Time) bool {
	end, _ := r.end()
	return now.Before(end) && !r.LastSeenAt.After(now.Add(backwards))
}

// store keeps sessions in the table; it implements scs.CtxStore.
type store struct{ db *database.DB }

// Find implements scs.Store.
func (s *store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Delete implements scs.Store.
func (s *store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// Commit implements scs.Store.
func (s *store) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// FindCtx returns a session that has not ended.
func (s *store) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	row, ok, err := readSession(ctx, s.db, token)
	if err != nil || !ok || !row.live(s.db.Now()) {
		return nil, false, err
	}
	p := payload{Row: row.TokenHash, Seen: micros(row.LastSeenAt), Until: database.Micros(row.ExpiresAt)}
	if err := json.Unmarshal([]byte(row.Data), &p.Values); err != nil {
		return nil, false, fmt.Errorf("read a session: %w", err)
	}
	b, err := json.Marshal(p)
	return b, err == nil, err
}

// DeleteCtx removes a session.
func (s *store) DeleteCtx(ctx context.Context, token string) error {
	return s.db.Housekeep(ctx, func(tx *database.Tx) error {
		return tx.DB().Exec("DELETE FROM sessions WHERE token_hash = ?", digest(token)).Error
	})
}

// CommitCtx writes a session. One that was read from a row changes that row only: when the row has gone meanwhile, the
// session was ended and does not come back. When it ends is decided here by the product's clock, once, at its first
// write; the third argument, from the manager's own clock, is not used.
func (s *store) CommitCtx(ctx context.Context, token string, b []byte, _ time.Time) error {
	var p payload
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("write a session: %w", err)
	}
	data, err := json.Marshal(p.Values)
	if err != nil {
		return fmt.Errorf("write a session: %w", err)
	}
	hash, person := digest(token), p.Values[keyPerson]
	return s.db.Housekeep(ctx, func(tx *database.Tx) error {
		if p.Row == hash {
			return tx.DB().Exec("UPDATE sessions SET data = ?, person_id = ? WHERE token_hash = ?", string(data), person, hash).Error
		}
		return tx.DB().Create(&sessionRow{
			TokenHash: hash, PersonID: person, Data: string(data),
			CreatedAt: tx.Now(), LastSeenAt: tx.Now(), ExpiresAt: tx.Now().Add(AbsoluteLimit),
		}).Error
	})
}

func readSession(ctx context.Context, db *database.DB, token string) (*sessionRow, bool, error) {
	if token == "" || len(token) > maxToken {
		return nil, false, nil
	}
	var rows []sessionRow
	if err := db.Read(ctx).Where("token_hash = ?", digest(token)).Limit(1).Find(&rows).Error; err != nil {
		return nil, false, fmt.Errorf("read a session: %w", err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	return &rows[0], true, nil
}

// readEnded returns the session of a person that ended by time and that the token names.
func readEnded(ctx context.Context, db *database.DB, token string) (*sessionRow, bool, error) {
	row, ok, err := readSession(ctx, db, token)
	if err != nil || !ok || row.PersonID == "" || row.live(db.Now()) {
		return nil, false, err
	}
	return row, true, nil
}

func noteSeen(ctx context.Context, db *database.DB, hash string, now time.Time) error {
	return db.Housekeep(ctx, func(tx *database.Tx) error {
		return tx.DB().Exec("UPDATE sessions SET last_seen_at = ? WHERE token_hash = ? AND last_seen_at < ?",
			database.Micros(now), hash, database.Micros(now)).Error
	})
}

// endAccess ends what lets people in without a password: sessions and links that are not used yet.
func endAccess(tx *database.Tx, people []identity.PersonID) error {
	if err := deleteSessions(tx, people); err != nil {
		return err
	}
	if err := tx.DB().Exec("DELETE FROM setup_links WHERE person_id IN ? AND used_at IS NULL", people).Error; err != nil {
		return fmt.Errorf("end set-up links: %w", err)
	}
	return nil
}

func deleteSessions(tx *database.Tx, people []identity.PersonID) error {
	if err := tx.DB().Exec("DELETE FROM sessions WHERE person_id IN ?", people).Error; err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

type linkRow struct {
	TokenHash      string `gorm:"primaryKey"`
	OrganisationID string
	PersonID       string
	CreatedAt      time.Time  `gorm:"serializer:micros"`
	ExpiresAt      time.Time  `gorm:"serializer:micros"`
	UsedAt         *time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*linkRow) TableName() string { return "setup_links" }

func insertLink(tx *database.Tx, row *linkRow) error {
	err := tx.DB().Exec("DELETE FROM setup_links WHERE person_id = ? AND used_at IS NULL", row.PersonID).Error
	if err == nil {
		err = tx.DB().Create(row).Error
	}
	if err != nil {
		return fmt.Errorf("make a set-up link: %w", err)
	}
	return nil
}

// readLink returns a link that can still be used.
func readLink(ctx context.Context, db *database.DB, token string) (*linkRow, bool, error) {
	if token == "" || len(token) > maxToken {
		return nil, false, nil
	}
	var rows []linkRow
	err := db.Read(ctx).Where("token_hash = ? AND used_at IS NULL AND expires_at > ?", digest(token), database.Micros(db.Now())).
		Limit(1).Find(&rows).Error
	if err != nil {
		return nil, false, fmt.Errorf("read a set-up link: %w", err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	return &rows[0], true, nil
}

// spendLink uses a link up; false when it cannot be used any more. Of many at once exactly one succeeds.
func spendLink(tx *database.Tx, token string) (bool, error) {
	g := tx.DB().Exec("UPDATE setup_links SET used_at = ? WHERE token_hash = ? AND used_at IS NULL AND expires_at > ?",
		database.Micros(tx.Now()), digest(token), database.Micros(tx.Now()))
	if g.Error != nil {
		return false, fmt.Errorf("use a set-up link: %w", g.Error)
	}
	return g.RowsAffected == 1, nil
}

type draftRow struct {
	PersonID  string `gorm:"primaryKey"`
	Path      string `gorm:"primaryKey"`
	Form      string
	ExpiresAt time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*draftRow) TableName() string { return "drafts" }

// putDraft keeps a form, and of the person's others only the newest.
func putDraft(ctx context.Context, db *database.DB, row draftRow) error {
	return db.Housekeep(ctx, func(tx *database.Tx) error {
		row.ExpiresAt = tx.Now().Add(draftLife)
		err := tx.DB().Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
		if err == nil {
			err = tx.DB().Exec(`DELETE FROM drafts WHERE person_id = ? AND path NOT IN
				(SELECT path FROM drafts WHERE person_id = ? ORDER BY expires_at DESC, path LIMIT ?)`,
				row.PersonID, row.PersonID, maxDrafts).Error
		}
		if err != nil {
			return fmt.Errorf("keep a draft: %w", err)
		}
		return nil
	})
}

// readDraft returns a form that is kept.
func readDraft(ctx context.Context, db *database.DB, person identity.PersonID, path string) (form string, ok bool, err error) {
	err = db.Read(ctx).Raw("SELECT form FROM drafts WHERE person_id = ? AND path = ? AND expires_at > ?",
		string(person), path, database.Micros(db.Now())).Scan(&form).Error
	if err != nil {
		return "", false, fmt.Errorf("read a draft: %w", err)
	}
	return form, form != "", nil
}

// Sweep removes what has ended: sessions a day after their end, drafts at once, links after a month. The server calls it
// now and then; nothing depends on it.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Housekeep(ctx, func(tx *database.Tx) error {
		now := tx.Now()
		err := tx.DB().Exec("DELETE FROM sessions WHERE expires_at < ?", database.Micros(now.Add(-keepEnded))).Error
		if err == nil {
			err = tx.DB().Exec("DELETE FROM drafts WHERE expires_at < ?", database.Micros(now)).Error
		}
		if err == nil {
			err = tx.DB().Exec("DELETE FROM setup_links WHERE expires_at < ?", database.Micros(now.Add(-keepLinks))).Error
		}
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		return nil
	})
}
