// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// Storage says where the documents are kept: in a data directory of this replica alone, or in a PostgreSQL
// database that replicas share.
type Storage struct {
	// DataDir holds the embedded store and the key that identity codes are hashed with.
	DataDir string
	// PostgresURI names the database instead. It is secret.
	PostgresURI string
	// IdentityKeyFile holds the key; without it, identity.key in DataDir, which is made for a new store.
	IdentityKeyFile string
	// ClientKeyFile holds the keys that wrap clients' data keys; without it, client.key in DataDir, which is made for
	// a store that has no client's data key yet. A database needs it.
	ClientKeyFile string
	// LogKeyFile holds the key that signs the access log; without it, log.key in DataDir, which is made for a new log.
	LogKeyFile string
	// KeepSchema refuses tables that are older than this program instead of bringing them up to date.
	KeepSchema bool
}

// String hides the URI, which holds a password.
func (Storage) String() string { return "[storage]" }

// GoString hides the URI from %#v as well.
func (s Storage) GoString() string { return s.String() }

// opened is a store in service.
type opened struct {
	*sqlstore.Store
	key        archive.IdentityKey
	clientKeys clientkey.Keyring
	logKey     logproof.Key
	unlock     func() error
}

func (o *opened) close() error { return errors.Join(o.Close(), o.unlock()) }

// open opens the store and takes it into service under its key.
func (s *Storage) open(ctx context.Context, onCommit func(int, time.Duration)) (_ *opened, err error) {
	if s.PostgresURI != "" && s.ClientKeyFile == "" {
		return nil, errNoClientKeyFile
	}
	o := &opened{unlock: func() error { return nil }}
	if s.PostgresURI == "" {
		if o.unlock, err = sqlite.Lock(s.DataDir); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.unlock())
		}
	}()
	if o.key, err = s.identityKey(); err != nil {
		return nil, err
	}
	cursorKey, err := o.key.CursorKey()
	if err != nil {
		return nil, err
	}
	if s.PostgresURI == "" {
		o.Store, err = sqlite.Open(ctx, sqlite.Options{Dir: s.DataDir, CursorKey: cursorKey, OnCommit: onCommit, KeepSchema: s.KeepSchema})
	} else {
		o.Store, err = postgres.Open(ctx, postgres.Options{URI: s.PostgresURI, CursorKey: cursorKey, OnCommit: onCommit, KeepSchema: s.KeepSchema})
	}
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	check, err := o.key.Check()
	if err == nil {
		err = o.Adopt(ctx, check)
	}
	if err == nil {
		o.clientKeys, err = s.loadClientKeys(ctx, o.Store)
	}
	if err == nil {
		o.logKey, err = s.logKey(ctx, o.Store)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the store: %w", err), o.Close())
	}
	return o, nil
}

func (s *Storage) identityKey() (archive.IdentityKey, error) {
	if s.IdentityKeyFile == "" {
		return loadIdentityKey(s.DataDir)
	}
	secret, err := os.ReadFile(s.IdentityKeyFile)
	if err != nil {
		return archive.IdentityKey{}, failure.As(failure.KeyMissing, fmt.Errorf("read the identity key: %w", err))
	}
	return newIdentityKey(secret)
}
