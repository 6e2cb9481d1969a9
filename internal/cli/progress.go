// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"time"

	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/store/transfer"
)

// progressEvery is how often a long copy tells where it is.
const progressEvery = 2 * time.Second

// progress gives what prints a line for each table begun, and one now and then within it.
func progress(out io.Writer, c clock.PassiveClock) func(transfer.Step) {
	var (
		told time.Time
		last transfer.Step
	)
	return func(s transfer.Step) {
		now := c.Now()
		if s.Doing == last.Doing && s.Table == last.Table && now.Sub(told) < progressEvery {
			return
		}
		told, last = now, s
		if s.Total == 0 {
			_, _ = fmt.Fprintf(out, "%s %s: %d rows\n", s.Doing, s.Table, s.Rows)
			return
		}
		_, _ = fmt.Fprintf(out, "%s %s: %d of %d rows\n", s.Doing, s.Table, s.Rows, s.Total)
	}
}
