// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// scrub brings all that is committed into the data file, where secure_delete has put zeros in the place of what was
// deleted, and cuts the write-ahead log to nothing: its frames hold pages as they were before. It waits for those who
// read or write now, as any writer does.
func scrub(ctx context.Context, file string) (err error) {
	const doing = "cutting the write-ahead log"
	db, err := open(file, 1, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var busy, frames, done int
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done); err != nil {
		return classify(doing, err)
	}
	if busy != 0 {
		return store.Unavailable(doing, errors.New("another process has been reading or writing all the while"))
	}
	return nil
}
