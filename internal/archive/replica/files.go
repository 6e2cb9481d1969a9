// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
)

// identityKeyFile holds the key in the data directory. Back it up with the store: without it no client is found again.
const identityKeyFile = "identity.key"

// loadIdentityKey reads the key, or makes one for a data directory that holds no store yet.
func loadIdentityKey(dir string) (archive.IdentityKey, error) {
	file := filepath.Join(dir, identityKeyFile)
	secret, err := os.ReadFile(file)
	if err == nil {
		return newIdentityKey(secret)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return archive.IdentityKey{}, failure.As(failure.KeyMissing, err)
	}
	if _, err := os.Stat(filepath.Join(dir, sqlite.FileName)); err == nil {
		return archive.IdentityKey{}, failure.As(failure.KeyMissing, fmt.Errorf("%s is missing, and the store beside it needs it: restore it from the backup", file))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return archive.IdentityKey{}, err
	}
	secret = make([]byte, archive.IdentityKeySize)
	if _, err := rand.Read(secret); err != nil {
		return archive.IdentityKey{}, err
	}
	if err := writeNew(file, secret); err != nil {
		return archive.IdentityKey{}, err
	}
	return newIdentityKey(secret)
}

func newIdentityKey(secret []byte) (archive.IdentityKey, error) {
	key, err := archive.NewIdentityKey(secret)
	return key, failure.As(failure.KeyInvalid, err)
}

// writeNew writes a file that must not exist, so that it is whole and on the disk before anything rests on it.
func writeNew(file string, content []byte) error {
	temporary := file + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
