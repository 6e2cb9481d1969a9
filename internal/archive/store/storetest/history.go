// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// model is what a store should hold of some clients: the history of each document, newest version first.
type model struct {
	clients   []uuid.UUID
	documents [][]store.Facts
	// asked are the words in which each version was asked for, to repeat them.
	asked [][]store.NewVersion
	rows  int
}

// testHistory draws histories of stores, versions, annulments, repetitions and refusals, and holds the store to
// the model after each of them.
func testHistory(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	next := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{rows: 2}
		for range 2 {
			next++
			m.clients = append(m.clients, Client(t, s, registryA, next))
		}
		m.open(t, s)
		rt.Repeat(map[string]func(*rapid.T){
			"store":   func(rt *rapid.T) { m.store(t, rt, s) },
			"version": func(rt *rapid.T) { m.version(t, rt, s) },
			"repeat":  func(rt *rapid.T) { m.repeat(t, rt, s) },
			"annul":   func(rt *rapid.T) { m.annul(t, rt, s) },
			"search":  func(rt *rapid.T) { m.search(t, rt, s) },
		})
		m.check(t, rt, s)
	})
}

// open opens the matters of the history: m1 and m2 of the first client, s1 and s2 of both.
func (m *model) open(t *testing.T, s store.Store) {
	for i := range m.clients {
		for _, name := range []string{"1", "2"} {
			OpenMatter(t, s, NewMatter(registryA, m.matter([]string{"m", "s"}[i]+name), m.clients[:i+1], taskCodes...))
		}
	}
}

// matter gives the identifier of the history's own matter.
func (m *model) matter(name string) string {
	if name == "" {
		return ""
	}
	return name + ":" + m.clients[0].String()
}

// draw gives a version with everything that a search asks for, of as many clients as it takes.
func (m *model) draw(rt *rapid.T, clients int) store.Content {
	content := drawContent(rt)
	name := rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, "matter")
	if name != "" {
		content.Matter = m.matter([]string{"m", "s"}[clients-1] + name)
	}
	return content
}

func (m *model) row() store.LogRow {
	row := Row("a", start)
	row.ClientID = m.clients[0]
	return row
}

func (m *model) pick(rt *rapid.T) int {
	if len(m.documents) == 0 {
		rt.Skip("no document yet")
	}
	return rapid.IntRange(0, len(m.documents)-1).Draw(rt, "document")
}

func (m *model) current() (all []store.Facts) {
	for _, versions := range m.documents {
		all = append(all, versions[0])
	}
	return all
}

func (m *model) store(t *testing.T, rt *rapid.T, s store.Store) {
	clients := rapid.IntRange(1, 2).Draw(rt, "clients")
	doc := store.NewDocument{
		ID: uuid.New(), Registry: registryA, Type: rapid.SampledFrom([]string{"case-note", "plan"}).Draw(rt, "type"),
		ClientIDs: m.clients[:clients], OldData: rapid.IntRange(0, 4).Draw(rt, "old") == 0, Content: m.draw(rt, clients),
	}
	if doc.OldData {
		doc.Matter = ""
	}
	facts, created, err := s.StoreDocument(t.Context(), doc, m.row())
	if err != nil || !created {
		rt.Fatalf("created=%v err=%v", created, err)
	}
	m.rows++
	m.documents = append(m.documents, []store.Facts{facts})
	m.asked = append(m.asked, nil)
}

func (m *model) version(t *testing.T, rt *rapid.T, s store.Store) {
	i := m.pick(rt)
	now := m.documents[i][0]
	version := store.NewVersion{Registry: registryA, ID: now.ID, Content: m.draw(rt, len(now.ClientIDs))}
	if now.OldData {
		version.Matter = ""
	}
	version.Expected = max(1, now.Current+rapid.SampledFrom([]int{0, 0, 0, -1, 1}).Draw(rt, "off"))
	facts, created, err := s.AddVersion(t.Context(), version, m.row())
	switch {
	case now.State == store.StateAnnulled:
		if !errors.Is(err, store.ErrAnnulled) {
			rt.Fatalf("of an annulled document: %v", err)
		}
	case version.Expected != now.Current:
		if !errors.Is(err, store.ErrStale) {
			rt.Fatalf("of a stale version: %v", err)
		}
	case err != nil || !created || !reflect.DeepEqual(facts, version.Replaces(now)):
		rt.Fatalf("created=%v err=%v facts=%+v", created, err, facts)
	default:
		m.rows++
		for j := range m.documents[i] {
			m.documents[i][j].Current, m.documents[i][j].State = facts.Current, store.StateSuperseded
		}
		m.documents[i] = slices.Insert(m.documents[i], 0, facts)
		m.asked[i] = append(m.asked[i], version)
	}
}

func (m *model) repeat(t *testing.T, rt *rapid.T, s store.Store) {
	i := m.pick(rt)
	if len(m.asked[i]) == 0 {
		rt.Skip("no version yet")
	}
	again := rapid.SampledFrom(m.asked[i]).Draw(rt, "version")
	facts, created, err := s.AddVersion(t.Context(), again, m.row())
	want := m.documents[i][len(m.documents[i])-again.Expected-1]
	if err != nil || created || !reflect.DeepEqual(facts, want) {
		rt.Fatalf("created=%v err=%v facts=%+v", created, err, facts)
	}
	m.rows++
}

func (m *model) annul(t *testing.T, rt *rapid.T, s store.Store) {
	i := m.pick(rt)
	if rapid.IntRange(0, 2).Draw(rt, "seldom") > 0 {
		rt.Skip("annulments are seldom")
	}
	now := m.documents[i][0]
	facts, created, err := s.Annul(t.Context(), NewAnnulment(now, start, "mistake"), m.row())
	if err != nil || created != (now.State != store.StateAnnulled) {
		rt.Fatalf("created=%v err=%v", created, err)
	}
	m.rows++
	for j := range m.documents[i] {
		m.documents[i][j].State, m.documents[i][j].Annulment = store.StateAnnulled, facts.Annulment
	}
}

func (m *model) search(t *testing.T, rt *rapid.T, s store.Store) {
	query := drawQuery(rt, m.clients)
	query.Matter = m.matter(query.Matter)
	query.ClientID = m.clients[rapid.IntRange(0, 1).Draw(rt, "whose")] // a matter alone has other histories' documents
	checkSearch(t, rt, s, query, m.current())
}

func (m *model) check(t *testing.T, rt *rapid.T, s store.Store) {
	for _, want := range m.documents {
		if got, err := s.Versions(t.Context(), registryA, want[0].ID); err != nil || !reflect.DeepEqual(got, want) {
			rt.Fatalf("the history is %+v\nwant %+v (err=%v)", got, want, err)
		}
	}
	rows := len(AllLog(t, s, store.LogQuery{ClientID: m.clients[0]})) + len(AllLog(t, s, store.LogQuery{ClientID: m.clients[1]}))
	if rows != m.rows {
		rt.Fatalf("%d log rows, want %d", rows, m.rows)
	}
}

// drawContent gives a version with everything that a search asks for; its body is its own.
func drawContent(rt *rapid.T) store.Content {
	id := uuid.New()
	at := start.Add(time.Duration(rapid.IntRange(0, 16).Draw(rt, "minute")) * time.Minute)
	content := NewContent(at, id[:], rapid.SliceOfNDistinct(rapid.SampledFrom(taskCodes), 1, 3, rapid.ID[string]).Draw(rt, "tasks")...)
	content.Author.Unit = rapid.SampledFrom([]string{"", "u1", "u2"}).Draw(rt, "unit")
	content.Created = start.Add(time.Duration(rapid.IntRange(0, 16).Draw(rt, "createdMinute")) * time.Minute)
	return content
}
