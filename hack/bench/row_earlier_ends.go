// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// earlierEndsRow is whether an end costs more when there have been many before it.
type earlierEndsRow struct{}

func (earlierEndsRow) name() string { return "earlier-ends" }
func (earlierEndsRow) measures() string {
	return "the cost of one end after many others: in the archive's memory after 100,000, through the cluster after 5,000"
}

func (earlierEndsRow) floor() string {
	return "the same end with no earlier ones, among as many relationships"
}
func (earlierEndsRow) goal() string {
	return "flat: at most 1.1 × (medians; the machine's noise is in it)"
}

func (earlierEndsRow) run(ctx context.Context, b *bench) ([]figure, error) {
	memory, err := endsInMemory(ctx, b)
	if err != nil {
		return nil, err
	}
	cluster, err := endsInCluster(ctx, b)
	return append(memory, cluster...), err
}

// endsInMemory measures taking an end in and denying after it, in three indexes that differ in the past only.
func endsInMemory(ctx context.Context, b *bench) ([]figure, error) {
	earlier, rounds := b.size(100_000, 10_000), b.size(10, 3)
	const perRound = 1000
	live := perRound * rounds
	b.progress("three indexes: nothing ended, %d ended, %d deleted", earlier, earlier)
	var countries [3]*country
	for i := range countries {
		// All three hold as many relationships now, in the same places of memory.
		c, err := newCountry(live + earlier)
		if err != nil {
			return nil, err
		}
		c.shuffle()
		countries[i] = c
	}
	for i := range earlier {
		if err := countries[1].relate(&countries[1].visits[live+i], now); err != nil {
			return nil, err
		}
		gone := countries[2].visits[live+i]
		countries[2].forget(&gone)
		gone.number += live + earlier // another one of the same client
		if err := countries[2].relate(&gone, time.Time{}); err != nil {
			return nil, err
		}
	}
	runtime.GC()
	var took [3]samples
	for round := range rounds {
		for i := range countries { // in turns
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			c := countries[(i+round)%3]
			if err := c.endSome(round*perRound, (round+1)*perRound, &took[(i+round)%3]); err != nil {
				return nil, err
			}
		}
	}
	var out []figure
	for i, what := range []string{"", "ended", "deleted"} {
		if i == 0 {
			continue
		}
		f := figure{What: "an end taken in and denied, 100,000 others " + what + " before, p50", Value: took[i].at(.5) * 1e6, Unit: "ns"}.over(took[0].at(.5) * 1e6)
		out = append(out, f.want(f.Ratio <= 1.1, "≤ 1.1").noted("%d ends each; p99 %s ns against %s ns; quartiles %s–%s ns against %s–%s ns", took[i].count(),
			number(took[i].at(.99)*1e6), number(took[0].at(.99)*1e6), number(took[i].at(.25)*1e6), number(took[i].at(.75)*1e6),
			number(took[0].at(.25)*1e6), number(took[0].at(.75)*1e6)))
	}
	return out, nil
}

// endSome ends relationships one by one and measures each until it is denied.
func (c *country) endSome(from, until int, took *samples) error {
	req := newRequest()
	for i := from; i < until; i++ {
		v := &c.visits[i]
		v.fill(&req)
		if !c.Decide(&req, now).Allowed {
			return errors.New("was denied before its end")
		}
		begun := time.Now()
		err := c.relate(v, now)
		denied := !c.Decide(&req, now).Allowed
		took.add(time.Since(begun))
		if err != nil {
			return err
		}
		if !denied {
			return errors.New("was allowed after its end")
		}
	}
	return nil
}

// endsInCluster measures ends through the API server, with the manager running, before and after many others.
func endsInCluster(ctx context.Context, b *bench) ([]figure, error) {
	c, err := b.newCluster(ctx, loadedUnits)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	if _, err := c.grantAll(ctx); err != nil {
		return nil, err
	}
	earlier, measured := b.size(5000, 300), b.size(300, 40)
	all := c.relationships(earlier + 2*measured + 20)
	b.progress("loading %d relationships", len(all))
	if err := c.accepted(ctx, all); err != nil {
		return nil, err
	}
	if _, err := c.manager.ask("quiet", ""); err != nil {
		return nil, err
	}
	e, err := c.newEnder(ctx)
	if err != nil {
		return nil, err
	}
	defer e.stop()
	if _, err := e.endAll(ctx, all[:20], endsPerSecond); err != nil { // warm
		return nil, err
	}
	b.progress("%d ends with none before", measured)
	first, firstWrites, err := e.endCounted(ctx, all[20:20+measured])
	if err != nil {
		return nil, err
	}
	b.progress("%d ends", earlier)
	_, err = each(ctx, writers, earlier, func(ctx context.Context, i int) error {
		_, err := c.endNow(ctx, all[20+2*measured+i], lags{})
		return err
	})
	if err != nil {
		return nil, err
	}
	b.progress("%d ends with %d before", measured, earlier)
	second, secondWrites, err := e.endCounted(ctx, all[20+measured:20+2*measured])
	if err != nil {
		return nil, err
	}
	p50 := figure{What: "end sent to denial in the cluster, 5,000 earlier ends, p50", Value: second.whole.at(.5), Unit: "ms"}.over(first.whole.at(.5))
	p99 := figure{What: "end sent to denial in the cluster, 5,000 earlier ends, p99", Value: second.whole.at(.99), Unit: "ms"}.over(first.whole.at(.99))
	writes := figure{What: "API writes of the manager per end, 5,000 earlier ends", Value: float64(sum(secondWrites)) / float64(measured)}.
		over(float64(sum(firstWrites)) / float64(measured))
	return []figure{
		p50.want(p50.Ratio <= 1.1, "≤ 1.1").noted("%d ends each; quartiles %s–%s ms against %s–%s ms; of it the patch alone p50 %s ms against %s ms", measured,
			number(second.whole.at(.25)), number(second.whole.at(.75)), number(first.whole.at(.25)), number(first.whole.at(.75)),
			number(second.patch.at(.5)), number(first.patch.at(.5))),
		p99.noted("of %d ends the p99 is the third longest: noisy", measured),
		writes.want(writes.Ratio <= 1.1, "≤ 1.1").noted("%s", perEach(secondWrites, measured)),
	}, nil
}

// endCounted ends relationships when the manager is quiet and counts what it writes until it is quiet again.
func (e *ender) endCounted(ctx context.Context, all []*v1alpha1.ServiceRelationship) (lags, map[string]int, error) {
	for _, op := range []string{"quiet", "reset"} {
		if _, err := e.manager.ask(op, ""); err != nil {
			return lags{}, nil, err
		}
	}
	out, err := e.endAll(ctx, all, endsPerSecond)
	if err != nil {
		return lags{}, nil, err
	}
	if _, err := e.manager.ask("quiet", ""); err != nil {
		return lags{}, nil, err
	}
	a, err := e.manager.ask("writes", "")
	return out, a.Counts, err
}
