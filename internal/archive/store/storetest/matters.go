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

func testMatters(t *testing.T, engine Engine) {
	t.Run("AMatterIsAllThatWasSaid", func(t *testing.T) { mattersAMatterIsAllThatWasSaid(t, engine) })
	t.Run("AMatterClosesAndReopens", func(t *testing.T) { mattersAMatterClosesAndReopens(t, engine) })
	t.Run("ARefusedChangeLeavesNothing", func(t *testing.T) { mattersARefusedChangeLeavesNothing(t, engine) })
	t.Run("ARepetitionChangesNothing", func(t *testing.T) { mattersARepetitionChangesNothing(t, engine) })
	t.Run("AMatterTakesOnlyItsOwn", func(t *testing.T) { mattersAMatterTakesOnlyItsOwn(t, engine) })
	t.Run("AClosedMatterTakesNoDocument", func(t *testing.T) { mattersAClosedMatterTakesNoDocument(t, engine) })
	t.Run("ClosingLeavesNoDocumentBehind", func(t *testing.T) { mattersClosingLeavesNoDocumentBehind(t, engine) })
	t.Run("OfManyOpeningsOneWins", func(t *testing.T) { mattersOfManyOpeningsOneWins(t, engine) })
}

func mattersAMatterIsAllThatWasSaid(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	clients := []uuid.UUID{Client(t, s, registryA, 2), Client(t, s, registryA, 1)}
	shared := OpenMatter(t, s, NewMatter(registryA, "m-1", clients, "t2", "t1"))
	want := store.Matter{
		ID: "m-1", Registry: registryA, ClientIDs: clients, ServiceTasks: []string{"t2", "t1"}, Opened: store.Instant(start), Events: 1,
	}
	if !reflect.DeepEqual(shared, want) {
		t.Errorf("got %+v\nwant %+v", shared, want)
	}
	later := NewMatter(registryA, "a-2", clients[:1], "t1")
	later.At = start.Add(time.Hour)
	own := OpenMatter(t, s, later)
	other := Client(t, s, registryB, 1)
	OpenMatter(t, s, NewMatter(registryB, "m-1", []uuid.UUID{other}, "t1")) // an identifier belongs to its registry
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = engine.Open(t, place)
	defer func() { _ = s.Close() }()
	if got, err := s.Matter(t.Context(), registryA, "m-1"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	for client, want := range map[uuid.UUID][]store.Matter{clients[0]: {own, shared}, clients[1]: {shared}, other: nil, uuid.New(): nil} {
		if got, err := s.MattersOf(t.Context(), registryA, client); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("of a client: got %+v, %v\nwant %+v", got, err, want)
		}
	}
	for registry, id := range map[string]string{registryA: "m-2", registryB: "a-2", "1.2.3": "m-1"} {
		if _, err := s.Matter(t.Context(), registry, id); !errors.Is(err, store.ErrMatterUnknown) {
			t.Errorf("%s in %s: %v", id, registry, err)
		}
		if events, err := s.MatterEvents(t.Context(), registry, id); err != nil || len(events) != 0 {
			t.Errorf("events of %s in %s: %+v, %v", id, registry, events, err)
		}
	}
}

func mattersAMatterClosesAndReopens(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	opened := OpenMatter(t, s, NewMatter(registryA, "m-1", []uuid.UUID{Client(t, s, registryA, 1)}, "t1"))
	closing, reopening, again := NewChange(start.Add(time.Hour)), NewChange(start.Add(2*time.Hour)), NewChange(start)
	reopening.By.Unit = "1.2.246.10.99999993.10.1"
	want := opened
	steps := []struct {
		change func() (store.Matter, bool, error)
		closed time.Time
	}{
		{func() (store.Matter, bool, error) {
			return s.CloseMatter(t.Context(), registryA, "m-1", closing, Row("matter.close", start))
		}, store.Instant(closing.At)},
		{func() (store.Matter, bool, error) {
			return s.ReopenMatter(t.Context(), registryA, "m-1", reopening, Row("matter.reopen", start))
		}, time.Time{}},
		{func() (store.Matter, bool, error) {
			return s.CloseMatter(t.Context(), registryA, "m-1", again, Row("matter.close", start))
		}, store.Instant(again.At)},
	}
	for i, step := range steps {
		got, changed, err := step.change()
		want.Closed, want.Events = step.closed, i+2
		if err != nil || !changed || !reflect.DeepEqual(got, want) {
			t.Errorf("step %d: got %+v, changed=%v err=%v\nwant %+v", i, got, changed, err, want)
		}
		if got, err := s.Matter(t.Context(), registryA, "m-1"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("after step %d: got %+v, %v", i, got, err)
		}
	}
	var told []store.MatterEvent
	for kind, change := range []store.MatterChange{NewChange(start), closing, reopening, again} {
		change.At, change.Recorded = store.Instant(change.At), store.Instant(change.Recorded)
		told = append(told, store.MatterEvent{
			Kind:         []store.MatterEventKind{store.MatterOpened, store.MatterClosed, store.MatterReopened, store.MatterClosed}[kind],
			MatterChange: change,
		})
	}
	if got, err := s.MatterEvents(t.Context(), registryA, "m-1"); err != nil || !reflect.DeepEqual(got, told) {
		t.Errorf("events %+v, %v\nwant %+v", got, err, told)
	}
}

func mattersARefusedChangeLeavesNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client, sibling, foreigner := Client(t, s, registryA, 1), Client(t, s, registryA, 2), Client(t, s, registryB, 1)
	OpenMatter(t, s, NewMatter(registryA, "m-1", []uuid.UUID{client}, "t1", "t2"))
	OpenMatter(t, s, NewMatter(registryA, "closed", []uuid.UUID{client}, "t1"))
	if _, _, err := s.CloseMatter(t.Context(), registryA, "closed", NewChange(start.Add(time.Hour)), Row("a", start)); err != nil {
		t.Fatal(err)
	}
	before := len(AllLog(t, s, store.LogQuery{}))
	row := Row("matter.open", start)
	for name, c := range map[string]struct {
		change func(*store.NewMatter)
		row    store.LogRow
		want   func(error) bool
	}{
		"taken, another client":  {func(m *store.NewMatter) { m.ID, m.ClientIDs = "m-1", []uuid.UUID{sibling} }, row, is(store.ErrExists)},
		"taken, one more client": {func(m *store.NewMatter) { m.ID, m.ClientIDs = "m-1", []uuid.UUID{client, sibling} }, row, is(store.ErrExists)},
		"taken, a task less":     {func(m *store.NewMatter) { m.ID, m.ServiceTasks = "m-1", []string{"t1"} }, row, is(store.ErrExists)},
		"taken, another task":    {func(m *store.NewMatter) { m.ID, m.ServiceTasks = "m-1", []string{"t1", "t3"} }, row, is(store.ErrExists)},
		"unknown client":         {func(m *store.NewMatter) { m.ClientIDs = []uuid.UUID{client, uuid.New()} }, row, is(store.ErrNotFound)},
		"another registry's":     {func(m *store.NewMatter) { m.ClientIDs = []uuid.UUID{client, foreigner} }, row, is(store.ErrNotFound)},
		"an unknown registry":    {func(m *store.NewMatter) { m.Registry = "1.2.3" }, row, is(store.ErrNotFound)},
		"no client":              {func(m *store.NewMatter) { m.ClientIDs = nil }, row, isInvalid},
		"nine clients":           {func(m *store.NewMatter) { m.ClientIDs = make([]uuid.UUID, 9) }, row, isInvalid},
		"a client twice":         {func(m *store.NewMatter) { m.ClientIDs = []uuid.UUID{client, client} }, row, isInvalid},
		"no task":                {func(m *store.NewMatter) { m.ServiceTasks = nil }, row, isInvalid},
		"no identifier":          {func(m *store.NewMatter) { m.ID = "" }, row, isInvalid},
		"no author":              {func(m *store.NewMatter) { m.By = store.Author{} }, row, isInvalid},
		"no time":                {func(m *store.NewMatter) { m.At = time.Time{} }, row, isInvalid},
		"bad row":                {func(*store.NewMatter) {}, store.LogRow{}, isInvalid},
	} {
		matter := NewMatter(registryA, "new", []uuid.UUID{client}, "t1", "t2")
		c.change(&matter)
		if _, _, err := s.OpenMatter(t.Context(), matter, c.row); !c.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		id   string
		at   time.Time
		want func(error) bool
	}{
		"unknown":            {"none", start, is(store.ErrMatterUnknown)},
		"before the opening": {"m-1", start.Add(-time.Hour), isInvalid},
		"at another time":    {"closed", start.Add(2 * time.Hour), is(store.ErrMatterClosed)},
		"no time":            {"m-1", time.Time{}, isInvalid},
	} {
		if _, _, err := s.CloseMatter(t.Context(), registryA, c.id, NewChange(c.at), Row("matter.close", start)); !c.want(err) {
			t.Errorf("closing, %s: %v", name, err)
		}
	}
	if _, _, err := s.ReopenMatter(t.Context(), registryA, "none", NewChange(start), Row("matter.reopen", start)); !errors.Is(err, store.ErrMatterUnknown) {
		t.Errorf("reopening an unknown one: %v", err)
	}
	if _, err := s.Matter(t.Context(), registryA, "new"); !errors.Is(err, store.ErrMatterUnknown) {
		t.Errorf("a refused matter is there: %v", err)
	}
	if m, err := s.Matter(t.Context(), registryA, "m-1"); err != nil || !m.IsOpen() || m.Events != 1 || len(m.ClientIDs) != 1 {
		t.Errorf("the matter changed: %+v, %v", m, err)
	}
	if after := len(AllLog(t, s, store.LogQuery{})); after != before {
		t.Errorf("refused changes left %d log rows", after-before)
	}
}

func mattersARepetitionChangesNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{Client(t, s, registryA, 1), Client(t, s, registryA, 2)}
	OpenMatter(t, s, NewMatter(registryA, "m-1", clients, "t1", "t2"))
	closing := NewChange(start.Add(time.Hour))
	if _, changed, err := s.CloseMatter(t.Context(), registryA, "m-1", closing, Row("matter.close", start)); err != nil || !changed {
		t.Fatalf("closing: %v", err)
	}
	closed, err := s.Matter(t.Context(), registryA, "m-1")
	if err != nil {
		t.Fatal(err)
	}
	rows := len(AllLog(t, s, store.LogQuery{}))
	repeated := NewMatter(registryA, "m-1", []uuid.UUID{clients[1], clients[0]}, "t2", "t1")
	repeated.At = start.Add(time.Minute)
	got, changed, err := s.OpenMatter(t.Context(), repeated, Row("matter.open", start))
	if err != nil || changed || !reflect.DeepEqual(got, closed) {
		t.Errorf("opened again: %+v, changed=%v err=%v", got, changed, err)
	}
	closing.Recorded = start.Add(48 * time.Hour)
	got, changed, err = s.CloseMatter(t.Context(), registryA, "m-1", closing, Row("matter.close", start))
	if err != nil || changed || !reflect.DeepEqual(got, closed) {
		t.Errorf("closed again: %+v, changed=%v err=%v", got, changed, err)
	}
	for i, want := range []bool{true, false} {
		got, changed, err = s.ReopenMatter(t.Context(), registryA, "m-1", NewChange(start), Row("matter.reopen", start))
		if err != nil || changed != want || !got.IsOpen() || got.Events != 3 {
			t.Errorf("reopened %d: %+v, changed=%v err=%v", i, got, changed, err)
		}
	}
	if events, err := s.MatterEvents(t.Context(), registryA, "m-1"); err != nil || len(events) != 3 {
		t.Errorf("%d events, %v", len(events), err)
	}
	if after := len(AllLog(t, s, store.LogQuery{})); after != rows+4 {
		t.Errorf("%d log rows, want %d: each repetition has its own", after, rows+4)
	}
}

// family is a registry's clients and matters.
type family struct {
	store.Store
	child, sibling, stranger uuid.UUID
}

func newFamily(t *testing.T, engine Engine) family {
	f := family{Store: fresh(t, engine)}
	f.child, f.sibling, f.stranger = Client(t, f, registryA, 1), Client(t, f, registryA, 2), Client(t, f, registryA, 3)
	both := []uuid.UUID{f.child, f.sibling}
	OpenMatter(t, f, NewMatter(registryA, "shared", both, "t1", "t2"))
	OpenMatter(t, f, NewMatter(registryA, "shared-2", []uuid.UUID{f.sibling, f.child}, "t1"))
	OpenMatter(t, f, NewMatter(registryA, "own", both[:1], "t1"))
	return f
}

func (f family) document(matter string, clients []uuid.UUID, tasks ...string) store.NewDocument {
	doc := NewDocument(registryA, f.child, start, []byte("x"), tasks...)
	doc.ClientIDs, doc.Matter = clients, matter
	return doc
}

func mattersAMatterTakesOnlyItsOwn(t *testing.T, engine Engine) {
	f := newFamily(t, engine)
	both := []uuid.UUID{f.child, f.sibling}
	for name, c := range map[string]struct {
		doc  store.NewDocument
		want error
	}{
		"its own":              {f.document("shared", both, "t1"), nil},
		"in another order":     {f.document("shared", []uuid.UUID{f.sibling, f.child}, "t2", "t1"), nil},
		"unknown matter":       {f.document("none", both, "t1"), store.ErrMatterUnknown},
		"one of its clients":   {f.document("shared", both[:1], "t1"), store.ErrClientOutsideMatter},
		"a stranger besides":   {f.document("shared", []uuid.UUID{f.child, f.sibling, f.stranger}, "t1"), store.ErrClientOutsideMatter},
		"a stranger for one":   {f.document("shared", []uuid.UUID{f.child, f.stranger}, "t1"), store.ErrClientOutsideMatter},
		"more than its client": {f.document("own", both, "t1"), store.ErrClientOutsideMatter},
		"another task":         {f.document("shared", both, "t3"), store.ErrTaskOutsideMatter},
		"another task besides": {f.document("shared", both, "t1", "t3"), store.ErrTaskOutsideMatter},
	} {
		if _, _, err := f.StoreDocument(t.Context(), c.doc, Row("a", start)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		matter string
		tasks  []string
		want   error
	}{
		"staying":                         {"shared", []string{"t1"}, nil},
		"staying with another task":       {"shared", []string{"t3"}, store.ErrTaskOutsideMatter},
		"to one of the same clients":      {"shared-2", []string{"t1"}, nil},
		"to the same, a task less":        {"shared-2", []string{"t2"}, store.ErrTaskOutsideMatter},
		"to one of fewer clients":         {"own", []string{"t1"}, store.ErrClientOutsideMatter},
		"to an unknown one":               {"none", []string{"t1"}, store.ErrMatterUnknown},
		"out of it":                       {"", []string{"t3"}, nil},
		"to another with its former task": {"shared-2", []string{"t1", "t2"}, store.ErrTaskOutsideMatter},
	} {
		facts := StoreNew(t, f, f.document("shared", both, "t1", "t2"))
		version := NewVersion(facts, start, []byte("y"), c.tasks...)
		version.Matter = c.matter
		if _, _, err := f.AddVersion(t.Context(), version, Row("a", start)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	// Each of the clients finds what is in the shared matter, and nobody else does.
	for client, matter := range map[uuid.UUID]string{f.child: "shared", f.sibling: "shared", f.stranger: ""} {
		page, err := f.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: client, Matter: matter, Limit: store.MaxPage})
		if err != nil || (page.Total > 0) != (client != f.stranger) {
			t.Errorf("%d documents, %v", page.Total, err)
		}
	}
}

func mattersAClosedMatterTakesNoDocument(t *testing.T, engine Engine) {
	f := newFamily(t, engine)
	both := []uuid.UUID{f.child, f.sibling}
	facts := StoreNew(t, f, f.document("shared", both, "t1"))
	outside := StoreNew(t, f, f.document("shared-2", both, "t1"))
	relationship := newRelationship(f.child)
	relationship.Matter, relationship.ServiceTasks = "own", []string{"t1"}
	related := StoreNew(t, f, relationship)
	first := f.document("own", both[:1], "t1")
	StoreNew(t, f, first)
	closeAll := func() {
		for _, id := range []string{"shared", "own"} {
			if _, _, err := f.CloseMatter(t.Context(), registryA, id, NewChange(start.Add(time.Hour)), Row("a", start)); err != nil {
				t.Fatal(err)
			}
		}
	}
	closeAll()
	add := func(of store.Facts, change func(*store.NewVersion)) error {
		version := NewVersion(of, start, []byte("y"), "t1")
		version.Matter = of.Matter
		change(&version)
		_, _, err := f.AddVersion(t.Context(), version, Row("a", start))
		return err
	}
	correct := func(v *store.NewVersion) { v.CorrectionReason = "typing-error" }
	_, _, newErr := f.StoreDocument(t.Context(), f.document("shared", both, "t1"), Row("a", start))
	corrected := f.document("shared", both, "t1")
	corrected.CorrectionReason = "typing-error"
	_, _, correctedErr := f.StoreDocument(t.Context(), corrected, Row("a", start))
	newRelated := newRelationship(f.child)
	newRelated.Matter, newRelated.ServiceTasks = "own", []string{"t1"}
	_, _, relatedErr := f.StoreDocument(t.Context(), newRelated, Row("a", start))
	for name, err := range map[string]error{
		"a new document": newErr, "one that calls itself a correction": correctedErr, "a new relationship": relatedErr,
		"a version":      add(facts, func(*store.NewVersion) {}),
		"one that moves": add(outside, func(v *store.NewVersion) { v.Matter = "shared" }),
		"one that moves, as a correction": add(outside, func(v *store.NewVersion) {
			v.Matter, v.CorrectionReason = "shared", "typing-error"
		}),
		"one that leaves":             add(facts, func(v *store.NewVersion) { v.Matter = "" }),
		"one that leaves for another": add(facts, func(v *store.NewVersion) { v.Matter = "shared-2" }),
	} {
		if !errors.Is(err, store.ErrMatterClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, created, err := f.StoreDocument(t.Context(), first, Row("a", start)); err != nil || created {
		t.Errorf("repeating what was stored before the closing: created=%v err=%v", created, err)
	}
	if err := add(facts, correct); err != nil {
		t.Errorf("a correction: %v", err)
	}
	end := ended(related, start)
	end.Matter, end.ServiceTasks = "own", []string{"t1"}
	if _, _, err := f.AddVersion(t.Context(), end, Row("a", start)); err != nil {
		t.Errorf("the end of a relationship: %v", err)
	}
	if _, _, err := f.Annul(t.Context(), NewAnnulment(outside, start, "mistake"), Row("a", start)); err != nil {
		t.Errorf("an annulment: %v", err)
	}
	if _, _, err := f.ReopenMatter(t.Context(), registryA, "shared", NewChange(start), Row("a", start)); err != nil {
		t.Fatal(err)
	}
	StoreNew(t, f, f.document("shared", both, "t1"))
}

// mattersClosingLeavesNoDocumentBehind: what a closing that was acknowledged has not seen is never stored.
func mattersClosingLeavesNoDocumentBehind(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	for range rounds {
		id := uuid.NewString()
		OpenMatter(t, s, NewMatter(registryA, id, []uuid.UUID{client}, "t1"))
		count := func() int {
			page, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, Matter: id, Limit: 1})
			if err != nil {
				t.Error(err)
			}
			return page.Total
		}
		var stored atomic.Int32
		var atClosing int
		race(func(i int) {
			if i == racers/2 {
				if _, _, err := s.CloseMatter(t.Context(), registryA, id, NewChange(start), Row("a", start)); err != nil {
					t.Errorf("closing: %v", err)
				}
				atClosing = count()
				return
			}
			doc := NewDocument(registryA, client, start, []byte{byte(i)}, "t1")
			doc.Matter = id
			switch _, _, err := s.StoreDocument(t.Context(), doc, Row("a", start)); {
			case err == nil:
				stored.Add(1)
			case !errors.Is(err, store.ErrMatterClosed):
				t.Errorf("storing: %v", err)
			}
		})
		if after := count(); after != atClosing || after != int(stored.Load()) {
			t.Errorf("%d documents were stored, %d were there when the matter had been closed, %d are there now", stored.Load(), atClosing, after)
		}
	}
}

func mattersOfManyOpeningsOneWins(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{Client(t, s, registryA, 1), Client(t, s, registryA, 2)}
	for range rounds {
		id := uuid.NewString()
		var opened atomic.Int32
		race(func(i int) {
			_, changed, err := s.OpenMatter(t.Context(), NewMatter(registryA, id, clients[i%2:i%2+1], "t1"), Row("a", start))
			switch {
			case err == nil && changed:
				opened.Add(1)
			case err != nil && !errors.Is(err, store.ErrExists):
				t.Errorf("opening: %v", err)
			}
		})
		if opened.Load() != 1 {
			t.Errorf("%d openings of one matter won", opened.Load())
		}
		if events, err := s.MatterEvents(t.Context(), registryA, id); err != nil || len(events) != 1 {
			t.Errorf("events %+v, %v", events, err)
		}
	}
}
