package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// MasterKeyFile returns where the master key of a database stands when nothing else is set:
// credenza/master-<8 hex digits>.key in the configuration directory.
//
// The digits are the first 32 bits of the SHA-256 of the database's name as Config.Database prints it: for SQLite the
// absolute path of its file, for PostgreSQL host, port and database. So two installations of one user have two keys, a
// new password or role changes nothing, and a copied ./data directory comes without its key. A database that is moved
// needs CREDENZA_MASTER_KEY_FILE or a renamed key file; started without, it is refused, never given a new key.
func MasterKeyFile(configDirectory, databaseURL string) string {
	sum := sha256.Sum256([]byte(databaseName(databaseURL)))
	return filepath.Join(configDirectory, "credenza", "master-"+hex.EncodeToString(sum[:4])+".key")
}

// databaseName returns the URL without user, password and options. What is no database URL has no name.
func databaseName(databaseURL string) string {
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		absolute, err := filepath.Abs(path)
		if err != nil { // the working directory is gone; opening the database will say so
			return "sqlite:" + filepath.Clean(path)
		}
		return "sqlite:" + absolute
	}
	u, err := url.Parse(databaseURL)
	if err != nil {
		return ""
	}
	options := u.Query()
	host := cmp.Or(u.Hostname(), options.Get("host"), "localhost")
	port := cmp.Or(u.Port(), options.Get("port"), "5432")
	name := cmp.Or(strings.TrimPrefix(u.Path, "/"), options.Get("dbname"), options.Get("database"), u.User.Username())
	return "postgres://" + net.JoinHostPort(strings.ToLower(host), port) + "/" + name
}
