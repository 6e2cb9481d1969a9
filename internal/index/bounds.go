// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "time"

// SetBounds sets the archive's own bounds on the age of a view, which hold where a registry says
// nothing; zero means access.DefaultProducerBound and access.DefaultOrganizerBound.
func (x *Index) SetBounds(producers, organizer time.Duration) {
	x.lock.Lock()
	defer x.lock.Unlock()
	x.state.freshness.ProducerBound, x.state.freshness.OrganizerBound = producers, organizer
}
