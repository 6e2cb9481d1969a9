// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// loaded is a cluster with many granted relationships. The rows that need one share it.
type loaded struct {
	*cluster
	all []*v1alpha1.ServiceRelationship
	// used is how many of all have been ended.
	used int
	// emptyHeap and fullHeap are the manager's, before and after it was loaded.
	emptyHeap, fullHeap float64
}

const loadedUnits = 20

// load makes the loaded cluster, or returns it.
func (b *bench) load(ctx context.Context) (*loaded, error) {
	if b.loaded != nil {
		return b.loaded, nil
	}
	c, err := b.newCluster(ctx, loadedUnits)
	if err != nil {
		return nil, err
	}
	l := &loaded{cluster: c}
	b.loaded = l
	if _, err := c.grantAll(ctx); err != nil {
		return nil, err
	}
	a, err := c.manager.ask("heap", "")
	if err != nil {
		return nil, err
	}
	l.emptyHeap = a.Values["heap"]
	l.all = c.relationships(b.size(10_000, 1000))
	begun := time.Now()
	b.progress("loading %d relationships", len(l.all))
	if err := c.accepted(ctx, l.all); err != nil {
		return nil, err
	}
	if _, err := c.manager.ask("quiet", ""); err != nil {
		return nil, err
	}
	b.progress("loaded in %s", time.Since(begun).Round(time.Second))
	if a, err = c.manager.ask("heap", ""); err != nil {
		return nil, err
	}
	l.fullHeap = a.Values["heap"]
	return l, nil
}

func (l *loaded) stop() {
	if l != nil {
		l.cluster.stop()
	}
}

// take takes live relationships out, to be ended.
func (l *loaded) take(n int) []*v1alpha1.ServiceRelationship {
	out := l.all[l.used : l.used+n]
	l.used += n
	return out
}
