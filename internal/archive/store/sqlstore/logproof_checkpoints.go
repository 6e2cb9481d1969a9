// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// AddLogCheckpoint implements store.LogProofs.
func (s *Store) AddLogCheckpoint(ctx context.Context, checkpoint store.LogCheckpoint, older time.Time) error {
	return s.queue.Do(ctx, len(checkpoint.Note), func(t Tx) error {
		var size int64
		if _, err := t.Get("reading the last checkpoint",
			`SELECT coalesce(max(size), 0) FROM log_checkpoints WHERE month = $1`, []any{checkpoint.Month}, &size); err != nil {
			return err
		}
		if size > checkpoint.Size {
			return store.ErrStale
		}
		if err := t.Exec("writing a checkpoint",
			`INSERT INTO log_checkpoints (month, size, made_us, note, kept) VALUES ($1, $2, $3, $4, $5)
			 ON CONFLICT (month, size) DO UPDATE SET made_us = excluded.made_us, note = excluded.note,
			   kept = CASE WHEN log_checkpoints.kept = 1 THEN 1 ELSE excluded.kept END`,
			checkpoint.Month, checkpoint.Size, store.Micros(checkpoint.Made), checkpoint.Note, flag(checkpoint.Kept)); err != nil {
			return err
		}
		return t.Exec("letting go of checkpoints",
			`DELETE FROM log_checkpoints WHERE month = $1 AND kept = 0 AND made_us < $2 AND size < $3`,
			checkpoint.Month, store.Micros(older), checkpoint.Size)
	})
}

const checkpointColumns = `month, size, made_us, note, kept`

// LogCheckpoint implements store.LogProofs.
func (s *Store) LogCheckpoint(ctx context.Context, month string) (store.LogCheckpoint, error) {
	var (
		one      store.LogCheckpoint
		made     int64
		keptFlag int
	)
	found, err := s.one(ctx, "reading a checkpoint",
		`SELECT `+checkpointColumns+` FROM log_checkpoints WHERE month = $1 ORDER BY size DESC LIMIT 1`, []any{month},
		&one.Month, &one.Size, &made, &one.Note, &keptFlag)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	one.Made, one.Kept = store.FromMicros(made), keptFlag == 1
	return one, err
}

// LogCheckpoints implements store.LogProofs.
func (s *Store) LogCheckpoints(ctx context.Context, month string, size int64) (all []store.LogCheckpoint, err error) {
	err = s.each(ctx, s.engine.Readers, "reading checkpoints",
		`SELECT `+checkpointColumns+` FROM log_checkpoints WHERE month = $1 AND size > $2 ORDER BY size LIMIT $3`,
		[]any{month, size, store.MaxPage}, func(scan func(...any) error) error {
			var (
				one      store.LogCheckpoint
				made     int64
				keptFlag int
			)
			err := scan(&one.Month, &one.Size, &made, &one.Note, &keptFlag)
			one.Made, one.Kept = store.FromMicros(made), keptFlag == 1
			all = append(all, one)
			return err
		})
	return all, err
}
