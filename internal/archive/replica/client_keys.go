// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// clientKeyFile holds the keys that wrap clients' data keys, in the data directory. Keep it apart from backups of the
// store: without it no client is named, and with it each of them is.
const clientKeyFile = "client.key"

// errNoClientKeyFile means that a database was named without the file of the keys that its replicas share.
var errNoClientKeyFile = failure.New(failure.KeyMissing, "replicas that share a database need the file of the keys that they share: give --client-key-file")

// loadClientKeys reads the keys that wrap clients' data keys, and refuses a ring that lacks one of those in use.
func (s *Storage) loadClientKeys(ctx context.Context, store *sqlstore.Store) (clientkey.Keyring, error) {
	used, err := store.WrappingKeys(ctx)
	if err != nil {
		return clientkey.Keyring{}, err
	}
	file, made := s.ClientKeyFile, s.ClientKeyFile == ""
	if made {
		file = filepath.Join(s.DataDir, clientKeyFile)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && len(used) > 0 {
		return clientkey.Keyring{}, failure.As(failure.KeyMissing, fmt.Errorf("%s is missing, and clients of the store are sealed under the key %s: put the file back", file, strings.Join(used, ", ")))
	}
	switch {
	case made && errors.Is(err, fs.ErrNotExist):
		if text, err = clientkey.NewFile(); err == nil {
			err = writeNew(file, text)
		}
	case err != nil:
		err = failure.As(failure.KeyMissing, err)
	}
	if err != nil {
		return clientkey.Keyring{}, fmt.Errorf("the client keys: %w", err)
	}
	ring, err := clientkey.Parse(text)
	if err != nil {
		return clientkey.Keyring{}, failure.As(failure.KeyInvalid, fmt.Errorf("%s: %w", file, err))
	}
	if missing := slices.DeleteFunc(used, ring.Knows); len(missing) > 0 {
		return clientkey.Keyring{}, failure.As(failure.KeyMismatch, fmt.Errorf("%s lacks the key %s, under which clients of the store are sealed: add it as a further line", file, strings.Join(missing, ", ")))
	}
	return ring, nil
}
