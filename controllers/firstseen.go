// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// firstSeen remembers since when an ending waits to be enforced. It is a memory for measuring and for the
// staleness bound, not a record: after a restart the wait begins anew, which only ever delays the word "enforced".
type firstSeen struct {
	mutex sync.Mutex
	since map[types.UID]time.Time
}

func newFirstSeen() *firstSeen { return &firstSeen{since: map[types.UID]time.Time{}} }

// at returns the instant at which the ending was first seen, which is now if it is new.
func (f *firstSeen) at(uid types.UID, now time.Time) time.Time {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if since, ok := f.since[uid]; ok {
		return since
	}
	f.since[uid] = now
	return now
}

func (f *firstSeen) forget(uid types.UID) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.since, uid)
}

// oldest returns the earliest instant that something still waits from; zero when nothing waits.
func (f *firstSeen) oldest() time.Time {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var oldest time.Time
	for _, since := range f.since {
		if oldest.IsZero() || since.Before(oldest) {
			oldest = since
		}
	}
	return oldest
}
