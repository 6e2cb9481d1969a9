// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// endLagRow is how soon the archive refuses after an end.
type endLagRow struct{}

func (endLagRow) name() string { return "end-lag" }
func (endLagRow) measures() string {
	return "from the acknowledged end of a relationship until the archive refuses; 10,000 relationships, 20 ends/s, manager running"
}

func (endLagRow) floor() string {
	return "a bare client-go watch in the same process: from the same acknowledged ends until it has the event"
}
func (endLagRow) goal() string { return "p99 at most 3 × the bare watch's, and at most 50 ms" }

const endsPerSecond = 20

func (endLagRow) run(ctx context.Context, b *bench) ([]figure, error) {
	l, err := b.load(ctx)
	if err != nil {
		return nil, err
	}
	e, err := l.newEnder(ctx)
	if err != nil {
		return nil, err
	}
	defer e.stop()
	n := b.size(500, 60)
	if _, err := e.endAll(ctx, l.take(20), endsPerSecond); err != nil { // warm
		return nil, err
	}
	b.progress("%d ends at %d/s", n, endsPerSecond)
	got, err := e.endAll(ctx, l.take(n), endsPerSecond)
	if err != nil {
		return nil, err
	}
	e.stop()
	p50 := figure{What: "end to denial, decision in memory, p50", Value: got.decision.at(.5), Unit: "ms"}.over(got.watch.at(.5))
	p99 := figure{What: "end to denial, decision in memory, p99", Value: got.decision.at(.99), Unit: "ms"}.over(got.watch.at(.99))
	most := figure{What: "end to denial, decision in memory, longest", Value: got.decision.longest(), Unit: "ms"}.over(got.watch.longest())
	http, err := l.endOverHTTP(ctx, b.size(100, 10))
	if err != nil {
		return nil, err
	}
	whole := figure{What: "end sent to denial, decision in memory, p99", Value: got.whole.at(.99), Unit: "ms"}.over(got.patch.at(.99))
	return []figure{
		p50.noted("%d ends; below zero where it was there before the acknowledgement", got.decision.count()),
		p99.want(p99.Value <= 50 && p99.Value <= 3*p99.Floor, "≤ 3 × and ≤ 50 ms"),
		most,
		whole.noted("the floor is the patch alone; p50 %s ms against %s ms", number(got.whole.at(.5)), number(got.patch.at(.5))),
		figure{What: "end to first refusal over HTTP, p99", Value: http.at(.99), Unit: "ms"}.want(http.at(.99) <= 50, "≤ 50 ms").
			noted("%d ends one after the other, asked for again and again over mTLS until refused: p50 %s ms, longest %s ms",
				http.count(), number(http.at(.5)), number(http.longest())),
	}, nil
}

// endOverHTTP ends relationships one after the other and searches at a whole archive until it refuses.
func (l *loaded) endOverHTTP(ctx context.Context, n int) (*samples, error) {
	at, err := (&sqliteEngine{l.bench, l.bench.dir}).storage(ctx)
	if err != nil {
		return nil, err
	}
	a, err := l.startArchive(ctx, at)
	if err != nil {
		return nil, err
	}
	defer a.stop()
	unit := l.units[0]
	caller, err := a.caller(ctx, l.UnitSecret(unit))
	if err != nil {
		return nil, err
	}
	defer caller.Close()
	all := l.relationships(n)
	for i, o := range all {
		if o.Spec.ClientID, err = a.organizer.RegisterClient(ctx, identitycode.Synthetic(i).Reveal()); err != nil {
			return nil, err
		}
		o.Spec.ProducerUnit = unit.Spec.OID
	}
	if err := l.accepted(ctx, all); err != nil {
		return nil, err
	}
	l.bench.progress("%d ends over HTTP", n)
	out := &samples{}
	for _, o := range all {
		err := until(ctx, "the archive to answer", 10*time.Millisecond, func() (bool, error) {
			_, err := caller.Search(ctx, archiveclient.Query{Client: o.Spec.ClientID})
			return err == nil, err
		})
		if err != nil {
			return nil, err
		}
		acknowledged, err := l.endNow(ctx, o, lags{})
		if err != nil {
			return nil, err
		}
		for err == nil {
			_, err = caller.Search(ctx, archiveclient.Query{Client: o.Spec.ClientID})
		}
		took := time.Since(acknowledged)
		var problem *archiveclient.Problem
		if !errors.As(err, &problem) || problem.Reason != "relationship-ended" {
			return nil, fmt.Errorf("after the end: %w", err)
		}
		out.add(took)
	}
	return out, nil
}
