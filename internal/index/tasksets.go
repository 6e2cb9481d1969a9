// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// taskSets numbers the sets of service tasks: very many relationships share very few. A set stays where it is.
type taskSets struct {
	numbers map[taskSetKey]uint32
	sets    []*access.TaskSet
}

// taskSetKey is what tells sets of different registries apart.
type taskSetKey struct {
	table *access.TaskTable
	all   bool
	bits  access.TaskBits
}

func newTaskSets() taskSets { return taskSets{numbers: map[taskSetKey]uint32{}} }

// number numbers a set of a table.
func (t *taskSets) number(table *access.TaskTable, set access.TaskSet) uint32 {
	key := taskSetKey{table, set.All(), set.Bits()}
	if number, ok := t.numbers[key]; ok {
		return number
	}
	number := uint32(len(t.sets))
	t.sets = append(t.sets, &set)
	t.numbers[key] = number
	return number
}

// at returns the set with a number.
func (t *taskSets) at(number uint32) *access.TaskSet { return t.sets[number] }
