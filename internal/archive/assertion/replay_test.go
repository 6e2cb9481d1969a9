// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/pki"
)

func TestReplayCache(t *testing.T) {
	c := assertion.NewReplayCache(2)
	soon := now.Add(time.Minute)
	if !c.Claim("a", soon, now) || c.Claim("a", soon, now) {
		t.Error("a is not claimed exactly once")
	}
	if c.Claim("x", now, now) || c.Claim("x", now.Add(-time.Second), now) {
		t.Error("an expired key is claimed")
	}
	if !c.Claim("b", soon, now) || c.Len() != 2 || c.Limit() != 2 {
		t.Error("b is not claimed")
	}
	if c.Claim("c", soon, now) {
		t.Error("claimed beyond the limit")
	}
	if c.Claim("a", soon.Add(time.Second), soon) {
		t.Error("a is forgotten at its expiry, before slower requests are through")
	}
	later := soon.Add(time.Minute)
	if !c.Claim("c", later.Add(time.Minute), later) || c.Len() != 1 {
		t.Errorf("expired keys stay: %d", c.Len())
	}
}

func TestReplayCachePreload(t *testing.T) {
	card, other := pki.Fingerprint{1}, pki.Fingerprint{2}
	c := assertion.NewReplayCache(1)
	soon := now.Add(time.Minute)
	first, again := c.Preload(card, tokenID, soon, now), c.Preload(card, tokenID, soon, now)
	if !first || !again {
		t.Error("not preloaded")
	}
	if !c.Preload(other, tokenID, now, now) || c.Len() != 1 {
		t.Error("an expired token is held")
	}
	if c.Preload(other, tokenID, soon, now) {
		t.Error("a full cache claims to hold one more")
	}
	if c.Claim(assertion.ReplayKey(card, tokenID), soon, now) {
		t.Error("a preloaded token is free")
	}
}

func TestReplayAfterRestart(t *testing.T) {
	f := newFixture()
	token := raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key))
	used := expectAccepted(t, token, f.opts)
	restarted := assertion.NewReplayCache(10)
	restarted.Preload(used.CardThumbprint, used.TokenID, used.ExpiresAt, now)
	f.opts.Replay = restarted
	expectProblem(t, token, f.opts, assertion.Replayed)
}

func TestReplayCacheConcurrent(t *testing.T) {
	c := assertion.NewReplayCache(1000)
	var won atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for i := range 500 {
				if c.Claim(fmt.Sprint(i), now.Add(time.Minute), now) {
					won.Add(1)
				}
			}
		})
	}
	group.Wait()
	if won.Load() != 500 {
		t.Errorf("%d claims of 500 keys", won.Load())
	}
}

// Against a model that never forgets: no live key is given twice, whatever the clock does
// within the grace, and the limit holds.
func TestReplayCacheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 20).Draw(t, "limit")
		c := assertion.NewReplayCache(limit)
		claimed := map[string]time.Time{}
		clock := now
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			clock = clock.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "passed")) * time.Second)
			at := clock.Add(-time.Duration(rapid.IntRange(0, 29).Draw(t, "late")) * time.Second)
			key := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "key"))
			expires, again := claimed[key]
			if !again {
				expires = at.Add(time.Duration(rapid.IntRange(-5, 330).Draw(t, "life")) * time.Second)
			}
			ok := c.Claim(key, expires, at)
			if ok && again && at.Before(expires) {
				t.Fatalf("%s is given twice", key)
			}
			if ok && !at.Before(expires) {
				t.Fatalf("%s is given after its expiry", key)
			}
			if c.Len() > limit {
				t.Fatalf("%d keys, limit %d", c.Len(), limit)
			}
			if ok {
				claimed[key] = expires
			}
		}
	})
}

func BenchmarkReplayCache(b *testing.B) {
	c := assertion.NewReplayCache(1 << 20)
	keys := make([]string, 1<<20)
	for i := range keys {
		keys[i] = assertion.ReplayKey(pki.Fingerprint{}, fmt.Sprint(i))
	}
	clock, i := now, 0
	b.ReportAllocs()
	for b.Loop() {
		// 1,000 claims a second for tokens of five minutes: 330,000 live keys.
		clock = clock.Add(time.Millisecond)
		c.Claim(keys[i%len(keys)], clock.Add(5*time.Minute), clock)
		i++
	}
	b.ReportMetric(float64(c.Len()), "keys")
}
