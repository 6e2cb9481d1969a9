// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// The names of the random histories: few, so that objects fit together and get in each other's way.
var (
	registryOIDs     = []string{"1.2.1", "1.2.2", "1.2.3"}
	organizationOIDs = []string{"1.3.1", "1.3.2", "1.3.3"}
	unitOIDs         = []string{"1.4.1", "1.4.2", "1.4.3"}
	namespaces       = []string{"one", "two"}
	systemNames      = []string{"s1", "s2"}
	tasks            = []string{"a", "b", "c"}
	documents        = []index.DocumentID{{1}, {2}}
)

// sixteenth draws one of 16 numbers, each as often: rapid's own ranges lean to their edges, which
// would leave hardly a world in order.
func sixteenth(t *rapid.T, label string) int {
	n := 0
	for range 4 {
		n *= 2
		if rapid.Bool().Draw(t, label) {
			n++
		}
	}
	return n
}

// pick draws any of a few.
func pick[T any](t *rapid.T, of []T, label string) T { return of[sixteenth(t, label)%len(of)] }

// first draws the first of a few three times out of four.
func first[T any](t *rapid.T, of []T, label string) T {
	if i := sixteenth(t, label); i < 4 {
		return of[i%len(of)]
	}
	return of[0]
}

// rarely draws true one time out of 16, mostly the other times.
func rarely(t *rapid.T, label string) bool { return sixteenth(t, label) == 15 }
func mostly(t *rapid.T, label string) bool { return !rarely(t, label) }

// moment draws none, an instant far off, or, one time in four, one around which the history plays.
func moment(t *rapid.T, far time.Duration, label string) time.Time {
	switch n := sixteenth(t, label); {
	case n < 7:
		return time.Time{}
	case n < 13:
		return indextest.Now.Add(far)
	}
	return indextest.Now.Add(time.Duration(rapid.IntRange(-6, 12).Draw(t, label)) * 5 * time.Second)
}

func past(t *rapid.T, label string) time.Time   { return moment(t, -time.Hour, label) }
func future(t *rapid.T, label string) time.Time { return moment(t, time.Hour, label) }

// end draws an end that a credential has to have.
func end(t *rapid.T, label string) time.Time {
	if at := future(t, label); !at.IsZero() || rarely(t, "no end") {
		return at
	}
	return indextest.Now.Add(time.Hour)
}

// named mostly draws the OID that the number at the name's end tells, so that claims clash only now and then.
func named(t *rapid.T, key index.Key, of []string) string {
	if rarely(t, "another OID") {
		return pick(t, of, "OID")
	}
	return of[int(key.Name[1]-'1')%len(of)]
}

func drawTasks(t *rapid.T) []string {
	return pick(t, [][]string{{"a"}, {"a", "b"}, {"b", "a", "c"}, {"c"}, {}}, "tasks")
}

func drawCredentials(t *rapid.T) []index.Credential {
	var lines []index.Credential
	for n := byte(1); n <= 3; n++ {
		if sixteenth(t, "unlisted") < 4 {
			continue
		}
		line := index.Credential{
			Fingerprint: indextest.Fingerprint(n), NotBefore: past(t, "not before"), NotAfter: end(t, "not after"),
		}
		if sixteenth(t, "superseded") < 3 {
			line.AcceptUntil = future(t, "accept until")
		}
		lines = append(lines, line)
	}
	return lines
}

func drawKey(t *rapid.T, kind index.Kind) index.Key {
	switch kind {
	case index.Organizations:
		return index.Key{Name: pick(t, []string{"o1", "o2", "o3"}, "organization")}
	case index.ClientSystems:
		return index.Key{Name: pick(t, systemNames, "system")}
	case index.Registries:
		return index.Key{Namespace: first(t, namespaces, "namespace"), Name: pick(t, []string{"r1", "r2"}, "registry")}
	}
	return index.Key{
		Namespace: first(t, namespaces, "namespace"),
		Name:      pick(t, []string{"x1", "x2", "x3", "x4"}, "name"),
	}
}

// soundBody is an object in order of the kinds that everything else rests on.
func soundBody(t *rapid.T, kind index.Kind, key index.Key) any {
	switch kind {
	case index.Registries:
		return index.Registry{
			OID: registryOf(key), Organization: organizationOIDs[0], ClientSystem: systemNames[0], Accepted: true,
			Credentials: drawCredentials(t),
		}
	case index.Units:
		return index.Unit{
			OID: unitOIDs[int(key.Name[1]-'1')%len(unitOIDs)], Organization: organizationOIDs[1], ClientSystem: systemNames[1],
			AcceptFrom: organizationOIDs[:1], Accepted: true,
		}
	case index.Organizations:
		return index.Organization{OID: organizationOIDs[key.Name[1]-'1'], Accepted: true}
	case index.ClientSystems:
		return index.ClientSystem{ValidFrom: indextest.Now.Add(-time.Hour)}
	}
	return nil
}

// registryOf gives each registry's key an OID of its own.
func registryOf(key index.Key) string {
	switch {
	case key.Name == "r2":
		return registryOIDs[2]
	case key.Namespace == namespaces[1]:
		return registryOIDs[1]
	}
	return registryOIDs[0]
}

func drawBody(t *rapid.T, kind index.Kind, key index.Key) any {
	if sound := soundBody(t, kind, key); sound != nil && sixteenth(t, "sound") < 11 {
		return sound
	}
	switch kind {
	case index.Registries:
		return index.Registry{
			Test: drawTest(t),
			OID:  first(t, []string{registryOf(key), registryOIDs[0], registryOIDs[1]}, "OID"), Organization: organizationOIDs[0],
			ClientSystem: first(t, systemNames, "system"), Accepted: mostly(t, "accepted"), Deleting: rarely(t, "deleting"),
			ProducerBound:  first(t, []time.Duration{0, 2 * time.Second, time.Minute}, "bound"),
			OrganizerBound: first(t, []time.Duration{0, 20 * time.Second, 2 * time.Hour}, "bound"),
			Credentials:    drawCredentials(t), ShowNonDisclosure: rapid.Bool().Draw(t, "shows non-disclosure"),
		}
	case index.Grants:
		return index.Grant{
			RegistryName: first(t, []string{"r1", "r2"}, "registry"), Unit: first(t, unitOIDs[:2], "unit"),
			Extent: pick(t, []access.Extent{access.Basic, access.Extended}, "extent"),
			Ready:  mostly(t, "ready"), NotReadyReason: first(t, []string{"", "NoTest"}, "reason"),
			Suspended: rarely(t, "suspended"), Deleting: rarely(t, "deleting"),
			ValidFrom: past(t, "valid from"), ValidUntil: future(t, "valid until"),
			Tasks: drawTasks(t), Credentials: drawCredentials(t), Buys: drawBought(t),
		}
	case index.Relationships:
		return index.Relationship{
			RegistryName: first(t, []string{"r1", "r2"}, "registry"), Unit: first(t, unitOIDs[:2], "unit"),
			Client: indextest.Client(first(t, []byte{1, 2, 0}, "client")), Tasks: drawTasks(t),
			Start: past(t, "start"), End: future(t, "end"), Document: pick(t, append(documents, index.DocumentID{}), "document"),
			Accepted: sixteenth(t, "accepted") < 13, Deleting: rarely(t, "deleting"),
		}
	case index.Units:
		unit := index.Unit{
			OID: named(t, key, unitOIDs), Organization: organizationOIDs[1],
			ClientSystem: first(t, systemNames, "system"), Accepted: mostly(t, "accepted"), Deleting: rarely(t, "deleting"),
		}
		if mostly(t, "accepts") {
			unit.AcceptFrom = []string{"1.9.9", organizationOIDs[0]}
		}
		if rapid.Bool().Draw(t, "accepts tests") {
			unit.AcceptTests = []index.AcceptedTest{{
				Registry: "1.5.5", Own: first(t, registryOIDs, "accepted registry"), StartsAt: first(t, testTimes, "accepted time"), ClosesAt: future(t, "accepted until"),
			}}
		}
		return unit
	case index.Organizations:
		return index.Organization{
			OID: named(t, key, organizationOIDs), Accepted: mostly(t, "accepted"), Deleting: rarely(t, "deleting"),
			JoinedFrom: past(t, "joined"), EndedAt: future(t, "ended"),
			MainJoiner: first(t, []string{"", organizationOIDs[2]}, "main joiner"),
		}
	default:
		return index.ClientSystem{
			Deleting: rarely(t, "deleting"), ValidFrom: past(t, "valid from"), ValidUntil: future(t, "valid until"),
		}
	}
}

// testTimes are when deployment tests start.
var testTimes = []time.Time{indextest.Now, indextest.Now.Add(time.Hour)}

// drawTest makes a registry now and then one that was made for a deployment test.
func drawTest(t *rapid.T) index.Test {
	if sixteenth(t, "test") < 11 {
		return index.Test{}
	}
	return index.Test{
		Registry: first(t, []string{"1.5.5", "1.5.6"}, "test for"), Unit: first(t, unitOIDs[:2], "test's unit"),
		Simulated: rarely(t, "simulated"), StartsAt: first(t, testTimes, "test's time"), ClosesAt: future(t, "closes"),
	}
}

func drawRequest(t *rapid.T) access.Request {
	registry := registryOIDs[0]
	if sixteenth(t, "another registry") > 13 {
		registry = pick(t, registryOIDs, "registry")
	}
	operation := access.Operation(sixteenth(t, "operation"))
	if operation > access.Supervise+1 {
		operation = access.NewVersion
	}
	req := access.Request{
		Caller: access.Caller{
			TrustedRegistry: registry, Unit: first(t, []string{unitOIDs[0], unitOIDs[1], "", "1.4.9"}, "unit"),
			Fingerprint: indextest.Fingerprint(pick(t, []byte{1, 2, 3}, "fingerprint")),
		},
		Professional: mostly(t, "professional"), Registry: registry,
		Operation:   operation,
		Client:      indextest.Client(first(t, []byte{1, 2, 0, 3}, "client")),
		ServiceTask: pick(t, []string{"", "", "a", "a", "b", "c", "d"}, "task"),
	}
	if rarely(t, "another certificate") {
		req.Caller.TrustedRegistry = "1.2.9"
	}
	if rapid.Bool().Draw(t, "brings a document") {
		req.IncomingTasks = drawTasks(t)
	}
	if rapid.Bool().Draw(t, "brings a health document") {
		req.IncomingSector = access.HealthCare
	}
	req.IncomingOldData = rarely(t, "brings old client data")
	if mostly(t, "about a document") {
		req.Document = &access.DocumentFacts{
			Registry: registry, Client: req.Client, ServiceTasks: drawTasks(t),
			AuthorUnit: pick(t, []string{req.Caller.Unit, req.Caller.Unit, "", unitOIDs[1]}, "author"),
		}
		req.Document.Old = rarely(t, "old client data")
		if rarely(t, "of another registry") {
			req.Document.Registry = "1.2.9"
		}
		if rarely(t, "of another client") {
			req.Document.Client = indextest.Client(7)
		}
	}
	return req
}

// drawBought is health care alone only seldom: then nothing is open.
func drawBought(t *rapid.T) access.Bought {
	const both = access.BuysSocial | access.BuysHealth
	if rarely(t, "buys health care only") {
		return access.BuysHealth
	}
	return pick(t, []access.Bought{0, access.BuysSocial, both, both}, "buys")
}
