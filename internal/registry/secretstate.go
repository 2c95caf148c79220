package registry

import (
	"time"

	"credenza.example/credenza/internal/secret"
)

// SecretState says what has become of a secret.
type SecretState string

// The states of a secret. Only the first two are usable.
const (
	SecretActive  SecretState = "active"  // works; EndsAt is its expiry, or zero
	SecretEnding  SecretState = "ending"  // works until the end that a rotation set
	SecretExpired SecretState = "expired" // its expiry has come
	SecretRetired SecretState = "retired" // taken out of use, at once or by a rotation's end
	SecretLeaked  SecretState = "leaked"  // taken out of use together with the tokens it bought
)

// Secret is what anybody may see of a secret. Its state is that of the time it was read.
type Secret struct {
	ID         SecretID
	Label      string
	Hint       string // last four characters
	Generation int64
	State      SecretState
	ExpiresAt  time.Time // as chosen when it was made; zero: never
	EndsAt     time.Time // when it stops or stopped working by itself: its expiry or an earlier end; zero: never
	StoppedAt  time.Time // retired, leaked, expired: since when it does not work; zero while it does
	CreatedAt  time.Time
	CreatedBy  Author
	LastUsedAt time.Time // as written by FlushUse, so up to a minute late; zero: never
}

// Usable reports whether the secret worked when it was read.
func (s Secret) Usable() bool { return s.State == SecretActive || s.State == SecretEnding }

// slot returns where the secret stands among the 62 that a presented secret can name.
func (s Secret) slot() int { return secret.SlotOf(s.Generation) }

// life is when a secret stops working, in its four ways. A nil time has not been set.
type life struct {
	ExpiresAt *time.Time `gorm:"serializer:micros"` // set when it was made
	EndsAt    *time.Time `gorm:"serializer:micros"` // set by a rotation
	RetiredAt *time.Time `gorm:"serializer:micros"`
	LeakedAt  *time.Time `gorm:"serializer:micros"`
}

// ends returns the earlier of expiry and rotation's end, zero when neither is set.
func (l life) ends() time.Time {
	switch {
	case l.ExpiresAt == nil && l.EndsAt == nil:
		return time.Time{}
	case l.EndsAt == nil || l.ExpiresAt != nil && l.ExpiresAt.Before(*l.EndsAt):
		return *l.ExpiresAt
	default:
		return *l.EndsAt
	}
}

// usable reports whether the secret works at that time. The end itself is too late.
func (l life) usable(now time.Time) bool {
	return l.RetiredAt == nil && l.LeakedAt == nil && (l.ends().IsZero() || now.Before(l.ends()))
}

// state names what became of the secret, and since when it does not work.
func (l life) state(now time.Time) (state SecretState, stopped time.Time) {
	ends := l.ends()
	over := !ends.IsZero() && !now.Before(ends)
	switch {
	case l.LeakedAt != nil:
		return SecretLeaked, *l.LeakedAt
	case l.RetiredAt != nil:
		return SecretRetired, *l.RetiredAt
	case over && l.EndsAt != nil && ends.Equal(*l.EndsAt):
		return SecretRetired, ends
	case over:
		return SecretExpired, ends
	case l.EndsAt != nil && ends.Equal(*l.EndsAt):
		return SecretEnding, time.Time{}
	default:
		return SecretActive, time.Time{}
	}
}

// nextGeneration returns the number of the app's next secret: the one after the last, or the first after that whose
// slot none of the usable secrets stands in, so that a presented secret always names one candidate.
func nextGeneration(last int64, usable []Secret) int64 {
	next := last + 1
	for {
		free := true
		for _, s := range usable {
			free = free && s.slot() != secret.SlotOf(next)
		}
		if free {
			return next
		}
		next++
	}
}
