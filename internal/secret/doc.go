// Package secret owns the shared secret of an app: making it, reading it, hashing it and judging one that somebody
// presents (security.md §6 as settled by protocol.md §3). It also tells whether one stands in a text.
//
// # The secret
//
//	ccws_ K S BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB TTTTTTTTTTT CCCCCC     67 bytes, no spaces
//	      | | body: 256 random bits, 43 base62 digits      |           checksum: CRC-32 of all before it
//	      | slot: generation of the secret mod 62          tag: 64 bits of an HMAC over all before it and the client ID
//	      id of the tag key
//
// The checksum lets scanners and this package drop look-alikes; it protects nothing. The tag lets the server refuse an
// invented secret in about a microsecond, before the database and whether or not the client exists; it is what keeps
// a flood of guesses from reaching bcrypt, and no more: bcrypt over all 67 bytes stays the judge. The slot picks the
// one stored hash to compare with, so that two live secrets cost one bcrypt.
//
// # The gates
//
// Verifier.Verify passes a presented secret through these gates, cheapest first (the numbers are security.md §6.3's):
//
//	1 shape    length, prefix, alphabet, checksum, ranges: what bcrypt would cut or overlook never reaches it
//	2 tag      belongs to this client ID under one of our tag keys; skipped for a key that is not trusted any more
//	3 lookup   the caller's snapshot: is there a usable secret in this slot?
//	4 cache    this very string has matched this very hash within the last minutes
//	7 one hash for any number of identical requests (no outcome of its own)
//	8 queue    a turn at bcrypt: few run at once, few wait, at most one per client runs
//	9 guard    the stored hash is of a cost that we make; a tampered one could run for days
//	  hash     bcrypt
//	  recheck  state is read again after the time that bcrypt took
//
// Every refusal is ErrWrong, whichever gate it was; Result.Gate and the metrics tell the operator which.
//
// # What lives elsewhere
//
// Rows, generations, expiry, which secrets are usable and whether the app is live: package registry, which is asked by
// Lookup and decides about inactive apps after Verify, so that knowing the secret comes first. The tag keys
// themselves: package keyring, which does not know this package; whoever starts the process hands them over. HTTP
// status, headers and the words of an answer: package oauth.
//
// # What comes later, and where
//
// The failure buckets (step 5, protocol.md §3.4), made from limit.Limiter: A is fed where the shape and tag gates
// refuse in Verify and may refuse only there, B where the hash gate refuses. The negative cache (step 6) stands beside
// the cache gate, with the same key, fed by the hash gate. Lanes by network (step 8) are a third line in
// turns.next. Hashing again at a raised cost (step 10) follows an accepted hash in Verifier.hash and takes its
// turn by Hasher.Hash.
package secret
