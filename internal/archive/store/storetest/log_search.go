// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testLogSupervision(t *testing.T, engine Engine) {
	t.Run("ASearchGivesWhatANaiveOneGives", func(t *testing.T) { logASearchGivesWhatANaiveOneGives(t, engine) })
	t.Run("ACursorServesItsSearchAlone", func(t *testing.T) { logACursorServesItsSearchAlone(t, engine) })
	t.Run("FactsAreOfTheSpan", func(t *testing.T) { logFactsAreOfTheSpan(t, engine) })
	t.Run("FirstsAreThoseOfANaiveSearch", func(t *testing.T) { logFirstsAreThoseOfANaiveSearch(t, engine) })
	t.Run("ADestructionIsInTheLogOfEachClient", func(t *testing.T) { logADestructionIsInTheLogOfEachClient(t, engine) })
	t.Run("AClientsLogHoldsWhatOthersRowsTellOfIt", func(t *testing.T) { logAClientsLogHoldsWhatOthersRowsTellOfIt(t, engine) })
}

// drawnLog writes rows that differ in all that the log is searched by, several of a moment, and gives them newest
// first.
func drawnLog(t *testing.T, s store.Store, clients []uuid.UUID) (rows []store.LogRow) {
	t.Helper()
	draw := rand.New(rand.NewPCG(7, 11))
	pick := func(of ...string) string { return of[draw.IntN(len(of))] }
	for i := range 300 {
		row := Row(pick("Read", "Read", "Search", "Store", "Annul"), start.Add(time.Duration(i/3)*time.Minute))
		row.ID = uuid.New()
		row.Registry = pick(registryA, registryA, registryA, registryB)
		row.Professional, row.Unit = pick("", "T-1", "T-2"), pick("", "1.2.3", "1.2.4")
		row.ClientID = clients[draw.IntN(len(clients))]
		if row.Outcome = store.Outcome(pick("allowed", "allowed", "refused", "error")); row.Outcome != store.OutcomeAllowed {
			row.Reason = pick("no-relationship", "task-not-covered")
		}
		rows = append(rows, row)
	}
	if err := s.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, func(a, b store.LogRow) int { return cmp.Or(b.Time.Compare(a.Time), bytes.Compare(b.ID[:], a.ID[:])) })
	return rows
}

func logASearchGivesWhatANaiveOneGives(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{uuid.New(), uuid.New(), uuid.Nil}
	rows := drawnLog(t, s, clients)
	draw := rand.New(rand.NewPCG(3, 5))
	found := 0
	for range 300 {
		query := store.LogSearch{Registry: registryA, Limit: 1 + draw.IntN(40), CallerBinding: "x"}
		maybe := func(set func()) {
			if draw.IntN(3) == 0 {
				set()
			}
		}
		maybe(func() { query.ClientID = clients[draw.IntN(2)] })
		maybe(func() { query.Professional = []string{"T-1", "T-2", "T-9"}[draw.IntN(3)] })
		maybe(func() { query.Unit = []string{"1.2.3", "1.2.4"}[draw.IntN(2)] })
		maybe(func() { query.Operation = []string{"Read", "Search", "Annul", "Store"}[draw.IntN(4)] })
		maybe(func() { query.Outcome = []store.Outcome{"allowed", "refused", "error"}[draw.IntN(3)] })
		maybe(func() { query.Reason = []string{"no-relationship", "task-not-covered"}[draw.IntN(2)] })
		maybe(func() { query.From = start.Add(time.Duration(draw.IntN(100)) * time.Minute) })
		maybe(func() { query.Until = start.Add(time.Duration(draw.IntN(100)) * time.Minute) })
		var want, got []uuid.UUID
		for _, row := range rows {
			if query.Matches(row) {
				want = append(want, row.ID)
			}
		}
		asked := fmt.Sprintf("%+v", query)
		for {
			page, err := s.SearchLog(t.Context(), query)
			if err != nil {
				t.Fatalf("%s: %v", asked, err)
			}
			for _, row := range page.Rows {
				got = append(got, row.ID)
			}
			if query.Cursor = page.Next; query.Cursor == "" {
				break
			}
			if len(page.Rows) != query.Limit {
				t.Fatalf("%s: a page of %d", asked, len(page.Rows))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, want %d, or in another order", asked, len(got), len(want))
		}
		found += len(got)
	}
	if found < 1000 {
		t.Errorf("only %d rows were found in all", found)
	}
	if _, err := s.SearchLog(t.Context(), store.LogSearch{Limit: 1}); !isInvalid(err) {
		t.Errorf("without a registry: %v", err)
	}
	if _, err := s.SearchLog(t.Context(), store.LogSearch{Registry: registryA, Limit: 201}); !isInvalid(err) {
		t.Errorf("a large page: %v", err)
	}
}

func logACursorServesItsSearchAlone(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	drawnLog(t, s, []uuid.UUID{client})
	base := store.LogSearch{Registry: registryA, Limit: 5, CallerBinding: "x"}
	page, err := s.SearchLog(t.Context(), base)
	if err != nil || page.Next == "" {
		t.Fatalf("got %v", err)
	}
	for name, change := range map[string]func(*store.LogSearch){
		"caller": func(q *store.LogSearch) { q.CallerBinding = "y" }, "registry": func(q *store.LogSearch) { q.Registry = registryB },
		"client": func(q *store.LogSearch) { q.ClientID = client }, "professional": func(q *store.LogSearch) { q.Professional = "T-1" },
		"unit": func(q *store.LogSearch) { q.Unit = "1.2.3" }, "operation": func(q *store.LogSearch) { q.Operation = "Read" },
		"outcome": func(q *store.LogSearch) { q.Outcome = "refused" }, "reason": func(q *store.LogSearch) { q.Reason = "x" },
		"from": func(q *store.LogSearch) { q.From = start }, "until": func(q *store.LogSearch) { q.Until = start },
		"forged": func(q *store.LogSearch) { q.Cursor = "AAAA" },
	} {
		query := base
		query.Cursor = page.Next
		change(&query)
		if _, err := s.SearchLog(t.Context(), query); !errors.Is(err, store.ErrCursor) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	for range 8 {
		StoreNew(t, s, NewDocument(registryA, client, start, []byte("{}"), "a"))
	}
	documents := store.SearchQuery{Registry: registryA, ClientID: client, Limit: 2, CallerBinding: "x"}
	found, err := s.Search(t.Context(), documents)
	if err != nil || found.Next == "" {
		t.Fatal(err)
	}
	documents.Cursor = page.Next
	if _, err := s.Search(t.Context(), documents); !errors.Is(err, store.ErrCursor) {
		t.Errorf("for documents: %v", err)
	}
	base.Cursor = found.Next
	if _, err := s.SearchLog(t.Context(), base); !errors.Is(err, store.ErrCursor) {
		t.Errorf("of documents: %v", err)
	}
}

func logFactsAreOfTheSpan(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	rows := drawnLog(t, s, []uuid.UUID{uuid.New(), uuid.Nil})
	for _, span := range []store.LogSpan{
		{Registry: registryA, From: start, Until: start.Add(time.Hour)},
		{Registry: registryA, From: start.Add(10 * time.Minute), Until: start.Add(20 * time.Minute), Operations: []string{"Store", "Read"}},
	} {
		var want, got []store.LogFact
		for _, r := range rows {
			of := store.LogSearch{Registry: span.Registry, From: span.From, Until: span.Until}
			if of.Matches(r) && (span.Operations == nil || slices.Contains(span.Operations, r.Operation)) {
				want = append(want, store.LogFact{
					Time: store.Instant(r.Time), Operation: r.Operation, Outcome: r.Outcome, Reason: r.Reason, ClientID: r.ClientID,
					Unit: r.Unit, CertificateThumbprint: r.CertificateThumbprint, Professional: r.Professional,
				})
			}
		}
		if err := s.LogFacts(t.Context(), span, func(f store.LogFact) error { got = append(got, f); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %d facts, want %d", span, len(got), len(want))
		}
	}
	enough, taken := errors.New("enough"), 0
	err := s.LogFacts(t.Context(), store.LogSpan{Registry: registryA, From: start, Until: start.Add(time.Hour)}, func(store.LogFact) error {
		if taken++; taken == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || taken != 3 {
		t.Errorf("stopped after %d by %v", taken, err)
	}
}

func logFirstsAreThoseOfANaiveSearch(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	rows := drawnLog(t, s, []uuid.UUID{uuid.New(), uuid.New(), uuid.Nil})
	type at struct {
		unit   string
		client uuid.UUID
	}
	for _, span := range []store.LogSpan{
		{Registry: registryA, From: start, Until: start.Add(time.Hour)},
		{Registry: registryA, From: start.Add(10 * time.Minute), Until: start.Add(40 * time.Minute), Operations: []string{"Store", "Annul"}},
	} {
		want, got := map[at]time.Time{}, map[at]time.Time{}
		for _, r := range rows { // newest first
			of := store.LogSearch{Registry: span.Registry, From: span.From, Until: span.Until, Outcome: store.OutcomeAllowed}
			if of.Matches(r) && r.ClientID != uuid.Nil && (span.Operations == nil || slices.Contains(span.Operations, r.Operation)) {
				want[at{r.Unit, r.ClientID}] = store.Instant(r.Time)
			}
		}
		if err := s.LogFirsts(t.Context(), span, func(f store.LogFact) error {
			if _, twice := got[at{f.Unit, f.ClientID}]; twice {
				t.Errorf("%s at %s is there twice", f.ClientID, f.Unit)
			}
			got[at{f.Unit, f.ClientID}] = f.Time
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %v, want %v", span, got, want)
		}
	}
	enough := errors.New("enough")
	err := s.LogFirsts(t.Context(), store.LogSpan{Registry: registryA, From: start, Until: start.Add(time.Hour)}, func(store.LogFact) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("stopped by %v", err)
	}
}

// What was known of a shared document's use stays known to each of its clients when it is destroyed, and each one's log
// tells of that.
func logADestructionIsInTheLogOfEachClient(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	a, b, c := Client(t, s, registryA, 1), Client(t, s, registryA, 2), Client(t, s, registryA, 3)
	doc := NewDocument(registryA, a, start, []byte("{}"), "a")
	doc.ClientIDs = []uuid.UUID{a, b, c}
	StoreNew(t, s, doc)
	read := func(client uuid.UUID, minute int, ids ...uuid.UUID) store.LogRow {
		row := Row("Read", start.Add(time.Duration(minute)*time.Minute))
		row.ID, row.Registry, row.ClientID, row.DocumentIDs, row.DocumentCount = uuid.New(), registryA, client, ids, len(ids)
		return row
	}
	if err := s.AppendLog(t.Context(), read(a, 1, doc.ID), read(b, 2, doc.ID), read(a, 3, uuid.New()), read(uuid.Nil, 4, doc.ID)); err != nil {
		t.Fatal(err)
	}
	logOf := func(client uuid.UUID, entries ...uuid.UUID) (operations []string) {
		err := s.ClientLog(t.Context(), store.ClientLogQuery{
			Registry: registryA, ClientID: client, From: start.Add(time.Second), Until: start.Add(time.Hour), Entries: entries,
		}, func(row store.LogRow) error {
			if row.ClientID != client {
				t.Errorf("a row of %s is told to %s", row.ClientID, client)
			}
			operations = append(operations, fmt.Sprint(row.Operation, row.Time.Minute()-start.Minute()))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return operations
	}
	want := map[uuid.UUID]string{a: "[Read1 Read2 Read3 Read4]", b: "[Read1 Read2 Read4]", c: "[Read1 Read2 Read4]"}
	for client, want := range want {
		if got := fmt.Sprint(logOf(client)); got != want {
			t.Errorf("before: %s, want %s", got, want)
		}
	}
	row := Row(store.OpDestroy, start.Add(5*time.Minute))
	row.ID = uuid.New()
	if err := s.Destroy(t.Context(), doc.ID, start.Add(5*time.Minute), Due, row); err != nil {
		t.Fatal(err)
	}
	for client, want := range want {
		if got := fmt.Sprint(logOf(client)); got != strings.TrimSuffix(want, "]")+" Destroy5]" {
			t.Errorf("after: %s", got)
		}
	}
	if got := fmt.Sprint(logOf(a, row.ID, uuid.New())); got != "[Destroy5]" {
		t.Errorf("of one entry: %s", got)
	}
	if err := Sequencer(s, LogKey(t), start.Add(time.Hour)).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := store.LogSubject{Registry: registryA, ClientID: c}
	heads, err := s.LogHeads(t.Context(), []store.LogSubject{third})
	if err != nil || heads[third].Sequence == 0 {
		t.Errorf("the chain of one who is not the first client: %+v, %v", heads, err)
	}
}

// A document of a family is each member's: who read it as one's has read the others' data too.
func logAClientsLogHoldsWhatOthersRowsTellOfIt(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	a, b, c := Client(t, s, registryA, 1), Client(t, s, registryA, 2), Client(t, s, registryA, 3)
	document := func(clients ...uuid.UUID) uuid.UUID {
		doc := NewDocument(registryA, clients[0], start, []byte("{}"), "a")
		doc.ClientIDs = clients
		return StoreNew(t, s, doc).ID
	}
	ofA, ofAB, ofB, ofBC := document(a), document(a, b), document(b), document(b, c)
	OpenMatter(t, s, NewMatter(registryA, "M-AB", []uuid.UUID{a, b}, "a"))
	OpenMatter(t, s, NewMatter(registryA, "M-B", []uuid.UUID{b}, "a"))
	minute := 0
	row := func(client uuid.UUID, registry string, documents ...uuid.UUID) store.LogRow {
		minute++
		r := Row("Read", start.Add(time.Duration(minute)*time.Minute))
		r.ID, r.ClientID, r.Registry = uuid.New(), client, registry
		r.DocumentIDs, r.DocumentCount = documents, len(documents)
		r.Criteria = json.RawMessage(fmt.Sprintf(`{"n":%d}`, minute))
		return r
	}
	rows := []store.LogRow{
		row(a, registryA, ofA), row(a, registryA, ofAB), row(a, registryA, ofA, ofAB), row(b, registryA, ofB),
		row(uuid.Nil, registryA, ofA, ofAB, ofBC), row(uuid.Nil, registryA, ofA), row(uuid.Nil, registryA),
		row(c, registryA, ofBC), row(b, registryB, ofB), row(a, registryB, ofAB), row(b, registryA), row(a, registryA, ofA),
	}
	for i, criteria := range []string{`{"matter":"M-AB"}`, `{"matter":"M-B"}`, `{"matter":"M-AB","limit":5}`} {
		of := row(b, registryA)
		of.Criteria, of.Time = json.RawMessage(criteria), start.Add(11*time.Minute+time.Duration(i+1)*time.Second)
		rows = append(rows, of)
	}
	// More than is read at once, so that pages meet, and several of a moment.
	drawn := []store.LogRow{
		row(a, registryA, ofA), row(a, registryA, ofAB), row(b, registryA, ofAB), row(b, registryA, ofB, ofBC), row(c, registryA, ofBC),
		row(uuid.Nil, registryA, ofA, ofBC), row(uuid.Nil, registryA, ofB),
	}
	for i := range 8 * store.MaxPage {
		of := drawn[i%len(drawn)]
		of.ID = uuid.New()
		of.Time = start.Add(11*time.Minute + 10*time.Second + time.Duration(i/3)*time.Millisecond)
		rows = append(rows, of)
	}
	slices.SortFunc(rows, func(a, b store.LogRow) int { return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.ID[:], b.ID[:])) })
	if err := s.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
	theirs := map[uuid.UUID][]uuid.UUID{a: {ofA, ofAB}, b: {ofAB, ofB, ofBC}, c: {ofBC}}
	for name, client := range map[string]uuid.UUID{"a": a, "b": b, "c": c, "nobody": uuid.New()} {
		from, until := start.Add(2*time.Minute), start.Add(12*time.Minute)
		var want, got []store.LogRow
		for _, r := range rows {
			if r.Registry != registryA || r.Time.Before(from) || !r.Time.Before(until) {
				continue
			}
			if r.ClientID != client {
				r.DocumentIDs = slices.DeleteFunc(slices.Clone(r.DocumentIDs), func(id uuid.UUID) bool { return !slices.Contains(theirs[client], id) })
				r.ClientID, r.DocumentCount = client, len(r.DocumentIDs)
				if ofMatter := string(r.Criteria) == `{"matter":"M-AB"}` && client == a; r.DocumentCount == 0 && !ofMatter {
					continue
				}
				if r.DocumentCount == 0 {
					r.DocumentIDs = nil
				}
			}
			r.Time = store.Instant(r.Time)
			want = append(want, r)
		}
		if err := s.ClientLog(t.Context(), store.ClientLogQuery{Registry: registryA, ClientID: client, From: from, Until: until}, func(r store.LogRow) error { got = append(got, r); return nil }); err != nil {
			t.Fatal(err)
		}
		if name != "nobody" && len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d rows, want %d, or others, or in another order", name, len(got), len(want))
		}
	}
}
