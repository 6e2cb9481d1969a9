// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// BackdatedEnd is an end that came to be known after it had taken effect.
type BackdatedEnd struct {
	// Known is the relationship with the end as known from RecordedAt on.
	Known
	// RecordedAt is when the end came to be known.
	RecordedAt time.Time
	// From and Until bound the time in which the relationship was believed to hold, and did not: what the unit did in
	// it was allowed then, and is to be reviewed.
	From, Until time.Time
}

// BackdatedEnds gives the ends that came to be known after they had taken effect, in the order in which they did. An
// end that is moved back again is another one, with a time of its own. What was found to be deleted has no such time.
func BackdatedEnds(h History) (ends []BackdatedEnd) {
	for _, states := range h.objects() {
		for _, at := range moments(states, h.Words) {
			before, known := knownThen(states, h.Words, at.Add(-time.Microsecond))
			if !known {
				continue
			}
			after, _ := knownThen(states, h.Words, at)
			if end, backdated := backdated(&before, &after, at); backdated {
				ends = append(ends, end)
			}
		}
	}
	slices.SortStableFunc(ends, func(a, b BackdatedEnd) int {
		return cmp.Or(a.RecordedAt.Compare(b.RecordedAt), cmp.Compare(a.ObjectUID, b.ObjectUID))
	})
	return ends
}

// backdated compares what was known before and after a moment.
func backdated(before, after *Known, at time.Time) (BackdatedEnd, bool) {
	if after.EndsAt.IsZero() ||
		// The object's end is the document's in whole seconds.
		!before.EndsAt.IsZero() && after.EndsAt.Equal(before.EndsAt.Truncate(time.Second)) {
		return BackdatedEnd{}, false
	}
	end := BackdatedEnd{Known: *after, RecordedAt: at, From: after.EndsAt, Until: at}
	if end.From.Before(after.Start) {
		end.From = after.Start
	}
	if !before.EndsAt.IsZero() && before.EndsAt.Before(at) {
		end.Until = before.EndsAt
	}
	return end, end.From.Before(end.Until)
}

// moments are those at which something came to be known of an object, in order, each once.
func moments(states []store.RelationshipState, words []store.RelationshipWord) []time.Time {
	var all []time.Time
	for _, s := range states {
		all = append(all, s.Recorded)
	}
	documents := Documents(states)
	for _, w := range words {
		if !slices.Contains(documents, w.DocumentID) {
			continue
		}
		all = append(all, w.Stored)
		if !w.Annulled.IsZero() {
			all = append(all, w.Annulled)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}
