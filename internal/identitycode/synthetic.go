// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode

import "fmt"

// SyntheticCodes is how many codes Synthetic gives.
const SyntheticCodes = 100 * 12 * 28

// Synthetic returns the n-th of SyntheticCodes valid codes of the 900 series, which no person has: for
// tests, the demo and benchmarks.
func Synthetic(n int) Code {
	n %= SyntheticCodes
	date, individual := (1+n/100%28)*10_000+(1+n/2800)*100+50, 900+n%100
	code, err := Parse(fmt.Sprintf("%06d-%03d%c", date, individual, checkCharacter(date, individual)))
	if err != nil {
		panic(err) // every n gives a valid code: a test tries them all
	}
	return code
}
