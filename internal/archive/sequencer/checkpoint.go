// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// witnessTimeout bounds the wait for one witness.
const witnessTimeout = 4 * time.Second

// ErrRewritten says that the log in the store is not what was signed before. Nothing more is signed.
var ErrRewritten = errors.New("the log in the store does not begin with what has been signed")

// Checkpoint signs and keeps a checkpoint of every tree that has grown. The month before is among them, whose last
// leaves may be newer than its last checkpoint.
func (s *Sequencer) Checkpoint(ctx context.Context) error {
	months, err := s.opts.Store.LogTrees(ctx)
	if err != nil {
		return err
	}
	for i, month := range months[max(0, len(months)-2):] {
		newest := i == len(months[max(0, len(months)-2):])-1
		if err := s.checkpointOf(ctx, month, newest); err != nil {
			return fmt.Errorf("the log of %s: %w", month.Month, err)
		}
	}
	return nil
}

func (s *Sequencer) checkpointOf(ctx context.Context, of store.LogTree, newest bool) error {
	month, now := logproof.Month(of.Month), s.opts.Clock.Now()
	last, err := s.last(ctx, month)
	if err != nil {
		return err
	}
	due := absolute(now.Sub(s.asked)) >= cosignEvery && newest
	if of.Size == last.Tree.N && !due && (len(last.Cosignatures) >= len(s.opts.Witnesses) || !newest) {
		return nil
	}
	tree := logproof.NewTree(tileReader{ctx, s.opts.Store, of.Month})
	current, err := s.grown(tree, month, last.Tree, of.Size)
	if err != nil {
		return err
	}
	text, err := s.opts.Key.Sign(month, current)
	if err != nil {
		return err
	}
	checkpoint := logproof.Checkpoint{Origin: s.opts.Key.Verifier().Origin(month), Month: month, Tree: current, Text: text}
	s.signed[month] = current
	if newest {
		s.asked = now
	}
	text = s.cosigned(ctx, checkpoint, tree)
	if err := s.opts.Store.AddLogCheckpoint(ctx, store.LogCheckpoint{
		Month: of.Month, Size: of.Size, Made: now, Note: text, Kept: !s.kept.Equal(now.Truncate(time.Hour)),
	}, now.Add(-thinAfter)); err != nil {
		return err
	}
	s.kept = now.Truncate(time.Hour)
	s.opts.Metrics.checkpointed(current.N, now)
	return nil
}

// last gives the last checkpoint of the month; an empty tree if there is none.
func (s *Sequencer) last(ctx context.Context, month logproof.Month) (logproof.Checkpoint, error) {
	kept, err := s.opts.Store.LogCheckpoint(ctx, string(month))
	if errors.Is(err, store.ErrNotFound) {
		return logproof.Checkpoint{}, nil
	}
	if err != nil {
		return logproof.Checkpoint{}, err
	}
	last, err := s.opts.Key.Verifier().Open(kept.Note, s.verifiers()...)
	if err == nil && (last.Month != month || last.Tree.N != kept.Size) {
		err = logproof.ErrCheckpoint
	}
	return last, err
}

// grown gives the tree of the size, which must begin with what was signed before.
func (s *Sequencer) grown(tree *logproof.Tree, month logproof.Month, last tlog.Tree, size int64) (tlog.Tree, error) {
	if signed := s.signed[month]; signed.N > last.N {
		last = signed
	}
	if last.N > size {
		return tlog.Tree{}, fmt.Errorf("%w: %d leaves were signed, and %d are there", ErrRewritten, last.N, size)
	}
	former, err := tree.Root(last.N)
	if err != nil {
		return tlog.Tree{}, err
	}
	if last.N > 0 && former != last.Hash {
		return tlog.Tree{}, ErrRewritten
	}
	root, err := tree.Root(size)
	return tlog.Tree{N: size, Hash: root}, err
}

func (s *Sequencer) verifiers() (all []note.Verifier) {
	for _, w := range s.opts.Witnesses {
		all = append(all, w.Verifier())
	}
	return all
}

// cosigned asks all witnesses at once, and gives the checkpoint's text with the cosignatures of those that answer.
func (s *Sequencer) cosigned(ctx context.Context, checkpoint logproof.Checkpoint, tree *logproof.Tree) []byte {
	var (
		reading sync.Mutex // the tree is read by one at a time
		asked   sync.WaitGroup
	)
	consistency := func(former int64) (tlog.TreeProof, error) {
		reading.Lock()
		defer reading.Unlock()
		return tree.Consistency(checkpoint.Tree.N, former)
	}
	lines := make([][]byte, len(s.opts.Witnesses))
	for i, witness := range s.opts.Witnesses {
		asked.Go(func() {
			patience, cancel := context.WithTimeout(ctx, witnessTimeout)
			defer cancel()
			line, err := witness.Cosign(patience, checkpoint, consistency)
			if err != nil {
				s.opts.Metrics.witnessFailed(witness.Verifier().Name())
				s.opts.Log.Error(err, "A witness has not cosigned the log", "witness", witness.Verifier().Name(), "origin", checkpoint.Origin, "size", checkpoint.Tree.N)
				return
			}
			lines[i] = line
			s.opts.Metrics.cosigned(witness.Verifier().Name(), s.opts.Clock.Now())
		})
	}
	asked.Wait()
	return slices.Concat(checkpoint.Text, slices.Concat(lines...))
}

// measure tells the metrics how far the log is, whoever gives the leaves.
func (s *Sequencer) measure(ctx context.Context) error {
	rows, oldest, err := s.opts.Store.LogBacklog(ctx)
	if err != nil {
		return err
	}
	state, err := s.opts.Store.LogState(ctx)
	if err != nil {
		return err
	}
	last, err := s.opts.Store.LogCheckpoint(ctx, state.Month)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.opts.Metrics.measured(rows, oldest, state, last, s.opts.Clock.Now())
	return nil
}

// tileReader reads the tiles of a month's tree from the store.
type tileReader struct {
	ctx   context.Context //nolint:containedctx // It lives as long as one reading of the tree.
	store store.LogProofs
	month string
}

// ReadTile implements logproof.Reader.
func (r tileReader) ReadTile(id logproof.TileID) ([]byte, error) {
	return r.store.LogTile(r.ctx, r.month, id.Level, id.Index)
}

// TreeOf gives the tree of a month in a store, to prove from for as long as ctx lasts.
func TreeOf(ctx context.Context, from store.LogProofs, month string) *logproof.Tree {
	return logproof.NewTree(tileReader{ctx, from, month})
}
