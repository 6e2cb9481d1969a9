// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// Live lists the client's relationships in the registry that are live at the instant now, in the unit or, for "", in
// any, by their start. Whether the unit's grant opens anything is another question. It is empty where the view knows no
// accepted such registry.
func (x *Index) Live(registry, unit string, client access.ClientID, now time.Time) []access.Live {
	defer x.reading()()
	s := x.state
	slot := s.accepted(registry)
	if slot == 0 || client.IsZero() {
		return nil
	}
	key := s.registries.slots.at(slot).body.key
	var live []access.Live
	for number, pair := range s.pairs.keys {
		if number == 0 || pair.registry != key || unit != "" && pair.unit != s.unitOIDs.find(unit) {
			continue
		}
		r, ok := s.FirstRelationship(access.Handle(number), client)
		for ok {
			if r.IsLive(now) {
				live = append(live, access.Live{
					Ref: r.Ref, Unit: s.unitOIDs.name(pair.unit), Tasks: *r.Tasks, Start: r.Start, End: r.End,
				})
			}
			r, ok = s.Relationship(r.Next)
		}
	}
	slices.SortFunc(live, func(a, b access.Live) int {
		return cmp.Or(a.Start.Compare(b.Start), bytes.Compare(a.Ref.UID[:], b.Ref.UID[:]))
	})
	return live
}
