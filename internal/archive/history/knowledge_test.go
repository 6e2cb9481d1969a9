// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

var document = uuid.UUID{7}

// told makes the states of one object from when each was recorded and what end it said; -1 for none.
func told(pairs ...[2]int) (states []store.RelationshipState) {
	for i, p := range pairs {
		states = append(states, store.RelationshipState{
			ObjectUID: "o", Ordinal: i + 1, Revision: uint64(i + 1), Start: tick(0), End: endTick(p[1]), Accepted: true, DocumentID: document,
			Recorded: tick(p[0]),
		})
	}
	return states
}

func endTick(n int) time.Time {
	if n < 0 {
		return time.Time{}
	}
	return tick(n)
}

func word(version, stored, end, annulled int) store.RelationshipWord {
	return store.RelationshipWord{DocumentID: document, Version: version, Stored: tick(stored), End: endTick(end), Annulled: endTick(annulled)}
}

// TestWhoseWordAnEndIs: what a document says counts from when it was stored until the object has said it.
func TestWhoseWordAnEndIs(t *testing.T) {
	open, other := told([2]int{1, -1}), word(2, 10, 5, -1)
	other.DocumentID = uuid.UUID{8}
	for name, c := range map[string]struct {
		states  []store.RelationshipState
		words   []store.RelationshipWord
		knownAt int
		end     int
		ground  Ground
		version int
	}{
		"open":                                   {open, nil, 20, -1, GroundOpen, 0},
		"by the document":                        {open, []store.RelationshipWord{word(1, 1, -1, -1), word(2, 10, 5, -1)}, 10, 5, GroundDocument, 2},
		"before that was stored":                 {open, []store.RelationshipWord{word(1, 1, -1, -1), word(2, 10, 5, -1)}, 9, -1, GroundOpen, 0},
		"by another document":                    {open, []store.RelationshipWord{other}, 20, -1, GroundOpen, 0},
		"open again":                             {open, []store.RelationshipWord{word(2, 10, 5, -1), word(3, 12, -1, -1)}, 12, -1, GroundOpen, 0},
		"the object has come to say it":          {told([2]int{1, -1}, [2]int{11, 5}), []store.RelationshipWord{word(2, 10, 5, -1)}, 11, 5, GroundRelationship, 0},
		"and was moved later after that":         {told([2]int{1, -1}, [2]int{11, 5}, [2]int{13, 30}), []store.RelationshipWord{word(2, 10, 5, -1)}, 13, 30, GroundRelationship, 0},
		"the object said so before":              {told([2]int{1, 4}, [2]int{13, 30}), []store.RelationshipWord{word(2, 10, 5, -1)}, 13, 30, GroundRelationship, 0},
		"but no longer when it was stored":       {told([2]int{1, 4}, [2]int{9, -1}), []store.RelationshipWord{word(2, 10, 5, -1)}, 13, 5, GroundDocument, 2},
		"the object says a later one":            {told([2]int{1, -1}, [2]int{11, 30}), []store.RelationshipWord{word(2, 10, 5, -1)}, 13, 5, GroundDocument, 2},
		"the object says an earlier one":         {told([2]int{1, 3}), []store.RelationshipWord{word(2, 10, 5, -1)}, 13, 3, GroundRelationship, 0},
		"annulled":                               {open, []store.RelationshipWord{word(1, 1, -1, 10)}, 10, 10, GroundDocument, 1},
		"before it was annulled":                 {open, []store.RelationshipWord{word(1, 1, -1, 10)}, 9, -1, GroundOpen, 0},
		"with a later end, before the annulment": {open, []store.RelationshipWord{word(1, 1, 40, 10)}, 9, 40, GroundDocument, 1},
		"annulled after its end":                 {open, []store.RelationshipWord{word(1, 1, 5, 10)}, 20, 5, GroundDocument, 1},
	} {
		k, known := knownThen(c.states, c.words, tick(c.knownAt))
		if !known || !k.EndsAt.Equal(endTick(c.end)) || k.Ground != c.ground || k.Version != c.version {
			t.Errorf("%s: %v %q %d, want %v %q %d", name, k.EndsAt, k.Ground, k.Version, endTick(c.end), c.ground, c.version)
		}
	}
}

// TestAGapIsWhatWasBelievedIn: from the end to the moment it was recorded, as far as the relationship was believed to hold.
func TestAGapIsWhatWasBelievedIn(t *testing.T) {
	second := tick(5).Add(400 * time.Millisecond)
	precise := word(2, 10, 5, -1)
	precise.End = second
	deleted := told([2]int{1, -1}, [2]int{10, -1})
	deleted[1].Deleted = true
	for name, c := range map[string]struct {
		states []store.RelationshipState
		words  []store.RelationshipWord
		want   [][3]time.Time // recorded, from, until
	}{
		"an end in time":                {told([2]int{1, -1}, [2]int{10, 12}), nil, nil},
		"a backdated one":               {told([2]int{1, -1}, [2]int{10, 5}), nil, [][3]time.Time{{tick(10), tick(5), tick(10)}}},
		"before the start":              {told([2]int{1, -1}, [2]int{10, -1}), []store.RelationshipWord{{DocumentID: document, Version: 1, Stored: tick(10), End: tick(-9)}}, [][3]time.Time{{tick(10), tick(0), tick(10)}}},
		"of what had ended":             {told([2]int{1, 8}, [2]int{10, 5}), nil, [][3]time.Time{{tick(10), tick(5), tick(8)}}},
		"put off":                       {told([2]int{1, 5}, [2]int{10, 8}), nil, nil},
		"twice":                         {told([2]int{1, -1}, [2]int{10, 5}, [2]int{11, 3}), nil, [][3]time.Time{{tick(10), tick(5), tick(10)}, {tick(11), tick(3), tick(5)}}},
		"a deletion":                    {deleted, nil, nil},
		"first known as ended":          {told([2]int{10, 5}), nil, nil},
		"by the document":               {told([2]int{1, -1}, [2]int{11, 5}), []store.RelationshipWord{word(2, 10, 5, -1)}, [][3]time.Time{{tick(10), tick(5), tick(10)}}},
		"by the document, in fractions": {told([2]int{1, -1}, [2]int{11, 5}), []store.RelationshipWord{precise}, [][3]time.Time{{tick(10), second, tick(10)}}},
	} {
		var got [][3]time.Time
		for _, e := range BackdatedEnds(History{States: c.states, Words: c.words}) {
			got = append(got, [3]time.Time{e.RecordedAt, e.From, e.Until})
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
