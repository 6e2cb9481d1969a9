// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"container/heap"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/valtuus/valtuus/internal/pki"
)

// ReplayGuard remembers which assertions have been used.
type ReplayGuard interface {
	// Claim takes a key (see [ReplayKey]) and reports whether it was free. It must answer false
	// wherever it cannot be sure, and remember the key until expires at least. It is called by
	// many requests at once.
	Claim(key string, expires, now time.Time) bool
}

// ReplayKey returns the key under which a token is remembered: a hash, so that its size does not
// depend on the caller, over the card and the jti, so that nobody can use up another's jti.
func ReplayKey(card pki.Fingerprint, tokenID string) string {
	h := sha256.New()
	h.Write(card[:])
	h.Write([]byte(tokenID))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

const (
	// replayGrace keeps a key past its expiry, because a request may reach Claim with a time that
	// it read before another request's pruning.
	replayGrace = 30 * time.Second
	// pruneStep bounds the work of one claim. It is above one, so pruning outruns claiming.
	pruneStep = 64
)

// ReplayCache is a [ReplayGuard] in memory, for one replica of the archive: another replica does
// not see its keys. It holds at most its limit of keys, about 200 bytes each, and refuses new
// ones when it is full of live ones, because forgetting one would open it to replay.
// A claim costs O(log n).
type ReplayCache struct {
	mu      sync.Mutex
	limit   int
	seen    map[string]struct{}
	expires expiryHeap
}

var _ ReplayGuard = (*ReplayCache)(nil)

// NewReplayCache returns an empty cache for at most limit keys. A key is kept for six minutes at
// most (lifetime, clock skew and grace): 360 times the highest rate of requests per second is a
// limit that never refuses.
func NewReplayCache(limit int) *ReplayCache {
	return &ReplayCache{limit: limit, seen: make(map[string]struct{})}
}

// Claim takes a key and reports whether it was free; false as well for a key that has expired
// and where the cache is full.
func (c *ReplayCache) Claim(key string, expires, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prune(now)
	if !now.Before(expires) {
		return false
	}
	if _, used := c.seen[key]; used || len(c.seen) >= c.limit {
		return false
	}
	c.seen[key] = struct{}{}
	heap.Push(&c.expires, expiry{at: expires.Add(replayGrace).UnixNano(), key: key})
	return true
}

// Preload marks a token as used that an earlier process accepted; read them from the access log
// before serving. It reports false where the cache is full: then serving would allow a replay.
func (c *ReplayCache) Preload(card pki.Fingerprint, tokenID string, expires, now time.Time) bool {
	if !now.Before(expires) {
		return true // Verify refuses it as expired
	}
	key := ReplayKey(card, tokenID)
	if c.Claim(key, expires, now) {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, held := c.seen[key]
	return held
}

// Len returns the number of keys held; those that have expired are counted until pruned.
func (c *ReplayCache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// Limit returns the greatest number of keys.
func (c *ReplayCache) Limit() int { return c.limit }

func (c *ReplayCache) prune(now time.Time) {
	at := now.UnixNano()
	for range pruneStep {
		if len(c.expires) == 0 || c.expires[0].at > at {
			return
		}
		gone := heap.Pop(&c.expires).(expiry)
		delete(c.seen, gone.key)
	}
}

type expiry struct {
	at  int64 // nanoseconds since 1970
	key string
}

// expiryHeap is a container/heap with the first to expire on top.
type expiryHeap []expiry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h expiryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are for container/heap.
func (h *expiryHeap) Push(x any) { *h = append(*h, x.(expiry)) }

// Pop removes the last element.
func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = expiry{} // lets the key's memory go
	*h = old[:len(old)-1]
	return last
}
