// Package limit slows down whoever does something too often, in memory that does not grow with their number.
//
// It owns two instruments and one key:
//
//   - Limiter allows an act so and so often per key, and says how long to wait otherwise. It suits acts that cost
//     something whether they succeed or not.
//   - Delay makes each failure of a key dearer than the one before, up to a ceiling, and forgives success. It suits
//     sign-in, where a person mistypes twice and a program guesses for ever.
//   - Network turns an address into the key under which strangers are counted.
//
// Both instruments hold at most Max keys and forget the one unused for longest when another comes; a forgotten key
// starts anew. Whoever can make keys at will (account names, say) can therefore make room for an old one again by
// inventing Max others, so such keys are used together with one that cannot be invented, the network. Keys are kept
// as SHA-256 sums: an entry has the same size whatever its key, and no address or account name stays in memory.
//
// The counts belong to one process and are gone when it ends. Nothing here answers anybody: the room that asks
// decides what refusal looks like (problem.Limited with RetryAfter). The failure buckets of security.md §6.3 step 5
// belong to package secret, which will build them from a Limiter.
package limit
