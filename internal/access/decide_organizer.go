// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

// decideOrganizer decides for the organizer's own system.
func (c *inquiry) decideOrganizer(registry *Registry) {
	if !c.joined(registry.Organization, ReasonOrganizerEnded) {
		return
	}
	if !c.listed(c.view.RegistryCredential(registry.Handle, c.req.Caller.Fingerprint)) || !c.represented() {
		return
	}
	allowance := c.req.Operation.allowance()
	if !allowance.organizer {
		c.deny(ReasonExtentInsufficient)
		return
	}
	if !c.documentNamed(allowance) || !c.documentHere() || !c.documentOfClient() {
		return
	}
	tasks := AllTasks()
	c.allow(&tasks)
}
