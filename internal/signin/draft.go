package signin

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"credenza.example/credenza/internal/identity"
)

const (
	draftLife    = 30 * time.Minute
	maxDraft     = 64 * 1024
	maxDraftPath = 500
	maxDrafts    = 5 // per person
)

// SaveDraft keeps what was typed into a form whose session had ended by time, 30 minutes long (ui.md §3.5), and reports
// whether it did. Passwords, secrets, tokens and nonces are left out. cookie is the value of the session cookie: only
// when it names a session that ended by time is anything kept, for its person, so strangers leave no rows. path is the
// form's own path, from "/"; a form over 64 KiB is not kept.
func (s *Service) SaveDraft(ctx context.Context, cookie, path string, form url.Values) (kept bool, err error) {
	row, ok, err := readEnded(ctx, s.db, cookie)
	if err != nil || !ok {
		return false, err
	}
	text := harmless(form).Encode()
	if text == "" || len(text) > maxDraft || !isPath(path) {
		return false, nil
	}
	if err := putDraft(ctx, s.db, draftRow{PersonID: row.PersonID, Path: path, Form: text}); err != nil {
		return false, err
	}
	return true, nil
}

// Draft returns the form that is kept for a person and path. Reading does not use it up: a reload, or a HEAD before the
// GET, must not lose it; it goes by its time, or when another takes its place.
func (s *Service) Draft(ctx context.Context, person identity.PersonID, path string) (url.Values, bool, error) {
	text, ok, err := readDraft(ctx, s.db, person, path)
	if err != nil || !ok {
		return nil, false, err
	}
	form, err := url.ParseQuery(text)
	return form, err == nil, err
}

// isPath reports whether path is one of this server's own: visible ASCII from one slash on, without query or fragment.
func isPath(path string) bool {
	outside := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`\?#`, r) }
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && len(path) <= maxDraftPath &&
		!strings.ContainsFunc(path, outside)
}

// harmless returns the form without what must not be kept: fields named for a secret, and values that look like one of
// ours (security.md §6.2).
func harmless(form url.Values) url.Values {
	clean := url.Values{}
	for name, values := range form {
		if namesSecret(name) {
			continue
		}
		for _, v := range values {
			if !secretMark.MatchString(v) {
				clean.Add(name, v)
			}
		}
	}
	return clean
}

// secretMark is what package secret's Contains looks for; that room is none of those that this one may know. A test in
// web holds the two together.
var secretMark = regexp.MustCompile(`(?i)ccw[srt]_`)

// namesSecret reports whether a field of this name holds something that is not kept. A field about a secret, such as
// secret_expiry, is kept.
func namesSecret(field string) bool {
	words := strings.FieldsFunc(strings.ToLower(field), func(r rune) bool { return r == '_' || r == '-' || r == '.' })
	for i, word := range words {
		switch word {
		case "password", "passphrase", "nonce", "csrf":
			return true
		case "secret", "token", "key":
			if i == len(words)-1 {
				return true
			}
		}
	}
	return false
}
