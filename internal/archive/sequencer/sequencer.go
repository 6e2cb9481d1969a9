// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// batchRows is how many rows get their leaves in one transaction: few enough that the rows of requests, which an
	// embedded store writes one transaction at a time, do not wait for long.
	batchRows = 64
	// turn is how often new rows are looked for.
	turn = 500 * time.Millisecond
	// checkpointEvery is how often a checkpoint is made when there is something new.
	checkpointEvery = 5 * time.Second
	// cosignEvery is how often witnesses are asked when there is nothing new, so that the age of what they said shows
	// whether they still follow the log.
	cosignEvery = time.Minute
	// lease is how long a sequencer that is gone keeps others from taking over.
	lease = 15 * time.Second
	// leaveTimeout bounds the wait for a store that is to learn that this sequencer ends.
	leaveTimeout = 3 * time.Second
	// thinAfter is how long every checkpoint is kept; after that, one for each hour.
	thinAfter = time.Hour
)

// Witness cosigns checkpoints.
type Witness interface {
	// Verifier knows its cosignatures.
	Verifier() note.Verifier
	// Cosign gives the note's lines of the cosignature of a checkpoint. consistency proves that the checkpoint's tree
	// begins with one of a former size.
	Cosign(ctx context.Context, checkpoint logproof.Checkpoint, consistency func(former int64) (tlog.TreeProof, error)) ([]byte, error)
}

// Options are what a sequencer is made of.
type Options struct {
	// Store keeps the log.
	Store store.LogProofs
	// Key signs the checkpoints.
	Key logproof.Key
	// Holder names this sequencer among those that share the store; empty where none shares it.
	Holder string
	// Witnesses are asked to cosign each checkpoint.
	Witnesses []Witness
	Clock     clock.WithTicker
	// Random gives the salts; crypto/rand unless it is set.
	Random  io.Reader
	Metrics *Metrics
	Log     logr.Logger
}

// Sequencer gives leaves and signs checkpoints. Its methods are used by one goroutine.
type Sequencer struct {
	opts Options
	// tiles are the edge of the tree in the state.
	tiles logproof.Tiles
	state store.LogState
	// signed is the last tree of a month that this sequencer signed.
	signed map[logproof.Month]tlog.Tree
	// kept is the hour of each month's last checkpoint that is kept for good.
	kept map[logproof.Month]time.Time
	// settled is the size of each tree of a month that is over which all keys have signed and all witnesses cosigned;
	// retries are those of the others.
	settled map[logproof.Month]int64
	retries map[logproof.Month]retry
	// asked is when the witnesses were asked last.
	asked time.Time
	// told is what was logged last of what goes wrong.
	told string
	// leads tells whether this sequencer is the one that gives leaves.
	leads atomic.Bool
}

// New makes a sequencer.
func New(opts Options) *Sequencer {
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	for _, w := range opts.Witnesses {
		opts.Metrics.asks(w.Verifier().Name())
	}
	return &Sequencer{
		opts: opts, signed: map[logproof.Month]tlog.Tree{}, kept: map[logproof.Month]time.Time{},
		settled: map[logproof.Month]int64{}, retries: map[logproof.Month]retry{},
	}
}

// Leads tells whether this sequencer is the one of those that share the store that gives leaves now. It may be asked by
// anybody.
func (s *Sequencer) Leads() bool { return s.opts.Holder == "" || s.leads.Load() }

// Run sequences until ctx ends, and then leaves its lease. What goes wrong is logged and tried again.
func (s *Sequencer) Run(ctx context.Context) error {
	ticker := s.opts.Clock.NewTicker(turn)
	defer ticker.Stop()
	var leased, checkpointed time.Time
	leads := s.opts.Holder == ""
	for {
		select {
		case <-ctx.Done():
			if leads {
				s.leave(context.WithoutCancel(ctx))
			}
			return nil
		case <-ticker.C():
		}
		now := s.opts.Clock.Now()
		if s.opts.Holder != "" && absolute(now.Sub(leased)) >= lease/3 {
			var err error
			leads, err = s.opts.Store.TakeLogLease(ctx, s.opts.Holder, now, now.Add(lease))
			s.tell("cannot ask who gives leaves", err)
			s.leads.Store(leads && err == nil)
			leased = now
		}
		s.opts.Metrics.leading(leads)
		if leads {
			s.tell("cannot give rows their leaves", s.catchUp(ctx, now.Add(checkpointEvery)))
		}
		if absolute(now.Sub(checkpointed)) >= checkpointEvery {
			if leads {
				s.tell("cannot make a checkpoint", s.Checkpoint(ctx))
			}
			s.tell("cannot read how far the log is", s.measure(ctx))
			checkpointed = now
		}
	}
}

// leave lets another sequencer take over at once. One that cannot waits for the lease to run out.
func (s *Sequencer) leave(ctx context.Context) {
	if s.opts.Holder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	now := s.opts.Clock.Now()
	if _, err := s.opts.Store.TakeLogLease(ctx, s.opts.Holder, now, now); err != nil {
		s.tell("cannot leave the giving of leaves to another", err)
	}
}

// absolute keeps a clock that is set back from stopping what is done every so often.
func absolute(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}

// tell logs once what goes on going wrong.
func (s *Sequencer) tell(what string, err error) {
	switch {
	case err == nil:
		if s.told == what {
			s.told = ""
			s.opts.Log.Info("The access log is made provable again", "before", what)
		}
	case errors.Is(err, context.Canceled), errors.Is(err, store.ErrStale), s.told == what:
	default:
		s.told = what
		s.opts.Log.Error(err, what)
	}
	if err != nil {
		s.opts.Metrics.failed()
	}
}

// CatchUp gives leaves until nothing waits that can have one.
func (s *Sequencer) CatchUp(ctx context.Context) error { return s.catchUp(ctx, time.Time{}) }

// catchUp does so until a time at the latest: where rows come as fast as they get their leaves, what covers those leaves
// must be signed all the same, and the lease kept. The zero time is never. A clock that is set back ends it too.
func (s *Sequencer) catchUp(ctx context.Context, until time.Time) error {
	for ctx.Err() == nil {
		rows, err := s.Sequence(ctx)
		if err != nil || rows < batchRows {
			return err
		}
		if now := s.opts.Clock.Now(); !until.IsZero() && (!now.Before(until) || until.Sub(now) > checkpointEvery) {
			return nil
		}
	}
	return ctx.Err()
}

// Sequence gives leaves to the rows that have waited longest, as many as go into one batch, and says to how many.
func (s *Sequencer) Sequence(ctx context.Context) (int, error) {
	// The state first: whatever is read after it and is newer, the batch is stale then.
	state, err := s.opts.Store.LogState(ctx)
	if err != nil {
		return 0, err
	}
	rows, err := s.opts.Store.PendingLog(ctx, batchRows)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	now := s.opts.Clock.Now()
	m := material{state: state, month: max(logproof.MonthOf(now), logproof.Month(state.Month)), rows: rows, now: now, random: s.opts.Random}
	if m.tiles, err = s.edge(ctx, &m); err != nil {
		return 0, err
	}
	if m.heads, err = s.opts.Store.LogHeads(ctx, subjectsOf(rows)); err != nil {
		return 0, err
	}
	s.tiles = nil // until the batch is in
	batch, left, err := m.batch()
	if err != nil || len(batch.Leaves) == 0 {
		return 0, err
	}
	if err := s.opts.Store.AppendLeaves(ctx, batch); err != nil {
		return 0, fmt.Errorf("adding to the log: %w", err)
	}
	if len(left) > 0 {
		s.opts.Log.Error(logproof.ErrRecord, "Rows of the access log get no leaf", "rows", len(left))
	}
	s.state = store.LogState{Batch: state.Batch + 1, Month: batch.Month, Size: m.size() + int64(len(batch.Leaves))}
	s.tiles = logproof.Tiles{}
	for _, id := range logproof.Edge(s.state.Size) {
		s.tiles[id] = m.tiles[id]
	}
	for i := range batch.Leaves {
		s.opts.Metrics.sequenced(batch.Leaves[i].Row.Time)
	}
	return len(batch.Leaves), nil
}

// edge gives the edge of the month's tree: the one at hand if the state is still the same.
func (s *Sequencer) edge(ctx context.Context, m *material) (logproof.Tiles, error) {
	tiles := logproof.Tiles{}
	if m.size() == 0 {
		return tiles, nil
	}
	if s.tiles != nil && s.state == m.state {
		return s.tiles, nil
	}
	for _, id := range logproof.Edge(m.size()) {
		hashes, err := s.opts.Store.LogTile(ctx, string(m.month), id.Level, id.Index)
		if err != nil {
			return nil, fmt.Errorf("reading the edge of the log: %w", err)
		}
		tiles[id] = hashes[:min(len(hashes), id.Bytes(m.size()))] // it may have grown since the state was read
	}
	return tiles, nil
}

func subjectsOf(rows []store.LogRow) (subjects []store.LogSubject) {
	seen := map[store.LogSubject]bool{{}: true}
	for i := range rows {
		if subject := rows[i].Subject(); !seen[subject] {
			seen[subject] = true
			subjects = append(subjects, subject)
		}
	}
	return subjects
}
