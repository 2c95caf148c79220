// Package database opens, migrates and transacts on the product's one database, SQLite or PostgreSQL, and tells the
// other rooms when somebody changed something (the change feed).
//
// What differs between the two databases lives here and nowhere else. Rooms own their tables and query them in files
// named store*.go; they are handed a *gorm.DB by Read (reader pool, no writes) or by a Tx. There are two doors for
// writing: audit.Do for changes, which is the only caller of Transact, and Housekeep for sessions, spent codes,
// counters and queues (architecture.md §3).
//
// Times are BIGINT microseconds in UTC: `gorm:"serializer:micros"` on fields, Micros on query arguments. IDs are UUIDv7
// in text form.
package database
