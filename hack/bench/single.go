// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

// oneUnit makes the cluster with one unit, whose grant is ready, or returns it. The rows that need no more share it.
func (b *bench) oneUnit(ctx context.Context) (*cluster, error) {
	if b.single != nil {
		return b.single, nil
	}
	c, err := b.newCluster(ctx, 1)
	if err != nil {
		return nil, err
	}
	b.single = c
	_, err = c.grantAll(ctx)
	return c, err
}
