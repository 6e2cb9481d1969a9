// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	racers = 16
	rounds = 8
)

// race runs fn by many at once.
func race(fn func(racer int)) {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-gate
			fn(i)
		})
	}
	close(gate)
	wg.Wait()
}

func concurrencyOfTwoVersionsOfOneDocumentOneWins(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	facts := StoreNew(t, s, NewDocument(registryA, Client(t, s, registryA, 1), start, []byte("0"), "t1"))
	for round := range rounds {
		var wins atomic.Int32
		race(func(i int) {
			version := NewVersion(facts, start, fmt.Appendf(nil, "%d/%d", round, i), fmt.Sprintf("t%d", i%3), "t9")
			_, created, err := s.AddVersion(t.Context(), version, Row("document.version", start))
			switch {
			case err == nil && created:
				wins.Add(1)
			case !errors.Is(err, store.ErrStale):
				t.Errorf("a loser got created=%v err=%v", created, err)
			}
		})
		if wins.Load() != 1 {
			t.Fatalf("%d versions won", wins.Load())
		}
		var err error
		if facts, err = s.DocumentFacts(t.Context(), registryA, facts.ID, 0); err != nil || facts.Current != round+2 {
			t.Fatalf("the current version is %d (err=%v)", facts.Current, err)
		}
		checkSearchable(t, s, facts)
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 2+rounds {
		t.Errorf("%d log rows, want %d", len(rows), 2+rounds)
	}
}

// checkSearchable looks the document up by each of its tasks, and by none of the others.
func checkSearchable(t testing.TB, s store.Store, f store.Facts) {
	t.Helper()
	for _, task := range []string{"t0", "t1", "t2", "t9"} {
		query := store.SearchQuery{Registry: f.Registry, ClientID: f.ClientIDs[0], AllowedTasks: &[]string{task}, Limit: 5}
		query.Annulled = f.State == store.StateAnnulled
		want := 0
		if query.Matches(f) {
			want = 1
		}
		if page, err := s.Search(t.Context(), query); err != nil || page.Total != want {
			t.Errorf("by task %s: %d, want %d (err=%v)", task, page.Total, want, err)
		}
	}
}

func concurrencyOfAVersionAndAnAnnulmentOneWins(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	for range rounds {
		first := StoreNew(t, s, NewDocument(registryA, client, start, []byte("0"), "t1"))
		var versions, annulments atomic.Int32
		race(func(i int) {
			if i%2 == 0 {
				version := NewVersion(first, start, fmt.Appendf(nil, "%d", i), "t2")
				if _, created, err := s.AddVersion(t.Context(), version, Row("a", start)); created {
					versions.Add(1)
				} else if !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrAnnulled) {
					t.Errorf("a version: %v", err)
				}
				return
			}
			if _, created, err := s.Annul(t.Context(), NewAnnulment(first, start, "mistake"), Row("a", start)); created {
				annulments.Add(1)
			} else if err != nil && !errors.Is(err, store.ErrStale) {
				t.Errorf("an annulment: %v", err)
			}
		})
		if versions.Load()+annulments.Load() != 1 {
			t.Fatalf("%d versions and %d annulments of one version won", versions.Load(), annulments.Load())
		}
		now, err := s.DocumentFacts(t.Context(), registryA, first.ID, 0)
		if err != nil || now.Current != 1+int(versions.Load()) || (now.State == store.StateAnnulled) != (annulments.Load() == 1) {
			t.Fatalf("the document is %+v (err=%v)", now, err)
		}
	}
}

func concurrencyOneIDIsOneDocument(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	for round := range rounds {
		id := uuid.New()
		var winner atomic.Int32
		winner.Store(-1)
		race(func(i int) {
			doc := NewDocument(registryA, client, start, fmt.Appendf(nil, "%d", i), "t1")
			doc.ID = id
			_, created, err := s.StoreDocument(t.Context(), doc, Row("document.store", start))
			if err == nil && created {
				if !winner.CompareAndSwap(-1, int32(i)) {
					t.Error("two documents have one id")
				}
			} else if !errors.Is(err, store.ErrExists) {
				t.Errorf("a loser got created=%v err=%v", created, err)
			}
		})
		got, err := s.Document(t.Context(), registryA, id, 0, store.ContentJSON)
		if err != nil || string(got.Body) != fmt.Sprint(winner.Load()) {
			t.Fatalf("round %d: the winner's bytes are not there (err=%v)", round, err)
		}
	}
	page, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: client, Limit: 1})
	if rows := AllLog(t, s, store.LogQuery{}); err != nil || page.Total != rounds || len(rows) != 1+rounds {
		t.Errorf("%d documents and %d log rows, want %d and %d (err=%v)", page.Total, len(rows), rounds, 1+rounds, err)
	}
}

func concurrencyOneRequestIsDoneOnce(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	for range rounds {
		doc := NewDocument(registryA, client, start, []byte("same"), "t1")
		var made atomic.Int32
		race(func(int) {
			_, created, err := s.StoreDocument(t.Context(), doc, Row("document.store", start))
			if err != nil {
				t.Errorf("a repetition: %v", err)
			}
			if created {
				made.Add(1)
			}
		})
		if made.Load() != 1 {
			t.Errorf("%d calls say they made the document", made.Load())
		}
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 1+rounds*racers {
		t.Errorf("%d log rows, want %d: each repetition has its own", len(rows), 1+rounds*racers)
	}
}

// concurrencyASettlementNeverHidesAVersion lets settlements of the first version run beside the second: whatever
// the order, the second stays to be carried out.
func concurrencyASettlementNeverHidesAVersion(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	for range rounds {
		first := StoreNew(t, s, newRelationship(client))
		race(func(i int) {
			if i == 0 {
				if _, _, err := s.AddVersion(t.Context(), ended(first, start), Row("a", start)); err != nil {
					t.Errorf("the version: %v", err)
				}
				return
			}
			err := s.SettleRelationship(t.Context(), store.Settlement{
				DocumentID: first.ID, Version: 1, Agreement: store.AgreementReached, AgreedVersion: 1,
			})
			if err != nil && !errors.Is(err, store.ErrStale) {
				t.Errorf("a settlement: %v", err)
			}
		})
		if got := record(t, s, first.ID); got.Version != 2 || got.Agreement != store.AgreementPending {
			t.Errorf("version %d is %s", got.Version, got.Agreement)
		}
	}
}
