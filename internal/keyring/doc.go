// Package keyring keeps the keys of the product: the master key in its file, and everything that the master key seals.
//
// It owns the table keys, the form of the master key file, the rule by which a start makes or refuses a master key
// (CheckStart), sealing at rest (Seal, Unseal), the keys that sign access tokens with their public set (Signer,
// Verification, JWKS), the keys of the tags inside client secrets (TagKeys), and MACs for values that leave the product
// and come back (MAC). Which tokens and cursors exist, and what a secret looks like, is the affair of packages oauth,
// registry and secret.
//
// The master key never stands in the database and never seals data itself: it seals the rows of keys, one of which is
// the key that Seal uses. So a new master key means to seal a handful of rows anew. Each row is bound to its purpose,
// key ID, algorithm, state and public key; whoever changes or swaps a row in the database makes it unreadable. One row,
// the key check, holds a known text: a wrong master key is found out before anything is written (C70).
//
// Nothing here prints a key: every type that holds one formats, logs and marshals as [redacted].
package keyring
