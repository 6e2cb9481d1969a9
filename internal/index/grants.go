// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// grant is what is kept of a register access grant.
type grant struct {
	access.Grant
	ledger   ledger
	pair     uint32
	deleting bool
}

func (s *state) newGrant(g Grant) (grant, error) {
	number := s.newPair(g.Key.Namespace, g.RegistryName, g.Unit)
	table, tasks := s.newTasks(number), access.AllTasks()
	if len(g.Tasks) > 0 {
		var err error
		if tasks, err = table.Set(g.Tasks); err != nil {
			return grant{}, err
		}
	}
	return grant{
		Grant: access.Grant{
			Ref: access.Ref{UID: g.UID, Revision: g.Revision}, Extent: g.Extent,
			Ready: g.Ready, NotReadyReason: g.NotReadyReason, Suspended: g.Suspended,
			ValidFrom: g.ValidFrom, ValidUntil: g.ValidUntil, Buys: g.Buys,
			Tasks: s.taskSets.at(s.taskSets.number(table, tasks)),
		},
		pair: number, deleting: g.Deleting, ledger: newLedger(g.Credentials),
	}, nil
}

func (s *state) grantHooks() hooks[grant] {
	return hooks[grant]{
		link:   s.linkGrant,
		unlink: s.unlinkGrant,
		loses:  func(last, next *grant) bool { return last.gives() && (next == nil || last.loses(next)) },
		// A decision takes the best of several grants, so that none stands in another's way.
		displaces: func(uint32, *grant) bool { return false },
	}
}

func (g *grant) gives() bool { return g.Ready && !g.Suspended && !g.deleting }

func (g *grant) loses(next *grant) bool {
	return !next.gives() || next.pair != g.pair || next.Extent < g.Extent ||
		startsLater(g.ValidFrom, next.ValidFrom) || endsSooner(g.ValidUntil, next.ValidUntil) ||
		tasksLost(g.Tasks, next.Tasks) || fitLost(g.Buys, next.Buys) || g.ledger.loses(&next.ledger)
}

func (s *state) linkGrant(slot uint32, g *grant) {
	g.Handle = access.Handle(slot)
	if !g.deleting {
		g.Next = s.pairs.grant(g.pair)
		s.pairs.setGrant(g.pair, g.Handle)
	}
}

func (s *state) unlinkGrant(slot uint32, g *grant) {
	if g.deleting {
		return
	}
	first := s.pairs.grant(g.pair)
	if first == access.Handle(slot) {
		s.pairs.setGrant(g.pair, g.Next)
		return
	}
	before := &s.grants.slots.at(uint32(first)).body
	for before.Next != access.Handle(slot) {
		before = &s.grants.slots.at(uint32(before.Next)).body
	}
	before.Next = g.Next
}

// tasksLost tells whether the next set lacks something of the last one.
func tasksLost(last, next *access.TaskSet) bool {
	if last.All() || next.All() {
		return !next.All()
	}
	now, then := last.Bits(), next.Bits()
	for i := range now {
		if now[i]&^then[i] != 0 {
			return true
		}
	}
	return false
}

// fitLost tells whether something that fitted no longer does.
func fitLost(last, next access.Bought) bool {
	return last.Social() && !next.Social() || last.Fits(access.HealthCare) && !next.Fits(access.HealthCare)
}

// Grant implements access.View.
func (s *state) Grant(grant access.Handle) (*access.Grant, bool) {
	if grant == 0 {
		return nil, false
	}
	return &s.grants.slots.at(uint32(grant)).body.Grant, true
}

// GrantCredential implements access.View.
func (s *state) GrantCredential(grant access.Handle, fingerprint access.Fingerprint) (access.Credential, bool) {
	return s.grants.slots.at(uint32(grant)).body.ledger.find(fingerprint)
}
