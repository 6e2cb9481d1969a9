// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package indextest builds a small world in which everything is in order, for tests to put one thing out of it.
package indextest

import (
	"fmt"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
)

// The OIDs and service tasks of the world.
const (
	RegistryOID  = "1.2.246.10.32213086.19.0"
	OrganizerOID = "1.2.246.10.32213086.10.0"
	ProducerOID  = "1.2.246.10.12345678.10.0"
	UnitOID      = "1.2.246.10.12345678.10.1"
	Task         = "older-people"
	BoughtTask   = "disability"
	OtherTask    = "child-welfare"
)

// Now is when the world is looked at. Everything dated holds for days around it.
var Now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Day is 24 hours.
const Day = 24 * time.Hour

// World is one of each object, fitting together, and a request that they allow.
type World struct {
	Registry        index.Registry
	Grants          []index.Grant
	Relationships   []index.Relationship
	Units           []index.Unit
	Organizer       index.Organization
	Producer        index.Organization
	OrganizerSystem index.ClientSystem
	UnitSystem      index.ClientSystem
	// Others are more organizations, such as a main joiner.
	Others []index.Organization
	// Registries are more registries.
	Registries []index.Registry
	// ProvenAt is the view's freshness.
	ProvenAt time.Time
	// Request is the producer unit reading a document of its client.
	Request access.Request
}

// New returns the world.
func New() *World {
	return &World{
		Registry: index.Registry{
			Key: index.Key{Namespace: "pirkanmaa", Name: "clients"}, UID: UID(1), Revision: 101,
			OID: RegistryOID, Organization: OrganizerOID, ClientSystem: "county-system",
			Purpose: access.PurposeTest, Accepted: true,
			Credentials: []index.Credential{Credential(1)},
		},
		Grants:        []index.Grant{Grant()},
		Relationships: []index.Relationship{Relationship()},
		Units:         []index.Unit{Unit()},
		Organizer:     Organization("pirkanmaa", 5, OrganizerOID),
		Producer:      Organization("hoiva", 6, ProducerOID),
		OrganizerSystem: index.ClientSystem{
			Name: "county-system", UID: UID(7), Revision: 107, ValidFrom: Now.Add(-Day), ValidUntil: Now.Add(Day),
		},
		UnitSystem: index.ClientSystem{
			Name: "unit-system", UID: UID(8), Revision: 108, ValidFrom: Now.Add(-Day), ValidUntil: Now.Add(Day),
		},
		ProvenAt: Now.Add(-time.Second),
		Request: access.Request{
			Caller:       access.Caller{TrustedRegistry: RegistryOID, Unit: UnitOID, Fingerprint: Fingerprint(2)},
			Professional: true, Registry: RegistryOID, Operation: access.Read, Client: Client(1), ServiceTask: Task,
			Document: &access.DocumentFacts{
				Registry: RegistryOID, Client: Client(1), ServiceTasks: []string{Task}, AuthorUnit: UnitOID,
			},
		},
	}
}

// AsOrganizer makes the request one of the organizer's own system.
func (w *World) AsOrganizer() *World {
	w.Request.Caller = access.Caller{TrustedRegistry: RegistryOID, Fingerprint: Fingerprint(1)}
	return w
}

// Index puts the world into an index that is complete and fresh.
func (w *World) Index() *index.Index {
	x := index.New()
	w.Load(x)
	for _, kind := range index.Kinds() {
		x.SetComplete(kind)
	}
	x.SetFreshness(w.ProvenAt)
	return x
}

// Load puts the world's objects into an index, those that others refer to last.
func (w *World) Load(x *index.Index) {
	for _, r := range w.Relationships {
		must(x.UpsertRelationship(r))
	}
	for _, g := range w.Grants {
		must(x.UpsertGrant(g))
	}
	for _, u := range w.Units {
		must(x.UpsertUnit(u))
	}
	for _, r := range append([]index.Registry{w.Registry}, w.Registries...) {
		must(x.UpsertRegistry(r))
	}
	for _, o := range append([]index.Organization{w.Organizer, w.Producer}, w.Others...) {
		must(x.UpsertOrganization(o))
	}
	for _, s := range []index.ClientSystem{w.OrganizerSystem, w.UnitSystem} {
		must(x.UpsertClientSystem(s))
	}
}

// Decide decides the world's request now.
func (w *World) Decide() access.Decision { return w.Index().Decide(&w.Request, Now) }

// Grant is the world's grant.
func Grant() index.Grant {
	return index.Grant{
		Key: index.Key{Namespace: "pirkanmaa", Name: "hoiva"}, UID: UID(2), Revision: 102,
		RegistryName: "clients", Unit: UnitOID, Extent: access.Basic, Ready: true,
		ValidFrom: Now.Add(-Day), ValidUntil: Now.Add(Day), Tasks: []string{Task, BoughtTask},
		Credentials: []index.Credential{Credential(2)},
	}
}

// Relationship is the world's relationship.
func Relationship() index.Relationship {
	return index.Relationship{
		Key: index.Key{Namespace: "pirkanmaa", Name: "c1"}, UID: UID(3), Revision: 103,
		RegistryName: "clients", Unit: UnitOID, Client: Client(1), Tasks: []string{Task, OtherTask},
		Start: Now.Add(-Day), End: Now.Add(Day), Accepted: true,
	}
}

// Unit is the world's producer unit.
func Unit() index.Unit {
	return index.Unit{
		Key: index.Key{Namespace: "hoiva", Name: "koti"}, UID: UID(4), Revision: 104,
		OID: UnitOID, Organization: ProducerOID, ClientSystem: "unit-system",
		AcceptFrom: []string{OrganizerOID}, Accepted: true,
	}
}

// Organization is an organization that joined directly.
func Organization(name string, uid byte, oid string) index.Organization {
	return index.Organization{
		Name: name, UID: UID(uid), Revision: 100 + uint64(uid), OID: oid,
		Accepted: true, JoinedFrom: Now.Add(-Day), EndedAt: Now.Add(Day),
	}
}

// Credential is a valid line of a ledger for the fingerprint with that number.
func Credential(n byte) index.Credential {
	return index.Credential{Fingerprint: Fingerprint(n), NotBefore: Now.Add(-time.Hour), NotAfter: Now.Add(time.Hour)}
}

// UID is the UID with a number.
func UID(n byte) access.UID { return access.UID{15: n} }

// Client is the client with a number.
func Client(n byte) access.ClientID { return access.ClientID{15: n} }

// Fingerprint is the fingerprint with a number.
func Fingerprint(n byte) access.Fingerprint { return access.Fingerprint{31: n} }

func must(_ index.Change, err error) {
	if err != nil {
		panic(fmt.Sprintf("the index refused an object of the test's world: %v", err))
	}
}
