// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// info is what a store says of itself.
type info interface {
	store.Store
	Info(ctx context.Context) (sqlstore.Info, error)
	Adopt(ctx context.Context, check []byte) error
}

// testInfo holds an engine to what a store says of itself as a whole.
func testInfo(t *testing.T, engine Engine) {
	t.Run("TheIdentityKeyIsRecordedOnce", func(t *testing.T) { infoTheIdentityKeyIsRecordedOnce(t, engine) })
}

func infoTheIdentityKeyIsRecordedOnce(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s, ok := engine.Open(t, place).(info)
	if !ok {
		t.Fatal("the store says nothing of itself")
	}
	if got, err := s.Info(t.Context()); err != nil || got.KeyCheck != nil || got.State != sqlstore.StateReady {
		t.Errorf("a new store says %+v (err=%v)", got, err)
	}
	var winner atomic.Int32
	winner.Store(-1)
	race(func(i int) {
		err := s.Adopt(t.Context(), fmt.Append(nil, i))
		switch {
		case err == nil && !winner.CompareAndSwap(-1, int32(i)):
			t.Error("two keys were recorded")
		case err != nil && !errors.Is(err, sqlstore.ErrOtherKey):
			t.Errorf("another key: %v", err)
		}
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = engine.Open(t, place).(info)
	defer func() { _ = s.Close() }()
	check := fmt.Append(nil, winner.Load())
	if got, err := s.Info(t.Context()); err != nil || string(got.KeyCheck) != string(check) {
		t.Errorf("after a restart %+v (err=%v)", got, err)
	}
	if err := s.Adopt(t.Context(), check); err != nil {
		t.Errorf("the same key: %v", err)
	}
	if err := s.Adopt(t.Context(), []byte("another")); !errors.Is(err, sqlstore.ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
}
