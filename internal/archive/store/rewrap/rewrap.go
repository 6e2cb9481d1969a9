// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rewrap wraps the data keys of all clients again, under another key-encryption key. What is sealed under the
// data keys stays as it is.
package rewrap

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
)

// ErrLeft means that some data keys could not be wrapped again.
var ErrLeft = errors.New("some data keys are damaged and were left as they are: keep the former keys")

// batch is how many data keys are wrapped again in one transaction.
const batch = 500

// Options say how it is done.
type Options struct {
	// DryRun opens each data key and changes nothing.
	DryRun bool
	// Progress hears how many of all that are to be wrapped again have been; may be nil.
	Progress func(done, total int)
}

// Report tells what was done.
type Report struct {
	// Clients is how many data keys there are, Rewrapped how many of them were wrapped again, or would be.
	Clients, Rewrapped int
	// Left are the clients whose data key did not open.
	Left []uuid.UUID
}

// Run wraps each data key that is not under the primary again. It works in batches: one that was cut goes on when it
// is run again, and archives that have both keys may serve meanwhile. clientkey.ErrUnknownKey, before anything is
// changed, if the ring lacks a key that is in use; ErrLeft.
func Run(ctx context.Context, db *sql.DB, ring clientkey.Keyring, options Options) (Report, error) {
	r := &run{db: db, ring: ring, options: options}
	used, err := r.survey(ctx)
	if err != nil {
		return Report{}, err
	}
	for _, id := range used {
		if err := r.rewrapAll(ctx, id); err != nil {
			return r.report, err
		}
	}
	if len(r.report.Left) > 0 {
		return r.report, ErrLeft
	}
	return r.report, nil
}

type run struct {
	db      *sql.DB
	ring    clientkey.Keyring
	options Options
	total   int // to be wrapped again
	report  Report
}

// survey counts the data keys, and gives the keys that wrap them but for the primary.
func (r *run) survey(ctx context.Context) (used []string, err error) {
	rows, err := r.db.QueryContext(ctx, "SELECT key_id, count(*) FROM client_keys GROUP BY key_id ORDER BY key_id")
	if err != nil {
		return nil, fmt.Errorf("counting data keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var (
			id string
			n  int
		)
		if err := rows.Scan(&id, &n); err != nil {
			return nil, fmt.Errorf("counting data keys: %w", err)
		}
		r.report.Clients += n
		if id != r.ring.Primary() {
			used = append(used, id)
			r.total += n
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("counting data keys: %w", err)
	}
	if missing := slices.DeleteFunc(slices.Clone(used), r.ring.Knows); len(missing) > 0 {
		return nil, fmt.Errorf("%w: %s", clientkey.ErrUnknownKey, strings.Join(missing, ", "))
	}
	return used, nil
}

// wrapped is one client's data key.
type wrapped struct {
	client uuid.UUID
	key    clientkey.Wrapped
}

// rewrapAll wraps again what the key wraps.
func (r *run) rewrapAll(ctx context.Context, id string) error {
	var after uuid.UUID
	for {
		page, err := r.page(ctx, id, after)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].client
		again := make([]wrapped, 0, len(page))
		for _, one := range page {
			switch key, err := r.ring.Rewrap(one.client, one.key); {
			case errors.Is(err, clientkey.ErrDamaged):
				r.report.Left = append(r.report.Left, one.client)
			case err != nil:
				return err
			default:
				again = append(again, wrapped{one.client, key})
			}
		}
		if !r.options.DryRun {
			if err := r.write(ctx, id, again); err != nil {
				return err
			}
		}
		r.report.Rewrapped += len(again)
		if r.options.Progress != nil {
			r.options.Progress(r.report.Rewrapped+len(r.report.Left), r.total)
		}
	}
}

// page reads the next data keys that the key wraps.
func (r *run) page(ctx context.Context, id string, after uuid.UUID) (page []wrapped, err error) {
	rows, err := r.db.QueryContext(ctx,
		"SELECT client_id, wrapped FROM client_keys WHERE key_id = $1 AND client_id > $2 ORDER BY client_id LIMIT $3", id, after[:], batch)
	if err != nil {
		return nil, fmt.Errorf("reading data keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var client []byte
		one := wrapped{key: clientkey.Wrapped{KeyID: id}}
		if err := rows.Scan(&client, &one.key.Bytes); err != nil {
			return nil, fmt.Errorf("reading data keys: %w", err)
		}
		if one.client, err = uuid.FromBytes(client); err != nil {
			return nil, fmt.Errorf("reading data keys: %w", err)
		}
		page = append(page, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading data keys: %w", err)
	}
	return page, nil
}

// write keeps the data keys in their new wrapping, where they are still in the former one.
func (r *run) write(ctx context.Context, former string, again []wrapped) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("wrapping data keys again: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, one := range again {
		if _, err := tx.ExecContext(ctx, "UPDATE client_keys SET key_id = $1, wrapped = $2 WHERE client_id = $3 AND key_id = $4",
			one.key.KeyID, one.key.Bytes, one.client[:], former); err != nil {
			return fmt.Errorf("wrapping data keys again: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("wrapping data keys again: %w", err)
	}
	return nil
}
