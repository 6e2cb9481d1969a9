// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"

	"github.com/pressly/goose/v3"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Schema tells how far the tables of a store are, and who may write to them.
type Schema struct {
	// Version is the tables'; 0 before there are any.
	Version int64
	// Program is the version that this program works with.
	Program int64
	// OldestWriter is the version of the oldest programs that may write; 0 where the tables do not tell.
	OldestWriter int64
	// Pending are the migrations from Version to Program, in their order.
	Pending []Migration
}

// Migration is a change of the tables.
type Migration struct {
	// Version is that of the tables after it, and Name its file's.
	Version int64
	Name    string
	// Writers is the version of the oldest programs that may go on writing after it; 0 if none may.
	Writers int64
}

// CheckServe gives an error unless this program may serve from the tables as they are: store.ErrSchemaTooOld or
// store.ErrSchemaTooNew. It may, although they are newer, where the migrations between have left it room.
func (s Schema) CheckServe() error {
	switch {
	case s.Version < s.Program:
		return fmt.Errorf("%w: schema version %d, and this program's is %d; run 'valtuus archive migrate-schema'", store.ErrSchemaTooOld, s.Version, s.Program)
	case s.Version > s.Program && (s.OldestWriter == 0 || s.OldestWriter > s.Program):
		return s.tooNew()
	default:
		return nil
	}
}

func (s Schema) tooNew() error {
	return fmt.Errorf("%w: schema version %d, for programs from %d on, and this program's is %d; use the newer program", store.ErrSchemaTooNew, s.Version, s.OldestWriter, s.Program)
}

// CheckCopy gives an error unless the tables are exactly this program's, as they have to be for whoever reads them all.
func (s Schema) CheckCopy() error {
	switch {
	case s.Version < s.Program:
		return s.CheckServe()
	case s.Version > s.Program:
		return s.tooNew()
	default:
		return nil
	}
}

// StopsWriters says whether programs that serve from the tables now must stop writing when they are brought up to date.
func (s Schema) StopsWriters() bool {
	for _, m := range s.Pending {
		if s.Version > 0 && (m.Writers == 0 || m.Writers > s.Version) {
			return true
		}
	}
	return false
}

// NoSchema is what there is before there are any tables.
func NoSchema(dialect goose.Dialect) (Schema, error) {
	all, err := allMigrations(dialect)
	if err != nil {
		return Schema{}, err
	}
	return Schema{Program: all[len(all)-1].Version, Pending: all}, nil
}

// ReadSchema reads how far the tables are, and changes nothing. missing says of an error that there is no such table.
func ReadSchema(ctx context.Context, db *sql.DB, dialect goose.Dialect, missing func(error) bool) (Schema, error) {
	s, err := NoSchema(dialect)
	if err != nil {
		return Schema{}, err
	}
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&s.Version)
	if err != nil && !missing(err) {
		return Schema{}, fmt.Errorf("reading the schema version: %w", err)
	}
	if s.Version == 0 {
		return s, nil
	}
	err = db.QueryRowContext(ctx, "SELECT oldest FROM schema_writers WHERE writers_id = 1").Scan(&s.OldestWriter)
	if err != nil && !missing(err) {
		return Schema{}, fmt.Errorf("reading who may write: %w", err)
	}
	s.Pending = slices.DeleteFunc(s.Pending, func(m Migration) bool { return m.Version <= s.Version })
	return s, nil
}

// ProgramVersion is the schema version that this program works with.
func ProgramVersion(dialect goose.Dialect) (int64, error) {
	none, err := NoSchema(dialect)
	return none.Program, err
}

var (
	migrationFile = regexp.MustCompile(`^(\d+)_\w+\.sql$`)
	// writersLine is how a migration tells which programs may go on writing.
	writersLine = regexp.MustCompile(`(?m)^-- writers: from (\d+)$`)
)

// allMigrations gives this program's migrations in their order.
func allMigrations(dialect goose.Dialect) ([]Migration, error) {
	files, err := Migrations(dialect)
	if err != nil {
		return nil, err
	}
	paths, err := fs.Glob(files, "*.sql") // in their order
	if err != nil {
		return nil, err
	}
	var all []Migration
	for _, file := range paths {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		m := Migration{Name: path.Base(file)}
		number := migrationFile.FindStringSubmatch(m.Name)
		if number == nil {
			return nil, fmt.Errorf("%s is no schema migration", file)
		}
		if m.Version, err = strconv.ParseInt(number[1], 10, 64); err != nil {
			return nil, err
		}
		if said := writersLine.FindSubmatch(text); said != nil {
			if m.Writers, err = strconv.ParseInt(string(said[1]), 10, 64); err != nil {
				return nil, err
			}
		}
		all = append(all, m)
	}
	return all, nil
}
