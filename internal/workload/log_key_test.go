// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// While a key of the log takes the place of another, the Secret holds both.
func TestTwoKeysOfTheLogAreTaken(t *testing.T) {
	one, err := logproof.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	two, err := logproof.AddKey(rand.Reader, one)
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{one: true, two: true, two + "x\n": false, "": false} {
		err := CheckKeys(map[string][]byte{LogKey: []byte(text)})
		if said := err != nil && strings.Contains(err.Error(), LogKey); said == good {
			t.Errorf("%d lines: %v", strings.Count(text, "\n"), err)
		}
	}
}
