// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// grant is what is kept of a register access grant.
type grant struct {
	access.Grant
	pair     uint32
	deleting bool
	ledger   ledger
}

func (s *state) newGrant(g Grant) (grant, error) {
	number := s.newPair(g.Key.Namespace, g.RegistryName, g.Unit)
	tasks := access.AllTasks()
	if len(g.Tasks) > 0 {
		var err error
		if tasks, err = s.newTasks(number).Set(g.Tasks); err != nil {
			return grant{}, err
		}
	}
	return grant{
		Grant: access.Grant{
			Ref: access.Ref{UID: g.UID, Revision: g.Revision}, Extent: g.Extent,
			Ready: g.Ready, NotReadyReason: g.NotReadyReason, Suspended: g.Suspended,
			ValidFrom: g.ValidFrom, ValidUntil: g.ValidUntil, Tasks: tasks,
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
		tasksLost(&g.Tasks, &next.Tasks) || g.ledger.loses(next.ledger)
}

func (s *state) linkGrant(slot uint32, g *grant) {
	g.Handle = access.Handle(slot)
	if !g.deleting {
		p := &s.pairs.pairs[g.pair]
		g.Next, p.grants = p.grants, g.Handle
	}
}

func (s *state) unlinkGrant(slot uint32, g *grant) {
	if g.deleting {
		return
	}
	at := &s.pairs.pairs[g.pair].grants
	for *at != access.Handle(slot) {
		at = &s.grants.slots.at(uint32(*at)).body.Next
	}
	*at = g.Next
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

// FirstGrant implements access.View.
func (s *state) FirstGrant(pair access.Handle) (*access.Grant, bool) {
	return s.Grant(s.pairs.pairs[pair].grants)
}

// Grant implements access.View.
func (s *state) Grant(next access.Handle) (*access.Grant, bool) {
	if next == 0 {
		return nil, false
	}
	return &s.grants.slots.at(uint32(next)).body.Grant, true
}

// GrantCredential implements access.View.
func (s *state) GrantCredential(grant access.Handle, fingerprint access.Fingerprint) (access.Credential, bool) {
	return s.grants.slots.at(uint32(grant)).body.ledger.find(fingerprint)
}
