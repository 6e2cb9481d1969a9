// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testClients(t *testing.T, engine Engine) {
	t.Run("RegisteringIsIdempotentAndLogged", func(t *testing.T) { clientsRegisteringIsIdempotentAndLogged(t, engine) })
	t.Run("ARegistryIsAWorldOfItsOwn", func(t *testing.T) { clientsARegistryIsAWorldOfItsOwn(t, engine) })
	t.Run("AnUnknownClientIsNotFound", func(t *testing.T) { clientsAnUnknownClientIsNotFound(t, engine) })
	t.Run("ConcurrentRegistrationsAgree", func(t *testing.T) { clientsConcurrentRegistrationsAgree(t, engine) })
	t.Run("ABadRowRegistersNothing", func(t *testing.T) { clientsABadRowRegistersNothing(t, engine) })
}

func clientsRegisteringIsIdempotentAndLogged(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	first, created, err := s.RegisterClient(t.Context(), registryA, Registration(Hash(1)), start, Row("client.register", start))
	if err != nil || !created {
		t.Fatalf("first: created=%v err=%v", created, err)
	}
	again, created, err := s.RegisterClient(t.Context(), registryA, Registration(Hash(1)), start, Row("client.register", start))
	if err != nil || created || again != first {
		t.Fatalf("again: same=%v created=%v err=%v", again == first, created, err)
	}
	if first.Version() != 4 {
		t.Errorf("the id is version %d, not random", first.Version())
	}
	if rows := AllLog(t, s, store.LogQuery{ClientID: first}); len(rows) != 2 {
		t.Errorf("%d log rows name the client, want 2", len(rows))
	}
}

func clientsARegistryIsAWorldOfItsOwn(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	inA := Client(t, s, registryA, 1)
	inB := Client(t, s, registryB, 1)
	if inA == inB {
		t.Error("two registries gave one id to a client")
	}
	got, found, err := s.FindClient(t.Context(), registryB, Hash(1))
	if err != nil || !found || got != inB {
		t.Errorf("found=%v id ok=%v err=%v", found, got == inB, err)
	}
	if ok, err := s.ClientExists(t.Context(), registryB, inA); ok || err != nil {
		t.Errorf("the client of one registry exists in the other (err=%v)", err)
	}
	if ok, err := s.ClientExists(t.Context(), registryA, inA); !ok || err != nil {
		t.Errorf("the client does not exist in its registry (err=%v)", err)
	}
}

func clientsAnUnknownClientIsNotFound(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	if _, found, err := s.FindClient(t.Context(), registryA, Hash(9)); found || err != nil {
		t.Errorf("found=%v err=%v", found, err)
	}
}

func clientsConcurrentRegistrationsAgree(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	const callers = 32
	ids := make([]uuid.UUID, callers)
	createdBy := make([]bool, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			var err error
			if ids[i], createdBy[i], err = s.RegisterClient(t.Context(), registryA, Registration(Hash(7)), start, Row("client.register", start)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	makers := 0
	for i := range callers {
		if ids[i] != ids[0] {
			t.Error("concurrent calls got different ids")
		}
		if createdBy[i] {
			makers++
		}
	}
	if makers != 1 {
		t.Errorf("%d calls say they made the client", makers)
	}
}

func clientsABadRowRegistersNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	_, _, err := s.RegisterClient(t.Context(), registryA, Registration(Hash(1)), start, store.LogRow{})
	var invalid *store.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	if _, found, _ := s.FindClient(t.Context(), registryA, Hash(1)); found {
		t.Error("the client was registered without its log row")
	}
}
