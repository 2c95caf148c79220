package main

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Where SQLite's locks stand in the file beside the database that its processes share: the eight from the writer's to
// the last reader's.
const (
	sqliteLocks   = 120
	sqliteLockLen = 8
)

// F5, F4: somebody locks the SQLite file so that not even readers come in. It is as if the database had gone.
func TestF5_ServerLockedOut(t *testing.T) {
	f := newFleet(t, "")
	r := f.begin(t, "a")
	kept, ended := f.newWarm(t, r, "Kept"), f.newWarm(t, r, "Ended")
	lock := locker(t, f.db.Path()+"-shm")

	o := &outage{replica: r, bound: time.Second, known: r.knownSince(t)}
	must[appDocument](t, f.installation, "app", "deactivate", ended.ClientID)
	lock(unix.F_WRLCK)
	o.began = time.Now()
	o.goOn(t, kept)
	o.putOff(t, kept)
	lock(unix.F_UNLCK)
	o.heal(t, kept, ended)
}

// locker returns what locks and unlocks a SQLite file for everybody, this process too. The file stays open: closing it
// would take away the locks that SQLite has in this process.
func locker(t *testing.T, path string) func(kind int16) {
	t.Helper()
	file, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	noError(t, err)
	return func(kind int16) {
		t.Helper()
		noError(t, unix.FcntlFlock(uintptr(file), unix.F_OFD_SETLKW, &unix.Flock_t{Type: kind, Start: sqliteLocks, Len: sqliteLockLen}))
	}
}
