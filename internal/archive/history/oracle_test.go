// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

var epoch = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

// tick is the instant of a number of minutes after the epoch.
func tick(n int) time.Time { return epoch.Add(time.Duration(n) * time.Minute) }

// world is what happens, told forward: it knows at each moment what an archive would decide by, and remembers all of
// those moments. It knows nothing of states and versions.
type world struct {
	now      int
	revision uint64
	// objects are those of the API server by name; told what the archive has been told of, by UID.
	objects   map[string]*object
	told      map[string]object
	documents map[uuid.UUID]*said
	words     []store.RelationshipWord
	made      int
	// moments[i] is what was decided by at tick i.
	moments []map[string]believed

	recorded map[string][]store.RelationshipState
	news     []store.Sighting // what the feed has told, for repetition
}

type object struct {
	store.RelationshipState
	overlay time.Time // the end that the document says and the object does not say yet
}

// believed is a relationship as an archive believes in it.
type believed struct {
	start, end time.Time
	accepted   bool
}

func newWorld() *world {
	return &world{
		objects: map[string]*object{}, told: map[string]object{}, documents: map[uuid.UUID]*said{},
		recorded: map[string][]store.RelationshipState{}, revision: 1,
	}
}

// deliver tells the archive of the present state of an object, as an event or as found by comparing.
func (w *world) deliver(s store.RelationshipState, missed bool) {
	s.Recorded, s.Missed = tick(w.now), missed
	w.record(store.Sighting{RelationshipState: s})
	before := w.told[s.ObjectUID]
	if s.Deleted {
		if before.ObjectUID != "" && !before.Deleted {
			before.Deleted, before.Recorded = true, s.Recorded
			w.told[s.ObjectUID] = before
		}
		return
	}
	o := object{RelationshipState: s, overlay: before.overlay}
	if before.ObjectUID == "" {
		if d := w.documents[s.DocumentID]; d != nil {
			o.overlay = d.end
		}
	}
	w.told[s.ObjectUID] = o.settle()
}

// settle lets go of what the document says once the object says it.
func (o object) settle() object {
	if !o.overlay.IsZero() && !o.End.IsZero() && !o.End.After(o.overlay) {
		o.overlay = time.Time{}
	}
	return o
}

func (w *world) record(s store.Sighting) {
	states := w.recorded[s.ObjectUID]
	var last *store.RelationshipState
	if len(states) > 0 {
		last = &states[len(states)-1]
	}
	if state, ok := s.After(last); ok {
		w.recorded[s.ObjectUID] = append(states, state)
	}
	w.news = append(w.news, s)
}

// say stores a version of a document, or annuls it.
func (w *world) say(document uuid.UUID, end time.Time, annul bool) {
	d := w.documents[document]
	if d == nil {
		d = &said{}
		w.documents[document] = d
	}
	if annul {
		if d.version == 0 || !w.words[w.lastWord(document)].Annulled.IsZero() {
			return
		}
		w.words[w.lastWord(document)].Annulled = tick(w.now)
		if !sooner(tick(w.now), d.end) {
			return // it has ended before
		}
		d.end = tick(w.now)
	} else {
		if d.version > 0 && !w.words[w.lastWord(document)].Annulled.IsZero() {
			return
		}
		d.version++
		d.end = end
		w.words = append(w.words, store.RelationshipWord{DocumentID: document, Version: d.version, Stored: tick(w.now), End: end})
	}
	for uid, o := range w.told {
		if o.DocumentID == document {
			o.overlay = d.end
			w.told[uid] = o.settle()
		}
	}
}

func (w *world) lastWord(document uuid.UUID) (last int) {
	for i := range w.words {
		if w.words[i].DocumentID == document {
			last = i
		}
	}
	return last
}

// pass ends the tick.
func (w *world) pass() {
	moment := map[string]believed{}
	for uid, o := range w.told {
		b := believed{o.Start, o.End, o.Accepted}
		if !o.overlay.IsZero() && sooner(o.overlay, b.end) {
			b.end = o.overlay
		}
		if o.Deleted && sooner(o.Recorded, b.end) {
			b.end = o.Recorded
		}
		moment[uid] = b
	}
	w.moments = append(w.moments, moment)
	w.now++
}

// live is the naive answer.
func (w *world) live(at, knownAt int) (uids []string) {
	for uid, b := range w.moments[knownAt] {
		if b.accepted && !tick(at).Before(b.start) && (b.end.IsZero() || tick(at).Before(b.end)) {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

func (w *world) history() (h History) {
	for _, states := range w.recorded {
		h.States = append(h.States, states...)
	}
	h.Words = w.words
	return h
}

// step does one thing that can happen in a tick.
func (w *world) step(t *rapid.T) {
	name := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")
	around := func(label string) time.Time { return tick(w.now + rapid.IntRange(-8, 4).Draw(t, label)) }
	o := w.objects[name]
	what := rapid.SampledFrom([]string{"create", "end", "open", "accept", "refuse", "delete", "noise", "say", "say open", "annul", "repeat", "nothing"}).Draw(t, "what")
	switch {
	case what == "nothing":
		return
	case what == "repeat": // an event comes a second time, or late
		if len(w.news) > 0 {
			s := w.news[rapid.IntRange(0, len(w.news)-1).Draw(t, "which")]
			s.Recorded = tick(w.now)
			news := w.news
			w.record(s)
			w.news = news
		}
		return
	case what == "create":
		if o != nil {
			return
		}
		w.made++
		o = &object{RelationshipState: store.RelationshipState{
			ObjectUID: fmt.Sprint("uid-", w.made), ClientID: uuid.UUID{1}, Start: around("start"), DocumentID: uuid.UUID{byte(w.made)},
			Registry: "1.2", Unit: "1.2.3", ServiceTasks: []string{"t"},
		}}
		w.objects[name] = o
	case o == nil:
		return
	case what == "say", what == "say open", what == "annul":
		end := time.Time{}
		if what == "say" {
			end = around("said end")
		}
		w.say(o.DocumentID, end, what == "annul")
		return
	case what == "end":
		o.End = around("end")
	case what == "open":
		o.End = time.Time{}
	case what == "accept", what == "refuse":
		o.Accepted = what == "accept"
	case what == "delete":
		o.Deleted = true
		delete(w.objects, name)
	}
	w.revision++
	o.Revision = w.revision
	if rapid.IntRange(0, 4).Draw(t, "lost") > 0 {
		w.deliver(o.RelationshipState, false)
	}
}

// compare finds what was not told, as a comparison of the view with the last recorded states does.
func (w *world) compare() {
	there := map[string]bool{}
	for _, o := range w.objects {
		there[o.ObjectUID] = true
		if w.told[o.ObjectUID].Revision < o.Revision {
			w.deliver(o.RelationshipState, true)
		}
	}
	for _, uid := range slices.Sorted(maps.Keys(w.told)) {
		states := w.recorded[uid]
		if len(states) == 0 || there[uid] || w.told[uid].Deleted {
			continue
		}
		last := states[len(states)-1]
		w.record(store.Sighting{Compared: last.Ordinal, RelationshipState: store.RelationshipState{
			ObjectUID: uid, Deleted: true, Missed: true, Recorded: tick(w.now),
		}})
		o := w.told[uid]
		o.Deleted, o.Recorded = true, tick(w.now)
		w.told[uid] = o
	}
}

func drawWorld(t *rapid.T) *world {
	w := newWorld()
	for range rapid.IntRange(1, 25).Draw(t, "ticks") {
		if rapid.IntRange(0, 5).Draw(t, "compares") == 0 {
			w.compare()
		} else {
			w.step(t)
		}
		w.pass()
	}
	return w
}

// TestAccessIsDecidedByWhatWasRecorded holds AsOf to the naive world over random histories: relationships that come, end,
// are put right backwards, are deleted and come again under one name, with events that are lost, late and repeated.
func TestAccessIsDecidedByWhatWasRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		h := w.history()
		for knownAt := range w.moments {
			for at := -9; at < len(w.moments)+5; at++ {
				var got []string
				for _, k := range AsOf(h, tick(at), tick(knownAt)) {
					got = append(got, k.ObjectUID)
				}
				slices.Sort(got)
				if want := w.live(at, knownAt); !slices.Equal(got, want) {
					t.Fatalf("at %d as known at %d: %v, want %v\n%+v", at, knownAt, got, want, h)
				}
			}
		}
	})
}

// TestABackdatedEndIsFoundWithItsGap holds BackdatedEnds to the naive world: an instant is to be reviewed if it was
// believed in when it passed, and an end was believed in afterwards by which it should not have been.
func TestABackdatedEndIsFoundWithItsGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		type item struct {
			uid                  string
			recorded, from, till time.Time
		}
		var want, got []item
		for now := 1; now < len(w.moments); now++ {
			for uid, after := range w.moments[now] {
				before, known := w.moments[now-1][uid]
				if !known || after.end.IsZero() || !after.end.Before(tick(now)) || !before.end.IsZero() && !after.end.Before(before.end) {
					continue
				}
				one := item{uid, tick(now), after.end, tick(now)}
				if one.from.Before(after.start) {
					one.from = after.start
				}
				if !before.end.IsZero() && before.end.Before(one.till) {
					one.till = before.end
				}
				if one.from.Before(one.till) {
					want = append(want, one)
				}
			}
		}
		for _, e := range BackdatedEnds(w.history()) {
			got = append(got, item{e.ObjectUID, e.RecordedAt, e.From, e.Until})
		}
		order := func(a, b item) int {
			return cmp.Or(a.recorded.Compare(b.recorded), cmp.Compare(a.uid, b.uid))
		}
		slices.SortStableFunc(want, order)
		slices.SortStableFunc(got, order)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v\nwant %v\n%+v", got, want, w.history())
		}
	})
}
