// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"sync"
	"time"
)

// samples keeps every measured duration, so that percentiles are of all of them.
type samples struct {
	mutex sync.Mutex
	all   []time.Duration
}

func (s *samples) add(d time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.all = append(s.all, d)
}

func (s *samples) count() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.all)
}

// at returns the sample that the share of all samples does not exceed, in milliseconds.
func (s *samples) at(share float64) float64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.all) == 0 {
		return 0
	}
	slices.Sort(s.all)
	i := min(int(share*float64(len(s.all))), len(s.all)-1)
	return float64(s.all[i]) / float64(time.Millisecond)
}

func (s *samples) longest() float64 { return s.at(1) }
