// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// country is an index of the shape of a country: 22 registries, 1,000 units, a grant where they meet.
type country struct {
	*index.Index
	visits   []visit
	revision uint64
}

const registries, countryUnits = 22, 1000

// visit is what differs between the requests for two relationships.
type visit struct {
	number         int
	registry, unit string
	client         access.ClientID
	fingerprint    access.Fingerprint
}

// now is when everything in the country holds.
var now = indextest.Now

// newCountry makes a country with n live relationships.
func newCountry(n int) (*country, error) {
	c := &country{Index: index.New(), revision: 1000}
	if err := c.found(); err != nil {
		return nil, err
	}
	var registryOIDs, unitOIDs []string // shared, as they are in a program that interns them
	for i := range registries {
		registryOIDs = append(registryOIDs, oid(1, i))
	}
	for i := range countryUnits {
		unitOIDs = append(unitOIDs, oid(2, i))
	}
	granted := map[[2]int]bool{}
	for i := range n {
		pair := [2]int{i % registries, i % countryUnits}
		v := visit{
			number: i, registry: registryOIDs[pair[0]], unit: unitOIDs[pair[1]], client: access.ClientID(uid(5, i)),
			fingerprint: access.Fingerprint{0: 1, 1: byte(pair[1]), 2: byte(pair[1] >> 8)},
		}
		if !granted[pair] {
			granted[pair] = true
			g := indextest.Grant()
			g.Key = index.Key{Namespace: county(pair[0]), Name: fmt.Sprintf("unit-%d", pair[1])}
			g.UID, g.Unit = uid(3, pair[0]*countryUnits+pair[1]), v.unit
			g.Credentials = []index.Credential{{Fingerprint: v.fingerprint, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}}
			if _, err := c.UpsertGrant(g); err != nil {
				return nil, err
			}
		}
		if err := c.relate(&v, time.Time{}); err != nil {
			return nil, err
		}
		c.visits = append(c.visits, v)
	}
	for _, kind := range index.Kinds() {
		c.SetComplete(kind)
	}
	c.SetFreshness(now)
	return c, nil
}

// found enters the registries, the units and the parties.
func (c *country) found() error {
	w := indextest.New()
	for i := range registries {
		r := w.Registry
		r.Key.Namespace, r.UID, r.OID = county(i), uid(1, i), oid(1, i)
		if _, err := c.UpsertRegistry(r); err != nil {
			return err
		}
	}
	for i := range countryUnits {
		u := indextest.Unit()
		u.Key.Name, u.UID, u.OID = fmt.Sprintf("unit-%d", i), uid(2, i), oid(2, i)
		if _, err := c.UpsertUnit(u); err != nil {
			return err
		}
	}
	for _, o := range []index.Organization{w.Organizer, w.Producer} {
		if _, err := c.UpsertOrganization(o); err != nil {
			return err
		}
	}
	for _, s := range []index.ClientSystem{w.OrganizerSystem, w.UnitSystem} {
		if _, err := c.UpsertClientSystem(s); err != nil {
			return err
		}
	}
	return nil
}

// relate enters a state of the relationship of a visit; no end is open.
func (c *country) relate(v *visit, end time.Time) error {
	r := indextest.Relationship()
	r.Key = index.Key{Namespace: county(v.number % registries), Name: fmt.Sprintf("relationship-%d", v.number)}
	c.revision++
	r.UID, r.Revision, r.Unit, r.Client, r.End = uid(4, v.number), c.revision, v.unit, v.client, end
	_, err := c.UpsertRelationship(r)
	return err
}

// forget takes in that the relationship of a visit was deleted.
func (c *country) forget(v *visit) {
	c.revision++
	c.Delete(index.Relationships, uid(4, v.number), c.revision)
}

// shuffle puts the visits into no order, as real ones are.
func (c *country) shuffle() {
	rand.Shuffle(len(c.visits), func(i, j int) { c.visits[i], c.visits[j] = c.visits[j], c.visits[i] })
}

// fill makes a request that of this visit.
func (v *visit) fill(req *access.Request) {
	req.Caller = access.Caller{TrustedRegistry: v.registry, Unit: v.unit, Fingerprint: v.fingerprint}
	req.Registry, req.Document.Registry = v.registry, v.registry
	req.Client, req.Document.Client = v.client, v.client
}

func county(i int) string { return fmt.Sprintf("county-%d", i) }

func oid(kind, i int) string { return fmt.Sprintf("1.2.246.10.3221%d.10.%d", kind, i) }

// uid scatters, as random UIDs do.
func uid(kind, i int) access.UID {
	var u access.UID
	r := rand.New(rand.NewPCG(uint64(kind), uint64(i)))
	binary.BigEndian.PutUint64(u[:8], r.Uint64())
	binary.BigEndian.PutUint64(u[8:], r.Uint64())
	return u
}
