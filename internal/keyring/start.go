package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"credenza.example/credenza/internal/database"
)

// ErrMasterMissing says that the database is in use and its master key was not found.
var ErrMasterMissing = errors.New("the master key is missing")

// ErrDatabaseMissing says that there is a master key and the database is empty.
var ErrDatabaseMissing = errors.New("the database is missing")

// CheckStart is the rule of a start: database and master key are created only if both are missing; one without the
// other is refused (architecture.md §5, F20). create tells whether to make a master key at path. The error wraps
// ErrMasterMissing or ErrDatabaseMissing and says what is missing, where it was looked for and what to do.
func CheckStart(path string, databaseEmpty bool) (create bool, err error) {
	_, err = os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && databaseEmpty:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("%w: the database is in use, but its key was not found at %s. Put the key file back there, "+
			"or name the place where it stands with CREDENZA_MASTER_KEY_FILE. A new key is not made, since it could open "+
			"nothing that the old one sealed", ErrMasterMissing, path)
	case err != nil:
		return false, fmt.Errorf("look for the master key: %w", err)
	case databaseEmpty:
		return false, fmt.Errorf("%w: there is a master key at %s, but the database is empty. Check CREDENZA_DATABASE_URL and "+
			"restore the database that belongs to this key; to start anew, move the key file away first", ErrDatabaseMissing, path)
	default:
		return false, nil
	}
}

// Prepare applies CheckStart to an open database. Call it before migrating, then
//
//	create, err := keyring.Prepare(ctx, db, path)
//	err = db.Migrate(ctx)
//	master, err := keyring.OpenMaster(path, create)
//	ring, err := keyring.Open(ctx, db, master, log)
//
// In this order a start that was cut off at any point is taken up by the next one: a database without a single key has
// nothing that a lost master key could open, so it counts as empty when the file is missing.
func Prepare(ctx context.Context, db *database.DB, path string) (create bool, err error) {
	empty, err := db.Empty(ctx)
	if err != nil {
		return false, err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && !empty {
		if empty, err = noKeys(ctx, db); err != nil {
			return false, err
		}
	}
	return CheckStart(path, empty)
}

// OpenMaster makes the master key when create is set, as Prepare said, and loads it otherwise. Where another process
// made it in the meantime, that one is loaded.
func OpenMaster(path string, create bool) (*Master, error) {
	if create {
		m, err := CreateMaster(path)
		if !errors.Is(err, fs.ErrExist) {
			return m, err
		}
	}
	return LoadMaster(path)
}
