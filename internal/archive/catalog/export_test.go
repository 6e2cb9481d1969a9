// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import "time"

// PollEvery makes sources that are opened from now on poll so often, until the function it gives is called.
func PollEvery(d time.Duration) (restore func()) {
	former := pollEvery
	pollEvery = d
	return func() { pollEvery = former }
}
