// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// UpsertRegistry takes a state of a registry in.
func (x *Index) UpsertRegistry(r Registry) (Change, error) {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.registries.upsert(event{r.Key, r.UID, r.Revision}, func() (registry, error) {
		return x.state.newRegistry(r), nil
	})
}

// UpsertGrant takes a state of a grant in. With access.ErrTooManyTasks it is kept out.
func (x *Index) UpsertGrant(g Grant) (Change, error) {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.grants.upsert(event{g.Key, g.UID, g.Revision}, func() (grant, error) {
		return x.state.newGrant(g)
	})
}

// UpsertRelationship takes a state of a relationship in. With access.ErrTooManyTasks it is kept out.
func (x *Index) UpsertRelationship(r Relationship) (Change, error) {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.relationships.upsert(event{r.Key, r.UID, r.Revision}, func() (relationship, error) {
		return x.state.newRelationship(r)
	})
}

// UpsertUnit takes a state of a producer unit in.
func (x *Index) UpsertUnit(u Unit) (Change, error) {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.units.upsert(event{u.Key, u.UID, u.Revision}, func() (unit, error) {
		return x.state.newUnit(u), nil
	})
}

// UpsertOrganization takes a state of an organization in.
func (x *Index) UpsertOrganization(o Organization) (Change, error) {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.organizations.upsert(event{Key{Name: o.Name}, o.UID, o.Revision}, func() (organization, error) {
		return x.state.newOrganization(o), nil
	})
}

// UpsertClientSystem takes a state of a client system in.
func (x *Index) UpsertClientSystem(s ClientSystem) (Change, error) {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.systems.upsert(event{Key{Name: s.Name}, s.UID, s.Revision}, func() (system, error) {
		return x.state.newSystem(s), nil
	})
}

// Delete takes in that the object with the UID was deleted. The revision is that of the deletion, or the last
// one known. The UID never comes back, whatever revision an event of it bears.
func (x *Index) Delete(kind Kind, uid access.UID, revision uint64) Change {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.tables[kind].drop(uid, revision)
}

// BeginRelist starts a relist of the kind. Upserts of the listed objects follow; those of unchanged objects
// count too. New events may come in between, but not old ones of objects that the list lacks. Beginning another
// relist of the kind makes this one void.
func (x *Index) BeginRelist(kind Kind) Relist {
	x.lock.Lock()
	defer x.lock.Unlock()
	x.epochs++
	x.state.tables[kind].begin(x.epochs)
	return Relist{kind: kind, epoch: x.epochs}
}

// EndRelist removes the entries of the kind that no event has named since the relist began. The revision is
// the list's own: what the list lacks is over as of it. A relist that failed half-way is simply not ended.
// Decisions pass between the steps of a long sweep.
func (x *Index) EndRelist(r Relist, revision uint64) Change {
	var change Change
	for slot := uint32(1); slot != 0; {
		var step Change
		step, slot = x.sweep(r, slot, revision)
		change = change.and(step)
	}
	x.lock.Lock()
	defer x.lock.Unlock()
	x.state.tables[r.kind].finish(r.epoch, revision)
	return change
}

func (x *Index) sweep(r Relist, from uint32, revision uint64) (Change, uint32) {
	x.lock.Lock()
	defer x.lock.Unlock()
	return x.state.tables[r.kind].sweep(r.epoch, from, revision)
}

// Advance tells that the view of the kind reaches the revision, without an event: from a bookmark.
func (x *Index) Advance(kind Kind, revision uint64) {
	x.lock.Lock()
	defer x.lock.Unlock()
	x.state.tables[kind].reach(revision)
}
