// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/index"
)

// buy makes the unit's agreement buy that.
func (a *arena) buy(what access.Bought) {
	a.t.Helper()
	grant := a.world.Grants[0]
	grant.Buys, grant.Revision = what, 9000+a.index.Revision(index.Grants)
	if c, err := a.index.UpsertGrant(grant); err != nil || !c.Applied {
		a.t.Fatalf("the grant was not taken in: %v", err)
	}
}

func TestTheAgreementDecidesTheRegistry(t *testing.T) {
	a := newArena(t)
	health := func(c *caller) reply {
		path := "/documents" + query("health-note", []uuid.UUID{a.client}, versionQuery(task))
		return c.send("POST", path, "application/json", examples.JSON("health-note"))
	}
	first := a.expect("nothing said, health", health(a.unit), 201)
	a.buy(access.BuysSocial)
	a.expect("social care only, health", health(a.unit), 201)

	a.buy(access.BuysSocial | access.BuysHealth)
	a.check("both, health", health(a.unit), 403, "patient-data")
	path := "/documents/" + first.id() + "/versions?" + versionQuery(task)
	version := a.unit.send("POST", path, "application/json", examples.JSON("health-note"), matching(`"1"`))
	a.check("both, a version of what was stored before", version, 403, "patient-data")
	a.expect("both, reading what was stored before", a.unit.get("/documents/"+first.id()), 200)
	a.expect("both, social", a.unit.store(a.client, note("x"), task), 201)
	a.expect("the organizer's own", health(a.organizer), 201)
	for documentType, reason := range map[string]string{"health-note": "patient-data", "case-note": "allowed"} {
		got := a.unit.post("/explain", map[string]any{
			"client": a.client, "operation": "Store", "serviceTask": task, "documentType": documentType,
		})
		if got.status != 200 || got.reason() != reason {
			t.Errorf("%s: %s", documentType, got)
		}
	}
	refusal := a.unit.send("POST", "/documents"+query("health-note", []uuid.UUID{a.client}, versionQuery(task)), "application/json",
		examples.JSON("health-note"), header("Accept-Language", "sv"))
	if !refusal.has("patientdatalagret") {
		t.Errorf("in Swedish: %s", refusal)
	}

	a.buy(access.BuysHealth)
	a.check("health care only, health", health(a.unit), 403, "social-care-not-bought")
	a.check("health care only, social", a.unit.store(a.client, note("x"), task), 403, "social-care-not-bought")
}
