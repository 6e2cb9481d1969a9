// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// OpDestroyLog is the operation of the row that tells of a destroyed month of the log.
const OpDestroyLog = "DestroyLog"

// ruleLog is the rule of the log in the record of destructions.
const ruleLog = "log"

// LogMonth is the use log of one registry in one month. Registry is empty for rows of requests that named none.
type LogMonth struct {
	Registry string
	// From is the month's first moment, in UTC.
	From time.Time
	Rows int
}

// Until is the next month's first moment.
func (m *LogMonth) Until() time.Time { return m.From.AddDate(0, 1, 0) }

// Name is the month as YYYY-MM.
func (m *LogMonth) Name() string { return m.From.Format("2006-01") }

// LogMonths gives the months that the log has rows of and that end at or before the moment, the oldest first.
func (s *Store) LogMonths(ctx context.Context, before time.Time) (months []LogMonth, err error) {
	for next := int64(0); ; {
		var oldest int64
		found, err := s.one(ctx, "reading the access log",
			`SELECT time_us FROM access_log WHERE time_us >= $1 ORDER BY time_us LIMIT 1`, []any{next}, &oldest)
		if err != nil || !found {
			return months, err
		}
		at := store.FromMicros(oldest)
		month := LogMonth{From: time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)}
		if month.Until().After(before) {
			return months, nil
		}
		next = store.Micros(month.Until())
		err = s.each(ctx, s.engine.Readers, "counting the access log",
			`SELECT registry_oid, count(*) FROM access_log WHERE time_us >= $1 AND time_us < $2
			 GROUP BY registry_oid ORDER BY registry_oid`, []any{store.Micros(month.From), next},
			func(scan func(...any) error) error {
				of := month
				err := scan(&of.Registry, &of.Rows)
				months = append(months, of)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
}

// DestroyLogMonth destroys up to limit of the month's rows, the oldest first, and tells how many. What it destroys it
// counts in the record of destructions, in the same transaction; with the month's last row the log gets a row that
// tells of it. It may be called again until done, after a crash too.
func (s *Store) DestroyLogMonth(ctx context.Context, month LogMonth, years, limit int, now time.Time) (rows int, done bool, err error) {
	last, whole, found, err := s.lastOfLog(ctx, month, limit)
	if err != nil || !found {
		return 0, err == nil, err
	}
	id, err := uuid.NewV7() // outside: an operation that runs again writes the same row
	if err != nil {
		return 0, false, err
	}
	destroyed := new(int)
	err = s.queue.Do(ctx, 0, func(t Tx) error {
		part := []any{month.Registry, store.Micros(month.From), store.Micros(last.Time), last.ID[:]}
		var n int
		if _, err := t.Get("counting the access log", `SELECT count(*)`+partOfLog, part, &n); err != nil {
			return err
		}
		*destroyed = n
		if n == 0 { // another was faster
			return nil
		}
		if err := destroyLog(t, part); err != nil {
			return err
		}
		if err := recordLogDestruction(t, &month, years, n, now); err != nil || !whole {
			return err
		}
		return tellLogDestruction(t, &month, id, now)
	})
	if err != nil {
		return 0, false, err
	}
	return *destroyed, whole, nil
}

// partOfLog is the rows of a registry from a moment to a place in the log.
const partOfLog = ` FROM access_log WHERE registry_oid = $1 AND time_us >= $2 AND (time_us, log_id) <= ($3, $4)`

// destroyLog destroys a part of the log, with all that is kept of its rows elsewhere.
func destroyLog(t Tx, part []any) error {
	// Without its salt a leaf says nothing; the leaf itself stays in the tree.
	for _, table := range []string{"log_leaves", "log_pending"} {
		if err := t.Exec("destroying a part of what is known of the log's leaves",
			`DELETE FROM `+table+` WHERE (time_us, log_id) IN (SELECT time_us, log_id`+partOfLog+`)`, part...); err != nil {
			return err
		}
	}
	return t.Exec("destroying a part of the access log", `DELETE`+partOfLog, part...)
}

// lastOfLog gives the place of the limit-th row of the month, or of its last; whole tells that it is that one.
func (s *Store) lastOfLog(ctx context.Context, month LogMonth, limit int) (last store.LogPosition, whole, found bool, err error) {
	n := 0
	err = s.each(ctx, s.engine.Readers, "reading the access log",
		`SELECT time_us, log_id FROM access_log WHERE registry_oid = $1 AND time_us >= $2 AND time_us < $3
		 ORDER BY time_us, log_id LIMIT $4`,
		[]any{month.Registry, store.Micros(month.From), store.Micros(month.Until()), limit + 1},
		func(scan func(...any) error) error {
			var (
				us int64
				id uuid.UUID
			)
			if err := scan(&us, &id); err != nil {
				return err
			}
			if n++; n <= limit {
				last = store.LogPosition{Time: store.FromMicros(us), ID: id}
			}
			return nil
		})
	return last, n <= limit, n > 0, err
}

// recordLogDestruction adds to what the record of destructions says of the month.
func recordLogDestruction(t Tx, month *LogMonth, years, rows int, now time.Time) error {
	due := month.Until().AddDate(years, 0, 0)
	return t.Exec("recording a destruction",
		`INSERT INTO destructions (kind, subject, registry_oid, client_ids, document_type, service_tasks, versions,
		   rule, counted_from, started_on, due_on, destroyed_us)
		 VALUES ('log', $1, $2, $3, '', '[]', $4, $5, 'monthEnded', $6, $7, $8)
		 ON CONFLICT (kind, subject) DO UPDATE SET versions = destructions.versions + excluded.versions,
		   destroyed_us = excluded.destroyed_us`,
		month.subject(), month.Registry, []byte{}, rows, ruleLog, month.Until().Format(time.DateOnly), due.Format(time.DateOnly),
		store.Micros(now))
}

// subject names the month in the record of destructions.
func (m *LogMonth) subject() string { return m.Registry + " " + m.Name() }

// tellLogDestruction writes the row that tells of a month whose last row is destroyed.
func tellLogDestruction(t Tx, month *LogMonth, id uuid.UUID, now time.Time) error {
	var total int
	if _, err := t.Get("reading a destruction", `SELECT versions FROM destructions WHERE kind = 'log' AND subject = $1`,
		[]any{month.subject()}, &total); err != nil {
		return err
	}
	criteria, err := json.Marshal(struct {
		Month string `json:"month"`
		Rows  int    `json:"rows"`
	}{month.Name(), total})
	if err != nil {
		return err
	}
	return writeLog(t, &store.LogRow{
		ID: id, Time: now, Registry: month.Registry, Operation: OpDestroyLog, Outcome: store.OutcomeAllowed, Criteria: criteria,
	})
}
