// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/enforcement"
)

// archiveItself stands for the archive among the registries that set a bound.
const archiveItself = types.UID("archive")

// producerBounds knows the longest age of the view at which this replica answers producers. The controllers must
// know it: a replica that is cut off does not hear that a bound has been shortened, and holds to the one it knows.
//
// A longer bound is noted before it is taken into use, a shorter one after.
type producerBounds struct {
	longer func() // called when the longest has grown

	mutex  sync.Mutex
	known  map[types.UID]time.Duration
	listed map[types.UID]time.Duration // since a list began; nil otherwise
	whole  bool                        // every registry has been listed once
}

func newProducerBounds(longer func()) *producerBounds {
	return &producerBounds{longer: longer, known: map[types.UID]time.Duration{}}
}

// longest is the longest bound that is in use, or will be at once.
func (b *producerBounds) longest() time.Duration {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.longestLocked()
}

func (b *producerBounds) longestLocked() time.Duration {
	if !b.whole {
		return enforcement.LongestBound
	}
	return slices.Max(append(slices.Collect(maps.Values(b.known)), access.DefaultProducerBound))
}

// set sets a bound around its being taken into use.
func (b *producerBounds) set(of types.UID, bound time.Duration, use func()) {
	b.put(of, max(bound, b.of(of)))
	use()
	b.put(of, bound)
}

func (b *producerBounds) ofArchive(bound time.Duration, use func()) { b.set(archiveItself, bound, use) }

func (b *producerBounds) of(of types.UID) time.Duration {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.known[of]
}

func (b *producerBounds) put(of types.UID, bound time.Duration) {
	b.mutex.Lock()
	before := b.longestLocked()
	b.known[of] = bound
	if b.listed != nil {
		b.listed[of] = bound
	}
	grown := b.longestLocked() > before
	b.mutex.Unlock()
	if grown {
		b.longer()
	}
}

func (b *producerBounds) beginList() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.listed = map[types.UID]time.Duration{}
}

// endList forgets the registries that were not listed.
func (b *producerBounds) endList() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.listed[archiveItself] = b.known[archiveItself]
	b.known, b.listed, b.whole = b.listed, nil, true
}

func (b *producerBounds) forget(of types.UID) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(b.known, of)
	delete(b.listed, of)
}

// registrySink also notes the bounds of the archive's registries. Those of another archive are not answered from here.
type registrySink struct {
	sink
	archive string
	bounds  *producerBounds
}

func (s *registrySink) beginList(revision uint64) error {
	s.bounds.beginList()
	return s.sink.beginList(revision)
}

func (s *registrySink) endList(revision uint64) {
	s.sink.endList(revision)
	s.bounds.endList()
}

func (s *registrySink) upsert(object client.Object, revision uint64) {
	var bound time.Duration
	spec := object.(*v1alpha1.Registry).Spec
	if staleness := spec.Policies.Staleness; staleness != nil && string(spec.ArchiveName) == s.archive {
		bound = seconds(staleness.ProducersSeconds)
	}
	s.bounds.set(object.GetUID(), bound, func() { s.sink.upsert(object, revision) })
}

func (s *registrySink) remove(object client.Object, revision uint64) {
	s.sink.remove(object, revision)
	s.bounds.forget(object.GetUID())
}
