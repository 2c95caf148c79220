package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/sys/unix"
)

// maxMasterFile bounds what is read of a master key file, in bytes. A key set with ten keys has about 3,000.
const maxMasterFile = 64 << 10

// Master is the key that seals all other keys. It comes from a file and never leaves the process.
type Master struct {
	hidden

	aead tink.AEAD
}

// CreateMaster makes a new master key and writes it to path as a Tink key set (AES256-GCM, JSON), readable by its owner
// only. The directory is made (0700) when it is missing. The file appears whole or not at all, and one that exists is
// never replaced: the error is then fs.ErrExist. Whether a key may be made at all is CheckStart's to say.
func CreateMaster(path string) (*Master, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make the master key: %w", err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, errors.New("make the master key: its key set cannot be written as text")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the master key: %w", err)
	}
	if err := writeOnce(path, text.Bytes()); err != nil {
		return nil, fmt.Errorf("write the master key: %w", err)
	}
	return newMaster(handle)
}

// LoadMaster reads the master key file. It refuses what is not a regular file of this user, readable by nobody else
// (C70). The error names the path and the remedy, never a part of the content.
func LoadMaster(path string) (*Master, error) {
	// O_NONBLOCK: opening a named pipe must not wait for a writer. The checks look at what was opened, not at the path.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	if err := checkFile(f, path); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxMasterFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	// The reader's own error may quote what it read.
	unreadable := fmt.Errorf("the master key file %s holds no key set: put back the file that belongs to the database", path)
	if len(text) > maxMasterFile {
		return nil, unreadable
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, unreadable
	}
	m, err := newMaster(handle)
	if err != nil {
		return nil, unreadable
	}
	return m, nil
}

func newMaster(handle *keyset.Handle) (*Master, error) {
	a, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("the master key is of a kind that cannot seal")
	}
	return &Master{aead: a}, nil
}

func checkFile(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read the master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the master key %s is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("the master key file %s can be read or written by others (mode %04o); run: chmod 600 %s",
			path, info.Mode().Perm(), path)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("the master key file %s belongs to another user (uid %d); it must belong to the one that runs Credenza (uid %d)",
			path, st.Uid, os.Geteuid())
	}
	return nil
}

// writeOnce makes the file path, which must not exist, with this content. The content is written under another name
// first and linked to path, which fails when path exists, so that no reader and no crash ever sees half of it.
func writeOnce(path string, content []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".master-*") // O_EXCL, 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // the link stays
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the new name survive a power cut, as the rows that the key seals will.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
