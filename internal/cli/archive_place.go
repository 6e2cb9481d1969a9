// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// place is where an archive keeps its documents: a data directory or a PostgreSQL database.
type place struct {
	dataDir string
	uriFile string
}

func (p *place) flags(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&p.dataDir, "data-dir", "", "data directory of "+what)
	cmd.Flags().StringVar(&p.uriFile, "postgres-uri-file", "", "file with the URI of the PostgreSQL database of "+what)
	cmd.MarkFlagsOneRequired("data-dir", "postgres-uri-file")
	cmd.MarkFlagsMutuallyExclusive("data-dir", "postgres-uri-file")
}

// String names the place without the URI, which holds a password.
func (p *place) String() string {
	if p.dataDir != "" {
		return p.dataDir
	}
	return "the database of " + p.uriFile
}

// live opens the place for reading, also while an archive serves from it.
func (p *place) live(ctx context.Context) (*sql.DB, error) {
	if p.dataDir != "" {
		return sqlite.OpenLive(ctx, p.dataDir)
	}
	uri, err := readURI(p.uriFile)
	if err != nil {
		return nil, err
	}
	return postgres.OpenLive(ctx, uri)
}

// beside opens the store of the place, also while an archive serves from it. Nothing is done to a store that no
// archive may serve from.
func (p *place) beside(ctx context.Context) (s *sqlstore.Store, err error) {
	// No search is made here, so no cursor outlives the key.
	key := []byte(rand.Text())
	if p.dataDir != "" {
		s, err = sqlite.OpenBeside(ctx, sqlite.Options{Dir: p.dataDir, CursorKey: key})
	} else {
		uri, uriErr := readURI(p.uriFile)
		if uriErr != nil {
			return nil, uriErr
		}
		s, err = postgres.OpenBeside(ctx, postgres.Options{URI: uri, CursorKey: key})
	}
	if err != nil {
		return nil, err
	}
	info, err := s.Info(ctx)
	switch {
	case err != nil:
	case info.State == sqlstore.StateMoved:
		err = sqlstore.ErrMoved
	case info.State != sqlstore.StateReady:
		err = sqlstore.ErrImporting
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// own opens the place for a transfer; no archive on this machine serves from a data directory meanwhile.
func (p *place) own(ctx context.Context) (db *sql.DB, release func() error, err error) {
	if p.dataDir == "" {
		db, err := p.database(ctx)
		if err != nil {
			return nil, nil, err
		}
		unlock, err := postgres.LockTransfer(ctx, db)
		if err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		return db, func() error { return errors.Join(unlock(), db.Close()) }, nil
	}
	unlock, err := sqlite.Lock(p.dataDir)
	if err != nil {
		return nil, nil, err
	}
	db, err = sqlite.OpenFile(ctx, p.dataDir)
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return db, func() error { return errors.Join(db.Close(), unlock()) }, nil
}

func (p *place) database(ctx context.Context) (*sql.DB, error) {
	uri, err := readURI(p.uriFile)
	if err != nil {
		return nil, err
	}
	return postgres.OpenDatabase(ctx, uri)
}

// readURI reads the URI of a PostgreSQL database as a mounted Secret holds it.
func readURI(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", failure.As(failure.DatabaseURIInvalid, fmt.Errorf("read the PostgreSQL URI: %w", err))
	}
	uri := strings.TrimSpace(string(raw))
	if uri == "" {
		return "", failure.As(failure.DatabaseURIInvalid, fmt.Errorf("%s holds no PostgreSQL URI", file))
	}
	return uri, nil
}
