// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "bytes"

// decideUnit decides for a producer unit.
func (c *inquiry) decideUnit(registry *Registry) {
	if !c.joined(registry.Organization, ReasonOrganizerEnded) {
		return
	}
	unit, ok := c.view.Unit(c.req.Caller.Unit)
	if !ok {
		c.deny(ReasonUnitUnknown)
		return
	}
	c.decision.RestsOn.Unit = unit.Ref
	if !c.view.UnitAccepts(unit.Handle, registry) {
		c.deny(ReasonUnitWithdrawn)
		return
	}
	if !c.joined(unit.Organization, ReasonProducerEnded) {
		return
	}
	if !c.certified(registry.ClientSystem) || !c.certified(unit.ClientSystem) {
		return
	}
	c.decideGrants(c.view.Pair(registry.Handle, unit.Handle))
}

// certified checks that the client system's certificate is valid now.
func (c *inquiry) certified(system Handle) bool {
	s, ok := c.view.ClientSystem(system)
	if !ok {
		return c.deny(ReasonSystemNotValid)
	}
	if !c.within(s.ValidFrom, s.ValidUntil) {
		return c.deny(ReasonSystemNotValid)
	}
	return true
}

// decideGrants decides under each grant of the pair and keeps the best outcome. There should be one
// grant only; when there are more, one that does not serve must not stand in the way of one that does.
func (c *inquiry) decideGrants(pair Pair) {
	grant, ok := c.view.Grant(pair.Grant)
	if !ok {
		c.deny(ReasonGrantMissing)
		return
	}
	if grant.Next == 0 {
		c.decideGrant(pair.Handle, grant)
		return
	}
	common := c.decision
	c.decideGrant(pair.Handle, grant)
	for grant, ok = c.view.Grant(grant.Next); ok; grant, ok = c.view.Grant(grant.Next) {
		best := c.decision
		c.decision = common
		c.decideGrant(pair.Handle, grant)
		if !c.decision.betterThan(&best) {
			c.decision = best
		}
	}
}

// betterThan tells whether this outcome under one grant should be told rather than the other. The
// reasons are numbered in the order of the checks, so the higher one came nearer.
func (d *Decision) betterThan(other *Decision) bool {
	if d.Allowed != other.Allowed {
		return d.Allowed
	}
	if d.Reason != other.Reason {
		return d.Reason > other.Reason
	}
	return bytes.Compare(d.RestsOn.Grant.UID[:], other.RestsOn.Grant.UID[:]) < 0
}

// decideGrant decides under one grant.
func (c *inquiry) decideGrant(pair Handle, grant *Grant) {
	c.decision.RestsOn.Grant = grant.Ref
	if !c.inForce(grant) {
		return
	}
	if !c.listed(c.view.GrantCredential(grant.Handle, c.req.Caller.Fingerprint)) || !c.represented() {
		return
	}
	allowance := c.req.Operation.allowance()
	if allowance.unit == 0 || grant.Extent < allowance.unit || c.req.IncomingOldData {
		c.deny(ReasonExtentInsufficient)
		return
	}
	if !c.documentHere() || !c.documentNew() || !c.clientNamed(allowance) {
		return
	}
	var tasks TaskSet
	if !c.related(pair, &tasks) {
		return
	}
	if !c.documentNamed(allowance) || !c.documentOfClient() {
		return
	}
	tasks.keep(grant.Tasks)
	if !c.covered(&tasks, allowance) || !c.own(grant, allowance) || !c.fits(grant) {
		return
	}
	c.allow(&tasks)
}

// inForce checks the grant itself. Its dates come before its readiness where they tell more.
func (c *inquiry) inForce(grant *Grant) bool {
	switch {
	case grant.Suspended:
		return c.deny(ReasonGrantSuspended)
	case c.ended(grant.ValidUntil):
		return c.deny(ReasonGrantExpired)
	case !c.socialBought(grant):
		return false
	case !grant.Ready:
		c.decision.Detail = grant.NotReadyReason
		return c.deny(ReasonGrantNotReady)
	case c.ahead(grant.ValidFrom):
		return c.deny(ReasonGrantNotYetValid)
	}
	return true
}

// clientNamed checks that the request is about a client.
func (c *inquiry) clientNamed(allowance allowance) bool {
	if !c.req.Client.IsZero() {
		return true
	}
	// Whether an identity code belongs to a client of the registry is itself client data.
	if c.req.Operation == FindClient {
		return c.deny(ReasonNoRelationship)
	}
	if !c.documentNamed(allowance) {
		return false
	}
	return c.deny(ReasonClientMissing)
}

// covered checks that the service tasks of the request are within the caller's.
func (c *inquiry) covered(tasks *TaskSet, allowance allowance) bool {
	req := c.req
	covered := !tasks.IsEmpty() &&
		(req.ServiceTask == "" || tasks.has(req.ServiceTask)) &&
		(req.Document == nil || tasks.hasAny(req.Document.ServiceTasks)) &&
		(!allowance.brings || req.ServiceTask != "" || len(req.IncomingTasks) > 0)
	for _, task := range req.IncomingTasks {
		covered = covered && (tasks.has(task) || req.Document.has(task))
	}
	if !covered {
		return c.deny(ReasonTaskNotCovered)
	}
	return true
}

// has tells whether the document belongs to the service task already.
func (d *DocumentFacts) has(task string) bool {
	if d != nil {
		for _, t := range d.ServiceTasks {
			if t == task {
				return true
			}
		}
	}
	return false
}

// own checks that Basic touches only what the caller's own unit stored.
func (c *inquiry) own(grant *Grant, allowance allowance) bool {
	if allowance.ownUnitOnly && grant.Extent < Extended && c.req.Document.AuthorUnit != c.req.Caller.Unit {
		return c.deny(ReasonNotOwnDocument)
	}
	return true
}
