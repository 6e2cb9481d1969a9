// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"math/bits"
	"sync/atomic"
)

// MaxTasks is how many distinct service task codes one registry can use.
// Finland has seven service tasks; the room is for finer national classifications.
const MaxTasks = 256

// ErrTooManyTasks says that a registry uses more than MaxTasks distinct service task codes.
var ErrTooManyTasks = errors.New("more than 256 distinct service task codes in one registry")

// TaskTable gives each service task code of one registry a number. It only grows.
// Any number of readers may use it beside one writer.
type TaskTable struct {
	state atomic.Pointer[taskCodes]
}

// taskCodes is one immutable state of a TaskTable.
type taskCodes struct {
	codes   []string
	numbers map[string]uint8
}

// Number returns the number of a code, if the table has it.
func (t *TaskTable) Number(code string) (uint8, bool) {
	if t == nil {
		return 0, false
	}
	s := t.state.Load()
	if s == nil {
		return 0, false
	}
	n, ok := s.numbers[code]
	return n, ok
}

// Set returns the set of the codes and gives numbers to new ones. Only the one writer may call it.
// On ErrTooManyTasks the table is unchanged.
func (t *TaskTable) Set(codes []string) (TaskSet, error) {
	set := TaskSet{table: t}
	var fresh []string
	for _, code := range codes {
		if n, ok := t.Number(code); ok {
			set.add(n)
		} else {
			fresh = append(fresh, code)
		}
	}
	if len(fresh) == 0 {
		return set, nil
	}
	next := &taskCodes{numbers: map[string]uint8{}}
	if old := t.state.Load(); old != nil {
		next.codes = append(next.codes, old.codes...)
		for code, n := range old.numbers {
			next.numbers[code] = n
		}
	}
	for _, code := range fresh {
		n, ok := next.numbers[code]
		if !ok {
			if len(next.codes) == MaxTasks {
				return TaskSet{}, ErrTooManyTasks
			}
			n = uint8(len(next.codes))
			next.codes = append(next.codes, code)
			next.numbers[code] = n
		}
		set.add(n)
	}
	t.state.Store(next)
	return set, nil
}

// TaskSet is a set of service tasks of one registry. The zero value is the empty set.
type TaskSet struct {
	all   bool
	bits  [MaxTasks / 64]uint64
	table *TaskTable
}

// AllTasks is the set of every service task: the organizer's.
func AllTasks() TaskSet { return TaskSet{all: true} }

// TaskBits is the bare content of a TaskSet that is not AllTasks, comparable and without its table.
type TaskBits [MaxTasks / 64]uint64

// Bits returns the bare content of the set.
func (s TaskSet) Bits() TaskBits { return s.bits }

// All tells whether the set is of every service task, so that a search needs no filter on tasks.
func (s TaskSet) All() bool { return s.all }

// IsEmpty tells whether there is nothing in the set.
func (s TaskSet) IsEmpty() bool { return !s.all && s.bits == [MaxTasks / 64]uint64{} }

// Len is the number of tasks in the set; 0 for AllTasks.
func (s TaskSet) Len() int {
	n := 0
	for _, w := range s.bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// Contains tells whether the code is in the set.
func (s TaskSet) Contains(code string) bool { return s.has(code) }

// ContainsAny tells whether at least one of the codes is in the set.
func (s TaskSet) ContainsAny(codes []string) bool { return s.hasAny(codes) }

// Codes lists the set's service task codes, for a search filter. It is nil for AllTasks: ask All first.
func (s TaskSet) Codes() []string {
	if s.all || s.table == nil {
		return nil
	}
	state := s.table.state.Load()
	if state == nil {
		return nil
	}
	codes := make([]string, 0, s.Len())
	for n, code := range state.codes {
		if s.bits[n/64]&(1<<(n%64)) != 0 {
			codes = append(codes, code)
		}
	}
	return codes
}

// Union is what is in either set. Both must be of one registry.
func (s TaskSet) Union(other TaskSet) TaskSet {
	s.include(&other)
	return s
}

// Intersect is what is in both sets. Both must be of one registry.
func (s TaskSet) Intersect(other TaskSet) TaskSet {
	s.keep(&other)
	return s
}

// has is Contains without copying the set.
func (s *TaskSet) has(code string) bool {
	if s.all {
		return true
	}
	n, ok := s.table.Number(code)
	return ok && s.bits[n/64]&(1<<(n%64)) != 0
}

// hasAny is ContainsAny without copying the set.
func (s *TaskSet) hasAny(codes []string) bool {
	for _, code := range codes {
		if s.has(code) {
			return true
		}
	}
	return false
}

// include adds what is in the other set.
func (s *TaskSet) include(other *TaskSet) {
	if s.all || other.all {
		*s = AllTasks()
		return
	}
	for i := range s.bits {
		s.bits[i] |= other.bits[i]
	}
	if s.table == nil {
		s.table = other.table
	}
}

// keep removes what is not in the other set.
func (s *TaskSet) keep(other *TaskSet) {
	if other.all {
		return
	}
	if s.all {
		*s = *other
		return
	}
	for i := range s.bits {
		s.bits[i] &= other.bits[i]
	}
}

func (s *TaskSet) add(n uint8) { s.bits[n/64] |= 1 << (n % 64) }
