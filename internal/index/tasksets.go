// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// taskSets numbers the sets of service tasks: very many relationships share very few.
type taskSets struct {
	numbers map[access.TaskBits]uint32
	sets    []access.TaskBits
}

func newTaskSets() taskSets { return taskSets{numbers: map[access.TaskBits]uint32{}} }

// number numbers a set.
func (t *taskSets) number(set access.TaskBits) uint32 {
	if number, ok := t.numbers[set]; ok {
		return number
	}
	number := uint32(len(t.sets))
	t.sets = append(t.sets, set)
	t.numbers[set] = number
	return number
}

// at returns the set with a number.
func (t *taskSets) at(number uint32) access.TaskBits { return t.sets[number] }
