// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// OpNewLogKey is the operation of the row that tells of keys that begin to sign the log.
	OpNewLogKey = "NewLogKey"
	// callerLog is who writes it.
	callerLog = "urn:valtuus:log"
)

// KeyRecord is what such a row tells, as its criteria.
type KeyRecord struct {
	// Keys are the verifier keys of those that begin to sign.
	Keys []string `json:"keys"`
	// Lost is why they begin in the place of the former key; empty where that one signs beside them at first.
	Lost string `json:"lost,omitempty"`
}

func (r KeyRecord) row(now time.Time) (store.LogRow, error) {
	criteria, err := json.Marshal(r)
	return store.LogRow{
		Time: now, Operation: OpNewLogKey, Outcome: store.OutcomeAllowed, Caller: callerLog, Criteria: criteria,
	}, err
}

// Store is what a log is kept in.
type Store interface {
	store.LogProofs
	store.AccessLog
}

// TellOfKeys writes a row if there is a checkpoint and one of the keys has not signed the newest: before the key signs
// the first, the log itself tells of it.
func TellOfKeys(ctx context.Context, s Store, key logproof.Key, now time.Time) error {
	last, err := Newest(ctx, s)
	if err != nil || last == nil {
		return err
	}
	opened, err := key.Verifier().Open(last.Note)
	if err != nil {
		return err
	}
	record := KeyRecord{}
	for _, one := range key.Verifier().Keys() {
		if !slices.Contains(opened.Signers, one) {
			record.Keys = append(record.Keys, one)
		}
	}
	if len(record.Keys) == 0 {
		return nil
	}
	row, err := record.row(now)
	if err != nil {
		return err
	}
	return s.AppendLog(ctx, row)
}

// Newest gives the newest checkpoint, nil if there is none.
func Newest(ctx context.Context, of store.LogProofs) (*store.LogCheckpoint, error) {
	trees, err := of.LogTrees(ctx)
	for i := len(trees) - 1; i >= 0 && err == nil; i-- {
		last, err := of.LogCheckpoint(ctx, trees[i].Month)
		if err == nil {
			return &last, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	return nil, err
}

// Replacement puts a key in the place of one that is lost.
type Replacement struct {
	Store Store
	// Key is the new one.
	Key logproof.Key
	// Former verifies what the lost key has signed; nil where that is not known any more.
	Former *logproof.Verifier
	// Reason is told in the log.
	Reason string
	// Holder names who does it among the archives that share the store; empty where none shares it.
	Holder string
	Clock  clock.WithTicker
	Log    logr.Logger
}

// Errors of Replace. Compare with errors.Is.
var (
	// ErrSigned says that the key has signed the log already.
	ErrSigned = errors.New("the log is signed by this key: there is nothing to replace")
	// ErrInUse says that an archive gives leaves now.
	ErrInUse = errors.New("an archive gives rows of the log their leaves now: stop it")
)

// Replace has the key sign every tree from what the lost key has signed, which the trees must begin with: a lost key
// hides no rewriting. The log gets a row that tells of it first. What the lost key has signed last stays. Replace may be
// run again after it was cut. ErrSigned, ErrInUse, ErrRewritten.
func Replace(ctx context.Context, r Replacement) error {
	if r.Holder != "" {
		now := r.Clock.Now()
		if ok, err := r.Store.TakeLogLease(ctx, r.Holder, now, now.Add(lease)); err != nil || !ok {
			return errors.Join(err, ErrInUse)
		}
	}
	months, err := r.Store.LogTrees(ctx)
	if err != nil {
		return err
	}
	former := map[string]*lastSigned{}
	for _, month := range months {
		last, err := r.former(ctx, month)
		if err != nil {
			return fmt.Errorf("the log of %s: %w", month.Month, err)
		}
		if last != nil {
			former[month.Month] = last
		}
	}
	if len(former) == 0 {
		return ErrSigned
	}
	row, err := KeyRecord{Keys: r.Key.Verifier().Keys(), Lost: r.Reason}.row(r.Clock.Now())
	if err != nil {
		return err
	}
	if err := r.Store.AppendLog(ctx, row); err != nil {
		return err
	}
	s := New(Options{Store: r.Store, Key: r.Key, Clock: r.Clock, Log: r.Log})
	if err := s.CatchUp(ctx); err != nil {
		return err
	}
	if months, err = r.Store.LogTrees(ctx); err != nil {
		return err
	}
	for _, month := range months { // the newest last: an archive starts when that is signed
		last := former[month.Month]
		if last == nil {
			continue
		}
		if err := s.replace(ctx, month, last); err != nil {
			return fmt.Errorf("the log of %s: %w", month.Month, err)
		}
	}
	return s.Checkpoint(ctx) // of a month that the row has begun
}

// former gives what the lost key has signed last of a month; nil if that needs no other signature.
func (r *Replacement) former(ctx context.Context, month store.LogTree) (*lastSigned, error) {
	kept, err := r.Store.LogCheckpoint(ctx, month.Month)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if opened, err := r.Key.Verifier().Open(kept.Note); err == nil && opened.SignedBy(r.Key.Verifier()) {
		return nil, nil
	}
	if r.Former != nil {
		if _, err := r.Former.Open(kept.Note); err != nil {
			return nil, fmt.Errorf("the newest checkpoint: %w", err)
		}
	}
	origin, tree, err := logproof.Unverified(kept.Note)
	if err != nil || origin != r.Key.Verifier().Origin(logproof.Month(month.Month)) || tree.N != kept.Size {
		return nil, errors.Join(err, logproof.ErrCheckpoint)
	}
	last := &lastSigned{made: kept.Made}
	last.Month, last.Tree, last.Text = logproof.Month(month.Month), tree, kept.Note
	return last, nil
}

// replace signs a month's tree that begins with what the lost key has signed last.
func (s *Sequencer) replace(ctx context.Context, of store.LogTree, last *lastSigned) error {
	tree := TreeOf(ctx, s.opts.Store, of.Month)
	current, err := s.grown(tree, last.Month, last.Tree, of.Size)
	if err != nil {
		return err
	}
	text, err := s.opts.Key.Sign(last.Month, current)
	if err != nil {
		return err
	}
	return s.keep(ctx, last, current, logproof.Merge(text, last.Text), s.opts.Clock.Now())
}
