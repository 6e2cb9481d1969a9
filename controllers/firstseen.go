// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// firstSeen remembers since when an ending waits to be enforced. It is a memory for measuring and for the
// staleness bound, not a record: after a restart the wait begins anew, which only ever delays the word "enforced".
//
// It is kept by name, because of a deleted object only the name is known.
type firstSeen struct {
	mutex     sync.Mutex
	sightings map[types.NamespacedName]sighting
}

type sighting struct {
	uid   types.UID
	since time.Time
}

func newFirstSeen() *firstSeen {
	return &firstSeen{sightings: map[types.NamespacedName]sighting{}}
}

// at returns the instant at which the object's ending was first seen, which is now if it is new.
func (f *firstSeen) at(o metav1.Object, now time.Time) time.Time {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	name := types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
	if s, ok := f.sightings[name]; ok && s.uid == o.GetUID() {
		return s.since
	}
	f.sightings[name] = sighting{uid: o.GetUID(), since: now}
	return now
}

// forget ends the wait: the ending is enforced or taken back, or its object is gone.
func (f *firstSeen) forget(name types.NamespacedName) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.sightings, name)
}

// oldest returns the earliest instant that something still waits from; zero when nothing waits.
func (f *firstSeen) oldest() time.Time {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var oldest time.Time
	for _, s := range f.sightings {
		if oldest.IsZero() || s.since.Before(oldest) {
			oldest = s.since
		}
	}
	return oldest
}
