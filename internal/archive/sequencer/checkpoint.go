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

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// witnessTimeout bounds the wait for one witness.
const witnessTimeout = 4 * time.Second

// ErrRewritten says that a tree in the store is not what was signed before. Nothing more of it is signed.
var ErrRewritten = errors.New("the log in the store does not begin with what has been signed")

// retry is when a month that is over is looked at again whose witnesses have not all cosigned it.
type retry struct {
	at   time.Time
	wait time.Duration
}

// longestRetry is the most time between two tries.
const longestRetry = time.Hour

// Checkpoint signs and keeps a checkpoint of every tree that has grown. Months that are over are among them: their last
// leaves may be newer than their last checkpoint, and witnesses may have been away. What is wrong with one month does
// not keep the others from being signed.
func (s *Sequencer) Checkpoint(ctx context.Context) error {
	months, err := s.opts.Store.LogTrees(ctx)
	if err != nil {
		return err
	}
	var wrong []error
	for i, month := range months {
		if err := s.checkpointOf(ctx, month, i == len(months)-1); err != nil {
			wrong = append(wrong, fmt.Errorf("the log of %s: %w", month.Month, err))
		}
	}
	return errors.Join(wrong...)
}

func (s *Sequencer) checkpointOf(ctx context.Context, of store.LogTree, newest bool) error {
	month, now := logproof.Month(of.Month), s.opts.Clock.Now()
	if !newest && s.settled[month] == of.Size {
		return nil
	}
	last, err := s.last(ctx, month)
	if err != nil {
		return err
	}
	due := newest && absolute(now.Sub(s.asked)) >= cosignEvery
	ask, same := s.opts.Witnesses, of.Size == last.Tree.N && last.SignedBy(s.opts.Key.Verifier())
	if same && !due {
		ask = s.missing(&last.Checkpoint)
		switch {
		case len(ask) == 0:
			s.settled[month] = of.Size
			return nil
		case !newest && absolute(now.Sub(s.retries[month].at)) < s.retries[month].wait:
			return nil
		}
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
	lines := s.cosigned(ctx, checkpoint, tree, ask)
	if !newest {
		s.retries[month] = retry{now, min(max(2*s.retries[month].wait, cosignEvery), longestRetry)}
		if same && len(lines) == 0 {
			return nil // there is nothing new to keep
		}
	}
	if err := s.keep(ctx, &last, current, logproof.Merge(slices.Concat(text, lines), last.Text), now); err != nil {
		return err
	}
	if newest {
		s.opts.Metrics.checkpointed(current.N, now)
	}
	return nil
}

// keep keeps the checkpoint, one for each hour for good. Where another key begins to sign, the last one of the former
// is kept too.
func (s *Sequencer) keep(ctx context.Context, last *lastSigned, tree tlog.Tree, text []byte, now time.Time) error {
	month, hour := last.Month, now.Truncate(time.Hour)
	anew := last.Tree.N > 0 && !last.SignedBy(s.opts.Key.Verifier())
	if anew && last.Tree.N < tree.N {
		if err := s.add(ctx, store.LogCheckpoint{Month: string(month), Size: last.Tree.N, Made: last.made, Note: last.Text, Kept: true}); err != nil {
			return err
		}
	}
	err := s.add(ctx, store.LogCheckpoint{
		Month: string(month), Size: tree.N, Made: now, Note: text, Kept: anew || !s.kept[month].Equal(hour),
	})
	if err == nil {
		s.kept[month] = hour
	}
	return err
}

func (s *Sequencer) add(ctx context.Context, one store.LogCheckpoint) error {
	return s.opts.Store.AddLogCheckpoint(ctx, one, one.Made.Add(-thinAfter))
}

// lastSigned is the last checkpoint of a month; of an empty tree if there is none.
type lastSigned struct {
	logproof.Checkpoint
	made time.Time
}

func (s *Sequencer) last(ctx context.Context, month logproof.Month) (last lastSigned, err error) {
	kept, err := s.opts.Store.LogCheckpoint(ctx, string(month))
	if errors.Is(err, store.ErrNotFound) {
		last.Month = month
		return last, nil
	}
	if err != nil {
		return last, err
	}
	last.made = kept.Made
	last.Checkpoint, err = s.opts.Key.Verifier().Open(kept.Note, s.verifiers()...)
	if err == nil && (last.Month != month || last.Tree.N != kept.Size) {
		err = logproof.ErrCheckpoint
	}
	return last, err
}

// missing gives the witnesses that have not cosigned the checkpoint.
func (s *Sequencer) missing(of *logproof.Checkpoint) (witnesses []Witness) {
	for _, w := range s.opts.Witnesses {
		if signature(of, w.Verifier()) == nil {
			witnesses = append(witnesses, w)
		}
	}
	return witnesses
}

// signature gives a witness's cosignature of the checkpoint, nil if there is none.
func signature(of *logproof.Checkpoint, witness note.Verifier) *note.Signature {
	for i := range of.Cosignatures {
		if one := &of.Cosignatures[i]; one.Name == witness.Name() && one.Hash == witness.KeyHash() {
			return one
		}
	}
	return nil
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

// cosigned asks witnesses, all at once, and gives the lines of those that cosign.
func (s *Sequencer) cosigned(ctx context.Context, checkpoint logproof.Checkpoint, tree *logproof.Tree, witnesses []Witness) []byte {
	var (
		reading sync.Mutex // the tree is read by one at a time
		asked   sync.WaitGroup
	)
	consistency := func(former int64) (tlog.TreeProof, error) {
		reading.Lock()
		defer reading.Unlock()
		return tree.Consistency(checkpoint.Tree.N, former)
	}
	lines := make([][]byte, len(witnesses))
	for i, witness := range witnesses {
		asked.Go(func() {
			patience, cancel := context.WithTimeout(ctx, witnessTimeout)
			defer cancel()
			line, err := witness.Cosign(patience, checkpoint, consistency)
			if err != nil {
				if ctx.Err() != nil {
					return // the sequencer ends: that is not the witness's failure
				}
				s.opts.Metrics.witnessFailed(witness.Verifier().Name())
				s.opts.Log.Error(err, "A witness has not cosigned the log", "witness", witness.Verifier().Name(), "origin", checkpoint.Origin, "size", checkpoint.Tree.N)
				return
			}
			lines[i] = line
		})
	}
	asked.Wait()
	return slices.Concat(lines...)
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
	if opened, err := s.opts.Key.Verifier().Open(last.Note, s.verifiers()...); err == nil {
		for _, w := range s.verifiers() {
			if one := signature(&opened, w); one != nil {
				if at, err := cosign.CoSigV1Timestamp(*one); err == nil {
					s.opts.Metrics.cosigned(w.Name(), at)
				}
			}
		}
	}
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
