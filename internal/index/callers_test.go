// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"testing"

	"github.com/valtuus/valtuus/internal/access"
)

func TestOrganizationOfNamesWhoACallerActsFor(t *testing.T) {
	x := New()
	mustApply := func(c Change, err error) {
		t.Helper()
		if err != nil || !c.Applied {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	mustApply(x.UpsertRegistry(Registry{Key: Key{"n", "r"}, UID: access.UID{1}, Revision: 1, OID: "1.2.3", Organization: "1.2.4", Accepted: true}))
	mustApply(x.UpsertUnit(Unit{Key: Key{"n", "u"}, UID: access.UID{2}, Revision: 2, OID: "1.2.5", Organization: "1.2.6", Accepted: true}))
	for _, c := range []struct{ registry, unit, want string }{
		{"1.2.3", "", "1.2.4"}, {"1.2.3", "1.2.5", "1.2.6"}, {"1.2.9", "", ""}, {"1.2.3", "1.2.9", ""},
	} {
		if got := x.OrganizationOf(c.registry, c.unit); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.registry, c.unit, got, c.want)
		}
	}
	mustApply(x.UpsertUnit(Unit{Key: Key{"n", "u"}, UID: access.UID{2}, Revision: 3, OID: "1.2.5", Organization: "1.2.7", Accepted: true}))
	if got := x.OrganizationOf("1.2.3", "1.2.5"); got != "1.2.7" {
		t.Errorf("after the unit moved: %q", got)
	}
}
