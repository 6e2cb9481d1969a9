// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/index"
)

// begin sends a request, and gives the answer with its body still to be read.
func (c *caller) begin(method, path string, body string, options ...option) *http.Response {
	t := c.arena.t
	t.Helper()
	request := must(http.NewRequestWithContext(t.Context(), method, c.arena.address+"/v1/registries/"+registryOID+path, strings.NewReader(body)))(t)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set(assertion.Header, c.assert(c.claims()))
	for _, o := range options {
		o(request)
	}
	response := must(c.http.Do(request))(t)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// cutRows gives the two rows of an answer that was cut: the one that it began with, and the one that tells where it ended.
func (a *arena) cutRows(of *http.Response) (began, cut store.LogRow) {
	a.t.Helper()
	var found []store.LogRow
	for _, row := range a.rows(store.LogQuery{}) {
		if row.RequestID == of.Header.Get("X-Request-Id") {
			found = append(found, row)
		}
	}
	if len(found) != 2 {
		a.t.Fatalf("%d rows: %+v", len(found), found)
	}
	if found[0].Outcome != store.OutcomeAllowed {
		found[0], found[1] = found[1], found[0] // of one moment of a clock that stands still
	}
	return found[0], found[1]
}

// bulk is a note of more than so many pieces.
func bulk(pieces int) string { return strings.Repeat(" ", pieces*pieceSize) + note("x") }

// decisionsBefore says how many decisions are made before a document of eleven pieces begins to leave.
func (a *arena) decisionsBefore(id string) int {
	a.t.Helper()
	decisions := 0
	a.server.opts.View = &endingView{View: a.index, after: -1, asked: &decisions}
	a.expect("counting", a.unit.get("/documents/"+id), 200)
	a.server.opts.View = a.index
	return decisions - 2*10 // on the current version and on the one asked for
}

// The right ends while a body is sent: what had not left does not leave, the caller sees that something is missing, and
// the log tells where.
func TestInvariant3_ABodyIsCutWhereTheRightEnds(t *testing.T) {
	a := newArena(t)
	body := bulk(10)
	id := a.put(a.unit, body, task)
	before := a.decisionsBefore(id)
	for name, pieces := range map[string]int64{"after one piece": 1, "after four": 4, "before the last": 10} {
		t.Run(name, func(t *testing.T) {
			a.relate(a.client)
			decisions := 0
			a.server.opts.View = &endingView{View: a.index, after: before + 2*int(pieces-1), end: a.endRelationship, asked: &decisions}
			answer := a.unit.begin("GET", "/documents/"+id, "")
			got, err := io.ReadAll(answer.Body)
			a.server.opts.View = a.index
			if err == nil || int64(len(got)) > pieces*pieceSize || !strings.HasPrefix(body, string(got)) {
				t.Errorf("%d bytes were received (err=%v), %d were to be sent", len(got), err, pieces*pieceSize)
			}
			began, cut := a.cutRows(answer)
			if began.CutAt != 0 || began.DocumentCount != 1 {
				t.Errorf("it began with %+v", began)
			}
			if cut.Outcome != store.OutcomeRefused || cut.Reason != "relationship-ended" || cut.CutAt != pieces*pieceSize ||
				cut.ClientID != a.client || len(cut.DocumentIDs) != 1 || cut.Operation != "Read" || cut.Relationship.Revision == began.Relationship.Revision {
				t.Errorf("it was cut with %+v", cut)
			}
		})
	}
	a.relate(a.client)
	if got := a.unit.get("/documents/" + id); got.status != 200 || string(got.body) != body || a.row(got).CutAt != 0 {
		t.Errorf("with the right: %d, %d bytes", got.status, len(got.body))
	}
}

// A caller that takes its time gets no more than what was on its way when the right ended.
func TestInvariant3_ASlowReaderGetsNothingAfterTheEnd(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, bulk(9<<20/pieceSize), task)
	answer := a.unit.begin("GET", "/documents/"+id, "")
	first := make([]byte, 1000)
	if _, err := io.ReadFull(answer.Body, first); err != nil {
		t.Fatal(err)
	}
	a.endRelationship()
	rest, err := io.ReadAll(answer.Body)
	if err == nil {
		t.Fatalf("all of it was received, %d bytes", len(rest))
	}
	if _, cut := a.cutRows(answer); cut.CutAt == 0 || cut.CutAt > 8<<20 || cut.Reason != "relationship-ended" {
		t.Errorf("the row is %+v", cut)
	}
}

// A policy that masks what is on its way cuts it as well.
func TestABodyIsCutWhereItIsToBeMasked(t *testing.T) {
	a := newArena(t)
	body := bulk(10)
	id := a.expect("storing", a.organizer.send("POST", storePath(a.client, task)+"&nonDisclosure=true", "application/json", []byte(body)), 201).id()
	a.show(true)
	before, decisions := a.decisionsBefore(id), 0
	a.server.opts.View = &endingView{View: a.index, after: before + 2*2, end: func() { a.show(false) }, asked: &decisions}
	answer := a.unit.begin("GET", "/documents/"+id, "")
	_, err := io.ReadAll(answer.Body)
	a.server.opts.View = a.index
	if _, cut := a.cutRows(answer); err == nil || cut.CutAt != 3*pieceSize || cut.Outcome != store.OutcomeError {
		t.Errorf("the row is %+v (err=%v)", cut, err)
	}
}

func provenRows(t *testing.T, a *arena, n int) logproof.Key {
	t.Helper()
	rows := make([]store.LogRow, n)
	for i := range rows {
		rows[i] = storetest.FullRow()
		rows[i].ID, rows[i].Registry, rows[i].ClientID = uuid.Nil, registryOID, a.client
		rows[i].Time = a.clock.Now()
	}
	if err := a.store.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
	key := storetest.LogKey(t)
	sequencer := storetest.Sequencer(a.store, key, a.clock.Now())
	if err := errors.Join(sequencer.CatchUp(t.Context()), sequencer.Checkpoint(t.Context())); err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAnExtractIsSentAsItIsMadeAndCutWhereTheRightEnds(t *testing.T) {
	a := newArena(t)
	key := provenRows(t, a, 300)
	ask := string(must(json.Marshal(map[string]any{"client": a.client}))(t))
	supervisor := a.organizer.as("supervisor")

	whole := a.organizer.begin("POST", "/log/_extract", ask, supervisor)
	text, err := io.ReadAll(whole.Body)
	if err != nil || whole.StatusCode != 200 || whole.ContentLength >= 0 || len(text) < 5*pieceSize {
		t.Fatalf("%d, %d bytes, %d announced (err=%v)", whole.StatusCode, len(text), whole.ContentLength, err)
	}
	report, err := logaudit.VerifyExtract(text, logaudit.Options{Log: key.Verifier()})
	if err != nil || !report.Sound() || report.Report.Records < 300 {
		t.Fatalf("the check of the extract: %+v (err=%v)", report, err)
	}

	credentials := a.world.Registry.Credentials
	list := func(c []index.Credential) {
		r := a.world.Registry
		r.Credentials, r.Revision = c, 1000+a.index.Revision(index.Registries)
		if _, err := a.index.UpsertRegistry(r); err != nil {
			t.Error(err)
		}
	}
	decisions := 0
	a.server.opts.View = &endingView{View: a.index, after: 4, end: func() { list(nil) }, asked: &decisions}
	cutOff := a.organizer.begin("POST", "/log/_extract", ask, supervisor)
	got, err := io.ReadAll(cutOff.Body)
	a.server.opts.View = a.index
	list(credentials)
	if err == nil || len(got) > 3*pieceSize || json.Valid(got) {
		t.Errorf("%d bytes of it were received (err=%v)", len(got), err)
	}
	began, cut := a.cutRows(cutOff)
	if cut.Outcome != store.OutcomeRefused || cut.Reason != "credential-not-listed" || cut.CutAt != 3*pieceSize || cut.ClientID != a.client || began.Operation != "ExtractLog" {
		t.Errorf("it was cut with %+v", cut)
	}
	found := a.organizer.post("/log/_search", map[string]any{"client": a.client, "outcome": "refused", "operation": "ExtractLog"}, supervisor)
	if found.status != 200 || !found.has(`"cutAt":196608`) {
		t.Errorf("the organizer is told %s", found)
	}
}

// failing is a store in which the reading of leaves fails after a while.
type failing struct {
	store.Store
	left atomic.Int32
}

func (f *failing) LeavesAt(ctx context.Context, places []store.LogPosition) ([]store.LoggedLeaf, error) {
	if f.left.Add(-1) < 0 {
		return nil, store.Unavailable("reading", errors.New("injected"))
	}
	return f.Store.LeavesAt(ctx, places)
}

func TestAnExtractIsCutWhereTheStoreFails(t *testing.T) {
	a := newArena(t)
	provenRows(t, a, 300)
	ask := string(must(json.Marshal(map[string]any{"client": a.client}))(t))
	for name, c := range map[string]struct {
		reads  int32
		status int
	}{"in the middle": {2, 200}, "before anything left": {0, 503}} {
		t.Run(name, func(t *testing.T) {
			from := &failing{Store: a.store}
			from.left.Store(c.reads)
			a.server.opts.Store = from
			answer := a.organizer.begin("POST", "/log/_extract", ask, a.organizer.as("supervisor"))
			text, err := io.ReadAll(answer.Body)
			a.server.opts.Store = a.store
			if answer.StatusCode != c.status || (err == nil) != (c.status == 503) || bytes.Contains(text, []byte(`"waiting"`)) {
				t.Errorf("%d, %d bytes (err=%v)", answer.StatusCode, len(text), err)
			}
			_, cut := a.cutRows(answer)
			if cut.Outcome != store.OutcomeError || cut.Reason != "store-unavailable" || (cut.CutAt > 0) != (c.status == 200) {
				t.Errorf("it was cut with %+v", cut)
			}
		})
	}
}
