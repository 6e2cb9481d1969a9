// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/await"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

var secretBody = note("only for those who may see it")

// 4: the use log's row is durable before the first byte of an answer leaves.
func TestInvariant4_NoTraceNoDocument(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	before := len(a.rows(store.LogQuery{}))
	a.store.set(func(f *faultyStore) {
		f.appendLog = store.Unavailable("writing the access log", errors.New("disk full"))
	})
	for name, ask := range map[string]func() reply{
		"read":            func() reply { return a.unit.get("/documents/" + id) },
		"read, organizer": func() reply { return a.organizer.get("/documents/" + id) },
		"search":          func() reply { return a.unit.search(map[string]any{}) },
		"find":            func() reply { return a.unit.post("/clients/_search", map[string]any{"identityCode": testCode}) },
		"explain": func() reply {
			return a.unit.post("/explain", map[string]any{"client": a.client, "operation": "Search"})
		},
		"refusal":      func() reply { return a.otherUnit.search(map[string]any{}) },
		"bad input":    func() reply { return a.unit.get("/documents/7") },
		"no assertion": func() reply { return a.unit.get("/documents/"+id, header(assertion.Header, "")) },
	} {
		got := ask()
		if got.status != http.StatusServiceUnavailable || got.reason() != "log-unavailable" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: got %s", name, got)
		}
		if bytes.Contains(got.body, []byte("only for those")) || bytes.Contains(got.body, []byte(id)) || bytes.Contains(got.body, []byte(a.client.String())) {
			t.Errorf("%s: data left without a trace: %s", name, got)
		}
	}
	a.store.set(func(f *faultyStore) { f.appendLog = nil })
	if after := len(a.rows(store.LogQuery{})); after != before {
		t.Errorf("%d rows more", after-before)
	}
	if got := a.unit.get("/documents/" + id); got.status != http.StatusOK || string(got.body) != secretBody {
		t.Errorf("with the log back: %s", got)
	}
}

// 4: the row is in the log when the answer arrives, for each kind of outcome.
func TestInvariant4_RefusalsAreRecordedBeforeTheyAreTold(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	var recorded atomic.Int32
	a.store.set(func(f *faultyStore) { f.onAppend = func(store.LogRow) { recorded.Add(1) } })
	for name, c := range map[string]struct {
		ask    func() reply
		reason string
	}{
		"refused search": {func() reply { return a.otherUnit.search(map[string]any{}) }, "no-relationship"},
		"refused read":   {func() reply { return a.otherUnit.get("/documents/" + id) }, "no-relationship"},
		"refused store":  {func() reply { return a.otherUnit.store(a.client, note("x"), task) }, "no-relationship"},
		"no assertion":   {func() reply { return a.unit.get("/documents/"+id, header(assertion.Header, "")) }, "professional-missing"},
	} {
		recorded.Store(0)
		got := c.ask()
		if recorded.Load() != 1 {
			t.Errorf("%s: %d rows were written", name, recorded.Load())
		}
		if row := a.row(got); row.Outcome != store.OutcomeRefused || row.Reason != c.reason {
			t.Errorf("%s: recorded as %s %s", name, row.Outcome, row.Reason)
		}
	}
}

// 4: a document and its row are stored together or not at all; a full disk is 503.
func TestInvariant4_StoreThatCannotBeRecordedStoresNothing(t *testing.T) {
	a := newArena(t)
	full := &fullStore{Store: a.store.Store}
	a.store.set(func(f *faultyStore) { f.Store = full })
	full.full.Store(true)
	got := a.unit.store(a.client, note("x"), task)
	if got.status != http.StatusServiceUnavailable || got.reason() != "log-unavailable" {
		t.Errorf("got %s", got)
	}
	full.onlyDocuments.Store(true) // room for a row, none for a document
	got = a.unit.store(a.client, note("x"), task)
	a.check("room for a row", got, http.StatusServiceUnavailable, "store-unavailable")
	if row := a.row(got); len(row.DocumentIDs) != 0 {
		t.Errorf("the row names a document that was not stored: %+v", row)
	}
	full.full.Store(false)
	if got := a.organizer.search(map[string]any{}); got.json["total"] != 0.0 {
		t.Errorf("something was stored: %s", got)
	}
}

// fullStore is a store on a full disk.
type fullStore struct {
	store.Store
	full, onlyDocuments atomic.Bool
}

var errFull = store.Unavailable("storing", errors.New("disk full"))

func (f *fullStore) StoreDocument(ctx context.Context, d store.NewDocument, r store.LogRow) (store.Facts, bool, error) {
	if f.full.Load() {
		return store.Facts{}, false, errFull
	}
	return f.Store.StoreDocument(ctx, d, r)
}

func (f *fullStore) AppendLog(ctx context.Context, rows ...store.LogRow) error {
	if f.full.Load() && !f.onlyDocuments.Load() {
		return errFull
	}
	return f.Store.AppendLog(ctx, rows...)
}

// 4: a caller that hangs up leaves its row.
func TestInvariant4_HangingUpDoesNotHideTheTry(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	ctx, hangUp := context.WithCancel(t.Context())
	gone := make(chan struct{})
	a.store.set(func(f *faultyStore) {
		f.onDocument = func() { hangUp(); <-gone } // or the answer could be there before the caller has left
	})
	_, err := a.unit.try("GET", "/documents/"+id, "", nil, func(r *http.Request) {
		*r = *r.WithContext(ctx)
		r.Header.Set("X-Request-Id", "hung-up-request")
	})
	close(gone)
	if err == nil {
		t.Fatal("the request was answered")
	}
	if err := await.Until(t.Context(), "the row of the try", patience, 5*time.Millisecond, func() (bool, error) {
		return slices.ContainsFunc(a.rows(store.LogQuery{}), func(row store.LogRow) bool { return row.RequestID == "hung-up-request" }), nil
	}); err != nil {
		t.Error(err)
	}
}

// 3 and 2: a right that ends between the read and the release ends the answer.
func TestInvariant3_RightEndedWhileReadingReleasesNothing(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	var once sync.Once
	end := func() { once.Do(a.endRelationship) }
	a.store.set(func(f *faultyStore) { f.onDocument, f.onSearch = end, end })
	got := a.unit.get("/documents/" + id)
	a.check("read", got, http.StatusForbidden, "relationship-ended")
	if bytes.Contains(got.body, []byte("only for those")) {
		t.Error("the document left after the end")
	}
	once = sync.Once{}
	a.relate(a.client)
	got = a.unit.search(map[string]any{})
	a.check("search", got, http.StatusForbidden, "relationship-ended")
	if bytes.Contains(got.body, []byte(id)) {
		t.Error("the list left after the end")
	}
}

// 3: a right that narrows while a search runs narrows the answer.
func TestInvariant3_RightNarrowedWhileSearchingNarrowsTheAnswer(t *testing.T) {
	a := newArena(t)
	a.relate(a.client, func(r *index.Relationship) { r.Tasks = []string{task, indextest.BoughtTask} })
	keeps, loses := a.put(a.unit, note("x"), task), a.put(a.unit, note("x"), indextest.BoughtTask)
	var once sync.Once
	a.store.set(func(f *faultyStore) { f.onSearch = func() { once.Do(func() { a.relate(a.client) }) } })
	got := a.unit.search(map[string]any{})
	if got.status != http.StatusOK || got.json["total"] != 1.0 ||
		!bytes.Contains(got.body, []byte(keeps)) || bytes.Contains(got.body, []byte(loses)) {
		t.Errorf("got %s", got)
	}
}

// 3: after the end nothing, the unit's own documents included; the organizer keeps them.
func TestInvariant3_AfterTheEndNothing(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	a.endRelationship()
	a.check("own document", a.unit.get("/documents/"+id), http.StatusForbidden, "relationship-ended")
	a.check("search", a.unit.search(map[string]any{}), http.StatusForbidden, "relationship-ended")
	a.check("store", a.unit.store(a.client, note("x"), task), http.StatusForbidden, "relationship-ended")
	if got := a.organizer.get("/documents/" + id); got.status != http.StatusOK || string(got.body) != secretBody {
		t.Errorf("the organizer: %s", got)
	}
}

// 1: a relationship that starts later opens nothing yet, and says when.
func TestInvariant1_NotStartedIsRefusedWithTheTime(t *testing.T) {
	a := newArena(t)
	a.relate(a.client, func(r *index.Relationship) { r.Start = a.clock.Now().Add(time.Hour) })
	got := a.unit.search(map[string]any{})
	a.check("search", got, http.StatusForbidden, "relationship-not-started")
	if got.json["startsAt"] != a.clock.Now().Add(time.Hour).Format(time.RFC3339) {
		t.Errorf("startsAt is %v", got.json["startsAt"])
	}
	a.advance(time.Hour)
	a.index.SetFreshness(a.clock.Now())
	if got := a.unit.search(map[string]any{}); got.status != http.StatusOK {
		t.Errorf("at the start: %s", got)
	}
}

// Nothing tells a unit whether a person is a client, or a document exists, where it has no relationship.
func TestInvariantNoLeak_UnrelatedAndMissingAreTheSameBytes(t *testing.T) {
	a := newArena(t)
	id := a.put(a.organizer, secretBody, task)
	same := header("X-Request-Id", "the-same-request")
	for name, pair := range map[string][2]func() reply{
		"document": {
			func() reply { return a.otherUnit.get("/documents/"+id, same) },
			func() reply { return a.otherUnit.get("/documents/"+uuid.NewString(), same) },
		},
		"document in another format": {
			func() reply { return a.otherUnit.get("/documents/"+id, same, header("Accept", "text/plain")) },
			func() reply {
				return a.otherUnit.get("/documents/"+uuid.NewString(), same, header("Accept", "text/plain"))
			},
		},
		"identity code": {
			func() reply {
				return a.otherUnit.post("/clients/_search", map[string]any{"identityCode": testCode}, same)
			},
			func() reply {
				return a.otherUnit.post("/clients/_search", map[string]any{"identityCode": testCodes(1)[0]}, same)
			},
		},
		"search": {
			func() reply { return a.otherUnit.search(map[string]any{}, same) },
			func() reply { return a.otherUnit.search(map[string]any{"client": uuid.NewString()}, same) },
		},
	} {
		unrelated, missing := pair[0](), pair[1]()
		for _, h := range []http.Header{unrelated.header, missing.header} {
			h.Del("Date")
		}
		if unrelated.status < 400 || unrelated.status != missing.status || !bytes.Equal(unrelated.body, missing.body) || !sameHeader(unrelated.header, missing.header) {
			t.Errorf("%s: the real one gives %s %v\nthe missing one %s %v", name, unrelated, unrelated.header, missing, missing.header)
		}
	}
	var reasons []string
	for _, row := range a.rows(store.LogQuery{ClientID: a.client}) {
		if row.RequestID == "the-same-request" && row.Operation == "Read" {
			reasons = append(reasons, row.Reason)
		}
	}
	if len(reasons) != 2 || reasons[0] != "no-relationship" || reasons[1] != "no-relationship" {
		t.Errorf("the use log does not keep the true reason: %v", reasons)
	}
}

func sameHeader(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if strings.Join(a[name], ",") != strings.Join(b[name], ",") {
			return false
		}
	}
	return true
}

// 5: a stale view closes, for producers first.
func TestInvariant5_StaleViewCloses(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	a.advance(access.DefaultProducerBound + time.Millisecond)
	for name, ask := range map[string]func() reply{
		"read":   func() reply { return a.unit.get("/documents/" + id) },
		"search": func() reply { return a.unit.search(map[string]any{}) },
		"store":  func() reply { return a.unit.store(a.client, note("x"), task) },
		"find":   func() reply { return a.unit.post("/clients/_search", map[string]any{"identityCode": testCode}) },
	} {
		got := ask()
		a.check(name, got, http.StatusServiceUnavailable, "view-stale")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
	}
	got := a.organizer.get("/documents/" + id)
	if got.status != http.StatusOK {
		t.Fatalf("the organizer: %s", got)
	}
	if age := a.row(got).ViewAge; age != access.DefaultProducerBound+time.Millisecond {
		t.Errorf("the row says that the view was %v old", age)
	}
	a.advance(access.DefaultOrganizerBound)
	a.check("the organizer, later", a.organizer.get("/documents/"+id), http.StatusServiceUnavailable, "view-stale")
}

// 7: an identity code in an address is refused, and stays out of logs, metrics and the use log.
func TestInvariant7_IdentityCodeStaysOutOfAddressesAndLogs(t *testing.T) {
	a := newArena(t)
	plus := "020516+903K"
	for name, path := range map[string]string{
		"query":           "/documents?client=" + testCode,
		"query, plus":     "/documents?client=" + plus,
		"query, escaped":  "/documents?client=020516%43903K",
		"escaped twice":   "/documents?client=020516%2543903K",
		"parameter name":  "/documents?" + testCode + "=1",
		"path":            "/documents/" + testCode,
		"unknown path":    "/elsewhere/" + testCode,
		"unclean path":    "/elsewhere//" + testCode,
		"registry":        "/v1/registries/" + testCode + "/documents/" + uuid.NewString(),
		"the client's id": "/v1/clients/" + testCode,
	} {
		method := "GET"
		if strings.Contains(path, "?") {
			method = "POST"
		}
		got := a.unit.send(method, path, "application/json", []byte(`{}`))
		a.check(name, got, http.StatusBadRequest, "identity-code-in-url")
		if row := a.row(got); row.Registry != "" || row.Criteria != nil || row.ClientID != uuid.Nil {
			t.Errorf("%s: the row is %+v", name, row)
		}
	}
	a.unit.post("/clients/_search", map[string]any{"identityCode": testCode})
	a.unit.post("/clients/_search", map[string]any{"identityCode": testCode + "x"})
	a.unit.get("/documents/"+uuid.NewString(), header("X-Request-Id", testCode))

	metrics := a.scrape("/metrics")
	for _, row := range a.rows(store.LogQuery{}) {
		text := strings.Join([]string{row.RequestID, row.Registry, row.Reason, string(row.Criteria), row.Caller, row.Professional}, " ")
		if strings.Contains(text, testCode) || strings.Contains(text, plus) {
			t.Errorf("the use log holds the code: %s", text)
		}
	}
	for name, text := range map[string]string{"log": a.logText(), "metrics": metrics.body} {
		for what, value := range map[string]string{
			"an identity code": testCode, "a client's id": a.client.String(), "a professional": "T-4711",
		} {
			if strings.Contains(text, value) {
				t.Errorf("the %s holds %s", name, what)
			}
		}
	}
	if lines := strings.Count(a.logText(), `"level"=0 "msg"="request"`); lines != len(a.rows(store.LogQuery{})) {
		t.Errorf("%d log lines for %d requests", lines, len(a.rows(store.LogQuery{})))
	}
}

// Two units' reads of each other's client, over many requests at once, under -race.
func TestRequestsAtOnceDoNotMix(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 5 {
				if i%2 == 0 {
					if got := a.unit.get("/documents/" + id); got.status != http.StatusOK || string(got.body) != secretBody {
						t.Errorf("the unit: %s", got)
					}
				} else if got := a.otherUnit.get("/documents/" + id); got.status != http.StatusNotFound {
					t.Errorf("the other unit: %s", got)
				}
			}
		})
	}
	wg.Wait()
}
