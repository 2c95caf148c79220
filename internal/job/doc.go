// Package job owns work that outlives a request: mail, bulk changes, checks.
//
// Queue notes a job in the transaction of whoever wants it done, so that there is a job exactly when that transaction
// commits. A Runner in every server takes due jobs by a conditional update, for the time of a lease which it prolongs
// while it works; when its process dies, the lease runs out and another takes the job over. A run that fails is repeated
// later, and after a number of failures the job is dead: it stays to be seen, in the log and in the metrics.
//
// # What a handler must expect
//
// It may run twice: a process can die between its work and the note that it is done. What goes through many things
// writes each result with Claimed.Item in the transaction that makes the change; that statement also fails when somebody
// else has taken the job over, so that each change happens once. Its context ends when the process stops, when somebody
// cancels the job and when the lease is lost; it then returns at once.
//
// Kinds do not wait for each other: each has its own number of jobs that may run at once in a process. Within a kind the
// organisations take turns, so that nobody waits for all that another wants done.
//
// What belongs to the end of a job, however it ends, is done by Limits.Ended in the transaction that ends it.
//
// # What lives elsewhere
//
// What a job does: the room that handles its kind, which also says who may queue, see and cancel it. Work by the clock
// (sweeps, hourly notices): cmd/credenza. This room owns the tables jobs and job_items.
package job
