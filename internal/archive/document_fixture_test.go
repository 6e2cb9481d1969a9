// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// page is a document as people read it.
func page(text string) string {
	return `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>` + text + `</p></body></html>`
}

// both is a multipart body of a JSON and an XHTML document with the boundary b.
func both(json, xhtml string) string {
	return related("Content-Type: application/json\r\n\r\n"+json, "Content-Type: application/xhtml+xml\r\n\r\n"+xhtml)
}

const typeOfBoth = `multipart/related; boundary=b; type="application/json"`

// relationshipDocument is a client relationship document.
func relationshipDocument(unit, start, end, procurement string) string {
	if end != "" {
		end = fmt.Sprintf(`, "end": %q`, end)
	}
	return fmt.Sprintf(`{"producerUnit": %q, "start": %q, "procurement": %q%s}`, unit, start, procurement, end)
}

// query makes a query for storing a document.
func query(kind string, clients []uuid.UUID, rest string) string {
	text := "?type=" + kind
	for _, client := range clients {
		text += "&client=" + client.String()
	}
	return text + "&" + rest
}

func (c *caller) putDocument(id, path, body string, options ...option) reply {
	c.arena.t.Helper()
	return c.send("PUT", "/documents/"+id+path, "application/json", []byte(body), options...)
}

// revise stores a new version over the one that the tag names.
func (c *caller) revise(id, tag, body string, tasks ...string) reply {
	c.arena.t.Helper()
	return c.send("POST", "/documents/"+id+"/versions?"+versionQuery(tasks...), "application/json", []byte(body), matching(tag))
}

func (c *caller) correct(id, tag, reason, body string, tasks ...string) reply {
	c.arena.t.Helper()
	return c.send("POST", "/documents/"+id+"/corrections?reason="+reason+"&"+versionQuery(tasks...), "application/json", []byte(body), matching(tag))
}

func (c *caller) annul(id, tag, reason string) reply {
	c.arena.t.Helper()
	return c.post("/documents/"+id+"/annulment", map[string]any{"reason": reason}, matching(tag))
}

func matching(tag string) option {
	if tag == "" {
		return header("X-Nothing", "")
	}
	return header("If-Match", tag)
}

// extend makes the unit's grant an extended one.
func (a *arena) extend() {
	a.t.Helper()
	grant := a.world.Grants[0]
	grant.Extent, grant.Revision = access.Extended, 8000
	if c, err := a.index.UpsertGrant(grant); err != nil || !c.Applied {
		a.t.Fatalf("the grant was not taken in: %v", err)
	}
}

// another registers another client, without a relationship.
func (a *arena) another(n int) uuid.UUID { return a.register(testCodes(n + 1)[n]) }

// relateTo gives the client a relationship of its own in the unit.
func (a *arena) relateTo(client uuid.UUID, unit string, n byte, changes ...func(*index.Relationship)) {
	a.t.Helper()
	a.relate(client, append([]func(*index.Relationship){func(r *index.Relationship) {
		r.Key.Name, r.UID, r.Unit = fmt.Sprintf("r%d", n), indextest.UID(100+n), unit
	}}, changes...)...)
}

// openMatter opens a matter as the organizer.
func (a *arena) openMatter(id string, clients []uuid.UUID, tasks ...string) {
	a.t.Helper()
	a.expect("opening the matter", a.organizer.post("/matters", map[string]any{"id": id, "clients": clients, "serviceTasks": tasks}), 201)
}

// total is how many documents the organizer sees of the client.
func (a *arena) total(client uuid.UUID) float64 {
	a.t.Helper()
	got := a.organizer.search(map[string]any{"client": client.String()})
	total, isNumber := got.json["total"].(float64)
	if !isNumber {
		a.t.Fatalf("searching: %s", got)
	}
	return total
}

// expect fails the test unless the request was done, with the status.
func (a *arena) expect(name string, got reply, status int) reply {
	a.t.Helper()
	if got.status != status {
		a.t.Fatalf("%s: got %s, want %d", name, got, status)
	}
	if row := a.row(got); row.Outcome != store.OutcomeAllowed || row.Reason != "" {
		a.t.Errorf("%s: recorded as %q %q", name, row.Outcome, row.Reason)
	}
	return got
}

func (r reply) id() string {
	id, _ := r.json["id"].(string)
	return id
}

func (r reply) has(texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(string(r.body), text) {
			return true
		}
	}
	return false
}
