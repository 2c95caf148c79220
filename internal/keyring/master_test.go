package keyring_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/keyring"
)

func TestMasterIsMadeOnceAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config", "credenza", "master.key")
	made, err := keyring.CreateMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is %v, %v; want 0600", info.Mode(), err)
	}
	if info, err = os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v, %v; want 0700", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.CreateMaster(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made again: %v", err)
	}
	again, err := os.ReadFile(path)
	if err != nil || string(again) != string(text) {
		t.Error("the file was replaced")
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
	loaded, err := keyring.LoadMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	db := dbtest.SQLite(t, dbtest.NewClock())
	open(t, db, made)
	open(t, db, loaded)
}

func TestC70_MasterKeyFileIsRefused(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.key")
	if _, err := keyring.CreateMaster(good); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(mode os.FileMode, content []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"no file":          {func(*testing.T, string) {}, "no such file"},
		"readable by all":  {write(0o644, content), "chmod 600"},
		"readable by one":  {write(0o604, content), "chmod 600"},
		"readable by team": {write(0o640, content), "chmod 600"},
		"writable by team": {write(0o620, content), "chmod 600"},
		"empty":            {write(0o600, nil), "holds no key set"},
		"half":             {write(0o600, content[:len(content)/2]), "holds no key set"},
		"text":             {write(0o600, []byte("hunter2-hunter2")), "holds no key set"},
		"other JSON":       {write(0o600, []byte(`{"primaryKeyId":1,"key":[]}`)), "holds no key set"},
		"too long":         {write(0o600, append([]byte(strings.Repeat(" ", 64<<10)), content...)), "holds no key set"},
		"directory": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"pipe": {func(t *testing.T, path string) {
			if err := unix.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			tt.make(t, path)
			_, err := keyring.LoadMaster(path)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %q, want the path and %q", err, tt.want)
			}
			if len(content) > 40 && strings.Contains(err.Error(), string(content[len(content)/2:len(content)/2+20])) ||
				strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the message quotes the key: %q", err)
			}
		})
	}
}

func TestC70_MasterKeyOfAnotherUserIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := keyring.CreateMaster(path); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Log("only root can give a file away: the refusal cannot be provoked as this user")
		return
	}
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.LoadMaster(path); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("got %v", err)
	}
}

func TestUnwritablePlaceLeavesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.CreateMaster(filepath.Join(file, "master.key")); err == nil {
		t.Error("made a key below a file")
	}
}

func TestF20_StartRule(t *testing.T) {
	tests := map[string]struct {
		file, empty bool
		create      bool
		want        error
		says        []string
	}{
		"both missing":     {false, true, true, nil, nil},
		"both there":       {true, false, false, nil, nil},
		"key missing":      {false, false, false, keyring.ErrMasterMissing, []string{"CREDENZA_MASTER_KEY_FILE", "Put the key file back"}},
		"database missing": {true, true, false, keyring.ErrDatabaseMissing, []string{"CREDENZA_DATABASE_URL", "move the key file away"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			if tt.file {
				if _, err := keyring.CreateMaster(path); err != nil {
					t.Fatal(err)
				}
			}
			create, err := keyring.CheckStart(path, tt.empty)
			if create != tt.create || !errors.Is(err, tt.want) {
				t.Fatalf("got %v, %v", create, err)
			}
			for _, text := range tt.says {
				if !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), path) {
					t.Errorf("%q does not say %q and %q", err, text, path)
				}
			}
		})
	}
}

// start runs the steps of a start up to one of them, as a process that is killed after it.
func start(t *testing.T, db *database.DB, path string, steps int) error {
	t.Helper()
	create, err := keyring.Prepare(t.Context(), db, path)
	if err != nil || steps == 0 {
		return err
	}
	if err := db.Migrate(t.Context()); err != nil || steps == 1 {
		return err
	}
	master, err := keyring.OpenMaster(path, create)
	if err != nil || steps == 2 {
		return err
	}
	_, err = keyring.Open(t.Context(), db, master, quiet)
	return err
}

func TestF1_StartIsTakenUpWhereItWasCutOff(t *testing.T) {
	for cut := range 4 {
		dir := t.TempDir()
		path := filepath.Join(dir, "master.key")
		db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + filepath.Join(dir, "c.db")})
		if err != nil {
			t.Fatal(err)
		}
		if err := start(t, db, path, cut); err != nil {
			t.Errorf("first start, cut after step %d: %v", cut, err)
		}
		if err := start(t, db, path, 3); err != nil {
			t.Errorf("second start after a cut at step %d: %v", cut, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := start(t, db, path, 3); !errors.Is(err, keyring.ErrMasterMissing) {
			t.Errorf("without the key: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestF20_KeyWithoutDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	if _, err := keyring.CreateMaster(path); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + filepath.Join(dir, "c.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := start(t, db, path, 3); !errors.Is(err, keyring.ErrDatabaseMissing) {
		t.Errorf("got %v", err)
	}
	if empty, err := db.Empty(t.Context()); err != nil || !empty {
		t.Errorf("the refused start wrote: %v %v", empty, err)
	}
}

func TestMasterIsMadeByOneOfMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	masters := make([]*keyring.Master, 8)
	var wg sync.WaitGroup
	for i := range masters {
		wg.Go(func() {
			m, err := keyring.OpenMaster(path, true)
			if err != nil {
				t.Error(err)
			}
			masters[i] = m
		})
	}
	wg.Wait()
	db := dbtest.SQLite(t, dbtest.NewClock())
	for _, m := range masters {
		open(t, db, m) // refuses a second key
	}
}
