// Package keyring keeps the keys of the product: the master key in its file, and everything that the master key seals.
//
// It owns the table keys, the form of the master key file, the rule by which a start makes or refuses a master key
// (CheckStart), sealing at rest (Seal, Unseal), the keys that sign access tokens with their public set (Signer,
// Verification, JWKS), the keys of the tags inside client secrets (TagKeys), MACs for values that leave the product
// and come back (MAC), and rotation (Keeper). Which tokens and cursors exist, and what a secret looks like, is the
// affair of packages oauth, registry and secret.
//
// The master key never stands in the database and never seals data itself: it seals the rows of keys, one of which is
// the key that Seal uses. So a new master key means to seal a handful of rows anew. Each row is bound to its purpose,
// key ID, algorithm, state, times and public key; whoever changes or swaps a row in the database makes it unreadable. One
// row, the key check, holds a known text: a wrong master key is found out before anything is written (C70).
//
// # Rotation
//
// A rotation is one transaction: it adds a key that signs from a moment to come, and notes in the row of the one that
// signs that its time ends then (C43c). Everything after follows from the rows and the clock (line): the new key is
// published as soon as a process has read it, signs when everybody has had time to fetch it, and the old one verifies
// until the last token it signed has ended. No daemon carries a rotation on, so none can be killed half-way, and every
// replica comes to the same answer. Sweep only tidies up: it removes private halves that will not be needed again, and
// writes down that a key has retired, which no clock undoes. A key that is dropped as compromised loses its private half
// in the same transaction and never verifies again.
//
// # Redaction
//
// Nothing here prints a key: every type that holds one formats, logs and marshals as [redacted].
package keyring
