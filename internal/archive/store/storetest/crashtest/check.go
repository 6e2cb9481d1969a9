// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// look looks, right after a kill, for every acknowledged write with its row, for what the new rows tell of, and for a
// leaf of each row that does not wait for one.
func (r *Rounds) look(ctx context.Context, s store.Store, acks []Ack) error {
	logged, waiting := map[string]bool{}, 0
	query := store.LogQuery{After: r.last, Limit: store.MaxPage}
	for {
		page, err := s.LeavesOf(ctx, query)
		if err != nil {
			return err
		}
		for i := range page.Rows {
			one := &page.Rows[i]
			logged[one.Row.RequestID] = true
			r.rows++
			r.last = &one.Position
			switch {
			case one.Pending:
				waiting++
			case one.Leaf == nil:
				r.find(&r.Unproven, fmt.Errorf("the row of request %s has no leaf and waits for none", one.Row.RequestID))
			}
			if err := r.tells(ctx, s, one.Row); err != nil {
				return err
			}
		}
		if query.After = page.Next; query.After == nil {
			break
		}
	}
	r.Rows = r.rows
	for _, one := range acks {
		there, err := Told(ctx, s, one)
		if err != nil {
			return err
		}
		if !there || !logged[one.Request] {
			r.find(&r.Lost, fmt.Errorf("the write of request %s was acknowledged: it is there %t, its row %t", one.Request, there, logged[one.Request]))
		}
	}
	return r.countLeaves(ctx, s, waiting)
}

// tells holds a row to the document that it tells of.
func (r *Rounds) tells(ctx context.Context, s store.Store, row *store.LogRow) error {
	for _, id := range row.DocumentIDs {
		there, err := Told(ctx, s, Ack{Document: id, Version: row.DocumentCount, Annulled: row.Operation == "document.annul"})
		if err != nil {
			return err
		}
		if !there {
			r.find(&r.Lost, fmt.Errorf("the row of request %s tells of what is not there", row.RequestID))
		}
	}
	return nil
}

// Told says whether the document that was acknowledged is there, bytes included. A row alone tells of none.
func Told(ctx context.Context, s store.Store, one Ack) (bool, error) {
	if one.Version == 0 {
		return true, nil
	}
	got, err := s.Document(ctx, registry, one.Document, one.Version, store.ContentJSON)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCorrupt) {
		return false, nil
	}
	return err == nil && (!one.Annulled || got.State == store.StateAnnulled), err
}

func (r *Rounds) countLeaves(ctx context.Context, s store.Store, waiting int) error {
	trees, err := s.LogTrees(ctx)
	if err != nil {
		return err
	}
	leaves := 0
	for _, tree := range trees {
		leaves += int(tree.Size)
	}
	if leaves+waiting != r.rows {
		r.find(&r.Unproven, fmt.Errorf("%d rows, of which %d have a leaf and %d wait for one", r.rows, leaves, waiting))
	}
	return nil
}

// recover has the log go on as an archive that starts again does, and holds it to what was there and what was shown.
func (r *Rounds) recover(ctx context.Context, s store.Store, notes [][]byte) error {
	one := sequencer.New(sequencer.Options{
		Store: s, Key: r.key, Witnesses: []sequencer.Witness{r.witness.client}, Clock: clock.RealClock{}, Log: logr.Discard(),
	})
	if err := errors.Join(one.CatchUp(ctx), one.Checkpoint(ctx)); err != nil {
		if !errors.Is(err, sequencer.ErrRewritten) {
			return fmt.Errorf("the log does not go on: %w", err)
		}
		r.find(&r.Forked, err)
	}
	if left, _, err := s.LogBacklog(ctx); err != nil {
		return err
	} else if left > 0 {
		r.find(&r.Unproven, fmt.Errorf("%d rows still wait for a leaf", left))
	}
	return errors.Join(r.follow(ctx, s), r.holdToShown(ctx, s, notes))
}

// follow holds each part of the log to the rows, and to what it was before.
func (r *Rounds) follow(ctx context.Context, s store.Store) error {
	found, err := r.follower.Follow(ctx, s)
	if err != nil {
		return err
	}
	for _, wrong := range found {
		switch {
		case errors.Is(wrong, storetest.ErrGap):
			r.find(&r.Gaps, wrong)
		case errors.Is(wrong, storetest.ErrNoRow):
			r.find(&r.Lost, wrong)
		default:
			r.find(&r.Forked, wrong)
		}
	}
	if r.follower.Leaves != r.rows {
		r.find(&r.Unproven, fmt.Errorf("%d rows have %d leaves", r.rows, r.follower.Leaves))
	}
	return nil
}

// holdToShown holds the recovered log to each checkpoint that was shown before the kill, and to the witness.
func (r *Rounds) holdToShown(ctx context.Context, s store.Store, notes [][]byte) error {
	state, err := s.LogState(ctx)
	if err != nil {
		return err
	}
	now, err := s.LogCheckpoint(ctx, state.Month)
	if err != nil {
		return err
	}
	newest, err := r.key.Verifier().Open(now.Note, r.witness.client.Verifier())
	if err != nil {
		return err
	}
	trees := map[logproof.Month]*logproof.Tree{}
	for _, note := range notes {
		one, err := r.key.Verifier().Open(note)
		if err != nil {
			return err
		}
		if trees[one.Month] == nil {
			trees[one.Month] = sequencer.TreeOf(ctx, s, string(one.Month))
		}
		root, err := trees[one.Month].Root(one.Tree.N)
		if err != nil {
			return err
		}
		if root != one.Tree.Hash || one.Month == newest.Month && one.Tree.N > newest.Tree.N {
			r.find(&r.Forked, fmt.Errorf("a checkpoint of %d leaves was shown, and does not hold", one.Tree.N))
		}
	}
	if len(newest.Cosignatures) != 1 || newest.Tree.N != state.Size || !r.witness.content() {
		r.find(&r.Forked, fmt.Errorf("the witness does not follow the log of %d leaves: %d cosignatures on a checkpoint of %d", state.Size, len(newest.Cosignatures), newest.Tree.N))
	}
	return nil
}
