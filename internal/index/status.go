// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"strconv"
	"strings"
)

// Stats counts what the index holds.
type Stats struct {
	// Entries is the number of objects.
	Entries int
	// Tombstones is the number of removed UIDs that are remembered.
	Tombstones int
	// Revision is the highest revision that the view reaches.
	Revision uint64
	// Complete tells that the kind has been loaded once.
	Complete bool
}

func (t *table[T]) status() Stats {
	return Stats{
		Entries: t.byUID.count, Tombstones: len(t.graves.byUID),
		Revision: t.revision, Complete: t.complete,
	}
}

// Stats counts what the index holds of a kind, for metrics.
func (x *Index) Stats(kind Kind) Stats {
	defer x.reading()()
	return x.state.tables[kind].status()
}

// Revision is the highest revision of the kind that the view reaches: it contains all changes of the kind
// up to it. It stands still during a relist, because the objects of a list come in no order.
func (x *Index) Revision(kind Kind) uint64 { return x.Stats(kind).Revision }

// RevisionString is the revisions of all kinds, in the order of Kinds, with dots between: what a stored
// document keeps as its view_revision.
func (x *Index) RevisionString() string {
	defer x.reading()()
	parts := make([]string, 0, kindEnd)
	for _, t := range x.state.tables {
		parts = append(parts, strconv.FormatUint(t.status().Revision, 10))
	}
	return strings.Join(parts, ".")
}
