// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"bytes"
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// cacheSize is how many unwrapped data keys are kept, about a kilobyte each.
const cacheSize = 10_000

// cache keeps the data keys that were used last. One is found only with the wrapped key it came from: a client whose
// wrapped key has been destroyed is not opened out of the cache.
type cache struct {
	size    int
	unwraps atomic.Uint64

	mu    sync.Mutex
	order *list.List // of cached, the one used last first
	byID  map[uuid.UUID]*list.Element
}

type cached struct {
	client  uuid.UUID
	wrapped Wrapped
	key     DataKey
}

func newCache(size int) cache {
	return cache{size: size, order: list.New(), byID: map[uuid.UUID]*list.Element{}}
}

func (c *cache) get(client uuid.UUID, wrapped Wrapped) (DataKey, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.byID[client]
	if element == nil {
		return DataKey{}, false
	}
	there, _ := element.Value.(*cached)
	if there.wrapped.KeyID != wrapped.KeyID || !bytes.Equal(there.wrapped.Bytes, wrapped.Bytes) {
		return DataKey{}, false
	}
	c.order.MoveToFront(element)
	return there.key, true
}

func (c *cache) put(client uuid.UUID, wrapped Wrapped, key DataKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := &cached{client, Wrapped{wrapped.KeyID, bytes.Clone(wrapped.Bytes)}, key}
	if element := c.byID[client]; element != nil {
		element.Value = one
		c.order.MoveToFront(element)
		return
	}
	c.byID[client] = c.order.PushFront(one)
	if c.order.Len() > c.size {
		oldest := c.order.Back()
		there, _ := c.order.Remove(oldest).(*cached)
		delete(c.byID, there.client)
	}
}
