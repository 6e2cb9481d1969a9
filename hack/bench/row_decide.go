// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// decideRow is how fast the archive decides.
type decideRow struct{}

func (decideRow) name() string { return "decide" }
func (decideRow) measures() string {
	return "decisions in memory with 1,000,000 relationships, allowed ones, in random order"
}

func (decideRow) floor() string {
	return "a look-up in a bare Go map of the same size by the same key: registry, unit and client"
}
func (decideRow) goal() string { return "at least 1,000,000/s on a core, no allocation" }

// plainKey is what a decision is looked up by.
type plainKey struct {
	registry, unit string
	client         access.ClientID
}

func (decideRow) run(ctx context.Context, b *bench) ([]figure, error) {
	n := b.size(1_000_000, 50_000)
	b.progress("filling an index with %d relationships", n)
	c, err := newCountry(n)
	if err != nil {
		return nil, err
	}
	plain := make(map[plainKey]int64, n)
	for i := range c.visits {
		v := &c.visits[i]
		plain[plainKey{v.registry, v.unit, v.client}] = int64(i)
	}
	c.shuffle()
	cores := runtime.GOMAXPROCS(0)
	var decided, looked, decidedAll, lookedAll tally
	turn := 700 * time.Millisecond
	if b.short {
		turn /= 7
	}
	for range 4 { // in turns, so that other work on the machine meets both alike
		for _, m := range []struct {
			into    *tally
			workers int
			do      func(from, until int) error
		}{
			{&looked, 1, c.lookUp(plain)}, {&decided, 1, c.decide}, {&lookedAll, cores, c.lookUp(plain)}, {&decidedAll, cores, c.decide},
		} {
			if err := batches(ctx, m.workers, turn, len(c.visits), m.do, m.into); err != nil {
				return nil, err
			}
		}
	}
	one := figure{What: "decisions, one goroutine", Value: decided.rate(), Unit: "/s"}.over(looked.rate())
	all := figure{What: "decisions, all cores, per core", Value: decidedAll.rate() / float64(cores), Unit: "/s"}.over(lookedAll.rate() / float64(cores))
	allocs, err := c.allocations()
	if err != nil {
		return nil, err
	}
	return []figure{
		one.want(one.Value >= 1e6, "≥ 1,000,000/s").
			noted("%s ns each; the map %s ns; per second of processor time %s against %s", number(1e9/one.Value), number(1e9/one.Floor),
				number(decided.ratePerProcessor()), number(looked.ratePerProcessor())),
		all.want(all.Value >= 1e6, "≥ 1,000,000/s per core").
			noted("%d goroutines, %s/s together; per second of processor time %s against %s", cores, number(decidedAll.rate()),
				number(decidedAll.ratePerProcessor()), number(lookedAll.ratePerProcessor())),
		figure{What: "allocations per decision", Value: allocs}.want(allocs == 0, "0"),
	}, nil
}

// batches does batches of work with a number of workers for a while.
func batches(ctx context.Context, workers int, d time.Duration, size int, do func(from, until int) error, into *tally) error {
	const batch = 2000
	group, ctx := errgroup.WithContext(ctx)
	var done atomic.Int64
	begun, busy := time.Now(), processorTime()
	for worker := range workers {
		group.Go(func() error {
			for from := worker * 7919 % size; time.Since(begun) < d && ctx.Err() == nil; from = (from + batch) % size {
				until := min(from+batch, size)
				if err := do(from, until); err != nil {
					return err
				}
				done.Add(int64(until - from))
			}
			return ctx.Err()
		})
	}
	err := group.Wait()
	into.add(int(done.Load()), time.Since(begun))
	into.busy += processorTime() - busy
	return err
}

// newRequest is a read in the country; only the visit is missing.
func newRequest() access.Request { return indextest.New().Request }

func (c *country) decide(from, until int) error {
	req := newRequest()
	for i := from; i < until; i++ {
		c.visits[i].fill(&req)
		if d := c.Decide(&req, now); !d.Allowed {
			return errors.New("refused: " + d.Reason.Code())
		}
	}
	return nil
}

func (c *country) lookUp(plain map[plainKey]int64) func(from, until int) error {
	return func(from, until int) error {
		for i := from; i < until; i++ {
			v := &c.visits[i]
			if _, ok := plain[plainKey{v.registry, v.unit, v.client}]; !ok {
				return errors.New("not in the map")
			}
		}
		return nil
	}
}

// allocations is how often one decision allocates.
func (c *country) allocations() (float64, error) {
	const n = 10_000
	req := newRequest()
	var before, after runtime.MemStats
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.ReadMemStats(&before)
	for i := range n {
		c.visits[i].fill(&req)
		if d := c.Decide(&req, now); !d.Allowed {
			return 0, errors.New("refused: " + d.Reason.Code())
		}
	}
	runtime.ReadMemStats(&after)
	// The runtime's own few allocations in the meantime are not the decision's.
	return float64((after.Mallocs - before.Mallocs) / n), nil
}
