// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// people is what a store should hold of clients and identifiers: two maps.
type people struct {
	// holder has who is found by each identifier.
	holder map[int]uuid.UUID
	known  map[uuid.UUID]*person
	// first is the first number of the history's identifiers; even ones are codes.
	first int
}

type person struct {
	// code is the client's code, 0 while it has none; used tells that something is kept of it.
	code, former int
	used         bool
}

// identityHistories draws histories of registrations, replacements and documents, and holds the store to two maps.
func identityHistories(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	next := 100
	rapid.Check(t, func(rt *rapid.T) {
		p := &people{holder: map[int]uuid.UUID{}, known: map[uuid.UUID]*person{}, first: next}
		next += 100
		rt.Repeat(map[string]func(*rapid.T){
			"register": func(rt *rapid.T) { p.register(t, rt, s) },
			"replace":  func(rt *rapid.T) { p.replace(t, rt, s) },
			"use":      func(rt *rapid.T) { p.use(t, rt, s) },
		})
		for n, id := range p.holder {
			wantFound(t, s, n, id)
		}
		for id, one := range p.known {
			var want []string
			if one.former != 0 {
				mark := "-"
				if one.code == 0 {
					mark = ""
				}
				want = append(want, mark+"temporary-code "+string(textOf(Hash(one.former))))
			}
			if one.code != 0 {
				want = append(want, "code "+string(textOf(Hash(one.code))))
			}
			wantTexts(t, s, id, want...)
		}
		if t.Failed() {
			rt.Fatal("the store is not as the maps")
		}
	})
}

func (p *people) identifier(rt *rapid.T) int {
	return p.first + rapid.IntRange(0, 9).Draw(rt, "identifier")
}

func (p *people) someone(rt *rapid.T) uuid.UUID {
	n := p.identifier(rt)
	id, known := p.holder[n]
	if !known {
		rt.Skip("nobody has it")
	}
	return id
}

func (p *people) register(t testing.TB, rt *rapid.T, s store.Store) {
	n := p.identifier(rt)
	registration := Registration(Hash(n))
	if n%2 == 1 {
		registration = Temporary(Hash(n))
	}
	id, created, err := s.RegisterClient(t.Context(), registryA, registration, start, Row("a", start))
	there, known := p.holder[n]
	if err != nil || created == known || known && id != there || !known && p.known[id] != nil {
		rt.Fatalf("registering %d: created=%v err=%v", n, created, err)
	}
	if created {
		p.holder[n], p.known[id] = id, &person{}
		if n%2 == 1 {
			p.known[id].former = n
		} else {
			p.known[id].code = n
		}
	}
}

func (p *people) replace(t testing.TB, rt *rapid.T, s store.Store) {
	id, code := p.someone(rt), p.identifier(rt)/2*2
	one := p.known[id]
	other, taken := p.holder[code]
	want, wantErr := store.Replacement{}, error(nil)
	switch {
	case one.code == code:
	case one.code != 0:
		wantErr = store.ErrIdentified
	case taken && (p.known[other].used || p.known[other].former != 0):
		wantErr = store.ErrMergeNeeded
	default:
		want = store.Replacement{Changed: true, Absorbed: other}
		delete(p.known, other)
		one.code, p.holder[code] = code, id
	}
	if done, err := replaceBy(t, s, id, code); done != want || !errors.Is(err, wantErr) {
		rt.Fatalf("replacing by %d: %+v, %v; want %+v, %v", code, done, err, want, wantErr)
	}
}

func (p *people) use(t testing.TB, rt *rapid.T, s store.Store) {
	id := p.someone(rt)
	StoreNew(t, s, NewDocument(registryA, id, start, []byte("x"), "t1"))
	p.known[id].used = true
}
