// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode

import "testing"

func TestSyntheticCodesAreDistinctTestCodes(t *testing.T) {
	seen := map[Code]bool{}
	for n := range SyntheticCodes {
		code := Synthetic(n)
		if !code.Test() || seen[code] {
			t.Fatalf("code %d is no new code of the 900 series", n)
		}
		seen[code] = true
	}
}
