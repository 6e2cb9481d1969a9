// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/await"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

const (
	relStart = "2026-11-21T11:00:00Z"
	relEnd   = "2026-12-24T12:00:00Z"
)

func (c *caller) storeRelationship(client uuid.UUID, body string, tasks ...string) reply {
	c.arena.t.Helper()
	path := "/documents" + query("client-relationship", []uuid.UUID{client}, versionQuery(tasks...))
	return c.send("POST", path, "application/json", []byte(body))
}

func TestAClientRelationshipDocumentIsTold(t *testing.T) {
	a := newArena(t)
	open := relationshipDocument(otherUnitOID, relStart, "", "outsourced-service")
	stored := a.expect("storing", a.organizer.storeRelationship(a.client, open, task), 201)
	relationship, _ := stored.json["relationship"].(map[string]any)
	if relationship["unit"] != otherUnitOID || relationship["start"] != relStart || relationship["end"] != nil || relationship["agreement"] != "Pending" {
		t.Errorf("got %s", stored)
	}
	id := uuid.MustParse(stored.id())
	ended := relationshipDocument(otherUnitOID, relStart, relEnd, "outsourced-service")
	a.expect("ending", a.organizer.revise(stored.id(), `"1"`, ended, task), 201)
	got := a.expect("metadata", a.organizer.get("/documents/"+stored.id()+"/metadata"), 200)
	if relationship = got.json["relationship"].(map[string]any); relationship["end"] != relEnd {
		t.Errorf("got %s", got)
	}
	history := a.organizer.get("/documents/" + stored.id() + "/versions").json["items"].([]any)
	if old := history[1].(map[string]any)["relationship"].(map[string]any); old["end"] != nil || old["agreement"] != nil {
		t.Errorf("the first version: %v", old)
	}
	a.advance(time.Minute)
	a.index.SetFreshness(a.clock.Now())
	a.expect("annulling", a.organizer.annul(stored.id(), `"2"`, "made-in-error"), 200)
	end, _ := time.Parse(time.RFC3339, relEnd)
	want := []toldRelationship{{id, registryOID, time.Time{}}, {id, registryOID, end}, {id, registryOID, a.clock.Now()}}
	told := a.relationships.all()
	if len(told) != len(want) {
		t.Fatalf("told %v", told)
	}
	for i := range want {
		if told[i].document != want[i].document || told[i].registry != want[i].registry || !told[i].endsAt.Equal(want[i].endsAt) {
			t.Errorf("told %v, want %v", told[i], want[i])
		}
	}
	a.expect("another document", a.organizer.annul(a.put(a.unit, note("x"), task), `"1"`, "duplicate"), 200)
	if len(a.relationships.all()) != len(want) {
		t.Error("told of another document")
	}
}

// 3: what a client relationship document ends has ended when its answer comes: the sink is told once it is
// durable, and before it is answered.
func TestInvariant3_TheSinkIsToldBeforeTheAnswer(t *testing.T) {
	a := newArena(t)
	stored := a.organizer.storeRelationship(a.client, relationshipDocument(unitOID, relStart, "", "service-voucher"), task)
	id := uuid.MustParse(stored.id())
	answered := false
	a.relationships.onTold = func() {
		if answered {
			t.Error("it was answered before")
		}
		if record, err := a.store.RelationshipRecord(t.Context(), id); err != nil || record.End.IsZero() {
			t.Errorf("it is not durable yet: %+v, %v", record, err)
		}
		a.endRelationship() // as the real sink does
	}
	ended := relationshipDocument(unitOID, relStart, "2026-11-21T12:00:00Z", "service-voucher")
	a.expect("ending", a.organizer.revise(stored.id(), `"1"`, ended, task), 201)
	answered = true
	a.check("after the answer", a.unit.search(map[string]any{}), 403, "relationship-ended")
	if len(a.relationships.all()) != 2 {
		t.Errorf("told %v", a.relationships.all())
	}
}

// 3: of two changes at once, the sink is told last what is true last.
func TestInvariant3_TheSinkIsToldInTheOrderOfWhatIsDurable(t *testing.T) {
	a := newArena(t)
	stored := a.organizer.storeRelationship(a.client, relationshipDocument(unitOID, relStart, "", "outsourced-service"), task)
	earlier := relationshipDocument(unitOID, relStart, "2026-11-21T12:00:00Z", "outsourced-service")
	var begun atomic.Bool
	var wg sync.WaitGroup
	a.store.set(func(f *faultyStore) {
		f.onRecord = func() {
			if !begun.CompareAndSwap(false, true) {
				return
			}
			wg.Go(func() { a.expect("the earlier end", a.organizer.revise(stored.id(), `"2"`, earlier, task), 201) })
			if err := await.Until(t.Context(), "the earlier end to be durable", patience, 5*time.Millisecond, func() (bool, error) {
				facts, err := a.store.Store.DocumentFacts(t.Context(), registryOID, uuid.MustParse(stored.id()), 3)
				return err == nil && facts.Version == 3, err
			}); err != nil {
				t.Error(err)
			}
			time.Sleep(200 * time.Millisecond) // long enough for it to be told, if it could be
		}
	})
	a.expect("the later end", a.organizer.revise(stored.id(), `"1"`, relationshipDocument(unitOID, relStart, relEnd, "outsourced-service"), task), 201)
	wg.Wait()
	told := a.relationships.all()
	if last := told[len(told)-1]; !last.endsAt.Equal(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("told %v", told)
	}
}

// A repeated request must not bring back what a later version has ended.
func TestARepeatedRelationshipDocumentDoesNotReopenIt(t *testing.T) {
	a := newArena(t)
	path := query("client-relationship", []uuid.UUID{a.client}, versionQuery(task))
	open, id := relationshipDocument(unitOID, relStart, "", "outsourced-service"), uuid.NewString()
	a.expect("storing", a.organizer.putDocument(id, path, open), 201)
	a.expect("ending", a.organizer.revise(id, `"1"`, relationshipDocument(unitOID, relStart, relEnd, "outsourced-service"), task), 201)
	a.expect("repeating", a.organizer.putDocument(id, path, open), 200)
	told := a.relationships.all()
	if last := told[len(told)-1]; last.endsAt.IsZero() {
		t.Error("the repetition opened it again")
	}
}

func TestOnlyTheEndOfARelationshipChanges(t *testing.T) {
	a := newArena(t)
	stored := a.expect("storing", a.organizer.storeRelationship(a.client, relationshipDocument(unitOID, relStart, "", "outsourced-service"), task), 201)
	id := stored.id()
	for name, c := range map[string]struct{ body, task string }{
		"unit":        {relationshipDocument(otherUnitOID, relStart, relEnd, "outsourced-service"), task},
		"start":       {relationshipDocument(unitOID, "2026-11-21T11:00:01Z", relEnd, "outsourced-service"), task},
		"procurement": {relationshipDocument(unitOID, relStart, relEnd, "service-voucher"), task},
		"tasks":       {relationshipDocument(unitOID, relStart, relEnd, "outsourced-service"), indextest.BoughtTask},
	} {
		a.check(name, a.organizer.revise(id, `"1"`, c.body, c.task), 422, "relationship-immutable")
		a.check(name+", as a correction", a.organizer.correct(id, `"1"`, "clerical-error", c.body, c.task), 422, "relationship-immutable")
	}
	for name, body := range map[string]string{
		"end before start": relationshipDocument(unitOID, relStart, "2026-11-21T10:59:59Z", "outsourced-service"),
		"end at start":     relationshipDocument(unitOID, relStart, relStart, "outsourced-service"),
		"no unit":          relationshipDocument("hoiva", relStart, "", "outsourced-service"),
		"no procurement":   relationshipDocument(unitOID, relStart, "", "gift"),
	} {
		got := a.organizer.storeRelationship(a.client, body, task)
		a.check(name, got, 422, "document-invalid")
		if errors, _ := got.json["errors"].([]any); len(errors) == 0 || errors[0].(map[string]any)["pointer"] == "" {
			t.Errorf("%s: it does not say where: %s", name, got)
		}
	}
	a.check("stale", a.organizer.revise(id, `"7"`, relationshipDocument(unitOID, relStart, relEnd, "outsourced-service"), task), 412, "version-stale")
	a.expect("the end", a.organizer.revise(id, `"1"`, relationshipDocument(unitOID, relStart, relEnd, "outsourced-service"), task), 201)
	two := "/documents" + query("client-relationship", []uuid.UUID{a.client, a.another(0)}, versionQuery(task))
	got := a.organizer.send("POST", two, "application/json", []byte(relationshipDocument(unitOID, relStart, "", "outsourced-service")))
	a.check("two clients", got, 400, "invalid-parameter")
}

// 6: a unit, however far its right reaches, cannot give another unit a right, nor end it.
func TestInvariant6_AUnitSpeaksOfItsOwnRelationshipsOnly(t *testing.T) {
	a := newArena(t)
	own, others := relationshipDocument(unitOID, relStart, "", "outsourced-service"), relationshipDocument(otherUnitOID, relStart, "", "outsourced-service")
	a.check("basic", a.unit.storeRelationship(a.client, own, task), 403, "extent-insufficient")
	a.extend()
	a.check("about another", a.unit.storeRelationship(a.client, others, task), 403, "relationship-other-unit")
	id := a.expect("about itself", a.unit.storeRelationship(a.client, own, task), 201).id()
	foreign := a.organizer.storeRelationship(a.client, others, task).id()
	ended := relationshipDocument(otherUnitOID, relStart, relEnd, "outsourced-service")
	a.check("ending another's", a.unit.revise(foreign, `"1"`, ended, task), 403, "relationship-other-unit")
	a.check("correcting another's", a.unit.correct(foreign, `"1"`, "factual-error", ended, task), 403, "relationship-other-unit")
	a.check("annulling another's", a.unit.annul(foreign, `"1"`, "made-in-error"), 403, "relationship-other-unit")
	a.expect("annulling its own", a.unit.annul(id, `"1"`, "made-in-error"), 200)
	a.check("another client", a.unit.storeRelationship(a.another(0), own, task), 403, "no-relationship")
	a.check("another task", a.unit.storeRelationship(a.client, own, indextest.BoughtTask), 403, "task-not-covered")
}
