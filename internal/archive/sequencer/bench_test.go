// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// BenchmarkDurableRecords logs rows from 32 callers at once, an operation each, while the log is made provable and
// while it is not. Besides the rate it tells how long a caller waits.
func BenchmarkDurableRecords(b *testing.B) {
	for name, sequenced := range map[string]bool{"alone": false, "made provable": true} {
		b.Run(name, func(b *testing.B) {
			s := open(b, b.TempDir())
			key := storetest.LogKey(b)
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan error, 1)
			if sequenced {
				one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock.RealClock{}, Log: logr.Discard()})
				go func() { done <- one.Run(ctx) }()
			}
			var (
				mu    sync.Mutex
				waits []time.Duration
			)
			b.SetParallelism(16) // of each of two processors
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var own []time.Duration
				for pb.Next() {
					began := time.Now()
					if err := s.AppendLog(b.Context(), storetest.Row("document.read", began)); err != nil {
						b.Error(err)
					}
					own = append(own, time.Since(began))
				}
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, own...)
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds()), "p99-µs")
			if waiting, _, err := s.LogBacklog(b.Context()); err == nil {
				b.ReportMetric(float64(waiting), "rows-behind")
			}
			stop()
			if sequenced {
				if err := <-done; err != nil {
					b.Error(err)
				}
			}
		})
	}
}
