// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// maxGraves is how many removed UIDs are remembered per kind.
const maxGraves = 16384

// grave is what is remembered of a removed UID.
type grave struct {
	// revision is the last one that is known to be over.
	revision uint64
	// forever tells that the object was deleted: its UID never returns at any revision.
	forever bool
}

// graves remembers removed UIDs so that a late event cannot bring one back. When there are too many, the
// oldest are forgotten, and from then on an unknown UID must be newer than all that were forgotten.
type graves struct {
	byUID map[access.UID]grave
	order []access.UID
	next  int
	floor uint64
}

// bury remembers a removed UID.
func (g *graves) bury(uid access.UID, revision uint64, forever bool) {
	if old, ok := g.byUID[uid]; ok {
		g.byUID[uid] = grave{max(old.revision, revision), old.forever || forever}
		return
	}
	if g.byUID == nil {
		g.byUID = map[access.UID]grave{}
	}
	if len(g.order) < maxGraves {
		g.order = append(g.order, uid)
	} else {
		if oldest, ok := g.byUID[g.order[g.next]]; ok {
			g.floor = max(g.floor, oldest.revision)
			delete(g.byUID, g.order[g.next])
		}
		g.order[g.next] = uid
		g.next = (g.next + 1) % maxGraves
	}
	g.byUID[uid] = grave{revision, forever}
}

// bars tells whether an event of an unknown UID is to be ignored.
func (g *graves) bars(uid access.UID, revision uint64) bool {
	if grave, ok := g.byUID[uid]; ok {
		return grave.forever || revision <= grave.revision
	}
	return revision <= g.floor
}
