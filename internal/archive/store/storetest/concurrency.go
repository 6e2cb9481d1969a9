// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testConcurrency(t *testing.T, engine Engine) {
	t.Run("AFailingOperationFailsAlone", func(t *testing.T) { concurrencyAFailingOperationFailsAlone(t, engine) })
	t.Run("OfTwoVersionsOfOneDocumentOneWins", func(t *testing.T) { concurrencyOfTwoVersionsOfOneDocumentOneWins(t, engine) })
	t.Run("OfAVersionAndAnAnnulmentOneWins", func(t *testing.T) { concurrencyOfAVersionAndAnAnnulmentOneWins(t, engine) })
	t.Run("OneIdIsOneDocument", func(t *testing.T) { concurrencyOneIDIsOneDocument(t, engine) })
	t.Run("OneRequestIsDoneOnce", func(t *testing.T) { concurrencyOneRequestIsDoneOnce(t, engine) })
	t.Run("ASettlementNeverHidesAVersion", func(t *testing.T) { concurrencyASettlementNeverHidesAVersion(t, engine) })
	t.Run("ReadersSeeWholeDocumentsWhileWritersWrite", func(t *testing.T) { concurrencyReadersSeeWholeDocumentsWhileWritersWrite(t, engine) })
	t.Run("ACallerThatHangsUpStaysInTheLog", func(t *testing.T) { concurrencyACallerThatHangsUpStaysInTheLog(t, engine) })
}

func concurrencyAFailingOperationFailsAlone(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	var wg sync.WaitGroup
	for writer := range 32 {
		wg.Go(func() {
			for i := range 10 {
				if writer%4 == 1 { // fails after it has written
					twice := Row("never", start)
					twice.ID = uuid.New()
					if err := s.AppendLog(t.Context(), twice, twice); err == nil {
						t.Error("a row went in twice")
					}
					continue
				}
				doc := NewDocument(registryA, client, start, fmt.Appendf(nil, "%d/%d", writer, i), "t1")
				if writer%4 == 0 {
					doc.ClientIDs[0] = uuid.New()
				}
				_, _, err := s.StoreDocument(t.Context(), doc, Row("document.store", start))
				if want := writer%4 == 0; errors.Is(err, store.ErrNotFound) != want || (err != nil) != want {
					t.Errorf("writer %d: %v", writer, err)
				}
			}
		})
	}
	wg.Wait()
	got, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: client, Limit: 1})
	if err != nil || got.Total != 160 {
		t.Errorf("%d documents, want 160 (err=%v)", got.Total, err)
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 161 { // and the client's own row
		t.Errorf("%d log rows, want 161", len(rows))
	}
}

func concurrencyReadersSeeWholeDocumentsWhileWritersWrite(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				page, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: client, Limit: store.MaxPage})
				if err != nil {
					t.Error(err)
					return
				}
				if page.Next == "" && page.Total != len(page.Items) {
					t.Errorf("total %d, items %d", page.Total, len(page.Items))
				}
				for _, item := range page.Items {
					if _, err := s.Document(t.Context(), registryA, item.ID, 0, store.ContentJSON); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 8 {
		writers.Go(func() {
			for range 10 {
				if _, _, err := s.StoreDocument(t.Context(), NewDocument(registryA, client, start, []byte("body"), "t1", "t2"), Row("document.store", start)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

func concurrencyACallerThatHangsUpStaysInTheLog(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	const callers = 50
	logged := make([]bool, callers) // what the caller was told
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Microsecond)
			defer cancel()
			row := Row(fmt.Sprintf("op-%d", i), start)
			logged[i] = s.AppendLog(ctx, row) == nil
		})
	}
	wg.Wait()
	if err := s.AppendLog(t.Context(), Row("last", start)); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, row := range AllLog(t, s, store.LogQuery{}) {
		found[row.Operation] = true
	}
	for i := range callers {
		if logged[i] && !found[fmt.Sprintf("op-%d", i)] {
			t.Errorf("row %d was acknowledged and is gone", i)
		}
	}
}
