// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testRelationshipHistory(t *testing.T, engine Engine) {
	t.Run("OnlyNewsIsRecorded", func(t *testing.T) { historyOnlyNewsIsRecorded(t, engine) })
	t.Run("SeveralRecordOneHistory", func(t *testing.T) { historySeveralRecordOne(t, engine) })
	t.Run("PagesAreWhatWasAsked", func(t *testing.T) { historyPagesAreWhatWasAsked(t, engine) })
	t.Run("WordsFollowTheDocument", func(t *testing.T) { historyWordsFollowTheDocument(t, engine) })
	t.Run("BadOnesAreRefused", func(t *testing.T) { historyBadOnesAreRefused(t, engine) })
}

// Sighting gives a valid sighting of an object at a revision.
func Sighting(object, registry string, client uuid.UUID, revision uint64, at time.Time) store.Sighting {
	return store.Sighting{RelationshipState: store.RelationshipState{
		ObjectUID: object, Revision: revision, Registry: registry, ClientID: client, Unit: "1.2.246.10.99999993.10.1",
		ServiceTasks: []string{"t1", "t2"}, Start: start, Accepted: true, DocumentID: uuid.UUID{9}, Recorded: at,
	}}
}

// AppendStates records the sightings, each of which must be news.
func AppendStates(t testing.TB, s store.Store, sightings ...store.Sighting) {
	t.Helper()
	if n, err := s.AppendRelationshipStates(t.Context(), sightings); err != nil || n != len(sightings) {
		t.Fatalf("recording %d states: %d, %v", len(sightings), n, err)
	}
}

// AllStates reads every state that the query selects, page by page.
func AllStates(t testing.TB, s store.Store, query store.RelationshipHistoryQuery) (states []store.RelationshipState) {
	t.Helper()
	if query.Limit == 0 {
		query.Limit = store.MaxPage
	}
	for {
		page, err := s.RelationshipStates(t.Context(), query)
		if err != nil {
			t.Fatalf("reading the history: %v", err)
		}
		states = append(states, page.States...)
		if query.After = page.Next; page.Next == nil {
			return states
		}
	}
}

func historyOnlyNewsIsRecorded(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := uuid.New()
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	first := Sighting("o", registryA, client, 10, at(1))
	ended := Sighting("o", registryA, client, 12, at(0)) // by a clock that is behind
	ended.End = at(-100)
	again, late, noise := first, first, ended
	late.Revision, noise.Revision = 11, 13
	noise.Recorded = at(3)
	deleted := store.Sighting{RelationshipState: store.RelationshipState{ObjectUID: "o", Revision: 20, Deleted: true, Recorded: at(5)}}
	unknown := deleted
	unknown.ObjectUID = "never seen"
	n, err := s.AppendRelationshipStates(t.Context(), []store.Sighting{unknown, first, again, ended, late, noise, deleted, deleted})
	if err != nil || n != 3 {
		t.Fatalf("recorded %d, %v", n, err)
	}
	want := []store.RelationshipState{first.RelationshipState, ended.RelationshipState, ended.RelationshipState}
	for i := range want {
		want[i].Ordinal, want[i].Start = i+1, store.Instant(start)
	}
	want[0].Recorded = store.Instant(at(1))
	want[1].End, want[1].Recorded = store.Instant(at(-100)), store.Instant(at(1)).Add(time.Microsecond)
	want[2].End, want[2].Recorded, want[2].Revision, want[2].Deleted = want[1].End, store.Instant(at(5)), 20, true
	query := store.RelationshipHistoryQuery{Registry: registryA, ClientID: client}
	if got := AllStates(t, s, query); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if last, err := s.LastRelationshipStates(t.Context(), []string{"o", "p"}); err != nil || !reflect.DeepEqual(last, want[2:]) {
		t.Errorf("the last is %+v, %v", last, err)
	}

	// What was compared with the last state counts at a lower revision, but not if there is another last one by now.
	back := first
	back.Compared, back.Recorded, back.Missed = 2, at(6), true
	if n, err := s.AppendRelationshipStates(t.Context(), []store.Sighting{back}); err != nil || n != 0 {
		t.Errorf("compared with a former state: %d, %v", n, err)
	}
	back.Compared = 3
	AppendStates(t, s, back)
	gone := store.Sighting{Compared: 4, RelationshipState: store.RelationshipState{ObjectUID: "o", Deleted: true, Missed: true, Recorded: at(7)}}
	AppendStates(t, s, gone)
	got := AllStates(t, s, query)
	if last := got[len(got)-1]; !last.Deleted || !last.Missed || last.Revision != 10 || last.Ordinal != 5 || last.ClientID != client {
		t.Errorf("found gone: %+v", last)
	}
}

func historySeveralRecordOne(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := uuid.New()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for n := range 30 {
				sighting := Sighting(fmt.Sprint("o", n%3), registryA, client, uint64(100+n), start.Add(time.Duration(n)*time.Second))
				sighting.End = start.Add(time.Duration(n) * time.Hour)
				if _, err := s.AppendRelationshipStates(t.Context(), []store.Sighting{sighting}); err != nil {
					t.Errorf("recording: %v", err)
				}
			}
		})
	}
	group.Wait()
	for o := range 3 {
		got := AllStates(t, s, store.RelationshipHistoryQuery{Registry: registryA, ObjectUID: fmt.Sprint("o", o)})
		if len(got) == 0 || len(got) > 10 {
			t.Errorf("%d states", len(got))
		}
		for i := range got {
			if got[i].Ordinal != i+1 || i > 0 && (got[i].Revision <= got[i-1].Revision || !got[i].Recorded.After(got[i-1].Recorded)) {
				t.Errorf("state %d is %+v", i, got[i])
			}
		}
		if last := got[len(got)-1]; last.Revision != uint64(127+o) {
			t.Errorf("the last is of revision %d", last.Revision)
		}
	}
}

func historyPagesAreWhatWasAsked(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{uuid.New(), uuid.New()}
	var all []store.RelationshipState
	for n := range 60 {
		registry := registryA
		if n%5 == 0 {
			registry = registryB
		}
		sighting := Sighting(fmt.Sprintf("o%02d", n%20), registry, clients[n%2], uint64(100+n), start.Add(time.Duration(n/3)*time.Minute))
		sighting.Unit = fmt.Sprint("1.2.", n)
		if n%3 == 0 {
			sighting.End = start.Add(time.Hour)
		}
		sighting.Deleted = n >= 55
		AppendStates(t, s, sighting)
	}
	for o := range 20 {
		all = append(all, AllStates(t, s, store.RelationshipHistoryQuery{Registry: registryA, ObjectUID: fmt.Sprintf("o%02d", o)})...)
		all = append(all, AllStates(t, s, store.RelationshipHistoryQuery{Registry: registryB, ObjectUID: fmt.Sprintf("o%02d", o)})...)
	}
	if len(all) != 60 {
		t.Fatalf("%d states", len(all))
	}
	slices.SortFunc(all, func(a, b store.RelationshipState) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(a.ObjectUID, b.ObjectUID))
	})
	from, until := start.Add(3*time.Minute), start.Add(12*time.Minute)
	for name, q := range map[string]store.RelationshipHistoryQuery{
		"client": {ClientID: clients[1]}, "ended": {Ended: true}, "ended of a client": {Ended: true, ClientID: clients[0]},
		"between": {Ended: true, From: from, Until: until}, "client since": {ClientID: clients[1], From: from},
	} {
		q.Registry = registryA
		var want []store.RelationshipState
		for _, state := range all {
			if state.Registry == registryA && (q.ClientID == uuid.Nil || state.ClientID == q.ClientID) && (!q.Ended || !state.End.IsZero() || state.Deleted) &&
				(q.From.IsZero() || !state.Recorded.Before(store.Instant(q.From))) && (q.Until.IsZero() || state.Recorded.Before(store.Instant(q.Until))) {
				want = append(want, state)
			}
		}
		for _, limit := range []int{1, 7, store.MaxPage} {
			q.Limit = limit
			if got := AllStates(t, s, q); len(want) == 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s by %d: %d states, want %d", name, limit, len(got), len(want))
			}
		}
	}
	var undeleted []string
	for after := ""; ; {
		page, err := s.UndeletedRelationshipStates(t.Context(), after, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, state := range page {
			if state.Deleted || state.Ordinal != 3 {
				t.Errorf("not the last, or deleted: %+v", state)
			}
			undeleted = append(undeleted, state.ObjectUID)
		}
		if len(page) < 4 {
			break
		}
		after = page[3].ObjectUID
	}
	if len(undeleted) != 15 || !slices.IsSorted(undeleted) || undeleted[14] != "o14" {
		t.Errorf("undeleted are %v", undeleted)
	}
}

func historyWordsFollowTheDocument(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	facts := StoreNew(t, s, newRelationship(client))
	second, _, err := s.AddVersion(t.Context(), ended(facts, start.AddDate(0, 1, 0)), Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	annulment := NewAnnulment(second, start.Add(2*time.Hour), "mistake")
	if _, _, err := s.Annul(t.Context(), annulment, Row("a", start)); err != nil {
		t.Fatal(err)
	}
	want := []store.RelationshipWord{
		{DocumentID: facts.ID, Version: 1, Stored: store.Instant(start)},
		{
			DocumentID: facts.ID, Version: 2, Stored: store.Instant(start.Add(time.Hour)), End: store.Instant(start.AddDate(0, 1, 0)),
			Annulled: store.Instant(annulment.At),
		},
	}
	if got, err := s.RelationshipWords(t.Context(), facts.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	plain := StoreNew(t, s, NewDocument(registryA, client, start, []byte("x"), "t1"))
	for _, id := range []uuid.UUID{plain.ID, uuid.New()} {
		if got, err := s.RelationshipWords(t.Context(), id); err != nil || len(got) != 0 {
			t.Errorf("of no client relationship document: %+v, %v", got, err)
		}
	}
}

func historyBadOnesAreRefused(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	good := Sighting("o", registryA, uuid.New(), 1, start)
	for name, spoil := range map[string]func(*store.Sighting){
		"no object":   func(s *store.Sighting) { s.ObjectUID = "" },
		"no registry": func(s *store.Sighting) { s.Registry = "" },
		"no client":   func(s *store.Sighting) { s.ClientID = uuid.Nil },
		"no unit":     func(s *store.Sighting) { s.Unit = "" },
		"no task":     func(s *store.Sighting) { s.ServiceTasks = nil },
		"no start":    func(s *store.Sighting) { s.Start = time.Time{} },
		"no time":     func(s *store.Sighting) { s.Recorded = time.Time{} },
	} {
		bad := good
		spoil(&bad)
		if n, err := s.AppendRelationshipStates(t.Context(), []store.Sighting{good, bad}); !isInvalid(err) || n != 0 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	for name, q := range map[string]store.RelationshipHistoryQuery{
		"everything": {Registry: registryA, Limit: 1}, "no registry": {Ended: true, Limit: 1}, "no limit": {Registry: registryA, Ended: true},
	} {
		if _, err := s.RelationshipStates(t.Context(), q); !isInvalid(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if last, err := s.LastRelationshipStates(t.Context(), []string{"o"}); err != nil || len(last) != 0 {
		t.Errorf("something was recorded: %v, %v", last, err)
	}
	if _, err := s.LastRelationshipStates(t.Context(), make([]string, store.MaxPage+1)); !isInvalid(err) {
		t.Errorf("too many: %v", err)
	}
}
