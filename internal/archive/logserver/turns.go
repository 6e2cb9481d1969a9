// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logserver

import (
	"context"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// readsAtOnce is how many requests read from the store at a time. Anybody may ask here, and the store's connections
	// are those that documents are read on: an embedded store has four.
	readsAtOnce = 2
	// turnTimeout is how long a request waits for its turn.
	turnTimeout = 5 * time.Second
)

// errBusy says that too many ask.
var errBusy = errors.New("too many ask for the log at once")

// turns lets so many at a time read what the server serves. Nobody holds a turn while an answer is sent.
type turns struct {
	store.LogProofs
	free chan struct{}
}

func newTurns(of store.LogProofs) turns { return turns{of, make(chan struct{}, readsAtOnce)} }

// take waits for a turn, and gives what ends it.
func (t turns) take(ctx context.Context) (done func(), err error) {
	patience, cancel := context.WithTimeoutCause(ctx, turnTimeout, errBusy)
	defer cancel()
	select {
	case t.free <- struct{}{}:
		return func() { <-t.free }, nil
	case <-patience.Done():
		return nil, context.Cause(patience)
	}
}

// LogTrees implements store.LogProofs.
func (t turns) LogTrees(ctx context.Context) ([]store.LogTree, error) {
	done, err := t.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return t.LogProofs.LogTrees(ctx)
}

// LogCheckpoint implements store.LogProofs.
func (t turns) LogCheckpoint(ctx context.Context, month string) (store.LogCheckpoint, error) {
	done, err := t.take(ctx)
	if err != nil {
		return store.LogCheckpoint{}, err
	}
	defer done()
	return t.LogProofs.LogCheckpoint(ctx, month)
}

// LogTile implements store.LogProofs.
func (t turns) LogTile(ctx context.Context, month string, level int, index int64) ([]byte, error) {
	done, err := t.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return t.LogProofs.LogTile(ctx, month, level, index)
}
