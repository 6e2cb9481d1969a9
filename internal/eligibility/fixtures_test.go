// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"reflect"
	"runtime"
	"strings"
	"time"
)

// now is the instant of the fixtures.
var now = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func day(n int) time.Time { return now.AddDate(0, 0, n) }

const (
	organizerOID = "1.2.246.10.32213086.10.0"
	producerOID  = "1.2.246.10.11111111.10.0"
	mainOID      = "1.2.246.10.22222222.10.0"
	unitOID      = "1.2.246.10.11111111.10.1"
	registryOID  = "1.2.246.10.32213086.19.0"
)

func organizerFixture() *Organization {
	return &Organization{OID: organizerOID, Name: "Pirkanmaa", Joined: day(-400), Social: true}
}

func producerFixture() *Organization {
	return &Organization{OID: producerOID, Name: "Koivu Oy", Joined: day(-100), Social: true}
}

func mainFixture() *Organization {
	return &Organization{OID: mainOID, Name: "Kuntayhtymä", Joined: day(-500), Social: true}
}

func registryFixture() *Registry {
	return &Registry{
		Name: "pirha/social", OID: registryOID, OrganizationOID: organizerOID, ClientSystem: "county-cis",
		Accepted: true, DeploymentTest: TestEnforce, AutomaticGrants: true,
	}
}

func unitFixture() *Unit {
	return &Unit{
		Name: "koivu/home", OID: unitOID, OrganizationOID: producerOID, ClientSystem: "producer-cis",
		Accepted: true, ServiceTasks: []string{"home-care", "housing"}, AcceptFrom: []string{"1.2.3", organizerOID},
	}
}

func systemFixture(name string) *ClientSystem {
	return &ClientSystem{
		Name: name, Class: "A2", ValidFrom: day(-300), ValidUntil: day(300),
		Features: []string{FeatureRegisterAccess, FeatureExtended}, Formats: []string{"JSON", "XHTML"},
	}
}

// eligible is a grant that has every prerequisite.
func eligible() *GrantInput {
	return &GrantInput{
		Now: now,
		Grant: Grant{
			Name: "pirha/home", Registry: "social", UnitOID: unitOID, Extent: ExtentBasic,
			Agreement: &Agreement{Reference: "D/1/2026", ValidFrom: day(-50), ValidUntil: day(200), Tasks: []string{"home-care"}},
		},
		Registry: registryFixture(), Organizer: organizerFixture(), OrganizerSystem: systemFixture("county-cis"),
		Unit: unitFixture(), Producer: producerFixture(), ProducerSystem: systemFixture("producer-cis"),
		Tests: []DeploymentTest{{Name: "pirha/t1", OrganizerSystem: "county-cis", ProducerSystem: "producer-cis", PassedAt: day(-20)}},
	}
}

// acceptable is a relationship that has every prerequisite.
func acceptable() *RelationshipInput {
	grant := eligible().Grant
	return &RelationshipInput{
		Relationship: relationshipFixture("pirha/r1"),
		Registry:     registryFixture(), Unit: unitFixture(), Grant: &grant,
		Others: []Relationship{relationshipFixture("pirha/r1")},
	}
}

func relationshipFixture(name string) Relationship {
	return Relationship{
		Name: name, Created: day(-1), Registry: "social", UnitOID: unitOID, ClientID: "c-7f3a9d",
		ServiceTasks: []string{"home-care"}, Start: day(10), End: day(20),
	}
}

// names lists a chain's checks by the names of their functions.
func names[I any](chain Chain[I]) []string {
	var out []string
	for _, check := range chain {
		full := runtime.FuncForPC(reflect.ValueOf(check).Pointer()).Name()
		out = append(out, full[strings.LastIndex(full, ".")+1:])
	}
	return out
}

// drop returns the chain without its i-th check.
func drop[I any](chain Chain[I], i int) Chain[I] {
	return append(append(Chain[I]{}, chain[:i]...), chain[i+1:]...)
}

// reasonOf evaluates a chain, where a crash is an answer too: with a check
// removed, a later one may meet a nil that it was promised never to meet.
func reasonOf[I any](chain Chain[I], in *I) (reason string) {
	defer func() {
		if recover() != nil {
			reason = "panic"
		}
	}()
	return chain.Evaluate(in, "ok", "").Reason
}
