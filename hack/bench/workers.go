// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// writers is how many requests the load has under way at a time.
const writers = 32

// each does something for 0 to n-1 with a number of workers, and returns how long it took.
func each(ctx context.Context, workers, n int, do func(ctx context.Context, i int) error) (time.Duration, error) {
	return eachBy(ctx, workers, n, func(ctx context.Context, _, i int) error { return do(ctx, i) })
}

// eachBy is each where it matters which worker does it.
func eachBy(ctx context.Context, workers, n int, do func(ctx context.Context, worker, i int) error) (time.Duration, error) {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	begun := time.Now()
	for worker := range workers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := do(ctx, worker, i); err != nil {
					return err
				}
			}
		})
	}
	err := group.Wait()
	return time.Since(begun), err
}

// during does something over and over with a number of workers for a while, and returns how often and how long.
func during(ctx context.Context, workers int, d time.Duration, do func(ctx context.Context, worker int) error) (int, time.Duration, error) {
	group, ctx := errgroup.WithContext(ctx)
	var done atomic.Int64
	begun := time.Now()
	for worker := range workers {
		group.Go(func() error {
			for time.Since(begun) < d && ctx.Err() == nil {
				if err := do(ctx, worker); err != nil {
					return err
				}
				done.Add(1)
			}
			return ctx.Err()
		})
	}
	err := group.Wait()
	return int(done.Load()), time.Since(begun), err
}

// tally adds up work over several turns, so that a rate is that of all of it.
type tally struct {
	n    int
	took time.Duration
	busy time.Duration // of processors, where it was noted
}

func (t *tally) add(n int, took time.Duration) { t.n, t.took = t.n+n, t.took+took }

func (t *tally) rate() float64 { return float64(t.n) / t.took.Seconds() }

// ratePerProcessor is per second that a processor was had: what other work on the machine took is not in it.
func (t *tally) ratePerProcessor() float64 { return float64(t.n) / t.busy.Seconds() }
