// Package limit slows down whoever does something too often, in memory that does not grow with their number.
//
// It owns two instruments and their keys:
//
//   - Limiter allows an act so and so often per key, and says how long to wait otherwise. It suits acts that cost
//     something whether they succeed or not; with Wait before and Allow after, those of which only failures count.
//   - Delay makes each failure of a key dearer than the one before, up to a ceiling, and forgives success. It suits
//     sign-in, where a person mistypes twice and a program guesses for ever.
//   - Network turns an address into the key under which strangers are counted, and Site into the wider one that a
//     stranger with many networks of IPv6 cannot leave.
//
// Both instruments hold at most Max keys and forget the one unused for longest when another comes; a forgotten key
// starts anew. Whoever can make keys at will (account names, say) can therefore make room for an old one again by
// inventing Max others, so such keys are used together with one that cannot be invented, the network. Keys are kept
// as SHA-256 sums: an entry has the same size whatever its key, and no address or account name stays in memory.
//
// The counts belong to one process and are gone when it ends. Nothing here answers anybody: the room that asks
// decides what refusal looks like (problem.Limited with RetryAfter). The buckets of failed client secrets belong to
// package secret, which builds them from a Limiter.
package limit
