// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"time"

	"k8s.io/utils/clock"
)

// every looks at something again and again until ctx ends.
func every(ctx context.Context, ticking clock.WithTicker, pause time.Duration, look func()) error {
	ticker := ticking.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
			look()
		}
	}
}
