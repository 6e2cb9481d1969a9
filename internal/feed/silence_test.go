// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/index"
)

// TestASilentReplicaGrowsStale: a replica that proves its view but cannot write its Lease is forgotten by the
// controllers after a while, so by then it must not serve.
func TestASilentReplicaGrowsStale(t *testing.T) {
	g := NewWithT(t)
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := clocktesting.NewFakeClock(start)
	f := &Feed{Index: index.New(), Clock: clock, proofs: map[string]time.Time{}, acks: &acknowledger{}}
	prove := func() time.Time {
		for _, kind := range index.Kinds() {
			f.proven(kind.String(), clock.Now())
		}
		f.proven(archives, clock.Now())
		return f.Index.Freshness().ProvenAt
	}
	g.Expect(prove()).To(BeTemporally("<", start.Add(-24*time.Hour)), "before the first sign of life nothing is fresh")

	f.acks.sign.Store(&start)
	clock.SetTime(start.Add(enforcement.SilenceLimit))
	g.Expect(prove()).To(Equal(clock.Now()))
	clock.SetTime(start.Add(enforcement.SilenceLimit + time.Hour))
	g.Expect(prove()).To(Equal(start.Add(enforcement.SilenceLimit)))

	again := clock.Now()
	f.acks.sign.Store(&again)
	g.Expect(prove()).To(Equal(again))
}
