package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx" behind sql.Open

	"credenza.example/credenza/internal/database"
)

const (
	clusterPrefix = "credenza-pg-"
	template      = "credenza_template"
	startTimeout  = 30 * time.Second
)

// cluster is a PostgreSQL server of this test process: own directory, unix socket only, killed with the process. It
// makes the next test's database and drops the last one's while a test runs: both take a tenth of a second.
type cluster struct {
	dir   string
	admin *sql.DB
	made  chan made // one is always waiting
	used  chan int  // to be dropped
}

// made is the number of a fresh database, or why there is none.
type made struct {
	number int
	err    error
}

var shared = sync.OnceValues(startCluster)

// PostgresURL returns the URL of a fresh migrated database. It is dropped when the test ends.
func PostgresURL(t *testing.T) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatalf("start PostgreSQL for the tests (Debian's package postgresql is needed): %v", err)
	}
	next := <-c.made
	if next.err != nil {
		t.Fatalf("create a test database: %v", next.err)
	}
	t.Cleanup(func() { c.used <- next.number })
	return c.url(fmt.Sprintf("test_%d", next.number))
}

// supply makes databases, one ahead of the tests that ask for them.
func (c *cluster) supply() {
	for i := 1; ; i++ {
		name := fmt.Sprintf("test_%d", i)
		_, err := c.admin.ExecContext(context.Background(), "CREATE DATABASE "+name+" TEMPLATE "+template)
		c.made <- made{i, err}
	}
}

// clear drops the databases of tests that ended, so that they do not fill the disk. What cannot be dropped goes with the
// whole directory.
func (c *cluster) clear() {
	for number := range c.used {
		name := fmt.Sprintf("test_%d", number)
		_, _ = c.admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
	}
}

func (c *cluster) url(name string) string {
	return "postgres:///" + name + "?host=" + c.dir + "&user=credenza"
}

// startCluster makes and starts the server, checks that it is the one that was started, and migrates the template from
// which every test's database is copied.
func startCluster() (*cluster, error) {
	removeStale()
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(os.TempDir(), clusterPrefix+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := command(owner, filepath.Join(bin, "initdb"), "-D", data, "-U", "credenza", "--auth=trust", "--no-sync",
		"--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	server := command(owner, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_connections=300",
		"-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal")
	if err := startTied(server); err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, made: make(chan made), used: make(chan int, 16)}
	if c.admin, err = sql.Open("pgx", c.url("postgres")); err != nil {
		return nil, err
	}
	if err := c.await(data); err != nil {
		return nil, err
	}
	if err := c.makeTemplate(); err != nil {
		return nil, err
	}
	go c.supply()
	go c.clear()
	return c, nil
}

// await waits until the server answers and makes sure that it is ours.
func (c *cluster) await(data string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var dir string
	for {
		err := c.admin.QueryRowContext(ctx, "SHOW data_directory").Scan(&dir)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("PostgreSQL did not start in %s: %w", startTimeout, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if dir != data {
		return fmt.Errorf("reached another server: its data are in %s", dir)
	}
	return nil
}

func (c *cluster) makeTemplate() error {
	ctx := context.Background()
	if _, err := c.admin.ExecContext(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	db, err := database.Open(ctx, database.Config{URL: c.url(template), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// binaries finds the newest server that Debian installed.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		path, err := exec.LookPath("initdb")
		if err != nil {
			return "", errors.New("no PostgreSQL server is installed")
		}
		return filepath.Dir(path), nil
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// serverUser returns the user to run the server as: postgres when the tests run as root, which initdb refuses, else nil
// for the own user.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func command(owner *syscall.Credential, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Dir = os.TempDir()
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	return cmd
}

// startTied starts a process that is stopped when this one ends, however it ends. The signal is tied to the thread that
// started it, so that thread is kept.
func startTied(cmd *exec.Cmd) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		// An error here means that the server ended; tests that use it then fail by themselves.
		_ = cmd.Wait()
	}()
	return <-started
}

// removeStale removes the directories of test processes that have ended.
func removeStale() {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), clusterPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range found {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), clusterPrefix))
		if err != nil || pid == os.Getpid() {
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); errors.Is(err, fs.ErrNotExist) {
			_ = os.RemoveAll(dir) // may belong to another user; then it stays
		}
	}
}
