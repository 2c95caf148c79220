package secret

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"regexp"
	"strings"
)

// Prefix begins every shared secret, and nothing else of ours.
const Prefix = "ccws_"

// mark begins all that this product gives out as a secret: shared secrets, refresh tokens and registration tokens
// (security.md §6.2).
var mark = regexp.MustCompile(`(?i)ccw[srt]_`)

// Contains reports whether a secret of ours, or a part of one from its beginning on, stands in the text. It goes by the
// mark alone, in capitals or not: one that was cut off or copied badly gives nearly as much away. Whoever takes a text
// that others will read, such as a description or a search, asks this first and does not keep it.
func Contains(text string) bool { return mark.MatchString(text) }

// The parts of a secret by their offsets (security.md §6.2).
const (
	kind       = "ccws" // the type prefix as the tag covers it
	atKey      = len(Prefix)
	atSlot     = atKey + 1
	atBody     = atSlot + 1
	atTag      = atBody + bodyDigits
	atChecksum = atTag + tagDigits
	length     = atChecksum + checksumDigits // 67, below the 72 bytes that bcrypt reads

	bodyBytes, bodyDigits         = 32, 43
	tagBytes, tagDigits           = 8, 11
	checksumBytes, checksumDigits = 4, 6

	slots      = 62
	hintLength = 4
)

// ErrFormat is the error of Parse: the text is not a secret, whoever it were for.
var ErrFormat = errors.New("secret: not of the format")

// Parsed is a text that has the format of a secret. Nothing says yet that it ever was one: see Keys.Check.
type Parsed struct {
	KeyID byte   // id of the tag key, a base62 digit
	Slot  int    // generation of the secret mod 62, see SlotOf
	Tag   string // 11 base62 digits; rows keep it uniquely, so that a found secret leads to its app

	secret Secret
}

// Parse takes a presented text apart. It accepts exactly what Keys.Make can write: 67 bytes, prefix, base62 digits, a
// right checksum, and numbers that fit their 256, 64 and 32 bits, so that no two texts mean the same secret. The error
// is ErrFormat and holds nothing of the text.
func Parse(text string) (Parsed, error) {
	if len(text) != length || !strings.HasPrefix(text, Prefix) {
		return Parsed{}, ErrFormat
	}
	slot := value62(text[atSlot])
	if value62(text[atKey]) < 0 || slot < 0 {
		return Parsed{}, ErrFormat
	}
	var body [bodyBytes]byte
	var tag [tagBytes]byte
	if !decode62(body[:], text[atBody:atTag]) || !decode62(tag[:], text[atTag:atChecksum]) {
		return Parsed{}, ErrFormat
	}
	var checksum [checksumBytes]byte
	if !decode62(checksum[:], text[atChecksum:]) || checksum != checksumOf(text[:atChecksum]) {
		return Parsed{}, ErrFormat
	}
	return Parsed{
		KeyID:  text[atKey],
		Slot:   slot,
		Tag:    text[atTag:atChecksum],
		secret: newSecret(text),
	}, nil
}

// SlotOf returns the slot of the secret of this generation: generation mod 62 (protocol.md §3.1). Generations count
// the secrets of an app from 1 on and are never negative.
func SlotOf(generation int64) int { return int(generation % slots) }

func checksumOf(text string) [checksumBytes]byte {
	var sum [checksumBytes]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(text)))
	return sum
}
