// Package registry owns the API consumer apps: their fields and rules, their shared secrets, who may give them what
// power, how they are found, and what the token server knows about them at any moment.
//
// # The six parts
//
// Use cases (register.go, edit.go, rotate.go, secrets.go, status.go). Each takes the actor, asks for the right
// apps.manage, checks its input as a whole so that a form hears about every fault at once, asks for power where it
// gives some (power.go), hashes before the transaction and asks again after it, and makes its change through audit.Do.
// They write by conditional UPDATE: the app's version guards against lost updates, its secret_generation against two
// secrets being made at once (protocol.md §2, C55c).
//
// Reads (app.go, history.go, summary.go, scopeuse.go, columns.go) ask for apps.view; an app may always read itself.
//
// Search (search.go and its neighbours) answers from an inverted table of folded words, app_words, written in the same
// transaction as the app, and from indexes of apps and of their scopes. query.go reads the grammar of ui.md §4.1 into
// conditions that can be printed again, query_terms.go says what each asks for. One word or value is a term; the rarest
// term drives, so that a rare word costs little among a million apps and a common one is found by walking the index of
// the order asked for (performance.md §4). What must not be is tested and never drives.
//
// Snapshot (client.go, snapshot.go, authenticate.go): what a token request or a call check must know about an app,
// immutable, in bounded memory, dropped when the change feed names the app, its organisation or its API user
// (protocol.md §2). Once warm the token path reads no database. Beside it, accepted secrets whose hash is of a lower cost
// than new ones get a new hash (rehash.go).
//
// Use (usage.go and its neighbours): how often each secret is used, by hour and network, counted in memory on the token
// path and written each minute; the last use of secrets and apps (product.md decision 18).
//
// Rejections (rejections.go and its neighbours, refused.go): why requests of an app were refused and which client IDs
// nobody registered, counted in memory and written each minute too (protocol.md §10).
//
// # What is always true
//
// Every query takes an organisation; another organisation's app is not found. A client ID is never changed and never
// given twice. At most two secrets of an app are usable, in different slots. What has ended never revives: deactivate,
// delete, another API user and a suspended organisation raise the app's generation, which its tokens carry (product.md
// decision 17). Contact persons stand in rows of their own that audit events point to by ID, so that a deleted app leaves
// no personal data behind. A new secret exists in memory from the moment it is made until the answer that shows it is
// written, and nowhere else; one that was presented for as long as the request, and for a minute at most where its hash
// is to be made anew.
//
// # What lives elsewhere
//
// The format of secrets and the gates of verification: package secret. Which scopes exist: package scope. Organisations,
// people, API users and their rights: package identity. Tokens: package oauth. Pages and JSON: package web.
package registry
