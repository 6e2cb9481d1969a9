// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

func TestAnExtractIsProvenWithoutTheArchive(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	a.expect("reading", a.unit.get("/documents/"+id), 200)
	a.check("another unit", a.otherUnit.get("/documents/"+id), 404, "document-not-found")
	key := storetest.LogKey(t)
	sequencer := storetest.Sequencer(a.store, key, a.clock.Now())
	if err := sequencer.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sequencer.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(c *caller, role string, client any) reply {
		return c.post("/log/_extract", map[string]any{"client": client}, c.as(role))
	}
	got := ask(a.organizer, "supervisor", a.client)
	a.expect("an extract", got, 200)
	if row := a.row(got); row.Operation != "ExtractLog" || row.ClientID != a.client {
		t.Errorf("the row is %+v", row)
	}
	report, err := logaudit.VerifyExtract(got.body, logaudit.Options{Log: key.Verifier()})
	if err != nil || !report.Sound() || report.Report.Records < 4 || report.Client != a.client || report.Extract.Waiting != 0 {
		t.Errorf("the check of the extract: %+v (err=%v)", report, err)
	}
	again := ask(a.organizer, "supervisor", a.client)
	report, err = logaudit.VerifyExtract(again.body, logaudit.Options{Log: key.Verifier()})
	if err != nil || !report.Sound() || report.Extract.Waiting != 1 {
		t.Errorf("the first extract waits for its leaf: %+v (err=%v)", report, err)
	}

	a.check("a unit", ask(a.unit, "supervisor", a.client), 403, "extent-insufficient")
	a.check("a worker", ask(a.organizer, "social-worker", a.client), 403, "user-right-missing")
	a.check("nobody", ask(a.organizer, "supervisor", uuid.New()), 404, "client-unknown")
	a.check("no id", ask(a.organizer, "supervisor", "x"), 400, "invalid-field")
	a.check("more", a.organizer.post("/log/_extract", map[string]any{"client": a.client, "x": 1}, a.organizer.as("supervisor")), 400, "unknown-field")
}
