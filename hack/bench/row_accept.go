// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// acceptRow is how fast relationships are accepted.
type acceptRow struct{}

func (acceptRow) name() string { return "accept" }
func (acceptRow) measures() string {
	return "relationships created until all are Granted, their grants being ready already"
}

func (acceptRow) floor() string {
	return "a bare client that does the same creates and status patches, same bodies, 32 workers, no manager running"
}
func (acceptRow) goal() string { return "at least 0.9 of the floor" }

const (
	statusPatch = "patch servicerelationships/status"
	acceptUnits = 10
)

func (acceptRow) run(ctx context.Context, b *bench) ([]figure, error) {
	c, err := b.newCluster(ctx, acceptUnits)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	first, err := c.grantAll(ctx)
	if err != nil {
		return nil, err
	}
	model := &v1alpha1.ServiceRelationship{}
	if err := c.Get(ctx, client.ObjectKeyFromObject(first[0]), model); err != nil {
		return nil, err
	}
	n := b.size(3000, 300)
	var bare, product tally
	counts := map[string]int{}
	for turn := range 5 { // bare, product, bare, product, bare
		if turn%2 == 0 {
			c.stopManager()
			took, err := c.acceptBarely(ctx, n, model.Status)
			if err != nil {
				return nil, err
			}
			bare.add(n, took)
			b.progress("bare: %d in %s", n, took.Round(time.Millisecond))
		} else {
			took, err := c.acceptByManager(ctx, n, counts)
			if err != nil {
				return nil, err
			}
			product.add(n, took)
			b.progress("with the manager: %d in %s", n, took.Round(time.Millisecond))
		}
		if err := c.clear(ctx, &v1alpha1.ServiceRelationship{}); err != nil {
			return nil, err
		}
	}
	f := figure{What: "relationships accepted", Value: product.rate(), Unit: "/s"}.over(bare.rate())
	f = f.want(f.Ratio >= 0.9, "≥ 0.9")
	per := float64(sum(counts)) / float64(product.n)
	return []figure{
		f.noted("the manager's writes for each: %s", perEach(counts, product.n)),
		figure{What: "API writes of the manager per relationship", Value: per}.noted("the create itself is the caller's"),
	}, nil
}

// acceptBarely creates relationships and patches their status, as a client without a manager.
func (c *cluster) acceptBarely(ctx context.Context, n int, status v1alpha1.ServiceRelationshipStatus) (time.Duration, error) {
	all := c.relationships(n)
	return each(ctx, writers, n, func(ctx context.Context, i int) error {
		o := all[i]
		if err := c.Create(ctx, o); err != nil {
			return err
		}
		before := o.DeepCopy()
		status.DeepCopyInto(&o.Status)
		return c.Status().Patch(ctx, o, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}

// acceptByManager creates relationships and waits until the manager has granted all. Its writes are added to the counts.
func (c *cluster) acceptByManager(ctx context.Context, n int, counts map[string]int) (time.Duration, error) {
	if c.manager == nil {
		if err := c.startManager(ctx); err != nil {
			return 0, err
		}
	}
	all := c.relationships(n)
	names := map[string]bool{}
	for _, o := range all {
		names[o.Name] = true
	}
	if _, err := c.manager.ask("reset", ""); err != nil {
		return 0, err
	}
	end, err := c.bench.profile(c.manager, "accept-manager")
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if _, err := each(ctx, writers, n, func(ctx context.Context, i int) error { return c.Create(ctx, all[i]) }); err != nil {
		return 0, err
	}
	if err := c.written(ctx, statusPatch, n); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	end()
	// Where a relationship took two writes, all were not yet granted.
	err = until(ctx, "all to be granted", 50*time.Millisecond, func() (bool, error) {
		granted, err := c.withAccess(ctx, names, v1alpha1.AccessGranted)
		if granted < n && err == nil {
			took = time.Since(begun)
		}
		return granted == n, err
	})
	if err != nil {
		return 0, err
	}
	if _, err := c.manager.ask("quiet", ""); err != nil {
		return 0, err
	}
	a, err := c.manager.ask("writes", "")
	for kind, count := range a.Counts {
		counts[kind] += count
	}
	c.stopManager()
	return took, err
}

// clear deletes what was made for a measurement.
func (c *cluster) clear(ctx context.Context, o client.Object) error {
	return c.DeleteAllOf(ctx, o, client.InNamespace(c.Organizer), client.MatchingLabels{"bench": "yes"})
}

// noFinalizers takes an object's finalizers away.
var noFinalizers = client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
