// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testWithholdings(t *testing.T, engine Engine) {
	t.Run("OneIsMadeOnceAndLiftedOnce", func(t *testing.T) { withholdingOneIsMadeOnceAndLiftedOnce(t, engine) })
	t.Run("OfManyAtOnceOneIsMade", func(t *testing.T) { withholdingOfManyAtOnceOneIsMade(t, engine) })
	t.Run("BadOnesAreRefused", func(t *testing.T) { withholdingBadOnesAreRefused(t, engine) })
}

// NewWithholding withholds an hour of the client's log.
func NewWithholding(registry string, client uuid.UUID, at time.Time) store.Withholding {
	return store.Withholding{
		Registry: registry, ClientID: client, From: at, Until: at.Add(time.Hour), Reason: "rights-of-others", Decision: "D/1/2026",
		Made: at, By: store.Author{Organization: "1.2.246.10.99999991", Professional: "T-2", Role: "supervisor"},
	}
}

func withholdingOneIsMadeOnceAndLiftedOnce(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	client, at := uuid.New(), store.Instant(start)
	period := NewWithholding(registryA, client, at)
	named := NewWithholding(registryA, client, at.Add(time.Minute))
	named.From, named.Until, named.Entries = time.Time{}, time.Time{}, []uuid.UUID{uuid.Max, uuid.New()}
	var kept []store.Withholding
	for _, w := range []store.Withholding{period, named} {
		one, created, err := s.Withhold(t.Context(), w, Row("WithholdLog", at))
		if err != nil || !created || one.ID == uuid.Nil {
			t.Fatalf("created=%t err=%v", created, err)
		}
		again, created, err := s.Withhold(t.Context(), w, Row("WithholdLog", at))
		if err != nil || created || !reflect.DeepEqual(again, one) {
			t.Errorf("again: %+v, created=%t err=%v\nwant %+v", again, created, err, one)
		}
		kept = append(kept, one)
	}
	lifting := store.Lifting{At: at.Add(time.Hour), Decision: "D/2/2026", By: period.By}
	if _, err := s.LiftWithholding(t.Context(), registryB, kept[0].ID, lifting, Row("LiftWithholding", at)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("in another registry: %v", err)
	}
	for range 2 {
		lifted, err := s.LiftWithholding(t.Context(), registryA, kept[0].ID, lifting, Row("LiftWithholding", at))
		if err != nil || lifted.Lifting == nil || !reflect.DeepEqual(*lifted.Lifting, lifting) {
			t.Fatalf("%+v, %v", lifted, err)
		}
		kept[0] = lifted
	}
	other := lifting
	other.Decision = "D/3/2026"
	if _, err := s.LiftWithholding(t.Context(), registryA, kept[0].ID, other, Row("LiftWithholding", at)); !errors.Is(err, store.ErrStale) {
		t.Errorf("by another decision: %v", err)
	}
	anew, created, err := s.Withhold(t.Context(), period, Row("WithholdLog", at))
	if err != nil || !created || anew.ID == kept[0].ID {
		t.Errorf("after it was lifted: created=%t err=%v", created, err)
	}
	rows := AllLog(t, s, store.LogQuery{})
	if about := AllLog(t, s, store.LogQuery{ClientID: client}); len(rows) != 7 || len(about) != 2 {
		t.Errorf("%d rows, %d of them of lifting", len(rows), len(about))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = engine.Open(t, place)
	defer func() { _ = s.Close() }()
	got, err := s.Withholdings(t.Context(), registryA, client)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d, %v", len(got), err)
	}
	for _, want := range append(kept, anew) {
		found := false
		for _, one := range got {
			found = found || reflect.DeepEqual(one, want)
		}
		if !found {
			t.Errorf("lacks %+v\ngot   %+v", want, got)
		}
	}
	if got, err := s.Withholdings(t.Context(), registryB, client); err != nil || len(got) != 0 {
		t.Errorf("of another registry: %d, %v", len(got), err)
	}
}

func withholdingOfManyAtOnceOneIsMade(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	var made atomic.Int32
	w := NewWithholding(registryA, uuid.New(), start)
	race(func(int) {
		if _, created, err := s.Withhold(t.Context(), w, Row("WithholdLog", start)); err != nil {
			t.Error(err)
		} else if created {
			made.Add(1)
		}
	})
	if made.Load() != 1 {
		t.Errorf("%d were made", made.Load())
	}
}

func withholdingBadOnesAreRefused(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	for name, change := range map[string]func(*store.Withholding){
		"no client":   func(w *store.Withholding) { w.ClientID = uuid.Nil },
		"no registry": func(w *store.Withholding) { w.Registry = "" },
		"no period":   func(w *store.Withholding) { w.From, w.Until = time.Time{}, time.Time{} },
		"empty":       func(w *store.Withholding) { w.Until = w.From },
		"entry twice": func(w *store.Withholding) { w.Entries = []uuid.UUID{uuid.Max, uuid.Max} },
		"no reason":   func(w *store.Withholding) { w.Reason = "" },
		"no decision": func(w *store.Withholding) { w.Decision = "" },
		"no maker":    func(w *store.Withholding) { w.By.Organization = "" },
		"no time":     func(w *store.Withholding) { w.Made = time.Time{} },
	} {
		w := NewWithholding(registryA, uuid.New(), start)
		change(&w)
		if _, _, err := s.Withhold(t.Context(), w, Row("WithholdLog", start)); !isInvalid(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.LiftWithholding(t.Context(), registryA, uuid.New(), store.Lifting{}, Row("x", start)); !isInvalid(err) {
		t.Errorf("an empty lifting: %v", err)
	}
}
