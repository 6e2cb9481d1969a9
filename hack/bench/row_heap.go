// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
)

// heapRow is how much memory relationships take.
type heapRow struct{}

func (heapRow) name() string { return "heap" }
func (heapRow) measures() string {
	return "heap per 1,000 relationships, after garbage collection, each in a process of its own"
}
func (heapRow) floor() string { return "" }
func (heapRow) goal() string {
	return "archive: 100,000 relationships in less than 64 MiB of heap in all"
}

const mebi = 1 << 20

func (heapRow) run(ctx context.Context, b *bench) ([]figure, error) {
	n := b.size(100_000, 10_000)
	b.progress("feeding %d relationships to an archive's view", n)
	c, err := b.spawn(ctx, "archive-heap", heapConfig{Relationships: n})
	if err != nil {
		return nil, err
	}
	defer c.stop()
	a, err := c.ask("heap", "")
	if err != nil {
		return nil, err
	}
	empty, full := c.first.Values["empty"], a.Values["heap"]
	l, err := b.load(ctx)
	if err != nil {
		return nil, err
	}
	archive := (full - empty) / float64(n)
	manager := (l.fullHeap - l.emptyHeap) / float64(len(l.all))
	total := figure{What: "archive, whole heap with 100,000 relationships", Value: full / mebi, Unit: "MiB"}
	return []figure{
		figure{What: "archive, heap per 1,000 relationships", Value: archive * 1000 / 1024, Unit: "KiB"}.
			noted("%s bytes each, grants and units included", number(archive)),
		total.want(total.Value < 64, "< 64 MiB").
			noted("%s MiB of it before the first relationship; the heap took at most %s MiB from the system while it filled", number(empty/mebi), number(a.Values["sys"]/mebi)),
		figure{What: "manager, heap per 1,000 relationships", Value: manager * 1000 / 1024, Unit: "KiB"}.
			noted("%s bytes each, of %d; whole heap %s MiB, empty %s MiB", number(manager), len(l.all), number(l.fullHeap/mebi), number(l.emptyHeap/mebi)),
	}, nil
}
