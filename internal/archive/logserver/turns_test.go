// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logserver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"

	"github.com/valtuus/valtuus/internal/archive/logserver"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// slow is a store that answers nothing until it is let go, and notes how many ask it at once.
type slow struct {
	store.LogProofs
	letGo     chan struct{}
	now, most atomic.Int32
}

func (s *slow) wait() {
	n := s.now.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	<-s.letGo
	s.now.Add(-1)
}

func (s *slow) LogTrees(context.Context) ([]store.LogTree, error) { s.wait(); return nil, nil }

func (s *slow) LogCheckpoint(context.Context, string) (store.LogCheckpoint, error) {
	s.wait()
	return store.LogCheckpoint{Note: []byte("note")}, nil
}

func (s *slow) LogTile(context.Context, string, int, int64) ([]byte, error) {
	s.wait()
	return make([]byte, 32), nil
}

// Whoever follows the log, and however many they are, a store of four reading connections has some left for documents.
func TestThoseWhoFollowTheLogDoNotTakeAllOfTheStore(t *testing.T) {
	for name, path := range map[string]string{"months": "/months", "checkpoints": "/2026-03/checkpoint", "tiles": "/2026-03/tile/0/000.p/1"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := &slow{letGo: make(chan struct{})}
				handler := logserver.Handler(logserver.Options{Store: from, Verifier: storetest.LogKey(t).Verifier(), Log: logr.Discard()})
				var (
					asking     sync.WaitGroup
					well, busy atomic.Int32
				)
				ask := func(ctx context.Context) {
					asking.Go(func() {
						recorder := httptest.NewRecorder()
						handler.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
						switch recorder.Code {
						case http.StatusOK:
							well.Add(1)
						case http.StatusServiceUnavailable:
							busy.Add(1)
							if recorder.Header().Get("Retry-After") == "" {
								t.Error("it is not told when to ask again")
							}
						}
					})
				}
				ctx, hangUp := context.WithCancel(t.Context())
				for range 20 {
					ask(ctx)
				}
				synctest.Wait()
				if n := from.now.Load(); n != 2 {
					t.Errorf("%d read at once, want 2", n)
				}
				time.Sleep(6 * time.Second) // of the bubble's clock
				synctest.Wait()
				if n := busy.Load(); n != 18 {
					t.Errorf("%d were told to ask again, want 18", n)
				}
				for range 3 {
					ask(t.Context())
				}
				synctest.Wait()
				close(from.letGo)
				asking.Wait()
				if well.Load() != 5 || from.most.Load() != 2 {
					t.Errorf("%d were answered, %d at once", well.Load(), from.most.Load())
				}
				hangUp()
			})
		})
	}
}
