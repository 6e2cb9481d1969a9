// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/valtuus/valtuus/internal/await"
)

// patience is how long the benchmark waits for anything.
const patience = 3 * time.Minute

// until looks again and again until something is so.
func until(ctx context.Context, what string, every time.Duration, done func() (bool, error)) error {
	return await.Until(ctx, what, patience, every, done)
}
