package identity

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"credenza.example/credenza/internal/database"
)

// PasswordHash is the stored form of a password, made and read by package signin. Every way of printing it gives
// [redacted].
type PasswordHash struct{ phc string }

const redacted = "[redacted]"

// NewPasswordHash wraps a hash in PHC form; empty for no password.
func NewPasswordHash(phc string) PasswordHash { return PasswordHash{phc: phc} }

// Reveal returns the hash in PHC form, empty when no password is set.
func (h PasswordHash) Reveal() string { return h.phc }

// String returns [redacted].
func (PasswordHash) String() string { return redacted }

// Format writes [redacted] whatever the verb.
func (PasswordHash) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redacted) // a state that cannot be written to shows less, not more
}

// MarshalJSON returns "[redacted]".
func (PasswordHash) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns [redacted].
func (PasswordHash) LogValue() slog.Value { return slog.StringValue(redacted) }

// Credential is what package signin needs to know of a person. Live is true when the person and the organisation are
// active. PasswordSetAt is when Hash was stored, zero for never; a session stands on the one it was begun with.
type Credential struct {
	Person        Person
	Organisation  Organisation
	Hash          PasswordHash
	PasswordSetAt time.Time
	Live          bool
}

// CredentialByEmail returns the credential of the person with this address, compared by Fold. ok is false when there is
// none, and for what is no address.
func (d *Directory) CredentialByEmail(ctx context.Context, email string) (c Credential, ok bool, err error) {
	email, fault := Email("person.email", email)
	if fault != nil {
		return Credential{}, false, nil
	}
	return readCredential(d.db.Read(ctx), "people.email_key = ?", Fold(email))
}

// CredentialByID returns the credential of a person; ok is false when there is none.
func (d *Directory) CredentialByID(ctx context.Context, id PersonID) (c Credential, ok bool, err error) {
	return readCredential(d.db.Read(ctx), "people.id = ?", string(id))
}

// CredentialWithin is CredentialByID as the transaction sees it.
func CredentialWithin(tx *database.Tx, id PersonID) (c Credential, ok bool, err error) {
	return readCredential(tx.DB(), "people.id = ?", string(id))
}

// SetPasswordHash stores a new password hash. Who was invited becomes active. Sessions begun with another are no longer
// taken (Standing.PasswordSetAt); deleting them is up to package signin, which owns them.
func SetPasswordHash(tx *database.Tx, id PersonID, hash PasswordHash) error {
	if err := updatePassword(tx, id, hash); err != nil {
		return err
	}
	tx.Changed(database.TopicPerson, string(id))
	return nil
}
