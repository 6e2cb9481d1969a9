// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// A full disk, or a database that is gone, is 503 with a time to come back; then all works again.
func TestTheStoreIsGoneAndComesBack(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	calls := map[string]func() reply{
		"store":      func() reply { return a.unit.store(a.client, note("x"), task) },
		"version":    func() reply { return a.organizer.correct(id, `"1"`, "incomplete", note("y"), task) },
		"annulment":  func() reply { return a.organizer.annul(id, `"1"`, "duplicate") },
		"read":       func() reply { return a.unit.get("/documents/" + id) },
		"metadata":   func() reply { return a.unit.get("/documents/" + id + "/metadata") },
		"versions":   func() reply { return a.unit.get("/documents/" + id + "/versions") },
		"old":        func() reply { return a.unit.get("/documents/" + id + "/versions/1") },
		"search":     func() reply { return a.unit.search(map[string]any{}) },
		"repetition": func() reply { return a.unit.putDocument(id, storePath(a.client, task)[len("/documents"):], note("x")) },
	}
	gone := store.Unavailable("storing", errors.New("disk full"))
	a.store.set(func(f *faultyStore) { f.write, f.read = gone, gone })
	for name, call := range calls {
		got := call()
		a.check(name, got, http.StatusServiceUnavailable, "store-unavailable")
		if row := a.row(got); got.header.Get("Retry-After") == "" || len(row.DocumentIDs) != 0 {
			t.Errorf("%s: %v, the row is %+v", name, got.header, row)
		}
	}
	a.store.set(func(f *faultyStore) { f.read = nil })
	for _, name := range []string{"store", "version", "annulment", "repetition"} {
		got := calls[name]()
		a.check(name+", room for a row only", got, http.StatusServiceUnavailable, "store-unavailable")
		if row := a.row(got); len(row.DocumentIDs) != 0 {
			t.Errorf("%s: the row names what was not done: %+v", name, row)
		}
	}
	a.store.set(func(f *faultyStore) { f.read, f.appendLog = gone, gone })
	for name, call := range calls {
		if got := call(); got.status != http.StatusServiceUnavailable || got.reason() != "log-unavailable" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s without a log: %s", name, got)
		}
	}
	a.store.set(func(f *faultyStore) { f.write, f.read, f.appendLog = nil, nil, nil })
	for _, name := range []string{"store", "read", "metadata", "versions", "old", "search", "version", "annulment"} {
		if name == "annulment" {
			a.expect(name, a.organizer.annul(id, `"2"`, "duplicate"), 200)
			continue
		}
		if got := calls[name](); got.status >= 300 {
			t.Errorf("%s with the store back: %s", name, got)
		}
	}
}
