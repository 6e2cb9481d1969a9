// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/valtuus/valtuus/internal/archive"
)

// lives are how long the parts of a replica live. Both end when one part fails.
type lives struct {
	// serve is that of what answers.
	serve context.Context //nolint:containedctx // It lives as long as the replica.
	// work is that of what answers rest on: the view, the log, the probes. It ends after serve.
	work context.Context //nolint:containedctx // It lives as long as the replica.

	endServe, endWork context.CancelFunc
}

// newLives gives the lives, and the group of the parts. The end of ctx ends neither by itself: see drain.
func newLives(ctx context.Context) (*errgroup.Group, *lives) {
	group, all := errgroup.WithContext(context.WithoutCancel(ctx))
	l := &lives{}
	l.work, l.endWork = context.WithCancel(all)
	l.serve, l.endServe = context.WithCancel(l.work)
	return group, l
}

// drain waits until the replica is asked to end. Then it is not ready any more, but answers on, also new connections,
// until nobody is sent to it; then its servers let running requests finish, and at last all the rest ends.
func (l *lives) drain(asked context.Context, config Config, server *archive.Server) error {
	defer l.endServe()
	select {
	case <-asked.Done():
	case <-l.work.Done():
		return nil
	}
	config.Log.Info("Asked to end: not ready any more, and answering on for a while", "delay", config.DrainDelay.String())
	server.Drain()
	if config.DrainDelay <= 0 {
		return nil
	}
	select {
	case <-config.Clock.After(config.DrainDelay):
	case <-l.work.Done():
	}
	return nil
}
