// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "time"

// Decide tells whether the request is allowed at the instant now, as far as the view knows.
//
// It asks first whether the view can be believed, then whether the registry can, then takes the
// caller's path. The grant comes before its credential, so that a unit that lost its right is told so.
func Decide(req *Request, view View, now time.Time) Decision {
	c := inquiry{req: req, view: view, now: now}
	registry, known := view.Registry(req.Registry)
	switch {
	case !c.believable(registry, known) || !c.addressed(registry, known):
	case req.Caller.IsOrganizer():
		c.decideOrganizer(registry)
	default:
		c.decideUnit(registry)
	}
	c.decision.ShowsNonDisclosure = c.decision.Allowed && (req.Caller.IsOrganizer() || registry.ShowNonDisclosure)
	return c.decision
}

// inquiry is one decision in the making.
type inquiry struct {
	req      *Request
	view     View
	now      time.Time
	decision Decision
}

// deny settles the decision and returns false, for use as a condition's outcome.
func (c *inquiry) deny(reason Reason) bool {
	c.decision.Reason = reason
	return false
}

// within checks that it is not before one instant nor at or after another, of which zero is open, and
// notes the one that is in the way.
func (c *inquiry) within(from, until time.Time) bool {
	return !c.ended(until) && !c.ahead(from)
}

// ended tells whether an end has come; zero never does.
func (c *inquiry) ended(until time.Time) bool {
	if until.IsZero() || c.now.Before(until) {
		return false
	}
	c.decision.EndedAt = until
	return true
}

// ahead tells whether a start is still to come; zero has always been.
func (c *inquiry) ahead(from time.Time) bool {
	if from.IsZero() || !c.now.Before(from) {
		return false
	}
	c.decision.StartsAt = from
	return true
}

// allow settles the decision.
func (c *inquiry) allow(tasks *TaskSet) {
	c.decision.Allowed = true
	c.decision.Reason = ReasonAllowed
	c.decision.Tasks = *tasks
}

// addressed checks that the registry exists, is accepted, and is the one the certificate is for.
func (c *inquiry) addressed(registry *Registry, known bool) bool {
	if !known {
		return c.deny(ReasonRegistryUnknown)
	}
	c.decision.RestsOn.Registry = registry.Ref
	if !registry.Accepted || c.ended(registry.ClosesAt) {
		return c.deny(ReasonRegistryNotAccepted)
	}
	if c.req.Caller.TrustedRegistry != c.req.Registry {
		return c.deny(ReasonRegistryMismatch)
	}
	return true
}

// joined checks that the organization, and its main joiner if it has one, is joined now.
func (c *inquiry) joined(organization Handle, reason Reason) bool {
	o, ok := c.view.Organization(organization)
	if !ok {
		return c.deny(reason)
	}
	if !c.within(o.JoinedFrom, o.EndedAt) {
		return c.deny(reason)
	}
	if o.MainJoiner == 0 {
		return true
	}
	m, ok := c.view.Organization(o.MainJoiner)
	// A main joiner must have joined directly: a chain of joiners, or a ring, holds nobody up.
	if !ok || m.MainJoiner != 0 {
		return c.deny(reason)
	}
	if !c.within(m.JoinedFrom, m.EndedAt) {
		return c.deny(reason)
	}
	return true
}

// listed checks a ledger line for the caller's certificate.
func (c *inquiry) listed(line Credential, found bool) bool {
	switch {
	case !found || c.req.Caller.Fingerprint.IsZero():
		return c.deny(ReasonCredentialNotListed)
	case c.ended(line.AcceptUntil):
		return c.deny(ReasonCredentialSuperseded)
	// Unlike an agreement, a certificate without an end is not open-ended: it is broken.
	case line.NotAfter.IsZero() || c.ended(line.NotAfter):
		return c.deny(ReasonCredentialExpired)
	case c.ahead(line.NotBefore):
		return c.deny(ReasonCredentialNotYetValid)
	}
	return true
}

// represented checks that a verified professional stands behind the request.
func (c *inquiry) represented() bool {
	if !c.req.Professional {
		return c.deny(ReasonProfessionalMissing)
	}
	return true
}
