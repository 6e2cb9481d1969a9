// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testTestRegistries(t *testing.T, engine Engine) {
	t.Run("OneIsOpenedOnce", func(t *testing.T) { testRegistryIsOpenedOnce(t, engine) })
	t.Run("NothingIsWrittenToAClosedOne", func(t *testing.T) { nothingIsWrittenToAClosedTestRegistry(t, engine) })
	t.Run("NothingGetsPastTheClosing", func(t *testing.T) { nothingGetsPastTheClosing(t, engine) })
	t.Run("NothingElseIsTouched", func(t *testing.T) { nothingElseIsTouched(t, engine) })
	t.Run("ADestructionThatFailsAnywhereGoesOn", func(t *testing.T) { aDestructionThatFailsAnywhereGoesOn(t, engine) })
}

// OIDs of test registries.
const (
	testRegistry1 = "2.25.329800735698586629295641978511506172918"
	testRegistry2 = "2.25.329800735698586629295641978511506172919"
)

// NewTestRegistry gives one that can be opened.
func NewTestRegistry(oid string) store.TestRegistry {
	return store.TestRegistry{
		OID: oid, TestUID: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Namespace: "area", Name: "systems", Salt: [32]byte{1, 2, 31: 3},
		Opened: start,
	}
}

// OpenTest opens a test registry of a test that was made at the suite's start.
func OpenTest(t testing.TB, s store.Store, oid string) store.TestRegistry {
	t.Helper()
	r, err := s.OpenTestRegistry(t.Context(), NewTestRegistry(oid), start)
	if err != nil {
		t.Fatalf("opening a test registry: %v", err)
	}
	return r
}

func testRegistryIsOpenedOnce(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	ctx, at := t.Context(), store.Instant(start)
	for _, oid := range []string{registryA, "2.25", "2.25.", "2.25.x", "2.250.1"} {
		if _, err := s.OpenTestRegistry(ctx, NewTestRegistry(oid), start); !isInvalid(err) {
			t.Errorf("%q: %v", oid, err)
		}
	}
	Client(t, s, testRegistry2, 1) // at start: before the test was made
	if _, err := s.OpenTestRegistry(ctx, NewTestRegistry(testRegistry2), start.Add(time.Second)); !errors.Is(err, store.ErrExists) {
		t.Errorf("a registry that is older than its test: %v", err)
	}
	want := NewTestRegistry(testRegistry1)
	want.Opened = at
	for i := range 2 {
		asked := NewTestRegistry(testRegistry1)
		asked.Salt[0], asked.Opened = asked.Salt[0]+byte(i), start.Add(time.Duration(i)*time.Hour)
		if got, err := s.OpenTestRegistry(ctx, asked, start); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	row := Row("DestroyTest", start)
	for what, err := range map[string]error{
		"closing another":    s.CloseTestRegistry(ctx, testRegistry2, start),
		"noting an open one": s.NoteObserved(ctx, testRegistry1, start),
		"destroying it":      second(s.DestroyTestRegistry(ctx, testRegistry1, 1, start, row)),
		"and another":        second(s.DestroyTestRegistry(ctx, registryA, 1, start, row)),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range 2 {
		later := start.Add(time.Duration(i+1) * time.Hour)
		if err := s.CloseTestRegistry(ctx, testRegistry1, later); err != nil {
			t.Error(err)
		}
		if i == 0 {
			if err := second(s.DestroyTestRegistry(ctx, testRegistry1, 1, start, row)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("before all was told: %v", err)
			}
		}
		if err := s.NoteObserved(ctx, testRegistry1, later.Add(time.Minute)); err != nil {
			t.Error(err)
		}
		if err := second(s.DestroyTestRegistry(ctx, testRegistry1, 1, later.Add(2*time.Minute), row)); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = engine.Open(t, place)
	defer func() { _ = s.Close() }()
	want.Closed, want.Observed, want.Destroyed = at.Add(time.Hour), at.Add(61*time.Minute), at.Add(62*time.Minute)
	if got, err := s.TestRegistries(ctx); err != nil || !reflect.DeepEqual(got, []store.TestRegistry{want}) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func second[T any](_ T, err error) error { return err }

func nothingIsWrittenToAClosedTestRegistry(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	ctx := t.Context()
	OpenTest(t, s, testRegistry1)
	// What holds of an open registry and of one that merely has such an OID is in the rest of the suite; here each write is tried.
	for _, c := range []struct {
		registry string
		want     error
	}{{testRegistry2, nil}, {testRegistry1, store.ErrOver}} {
		client, other := Client(t, s, c.registry, 1), Client(t, s, c.registry, 2)
		stranger, _, err := s.RegisterClient(ctx, c.registry, Temporary(Hash(3)), start, Row("a", start))
		if err != nil {
			t.Fatal(err)
		}
		facts := StoreNew(t, s, NewDocument(c.registry, client, start, []byte("x"), "t1"))
		matter := OpenMatter(t, s, NewMatter(c.registry, "M-1", []uuid.UUID{client}, "t1"))
		w, _, err := s.Withhold(ctx, NewWithholding(c.registry, client, start), Row("a", start))
		if err != nil {
			t.Fatal(err)
		}
		if c.want != nil {
			if err := s.CloseTestRegistry(ctx, c.registry, start); err != nil {
				t.Fatal(err)
			}
		}
		rows := len(AllLog(t, s, store.LogQuery{}))
		for what, err := range map[string]error{
			"registering": third(s.RegisterClient(ctx, c.registry, Registration(Hash(4)), start, Row("a", start))),
			"updating":    second(s.UpdateClient(ctx, c.registry, other, store.BasicData{NonDisclosure: true}, Row("a", start))),
			"replacing":   second(s.ReplaceIdentity(ctx, c.registry, stranger, Registration(Hash(5)), start, Row("a", start))),
			"storing":     third(s.StoreDocument(ctx, NewDocument(c.registry, client, start, []byte("x"), "t1"), Row("a", start))),
			"a version":   third(s.AddVersion(ctx, NewVersion(facts, start, []byte("y"), "t1"), Row("a", start))),
			"opening":     third(s.OpenMatter(ctx, NewMatter(c.registry, "M-2", []uuid.UUID{client}, "t1"), Row("a", start))),
			"closing":     third(s.CloseMatter(ctx, c.registry, matter.ID, NewChange(start.Add(time.Hour)), Row("a", start))),
			"withholding": third(s.Withhold(ctx, NewWithholding(c.registry, other, start), Row("a", start))),
			"lifting":     second(s.LiftWithholding(ctx, c.registry, w.ID, store.Lifting{At: start, Decision: "D/2/2026", By: w.By}, Row("a", start))),
		} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s in %s: %v", what, c.registry, err)
			}
		}
		stored, err := s.DocumentFacts(ctx, c.registry, facts.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := third(s.Annul(ctx, NewAnnulment(stored, start, "mistake"), Row("a", start))); !errors.Is(err, c.want) {
			t.Errorf("annulling in %s: %v", c.registry, err)
		}
		n, err := s.AppendRelationshipStates(ctx, []store.Sighting{Sighting("object-"+c.registry, c.registry, client, 1, start)})
		if err != nil || (n == 1) != (c.want == nil) {
			t.Errorf("a relationship in %s: %d, %v", c.registry, n, err)
		}
		if now := len(AllLog(t, s, store.LogQuery{})); (now == rows) != (c.want != nil) {
			t.Errorf("%d rows were written", now-rows)
		}
	}
}

func third[T, U any](_ T, _ U, err error) error { return err }

// nothingGetsPastTheClosing closes and destroys a test registry while many write to it. None is in another's way: those
// who do not know better would take a test's parties for systems that fail.
func nothingGetsPastTheClosing(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	defer func() { _ = s.Close() }()
	OpenTest(t, s, testRegistry1)
	known := Client(t, s, testRegistry1, 1)
	var writers, writing sync.WaitGroup
	for writer := range racers {
		writing.Add(1)
		writers.Go(func() {
			begun := sync.OnceFunc(writing.Done)
			defer begun()
			for i := 0; ; i++ {
				err := third(s.StoreDocument(t.Context(), NewDocument(testRegistry1, known, start, []byte("x"), "t1"), Row("a", start)))
				if err == nil {
					err = third(s.RegisterClient(t.Context(), testRegistry1, Registration(Hash(1000*writer+i+2)), start, Row("a", start)))
				}
				if err != nil {
					if !errors.Is(err, store.ErrOver) {
						t.Errorf("a write beside others: %v", err)
					}
					return
				}
				if i == 10 {
					begun()
				}
			}
		})
	}
	writing.Wait()
	if err := s.CloseTestRegistry(t.Context(), testRegistry1, start); err != nil {
		t.Errorf("closing: %v", err)
	}
	closed := len(newDump(t, engine, place).of(t, testRegistry1))
	writers.Wait()
	if now := len(newDump(t, engine, place).of(t, testRegistry1)); now != closed {
		t.Errorf("%d rows were written after the closing", now-closed)
	}
	if err := s.NoteObserved(t.Context(), testRegistry1, start); err != nil {
		t.Fatal(err)
	}
	r := destroyAll(t, s, testRegistry1, 50)
	if left := newDump(t, engine, place).of(t, testRegistry1); len(left) > 0 {
		t.Errorf("%d rows are left: %v", len(left), left)
	}
	if r.Documents < 10*racers || r.Clients < 10*racers {
		t.Errorf("destroyed %+v", r)
	}
}

// destroyAll destroys a closed test registry part by part.
func destroyAll(t testing.TB, s store.Store, oid string, limit int) (r store.TestRegistry) {
	t.Helper()
	for range 10_000 {
		var err error
		if r, err = s.DestroyTestRegistry(t.Context(), oid, limit, start.Add(time.Hour), Row("DestroyTest", start)); err != nil {
			t.Fatal(err)
		}
		if !r.Destroyed.IsZero() {
			return r
		}
	}
	t.Fatal("it does not come to an end")
	return r
}

// populate puts something of each kind into a registry, as the numbers have it.
func populate(t testing.TB, s store.Store, random *rand.Rand, registry string) {
	t.Helper()
	ctx := t.Context()
	var clients []uuid.UUID
	for n := range 1 + random.IntN(4) {
		clients = append(clients, Client(t, s, registry, n)) // the same people in each registry
	}
	some := func() []uuid.UUID {
		of := append([]uuid.UUID{}, clients...)
		random.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		return of[:1+random.IntN(len(of))]
	}
	var matters []store.Matter
	for n := range random.IntN(3) {
		matters = append(matters, OpenMatter(t, s, NewMatter(registry, fmt.Sprint("M-", n), some(), "t1", "t2"))) // the same names, too
	}
	for n := range random.IntN(6) {
		doc := NewDocument(registry, clients[0], start, fmt.Appendf(nil, "%d of %s", n, registry), "t1", "t2")
		if random.IntN(2) == 0 {
			doc.ClientIDs = some()
		}
		if random.IntN(3) == 0 {
			doc.ClientIDs = doc.ClientIDs[:1]
			doc.Relationship = &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: start, Procurement: "Outsourced"}
		}
		if random.IntN(3) == 0 {
			doc.Representations[0].Signature = NewSignature("T-1")
		}
		if len(matters) > 0 && doc.Relationship == nil && random.IntN(2) == 0 {
			m := matters[random.IntN(len(matters))]
			doc.Matter, doc.ClientIDs = m.ID, m.ClientIDs
		}
		facts := StoreNew(t, s, doc)
		if random.IntN(2) == 0 && doc.Matter == "" {
			version := NewVersion(facts, start, []byte("new"), "t2", "t3")
			version.Relationship = doc.Relationship
			var err error
			if facts, _, err = s.AddVersion(ctx, version, Row("a", start)); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(3) == 0 {
			if err := third(s.Annul(ctx, NewAnnulment(facts, start, "mistake"), Row("a", start))); err != nil {
				t.Fatal(err)
			}
		}
	}
	AppendStates(t, s, Sighting("known-"+registry, registry, clients[0], 1, start), Sighting("unknown-"+registry, registry, uuid.New(), 1, start))
	if err := third(s.Withhold(ctx, NewWithholding(registry, clients[0], start), Row("a", start))); err != nil {
		t.Fatal(err)
	}
}

// nothingElseIsTouched draws registries with the same people and names, destroys one test registry, and looks at each row
// of each table: of the other registries' none is another, and of the test registry's none is left but what has to be.
func nothingElseIsTouched(t *testing.T, engine Engine) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 7))
		place := engine.NewPlace(t)
		s := engine.Open(t, place)
		registries := []string{registryA, registryB, testRegistry1, testRegistry2, "2.25.4711"}
		OpenTest(t, s, testRegistry1)
		OpenTest(t, s, testRegistry2)
		random.Shuffle(len(registries), func(i, j int) { registries[i], registries[j] = registries[j], registries[i] })
		for _, registry := range registries {
			populate(t, s, random, registry)
		}
		ctx := t.Context()
		if err := errors.Join(s.CloseTestRegistry(ctx, testRegistry1, start), s.NoteObserved(ctx, testRegistry1, start)); err != nil {
			t.Fatal(err)
		}
		before := newDump(t, engine, place)
		r := destroyAll(t, s, testRegistry1, 1+random.IntN(3))
		after := newDump(t, engine, place)
		for _, registry := range []string{registryA, registryB, testRegistry2, "2.25.4711"} {
			if had, has := before.of(t, registry), after.of(t, registry); !reflect.DeepEqual(had, has) || len(had) == 0 {
				t.Errorf("seed %d: of %s there were %d rows and are %d, or others", seed, registry, len(had), len(has))
			}
		}
		if left := after.of(t, testRegistry1); len(left) > 0 || len(before.of(t, testRegistry1)) == 0 {
			t.Errorf("seed %d: %d rows are left: %v", seed, len(left), left)
		}
		if had, has := before.rest(testRegistry1), after.rest(testRegistry1); had != has {
			t.Errorf("seed %d: %d rows of nobody, then %d", seed, had, has)
		}
		records, err := s.DestroyedRecords(ctx, nil, store.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		kinds, told := map[store.DestroyedKind]int{}, r.Clients
		for _, record := range records {
			if kinds[record.Kind]++; record.Kind == store.KindDocument {
				told += len(record.ClientIDs) // each client's own log tells of it
			}
			if record.Registry != testRegistry1 || record.Due != store.TestOver(start) {
				t.Errorf("seed %d: %+v", seed, record)
			}
		}
		rows := AllLog(t, s, store.LogQuery{Registry: testRegistry1})
		if kinds[store.KindDocument] != r.Documents || kinds[store.KindClient] != r.Clients || len(rows) != told {
			t.Errorf("seed %d: %+v, %d rows, and it says %+v", seed, kinds, len(rows), r)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
