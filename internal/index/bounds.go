// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "time"

// bounds are how old a view may be where a registry says nothing; zero means the default of package access.
type bounds struct {
	producers, organizer time.Duration
}

// SetBounds sets the archive's own bounds on the age of a view, which hold where a registry says
// nothing; zero means access.DefaultProducerBound and access.DefaultOrganizerBound.
func (x *Index) SetBounds(producers, organizer time.Duration) {
	x.lock.Lock()
	defer x.lock.Unlock()
	x.state.bounds = bounds{producers: producers, organizer: organizer}
}
