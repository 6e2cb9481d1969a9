// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// testIdentity holds an engine to what it promises of clients' identifiers and basic data.
func testIdentity(t *testing.T, engine Engine) {
	t.Run("AnIdentifierIsKeptSealed", func(t *testing.T) { identityAnIdentifierIsKeptSealed(t, engine) })
	t.Run("BasicDataAreChangedAndLogged", func(t *testing.T) { identityBasicDataAreChangedAndLogged(t, engine) })
	t.Run("ATemporaryIdentifierIsReplaced", func(t *testing.T) { identityATemporaryIdentifierIsReplaced(t, engine) })
	t.Run("ACodeIsNotReplaced", func(t *testing.T) { identityACodeIsNotReplaced(t, engine) })
	t.Run("AClientInUseIsNotGivenUp", func(t *testing.T) { identityAClientInUseIsNotGivenUp(t, engine) })
	t.Run("AnUnusedClientIsGivenUp", func(t *testing.T) { identityAnUnusedClientIsGivenUp(t, engine) })
	t.Run("WhatIsOutOfBoundsIsRefused", func(t *testing.T) { identityWhatIsOutOfBoundsIsRefused(t, engine) })
	t.Run("OfTwoReplacementsOneWins", func(t *testing.T) { identityOfTwoReplacementsOneWins(t, engine) })
	t.Run("OneCodeIsOneClients", func(t *testing.T) { identityOneCodeIsOneClients(t, engine) })
	t.Run("ARegistrationAndAReplacementAgree", func(t *testing.T) { identityARegistrationAndAReplacementAgree(t, engine) })
	t.Run("NothingIsStoredUnderAClientGivenUp", func(t *testing.T) { identityNothingIsStoredUnderAClientGivenUp(t, engine) })
	t.Run("Histories", func(t *testing.T) { identityHistories(t, engine) })
}

// Temporary gives the registration of a temporary identifier with the hash.
func Temporary(hash store.IdentityHash) store.Registration {
	r := Registration(hash)
	r.Kind, r.BornOn = identitycode.KindTemporaryCode, ""
	return r
}

// temporary registers a client under a temporary identifier.
func temporary(t testing.TB, s store.Store, n int) uuid.UUID {
	t.Helper()
	id, created, err := s.RegisterClient(t.Context(), registryA, Temporary(Hash(n)), start, Row("a", start))
	if err != nil || !created {
		t.Fatalf("registering under a temporary identifier: created=%v err=%v", created, err)
	}
	return id
}

// later is when identifiers are replaced.
var later = start.Add(time.Hour)

func replaceBy(t testing.TB, s store.Store, id uuid.UUID, n int) (store.Replacement, error) {
	t.Helper()
	return s.ReplaceIdentity(t.Context(), registryA, id, Registration(Hash(n)), later, Row("replace", later))
}

// texts unseals all identifiers of a client, the former ones with a leading minus.
func texts(t testing.TB, s store.Store, id uuid.UUID) (all []string) {
	t.Helper()
	sealed, key, err := s.ClientIdentifiers(t.Context(), registryA, id)
	if err != nil {
		t.Fatalf("reading identifiers: %v", err)
	}
	under, err := keys.Open(id, key)
	if err != nil {
		t.Fatalf("opening a client's key: %v", err)
	}
	for _, one := range sealed {
		text, err := under.Unseal("", "", one.Sealed)
		if err != nil {
			t.Fatalf("unsealing: %v", err)
		}
		mark := ""
		if !one.Replaced.IsZero() {
			mark = "-"
		}
		all = append(all, mark+string(one.Kind)+" "+string(text))
	}
	return all
}

func wantTexts(t testing.TB, s store.Store, id uuid.UUID, want ...string) {
	t.Helper()
	got := texts(t, s, id)
	if len(got) != len(want) {
		t.Errorf("%d identifiers, want %d", len(got), len(want))
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("identifier %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func wantFound(t testing.TB, s store.Store, n int, want uuid.UUID) {
	t.Helper()
	id, found, err := s.FindClient(t.Context(), registryA, Hash(n))
	if err != nil || found != (want != uuid.Nil) || id != want {
		t.Errorf("hash %d finds another client: found=%v err=%v", n, found, err)
	}
}

func identityAnIdentifierIsKeptSealed(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	id := Client(t, s, registryA, 1)
	wantTexts(t, s, id, "code "+string(textOf(Hash(1))))
	client, err := s.Client(t.Context(), registryA, id)
	want := store.Client{ID: id, BornOn: "1950-01-01", Created: start.Truncate(time.Microsecond)}
	if err != nil || client != want {
		t.Errorf("the client is %+v (err=%v), want %+v", client, err, want)
	}
	sealed, key, _ := s.ClientIdentifiers(t.Context(), registryA, id)
	if !sealed[0].Since.Equal(client.Created) || key.KeyID != keys.Primary() || bytes.Contains(sealed[0].Sealed, textOf(Hash(1))) {
		t.Errorf("the identifier is %+v under %s", sealed[0], key.KeyID)
	}
	if again := Client(t, s, registryA, 1); again != id {
		t.Error("the client got another id")
	}
	for name, registry := range map[string]string{"another registry": registryB, "no registry": "1.2.3"} {
		if _, err := s.Client(t.Context(), registry, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: the client: %v", name, err)
		}
		if _, _, err := s.ClientIdentifiers(t.Context(), registry, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: the identifiers: %v", name, err)
		}
	}
	if _, after, _ := s.ClientIdentifiers(t.Context(), registryA, id); !bytes.Equal(after.Bytes, key.Bytes) {
		t.Error("the client got another key")
	}
}

func identityBasicDataAreChangedAndLogged(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	id := Client(t, s, registryA, 1)
	for _, data := range []store.BasicData{
		{NonDisclosure: true}, {NonDisclosure: true, DiedOn: "2026-02-01"}, {NonDisclosure: true, DiedOn: "2026-02-01"},
		{DiedOn: "1950-01-01"}, {},
	} {
		told, err := s.UpdateClient(t.Context(), registryA, id, data, Row("update", start))
		client, readErr := s.Client(t.Context(), registryA, id)
		want := store.Client{ID: id, NonDisclosure: data.NonDisclosure, DiedOn: data.DiedOn, BornOn: "1950-01-01", Created: start.Truncate(time.Microsecond)}
		if err != nil || readErr != nil || client != want || told != want {
			t.Errorf("%+v: told %+v (%v), read %+v (%v)", data, told, err, client, readErr)
		}
	}
	if rows := AllLog(t, s, store.LogQuery{ClientID: id}); len(rows) != 6 {
		t.Errorf("%d log rows name the client, want 6: a repetition has its own", len(rows))
	}
	for name, c := range map[string]struct {
		registry string
		id       uuid.UUID
		data     store.BasicData
		refused  func(error) bool
	}{
		"before the birth": {registryA, id, store.BasicData{DiedOn: "1949-12-31"}, isInvalid},
		"no day":           {registryA, id, store.BasicData{DiedOn: "2026-02-30"}, isInvalid},
		"no client":        {registryA, uuid.New(), store.BasicData{}, is(store.ErrNotFound)},
		"another registry": {registryB, id, store.BasicData{}, is(store.ErrNotFound)},
	} {
		if _, err := s.UpdateClient(t.Context(), c.registry, c.id, c.data, Row("update", start)); !c.refused(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 6 {
		t.Errorf("%d log rows: what was refused left some", len(rows))
	}
}

func identityATemporaryIdentifierIsReplaced(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	id := temporary(t, s, 1)
	facts := StoreNew(t, s, NewDocument(registryA, id, start, []byte("x"), "t1"))
	if client, err := s.Client(t.Context(), registryA, id); err != nil || client.BornOn != "" {
		t.Errorf("born on %q (err=%v)", client.BornOn, err)
	}
	done, err := replaceBy(t, s, id, 2)
	if err != nil || done != (store.Replacement{Changed: true}) {
		t.Fatalf("replacing: %+v, %v", done, err)
	}
	check := func() {
		t.Helper()
		wantTexts(t, s, id, "-temporary-code "+string(textOf(Hash(1))), "code "+string(textOf(Hash(2))))
		wantFound(t, s, 1, id)
		wantFound(t, s, 2, id)
		if client, err := s.Client(t.Context(), registryA, id); err != nil || client.BornOn != "1950-01-01" {
			t.Errorf("born on %q (err=%v)", client.BornOn, err)
		}
		page, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: id, Limit: 5})
		if err != nil || page.Total != 1 || page.Items[0].ID != facts.ID {
			t.Errorf("the document is lost: %d (err=%v)", page.Total, err)
		}
	}
	check()
	again, err := replaceBy(t, s, id, 2)
	if err != nil || again != (store.Replacement{}) {
		t.Errorf("again: %+v, %v", again, err)
	}
	for _, registration := range []store.Registration{Temporary(Hash(1)), Registration(Hash(2))} {
		if same, created, err := s.RegisterClient(t.Context(), registryA, registration, start, Row("a", start)); err != nil || created || same != id {
			t.Errorf("registered anew: created=%v err=%v", created, err)
		}
	}
	check()
	if rows := AllLog(t, s, store.LogQuery{ClientID: id}); len(rows) != 5 { // the document's row names no client
		t.Errorf("%d log rows name the client, want 5", len(rows))
	}
}

func identityACodeIsNotReplaced(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	id, other := Client(t, s, registryA, 1), temporary(t, s, 2)
	if _, err := replaceBy(t, s, id, 3); !errors.Is(err, store.ErrIdentified) {
		t.Errorf("a client with a code: %v", err)
	}
	if _, err := replaceBy(t, s, other, 4); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 5} {
		if _, err := replaceBy(t, s, other, n); !errors.Is(err, store.ErrIdentified) {
			t.Errorf("another code, %d: %v", n, err)
		}
	}
	wantFound(t, s, 3, uuid.Nil)
	wantFound(t, s, 1, id)
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 3 {
		t.Errorf("%d log rows, want 3", len(rows))
	}
}

// identityAClientInUseIsNotGivenUp: two clients who both may have something stay two, and nothing changes.
func identityAClientInUseIsNotGivenUp(t *testing.T, engine Engine) {
	for name, use := range map[string]func(t *testing.T, s store.Store, id uuid.UUID){
		"a document": func(t *testing.T, s store.Store, id uuid.UUID) {
			StoreNew(t, s, NewDocument(registryA, id, start, []byte("x"), "t1"))
		},
		"an annulled document": func(t *testing.T, s store.Store, id uuid.UUID) {
			facts := StoreNew(t, s, NewDocument(registryA, id, start, []byte("x"), "t1"))
			if _, _, err := s.Annul(t.Context(), NewAnnulment(facts, start, "mistake"), Row("a", start)); err != nil {
				t.Fatal(err)
			}
		},
		"a matter": func(t *testing.T, s store.Store, id uuid.UUID) {
			OpenMatter(t, s, NewMatter(registryA, "M-1", []uuid.UUID{id}, "t1"))
		},
		"a non-disclosure": func(t *testing.T, s store.Store, id uuid.UUID) {
			if _, err := s.UpdateClient(t.Context(), registryA, id, store.BasicData{NonDisclosure: true}, Row("a", start)); err != nil {
				t.Fatal(err)
			}
		},
		"a death": func(t *testing.T, s store.Store, id uuid.UUID) {
			if _, err := s.UpdateClient(t.Context(), registryA, id, store.BasicData{DiedOn: "2026-01-01"}, Row("a", start)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t, engine)
			id, other := temporary(t, s, 1), Client(t, s, registryA, 2)
			use(t, s, other)
			rows := len(AllLog(t, s, store.LogQuery{}))
			if done, err := replaceBy(t, s, id, 2); !errors.Is(err, store.ErrMergeNeeded) || done != (store.Replacement{}) {
				t.Errorf("got %+v, %v", done, err)
			}
			wantFound(t, s, 1, id)
			wantFound(t, s, 2, other)
			wantTexts(t, s, id, "temporary-code "+string(textOf(Hash(1))))
			wantTexts(t, s, other, "code "+string(textOf(Hash(2))))
			if got := len(AllLog(t, s, store.LogQuery{})); got != rows {
				t.Errorf("%d log rows were left", got-rows)
			}
		})
	}
	t.Run("another identifier", func(t *testing.T) {
		s := fresh(t, engine)
		id, other := temporary(t, s, 1), temporary(t, s, 2)
		if _, err := replaceBy(t, s, other, 3); err != nil {
			t.Fatal(err)
		}
		if _, err := replaceBy(t, s, id, 3); !errors.Is(err, store.ErrMergeNeeded) {
			t.Errorf("got %v", err)
		}
		wantFound(t, s, 3, other)
	})
}

func identityAnUnusedClientIsGivenUp(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	id, other := temporary(t, s, 1), Client(t, s, registryA, 2)
	StoreNew(t, s, NewDocument(registryA, id, start, []byte("x"), "t1"))
	done, err := replaceBy(t, s, id, 2)
	if err != nil || done != (store.Replacement{Changed: true, Absorbed: other}) {
		t.Fatalf("got %+v, %v", done, err)
	}
	wantFound(t, s, 1, id)
	wantFound(t, s, 2, id)
	wantTexts(t, s, id, "-temporary-code "+string(textOf(Hash(1))), "code "+string(textOf(Hash(2))))
	if ok, err := s.ClientExists(t.Context(), registryA, other); ok || err != nil {
		t.Errorf("the client that was given up is still there (err=%v)", err)
	}
	if _, _, err := s.StoreDocument(t.Context(), NewDocument(registryA, other, start, []byte("x"), "t1"), Row("a", start)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("storing under it: %v", err)
	}
	rows := AllLog(t, s, store.LogQuery{ClientID: id})
	if last := rows[len(rows)-1]; string(last.Criteria) != `{"absorbed":"`+other.String()+`"}` {
		t.Errorf("the log tells %s", last.Criteria)
	}
	if again, err := replaceBy(t, s, id, 2); err != nil || again != (store.Replacement{}) {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func identityWhatIsOutOfBoundsIsRefused(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	id := temporary(t, s, 1)
	if _, err := s.UpdateClient(t.Context(), registryA, id, store.BasicData{DiedOn: "1949-01-01"}, Row("a", start)); err != nil {
		t.Fatal(err)
	}
	unsealed, unknown, undated, foreign := Registration(Hash(2)), Registration(Hash(2)), Registration(Hash(2)), Temporary(Hash(2))
	unsealed.Seal, unknown.Kind, undated.BornOn = nil, "passport", "1950-13-01"
	failing := Registration(Hash(2))
	failing.BornOn = ""
	failing.Seal = func(uuid.UUID, clientkey.Wrapped) ([]byte, clientkey.Wrapped, error) {
		return nil, clientkey.Wrapped{}, clientkey.ErrUnknownKey
	}
	for name, r := range map[string]store.Registration{"without a seal": unsealed, "of no kind": unknown, "born on no day": undated} {
		if _, _, err := s.RegisterClient(t.Context(), registryA, r, start, Row("a", start)); !isInvalid(err) {
			t.Errorf("registering %s: %v", name, err)
		}
		if _, err := s.ReplaceIdentity(t.Context(), registryA, id, r, later, Row("a", start)); !isInvalid(err) {
			t.Errorf("replacing by one %s: %v", name, err)
		}
	}
	for name, r := range map[string]store.Registration{"a temporary one": foreign, "one born after the death": Registration(Hash(2))} {
		if _, err := s.ReplaceIdentity(t.Context(), registryA, id, r, later, Row("a", start)); !isInvalid(err) {
			t.Errorf("replacing by %s: %v", name, err)
		}
	}
	if _, err := s.ReplaceIdentity(t.Context(), registryA, id, failing, later, Row("a", start)); !errors.Is(err, clientkey.ErrUnknownKey) {
		t.Errorf("without the key: %v", err)
	}
	if _, _, err := s.RegisterClient(t.Context(), registryA, failing, start, Row("a", start)); !errors.Is(err, clientkey.ErrUnknownKey) {
		t.Errorf("registering without the key: %v", err)
	}
	if _, err := s.ReplaceIdentity(t.Context(), registryB, id, Registration(Hash(2)), later, Row("a", start)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("in another registry: %v", err)
	}
	if _, err := s.ReplaceIdentity(t.Context(), registryA, id, Registration(Hash(2)), later, store.LogRow{}); !isInvalid(err) {
		t.Errorf("with a bad row: %v", err)
	}
	wantFound(t, s, 2, uuid.Nil)
	wantTexts(t, s, id, "temporary-code "+string(textOf(Hash(1))))
}

// identityOfTwoReplacementsOneWins: a client never gets two codes.
func identityOfTwoReplacementsOneWins(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	for round := range rounds {
		id := temporary(t, s, 1000+round)
		var winner atomic.Int32
		race(func(i int) {
			switch done, err := replaceBy(t, s, id, 2000+round*100+i); {
			case err == nil && done.Changed:
				if !winner.CompareAndSwap(0, int32(2000+round*100+i)) {
					t.Error("two codes won")
				}
			case !errors.Is(err, store.ErrIdentified):
				t.Errorf("a loser got %+v, %v", done, err)
			}
		})
		wantTexts(t, s, id, "-temporary-code "+string(textOf(Hash(1000+round))), "code "+string(textOf(Hash(int(winner.Load())))))
	}
}

// identityOneCodeIsOneClients: of many clients that claim one code at once, one gets it.
func identityOneCodeIsOneClients(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	for round := range rounds {
		ids := make([]uuid.UUID, racers)
		for i := range ids {
			ids[i] = temporary(t, s, 1000+round*100+i)
		}
		var winner atomic.Int32
		winner.Store(-1)
		race(func(i int) {
			switch done, err := replaceBy(t, s, ids[i], 5000+round); {
			case err == nil && done.Changed && done.Absorbed == uuid.Nil:
				if !winner.CompareAndSwap(-1, int32(i)) {
					t.Error("two clients won")
				}
			case !errors.Is(err, store.ErrMergeNeeded):
				t.Errorf("a loser got %+v, %v", done, err)
			}
		})
		wantFound(t, s, 5000+round, ids[winner.Load()])
	}
}

// identityARegistrationAndAReplacementAgree: whichever is first, one client has the code in the end.
func identityARegistrationAndAReplacementAgree(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	for round := range rounds {
		id := temporary(t, s, 1000+round)
		code := 2000 + round
		var made, absorbed atomic.Int32
		race(func(i int) {
			if i == 0 {
				done, err := replaceBy(t, s, id, code)
				if err != nil || !done.Changed {
					t.Errorf("the replacement: %+v, %v", done, err)
				}
				if done.Absorbed != uuid.Nil {
					absorbed.Add(1)
				}
				return
			}
			_, created, err := s.RegisterClient(t.Context(), registryA, Registration(Hash(code)), start, Row("a", start))
			if err != nil {
				t.Errorf("a registration: %v", err)
			}
			if created {
				made.Add(1)
			}
		})
		if made.Load() != absorbed.Load() {
			t.Errorf("%d clients were made, %d given up", made.Load(), absorbed.Load())
		}
		wantFound(t, s, code, id)
		wantTexts(t, s, id, "-temporary-code "+string(textOf(Hash(1000+round))), "code "+string(textOf(Hash(code))))
	}
}

// identityNothingIsStoredUnderAClientGivenUp lets first documents and matters of a client run beside its being given up: either
// they are refused, or it is not given up.
func identityNothingIsStoredUnderAClientGivenUp(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	for round := range rounds * 2 {
		id, other := temporary(t, s, 1000+round), Client(t, s, registryA, 3000+round)
		var stored, givenUp atomic.Int32
		race(func(i int) {
			if i == round%racers {
				done, err := replaceBy(t, s, id, 3000+round)
				if err != nil && !errors.Is(err, store.ErrMergeNeeded) {
					t.Errorf("the replacement: %v", err)
				}
				if done.Absorbed == other {
					givenUp.Add(1)
				}
				return
			}
			var created bool
			var err error
			if i%2 == 0 {
				_, created, err = s.StoreDocument(t.Context(), NewDocument(registryA, other, start, []byte("x"), "t1"), Row("a", start))
			} else {
				matter := NewMatter(registryA, fmt.Sprintf("M-%d-%d", round, i), []uuid.UUID{other}, "t1")
				_, created, err = s.OpenMatter(t.Context(), matter, Row("a", start))
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a document or matter: %v", err)
			}
			if created {
				stored.Add(1)
			}
		})
		if stored.Load() > 0 && givenUp.Load() > 0 {
			t.Fatalf("%d documents and matters belong to a client that was given up", stored.Load())
		}
		if stored.Load() == 0 && givenUp.Load() == 0 {
			t.Fatal("neither a document nor the replacement came through")
		}
	}
}
