// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import "time"

// AsOf gives the relationships that held at an instant as they were known at another one, by the time at which they
// were first recorded.
//
// With the same instant twice it tells through which of them the client's data could really be seen then. With a later
// knownAt it tells how the organizer has put that time right since: acceptance, end and deletion count as known then.
func AsOf(h History, at, knownAt time.Time) []Known {
	var live []Known
	for _, states := range h.objects() {
		if k, ok := knownThen(states, h.Words, knownAt); ok && k.live(at) {
			live = append(live, k)
		}
	}
	return live
}
