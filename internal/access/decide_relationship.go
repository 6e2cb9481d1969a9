// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"time"
)

// related checks that the client has a live relationship in the unit, and collects the service tasks of
// all that are live. Any live one serves; if none is, the decision tells of the one that came nearest.
func (c *inquiry) related(pair Handle, tasks *TaskSet) bool {
	var nearest Relationship
	reason := ReasonNoRelationship
	r, ok := c.view.FirstRelationship(pair, c.req.Client)
	for ok {
		state := c.liveness(&r)
		if state == ReasonAllowed {
			tasks.include(r.Tasks)
		}
		if c.nearer(state, &r, reason, &nearest) {
			reason, nearest = state, r
		}
		if r.Next == 0 {
			break
		}
		r, ok = c.view.Relationship(r.Next)
	}
	c.decision.RestsOn.Relationship = nearest.Ref
	switch reason {
	case ReasonAllowed:
		return true
	case ReasonRelationshipNotStarted:
		c.decision.StartsAt = nearest.Start
	case ReasonRelationshipEnded:
		c.decision.EndedAt = nearest.End
	}
	return c.deny(reason)
}

// IsLive tells whether the relationship is live at the instant now.
func (r *Relationship) IsLive(now time.Time) bool {
	c := inquiry{now: now}
	return c.liveness(r) == ReasonAllowed
}

// liveness is ReasonAllowed for a live relationship, else what it lacks. An end counts whatever the
// controller has accepted; a start only with its acceptance.
func (c *inquiry) liveness(r *Relationship) Reason {
	switch {
	case !r.End.IsZero() && !c.now.Before(r.End):
		return ReasonRelationshipEnded
	case !r.Accepted:
		return ReasonRelationshipNotAccepted
	case c.now.Before(r.Start):
		return ReasonRelationshipNotStarted
	}
	return ReasonAllowed
}

// nearness orders what relationships lack by what helps the caller most: one that is to start tells
// more than one that ended, and that more than one that may never come.
var nearness = [reasonEnd]uint8{
	ReasonRelationshipNotAccepted: 1,
	ReasonRelationshipEnded:       2,
	ReasonRelationshipNotStarted:  3,
	ReasonAllowed:                 4,
}

// nearer tells whether relationship a, in state as, is a better ground or nearer to one than b, in state bs.
// It is a total order, so that the outcome does not depend on the order of events.
func (c *inquiry) nearer(as Reason, a *Relationship, bs Reason, b *Relationship) bool {
	if nearness[as] != nearness[bs] {
		return nearness[as] > nearness[bs]
	}
	// Of two live ones the use log should name the one that the request is about.
	if as == ReasonAllowed {
		if serves := c.serves(a); serves != c.serves(b) {
			return serves
		}
	}
	if as == ReasonRelationshipEnded && !a.End.Equal(b.End) {
		return a.End.After(b.End)
	}
	if as != ReasonRelationshipEnded && !a.Start.Equal(b.Start) {
		return a.Start.Before(b.Start)
	}
	return bytes.Compare(a.Ref.UID[:], b.Ref.UID[:]) < 0
}

// serves tells whether the relationship by itself covers the service task that the request is about.
func (c *inquiry) serves(r *Relationship) bool {
	return (c.req.ServiceTask == "" || r.Tasks.has(c.req.ServiceTask)) &&
		(c.req.Document == nil || r.Tasks.hasAny(c.req.Document.ServiceTasks))
}
