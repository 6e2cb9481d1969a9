// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package await waits for what others bring about: the demo, the suites and the benchmarks watch from outside.
package await

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Until looks again and again until something is so. After the patience its error names what was waited for, with
// what was in the way last.
func Until(ctx context.Context, what string, patience, every time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waited %s in vain for %s", patience, what))
	defer cancel()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(every):
		}
	}
}
