package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
)

const (
	formatVersion   = 1   // first byte under the tag; another layout takes another number
	maxClientID     = 255 // bytes; its length is one byte under the tag, and ours are far shorter
	minTagKeyLength = 32  // bytes
)

// State says what a tag key may still do (protocol.md §3.3).
type State string

// The states of a tag key.
const (
	Signing   State = "signing"   // makes the tags of new secrets
	Accepted  State = "accepted"  // older secrets carry its tags
	Untrusted State = "untrusted" // lost or leaked: its tags say nothing, bcrypt decides
)

// TagKey is a key that tags are made with. Printed or logged it shows its id and state only.
type TagKey struct {
	ID    byte // the base62 digit that stands in the secrets
	State State
	Key   []byte
}

// Format writes the id and the state for every verb.
func (k TagKey) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "tag key %q (%s)", k.ID, k.State) }

// MarshalText returns the id and the state, for JSON and every other format.
func (k TagKey) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(k)), nil }

// LogValue returns the id and the state.
func (k TagKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// Keys makes secrets and checks their tags. It is safe for use by many goroutines.
type Keys struct {
	set    *atomic.Pointer[keySet]
	random io.Reader
}

type keySet struct {
	signing *tagKey
	byID    map[byte]*tagKey
}

// tagKey is a key at work. An untrusted one makes no tags.
type tagKey struct {
	TagKey

	macs *macs
}

// NewKeys returns the keys of an installation. One must be signing, of several the last one signs; ids are base62
// digits and differ; a key has 32 bytes or more, but an untrusted one may have been lost.
func NewKeys(keys []TagKey) (*Keys, error) {
	k := &Keys{set: new(atomic.Pointer[keySet]), random: rand.Reader}
	if err := k.Replace(keys); err != nil {
		return nil, err
	}
	return k, nil
}

// Replace takes another set of keys, when the ring has changed. Checks that have begun end with the old set. On error
// nothing is changed.
func (k *Keys) Replace(keys []TagKey) error {
	set := &keySet{byID: make(map[byte]*tagKey, len(keys))}
	for _, key := range keys {
		key.Key = slices.Clone(key.Key)
		working := &tagKey{TagKey: key, macs: newMACs(key.Key)}
		if value62(key.ID) < 0 {
			return fmt.Errorf("secret: id %q of a tag key is no base62 digit", key.ID)
		}
		if _, twice := set.byID[key.ID]; twice {
			return fmt.Errorf("secret: two tag keys have the id %q", key.ID)
		}
		switch key.State {
		case Signing:
			set.signing = working
		case Accepted, Untrusted:
		default:
			return fmt.Errorf("secret: state %q of tag key %q is unknown", key.State, key.ID)
		}
		if key.State != Untrusted && len(key.Key) < minTagKeyLength {
			return fmt.Errorf("secret: tag key %q has %d bytes, needs %d", key.ID, len(key.Key), minTagKeyLength)
		}
		set.byID[key.ID] = working
	}
	if set.signing == nil {
		return errors.New("secret: no tag key is signing")
	}
	k.set.Store(set)
	return nil
}

// WithRandom returns the same keys with another source of random bytes, so that a test can have it fail.
func (k *Keys) WithRandom(random io.Reader) *Keys { return &Keys{set: k.set, random: random} }

// Made is a new secret and what a row keeps of it beside the hash.
type Made struct {
	Secret Secret
	Tag    string // 11 base62 digits, unique
	Hint   string // the last 4 characters, by which people tell their secrets apart
}

// Make returns a new secret of this generation for the client. It fails when the source of random bytes does: then
// there is no secret and nothing may be stored (security.md C15).
func (k *Keys) Make(clientID string, generation int64) (Made, error) {
	if !validClientID(clientID) || generation < 0 {
		return Made{}, fmt.Errorf("secret: cannot make one for client %q, generation %d", clientID, generation)
	}
	var body [bodyBytes]byte
	if _, err := io.ReadFull(k.random, body[:]); err != nil {
		return Made{}, fmt.Errorf("secret: random bytes: %w", err)
	}
	key := k.set.Load().signing
	var text [length]byte
	copy(text[:], Prefix)
	text[atKey] = key.ID
	text[atSlot] = alphabet[SlotOf(generation)]
	encode62(text[atBody:atTag], body[:])
	tag := key.tagOf(clientID, string(text[:atTag]))
	encode62(text[atTag:atChecksum], tag[:])
	checksum := checksumOf(string(text[:atChecksum]))
	encode62(text[atChecksum:], checksum[:])
	whole := string(text[:])
	return Made{Secret: newSecret(whole), Tag: whole[atTag:atChecksum], Hint: whole[length-hintLength:]}, nil
}

// TagVerdict is what a tag says about a secret and a client ID.
type TagVerdict int

// The verdicts. A caller goes on with TagValid and TagSkipped and refuses all others.
const (
	TagWrong      TagVerdict = iota // not made by us for this client
	TagUnknownKey                   // names a key that we do not have
	TagSkipped                      // names a key that is not trusted: nothing is said
	TagValid                        // made by us for this client; bcrypt is still to be asked
)

// Check says whether the secret's tag was made by us for this client ID. It takes about a microsecond and asks no
// database, so its time does not tell whether the client exists.
func (k *Keys) Check(clientID string, p Parsed) TagVerdict {
	text := p.secret.Reveal()
	if text == "" || !validClientID(clientID) {
		return TagWrong
	}
	key, known := k.set.Load().byID[p.KeyID]
	if !known {
		return TagUnknownKey
	}
	if key.State == Untrusted {
		return TagSkipped
	}
	var given [tagBytes]byte
	want := key.tagOf(clientID, text[:atTag])
	if !decode62(given[:], p.Tag) || !hmac.Equal(given[:], want[:]) {
		return TagWrong
	}
	return TagValid
}

// tagOf returns the first 8 bytes of HMAC-SHA256(key, format version ‖ type prefix ‖ key id ‖ slot ‖ len ‖ client ID ‖
// body), len being the client ID's in one byte and body its 43 digits, which are as good as the number since only one
// text stands for it (protocol.md §3.1). Without the slot under the tag, 62 variants of a secret would be accepted.
func (k *tagKey) tagOf(clientID, head string) [tagBytes]byte {
	sum := k.macs.of(func(message []byte) []byte {
		message = append(message, formatVersion)
		message = append(message, kind...)
		message = append(message, head[atKey], head[atSlot])
		message = append(message, byte(len(clientID))) // validClientID: 255 at most
		message = append(message, clientID...)
		return append(message, head[atBody:]...)
	})
	return [tagBytes]byte(sum[:])
}

func validClientID(id string) bool { return id != "" && len(id) <= maxClientID }
