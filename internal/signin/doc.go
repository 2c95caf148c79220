// Package signin owns how a person becomes an actor: passwords and their rules, delays against guessing, browser
// sessions, set-up links, and the text a person had typed when a session ended.
//
// A password is kept as argon2id (security.md §5); a session and a link as the SHA-256 of a 256-bit token. Sessions end
// after 30 minutes without a request and 12 hours after the password was entered, whatever happens between. Rows live
// in this package's tables sessions, setup_links and drafts; the hash itself stands with the person and is reached
// through package identity.
//
// Elsewhere: who the person is and which rights they hold is package identity's; cookies are sent and pages are shown by
// web, which wraps its handlers with Sessions().LoadAndSave and asks Resolve who is there.
package signin
