// Package identity owns who there is: organisations, people, roles, and robot accounts, of which those of kind client,
// supplier and msp are the API users that apps act as (product.md decisions 1, 14 and 16). It turns roles into the
// rights of an access.Actor, keeps those in memory until the change feed says that they changed, and holds the rule
// that nobody gives a role, a robot or a person more than they hold themselves (protocol.md §6).
//
// It also owns how names are compared and what text may hold (Fold, Text, Lines, Email), for every room above it.
//
// Elsewhere: passwords, sessions and set-up links are package signin's, which reads and writes a person's password hash
// through this package; what an act needs is asked at audit.Do; which scope takes which right is package access's.
// Personal data (names, e-mail addresses) stands in the rows of this package only, never in an audit event.
package identity
