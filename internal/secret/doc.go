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
//	 1 shape             length, prefix, alphabet, checksum, ranges: what bcrypt would cut or overlook never reaches it
//	 2 tag               belongs to this client ID under one of our tag keys; skipped for one that is not trusted any more
//	 3 lookup            the caller's snapshot: is there a usable secret in this slot?
//	 4 cache             this very string has matched this very hash within the last minutes
//	 5 limit_network     bucket A: after too many failures of shape or tag from a network, the next of these is told to wait
//	   limit_credential  bucket B: after too many wrong secrets with a right tag, so are those who sent them
//	 6 negative          bcrypt has refused this very string for this very hash within the last minute
//	 7                   one hash for any number of identical requests (no outcome of its own)
//	 8 queue             a turn at bcrypt: few run at once, few wait, at most one per client runs
//	 9 guard             the stored hash is of a cost that we make; a tampered one could run for days
//	   hash              bcrypt
//	   recheck           state is read again after the time that bcrypt took
//	10                   an accepted hash of a lower cost than new ones is made again, later, when nobody waits (Rehash)
//
// Every refusal is ErrWrong, whichever gate it was, or problem.Limited; Result.Gate and the metrics tell the operator
// which.
//
// # Who is stopped, and who is not
//
// A stranger can make up texts and nothing else. Those end at shape and tag, in a microsecond, and fill bucket A, which
// answers only for them: whoever shares an address with a stranger is not refused for it. A holder, who has a secret of
// the client that is not usable any more, or a tag key, gets to the lookup and to bcrypt, and fills bucket B. It stops
// networks that failed themselves, before another read or bcrypt, and never a client that is in the cache, nor one with a
// usable secret in its slot in a network where it was seen good: that is remembered for a week, a few networks for each
// client (seen.go). Those go first at bcrypt too; the others have every other turn at most while one of them waits.
//
// A tag key that is not trusted makes strangers into holders. What its secrets fail by is counted by network as well,
// and then stops what else comes under that key from there, with the same exceptions.
//
// All buckets and memories are bounded, belong to this process, and go by what was presented and not by what exists, so
// they tell nobody whether a client does (C22). Behind a proxy whose word about addresses is not believed there are no
// networks (WithoutNetworks): bucket A is off, and bucket B is one for all.
//
// # What lives elsewhere
//
// Rows, generations, expiry, which secrets are usable and whether the app is live: package registry, which is asked by
// Lookup, decides about inactive apps after Verify, so that knowing the secret comes first, and stores what Rehash made.
// The tag keys themselves: package keyring, which does not know this package; whoever starts the process hands them
// over. HTTP status, headers and the words of an answer: package oauth.
package secret
