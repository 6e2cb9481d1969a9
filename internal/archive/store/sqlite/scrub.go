// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	scrubTries = 100
	scrubEvery = 200 * time.Millisecond
)

// scrub brings all that is committed into the data file, where secure_delete has put zeros in the place of what was
// deleted, and cuts the write-ahead log to nothing: its frames hold pages as they were before. Pages that were split
// before a deletion may hold pieces of what they gave away, which only a new file is free of: rewrite writes one, and
// nobody else writes meanwhile.
func scrub(ctx context.Context, file string, rewrite bool) (err error) {
	const doing = "cutting the write-ahead log"
	db, err := open(file, 1, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	turns, err := openTurns(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, turns.close()) }()
	if rewrite {
		give := turns.take()
		_, err := db.ExecContext(ctx, "VACUUM")
		give()
		if err != nil {
			return classify("writing the data file anew", err)
		}
	}
	for try := 1; ; try++ {
		give := turns.take()
		done, err := cut(ctx, db)
		give()
		switch {
		case err != nil:
			return classify(doing, err)
		case done:
			return nil
		case try == scrubTries:
			return store.Unavailable(doing, errors.New("another process has been reading or writing all the while"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(scrubEvery):
		}
	}
}

// cut waits for readers and writers as any writer does, but not for another checkpoint: then it is not done.
func cut(ctx context.Context, db *sql.DB) (done bool, err error) {
	var busy, frames, written int
	err = db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &written)
	return busy == 0, err
}
