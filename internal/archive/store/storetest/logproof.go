// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
)

func testLogProofs(t *testing.T, engine Engine) {
	t.Run("EveryRowGetsOneLeafThatProvesIt", func(t *testing.T) { logEveryRowGetsOneLeaf(t, engine) })
	t.Run("OfManyThatGiveLeavesNoneForksTheLog", func(t *testing.T) { logNobodyForksIt(t, engine) })
	t.Run("ABatchForAnotherStateIsStale", func(t *testing.T) { logABatchForAnotherStateIsStale(t, engine) })
	t.Run("OneAtATimeHoldsTheLease", func(t *testing.T) { logOneAtATimeHoldsTheLease(t, engine) })
	t.Run("CheckpointsGrow", func(t *testing.T) { logCheckpointsGrow(t, engine) })
	t.Run("ARowAndItsLeafComeTogether", func(t *testing.T) { logARowAndItsLeafComeTogether(t, engine) })
}

// LogKey makes a key for the log of a store that has the nil UUID for its id.
func LogKey(t testing.TB) logproof.Key {
	t.Helper()
	text, err := logproof.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := logproof.ParseKey(text, uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Sequencer makes one for a store, with a clock that stands still.
func Sequencer(s store.LogProofs, key logproof.Key, at time.Time) *sequencer.Sequencer {
	return sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clocktesting.NewFakeClock(at), Log: logr.Discard()})
}

// appendRows logs rows, of three clients in turn and of none.
func appendRows(t testing.TB, s store.Store, clients []uuid.UUID, from, to int) {
	t.Helper()
	var rows []store.LogRow
	for i := from; i < to; i++ {
		row := Row("document.read", start.Add(time.Duration(i)*time.Millisecond))
		row.ClientID, row.Registry = append(clients, uuid.Nil)[i%(len(clients)+1)], []string{registryA, registryB}[i/100%2]
		rows = append(rows, row)
	}
	if err := s.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
}

// CheckLog holds a store's log to what it is to be: a leaf for each of the rows but those that wait, the client's
// chains without a gap, each entry the commitment to its row and in the tree.
func CheckLog(t testing.TB, s store.Store, rows, waiting int) {
	t.Helper()
	if n, _, err := s.LogBacklog(t.Context()); err != nil || n != waiting {
		t.Errorf("%d rows wait (err=%v), want %d", n, err, waiting)
	}
	f := &Follower{}
	found, err := f.Follow(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range found {
		t.Error(wrong)
	}
	if f.Leaves != rows-waiting {
		t.Errorf("%d leaves, want %d", f.Leaves, rows-waiting)
	}
}

func logEveryRowGetsOneLeaf(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	clients := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	key := LogKey(t)
	appendRows(t, s, clients, 0, 700)
	CheckLog(t, s, 700, 700)
	if err := Sequencer(s, key, start).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	CheckLog(t, s, 700, 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = engine.Open(t, place) // after a restart, in the next month
	defer func() { _ = s.Close() }()
	appendRows(t, s, clients, 700, 800)
	next := Sequencer(s, key, start.AddDate(0, 1, 0))
	if err := errors.Join(next.CatchUp(t.Context()), next.Checkpoint(t.Context())); err != nil {
		t.Fatal(err)
	}
	CheckLog(t, s, 800, 0)
	months, err := s.LogTrees(t.Context())
	if want := []store.LogTree{{Month: "2026-03", Size: 700}, {Month: "2026-04", Size: 100}}; err != nil || fmt.Sprint(months) != fmt.Sprint(want) {
		t.Errorf("months %v (err=%v), want %v", months, err, want)
	}

	appendRows(t, s, clients, 800, 900) // and with a clock that was set back: no row goes into a month that is over
	if err := Sequencer(s, key, start).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	CheckLog(t, s, 900, 0)
	if state, err := s.LogState(t.Context()); err != nil || state.Month != "2026-04" || state.Size != 200 {
		t.Errorf("the log is at %+v (err=%v)", state, err)
	}
}

func logNobodyForksIt(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{uuid.New(), uuid.New()}
	key := LogKey(t)
	appendRows(t, s, clients, 0, 600)
	var wg sync.WaitGroup
	for i := range 4 {
		at := start
		if i == 3 {
			at = start.AddDate(0, 1, 0) // its clock is in another month
		}
		one := Sequencer(s, key, at)
		wg.Go(func() {
			for range 200 {
				rows, err := one.Sequence(t.Context())
				if err != nil && !errors.Is(err, store.ErrStale) {
					t.Errorf("giving leaves: %v", err)
					return
				}
				if err == nil && rows == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	CheckLog(t, s, 600, 0)
}

func logABatchForAnotherStateIsStale(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	leaf := func(state store.LogState, month string) store.LeafBatch {
		index := int64(0)
		if state.Month == month {
			index = state.Size
		}
		return store.LeafBatch{After: state, Month: month, Leaves: []store.NewLeaf{{
			Row: store.LogPosition{Time: start, ID: uuid.New()}, Entry: [32]byte{1}, Leaf: store.Leaf{Month: month, Index: index, Sequenced: start},
		}}}
	}
	state, err := s.LogState(t.Context())
	if err != nil || state != (store.LogState{}) {
		t.Fatalf("a new log is at %+v (err=%v)", state, err)
	}
	if err := s.AppendLeaves(t.Context(), leaf(state, "2026-03")); err != nil {
		t.Fatal(err)
	}
	for name, batch := range map[string]store.LeafBatch{
		"the same again":       leaf(state, "2026-03"),
		"in a later month":     leaf(state, "2026-04"),
		"of a size not there":  leaf(store.LogState{Batch: 1, Month: "2026-03", Size: 2}, "2026-03"),
		"of a batch not there": leaf(store.LogState{Batch: 2, Month: "2026-03", Size: 1}, "2026-03"),
	} {
		if err := s.AppendLeaves(t.Context(), batch); !errors.Is(err, store.ErrStale) {
			t.Errorf("%s: %v, want ErrStale", name, err)
		}
	}
	state, err = s.LogState(t.Context())
	if want := (store.LogState{Batch: 1, Month: "2026-03", Size: 1}); err != nil || state != want {
		t.Fatalf("the log is at %+v (err=%v), want %+v", state, err, want)
	}
	gap := leaf(state, "2026-03")
	gap.Leaves[0].Index++
	for name, batch := range map[string]store.LeafBatch{
		"none": {After: state, Month: "2026-03"}, "in an earlier month": leaf(state, "2026-02"), "after a gap": gap,
	} {
		if err := s.AppendLeaves(t.Context(), batch); !isInvalid(err) {
			t.Errorf("%s: %v, want *InvalidError", name, err)
		}
	}
}

func logOneAtATimeHoldsTheLease(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	take := func(holder string, at time.Duration, want bool) {
		t.Helper()
		if ok, err := s.TakeLogLease(t.Context(), holder, start.Add(at), start.Add(at+10*time.Second)); err != nil || ok != want {
			t.Errorf("%s after %v: %v (err=%v), want %v", holder, at, ok, err, want)
		}
	}
	take("a", 0, true)
	take("b", 5*time.Second, false)
	take("a", 9*time.Second, true)
	take("b", 18*time.Second, false)
	take("b", 19*time.Second, true)
	take("a", 20*time.Second, false)
	take("b", 365*24*time.Hour, true) // by a clock that was set forward, and then back
	take("a", 20*time.Second, true)
	take("b", 11*time.Second, false) // its clock is only a little behind
	if ok, err := s.TakeLogLease(t.Context(), "b", start.Add(21*time.Second), start.Add(21*time.Second)); err != nil || ok {
		t.Errorf("leaving what another holds: %v (err=%v)", ok, err)
	}
	take("c", 22*time.Second, false)
	var winners sync.Map
	race(func(i int) {
		ok, err := s.TakeLogLease(t.Context(), fmt.Sprint(i), start.Add(time.Minute), start.Add(2*time.Minute))
		if err != nil {
			t.Errorf("racing for the lease: %v", err)
		}
		if ok {
			winners.Store(i, true)
		}
	})
	n := 0
	winners.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d hold the lease", n)
	}
}

func logCheckpointsGrow(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	const month = "2026-03"
	if _, err := s.LogCheckpoint(t.Context(), month); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without any: %v", err)
	}
	add := func(size int64, note string, kept bool) error {
		return s.AddLogCheckpoint(t.Context(), store.LogCheckpoint{
			Month: month, Size: size, Made: start.Add(time.Duration(size) * time.Second), Note: []byte(note), Kept: kept,
		}, start.Add(time.Duration(size-3)*time.Second))
	}
	for size := int64(1); size <= 6; size++ {
		if err := add(size, fmt.Sprint("note ", size), size == 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(5, "smaller", false); !errors.Is(err, store.ErrStale) {
		t.Errorf("a smaller one: %v, want ErrStale", err)
	}
	if err := add(6, "note 6, cosigned", false); err != nil {
		t.Errorf("the same again: %v", err)
	}
	last, err := s.LogCheckpoint(t.Context(), month)
	if err != nil || string(last.Note) != "note 6, cosigned" || last.Size != 6 || !last.Made.Equal(store.Instant(start.Add(6*time.Second))) {
		t.Errorf("the last is %+v (err=%v)", last, err)
	}
	sizes := func(after int64) (all []int64) {
		there, err := s.LogCheckpoints(t.Context(), month, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range there {
			all = append(all, one.Size)
		}
		return all
	}
	if err := add(6, "note 6, cosigned", true); err != nil {
		t.Errorf("the same again, to be kept: %v", err)
	}
	if err := add(6, "note 6, cosigned twice", false); err != nil {
		t.Errorf("the same once more: %v", err)
	}
	if last, err := s.LogCheckpoint(t.Context(), month); err != nil || !last.Kept || string(last.Note) != "note 6, cosigned twice" {
		t.Errorf("the last is %+v (err=%v): what was to be kept is kept", last, err)
	}
	if got := sizes(0); fmt.Sprint(got) != "[2 3 4 5 6]" {
		t.Errorf("%v are there: those that are old go, unless they are to be kept", got)
	}
	if got := sizes(4); fmt.Sprint(got) != "[5 6]" {
		t.Errorf("after 4: %v", got)
	}
}

func logARowAndItsLeafComeTogether(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := uuid.New()
	appendRows(t, s, []uuid.UUID{client}, 0, 10)
	if err := Sequencer(s, LogKey(t), start).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	appendRows(t, s, []uuid.UUID{client}, 10, 14)
	query := store.LogQuery{ClientID: client, Limit: 3}
	var got []store.LoggedLeaf
	for {
		page, err := s.LeavesOf(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, page.Rows...); page.Next == nil {
			break
		}
		query.After = page.Next
	}
	if len(got) != 7 {
		t.Fatalf("%d rows of the client, want 7", len(got))
	}
	for i, one := range got {
		if one.Row.ClientID != client || one.Position.ID != one.Row.ID {
			t.Errorf("row %d is %+v", i, one)
		}
		if given := i < 5; (one.Leaf != nil) != given || one.Pending == given {
			t.Errorf("row %d: leaf %v, pending %v", i, one.Leaf, one.Pending)
		}
		if one.Leaf != nil && one.Leaf.ClientSequence != int64(i+1) {
			t.Errorf("row %d is the client's %d", i, one.Leaf.ClientSequence)
		}
	}

	slices.Reverse(got)
	places := []store.LogPosition{{Time: start, ID: uuid.New()}} // of nothing
	for _, one := range got {
		places = append(places, one.Position)
	}
	again, err := s.LeavesAt(t.Context(), places)
	if err != nil || !reflect.DeepEqual(again[1:], got) || again[0].Row != nil || again[0].Leaf != nil || again[0].Pending {
		t.Errorf("by their places they are %+v (err=%v), want %+v", again, err, got)
	}
}
