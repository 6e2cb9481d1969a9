// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"slices"
	"strings"
	"testing"
)

func TestWhatNamesNothingReachesEverywhere(t *testing.T) {
	all, err := Of()
	if err != nil || !all.Everywhere() || !all.Includes("any") || !all.Includes("") || len(all.Names()) > 0 {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestOnlyTheNamedNamespacesAreReached(t *testing.T) {
	some, err := Of("north", "area", "north")
	if err != nil {
		t.Fatal(err)
	}
	for namespace, want := range map[string]bool{"north": true, "area": true, "": true, "south": false, "nort": false} {
		if some.Includes(namespace) != want {
			t.Errorf("%q: got %v", namespace, !want)
		}
	}
	if some.Everywhere() || !slices.Equal(some.Names(), []string{"area", "north"}) {
		t.Errorf("got %v", some.Names())
	}
}

func TestWhatCannotBeANamespaceIsRefused(t *testing.T) {
	for _, name := range []string{"", "North", "a.b", "*", "-a", strings.Repeat("a", 64)} {
		if _, err := Of("fine", name); err == nil || !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}
