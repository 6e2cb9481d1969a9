// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/testworld"
)

var background = context.Background()

// scene is one world with its archive.
type scene struct {
	*testworld.World
	t         *testing.T
	cluster   *cluster
	reach     func(*rest.Config) // changes how processes of the archive reach the API server; may be nil
	archive   *testworld.Replica
	organizer *archiveclient.Client
	log       records // of the archive
	journal   *journal
}

// settings are what a test changes of a scene before it begins.
type settings struct {
	world func(*testworld.World)
	clock clock.WithTicker
	// cluster changes how the archive reaches the API server.
	cluster func(*rest.Config)
	// witnesses cosign the log, each URL=VKEY.
	witnesses []string
	// database is what replicas share; each has a store of its own without one.
	database *database
}

// begin makes a world with one archive replica, whose systems have been tested together.
func (c *cluster) begin(t *testing.T, set settings) *scene {
	t.Helper()
	g := NewWithT(t)
	s := &scene{t: t, cluster: c, reach: set.cluster, journal: &journal{}}
	var err error
	s.World, err = testworld.New(c.Config, clock.RealClock{})
	g.Expect(err).NotTo(HaveOccurred())
	if set.world != nil {
		set.world(s.World)
	}
	if s.Registry.Spec.Policies.Staleness == nil {
		s.Archive.Spec.Staleness = &v1alpha1.Staleness{ProducersSeconds: ptr.To(int32(believedFor / time.Second))}
	}
	g.Expect(s.Begin(background)).To(Succeed())
	g.Expect(s.Create(background, s.Test())).To(Succeed())
	s.archive = s.replica("archive-0", t.TempDir(), set)
	s.organizer = s.caller(s.archive, s.OrganizerSecret())
	g.Eventually(func() string {
		_, err := s.organizer.RegisterClient(background, newCode())
		return reasonOf(err)
	}).Should(Equal(allowed))
	return s
}

// replica starts a replica of the scene's archive. When it ends, its use log is held against what was answered.
func (s *scene) replica(name, dir string, set settings) *testworld.Replica {
	s.t.Helper()
	g := NewWithT(s.t)
	cfg, err := testworld.ArchiveConfig(s.cluster.Env, s.Platform)
	g.Expect(err).NotTo(HaveOccurred())
	if set.cluster != nil {
		set.cluster(cfg)
	}
	options := testworld.ReplicaOptions{Cluster: cfg, Name: name, Dir: dir, Clock: set.clock, Log: s.log.logger(), LogWitnesses: set.witnesses}
	if set.database != nil {
		options.PostgresURI, options.IdentityKeyFile, options.ClientKeyFile = set.database.uri, set.database.keyFile, set.database.clientKeyFile
		options.LogKeyFile = set.database.logKeyFile
	}
	r, err := s.StartReplica(background, options)
	g.Expect(err).NotTo(HaveOccurred())
	s.t.Cleanup(func() {
		g.Expect(r.Stop()).To(Succeed())
		if set.database != nil {
			s.journal.holdAgainst(s.t, set.database.useLog(s.t), s.journal.all())
			return
		}
		s.journal.holdAgainst(s.t, useLog(s.t, r.DataDir), s.journal.at(r.Endpoint))
	})
	g.Expect(r.WaitReady(background)).To(Succeed())
	return r
}

// caller makes a caller of a replica from a delivered credential. Its requests are in the journal.
func (s *scene) caller(r *testworld.Replica, secret client.ObjectKey) *archiveclient.Client {
	s.t.Helper()
	c, err := s.Caller(background, r.Endpoint, secret)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return s.follow(r, c)
}

// callerWith makes a caller that uses the credential.
func (s *scene) callerWith(r *testworld.Replica, credential archiveclient.Credential) *archiveclient.Client {
	s.t.Helper()
	c, err := s.CallerWith(r.Endpoint, credential)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return s.follow(r, c)
}

func (s *scene) follow(r *testworld.Replica, c *archiveclient.Client) *archiveclient.Client {
	c.OnAnswer = s.journal.of(r.Endpoint)
	s.t.Cleanup(c.Close)
	return c
}

var codes atomic.Int64

// newCode is an identity code that no other client of these tests has.
func newCode() string { return identitycode.Synthetic(int(codes.Add(1))).Reveal() }

// care is one client in the care of one unit.
type care struct {
	s            *scene
	unit         *v1alpha1.ProducerUnit
	relationship *v1alpha1.ServiceRelationship
	caller       *archiveclient.Client // the unit

	code, id string // of the client
	decision string // a document of the organizer
	note     string // a document of the unit
}

// begun registers a client and records its relationship in the unit. Access may still have to come.
func (s *scene) begun(unit *v1alpha1.ProducerUnit, edit func(*v1alpha1.ServiceRelationship)) *care {
	s.t.Helper()
	g := NewWithT(s.t)
	c := &care{s: s, unit: unit, code: newCode()}
	var err error
	c.id, err = s.organizer.RegisterClient(background, c.code)
	g.Expect(err).NotTo(HaveOccurred())
	c.decision, err = s.organizer.Store(background, c.document("service-decision", testworld.Task, "the decision"))
	g.Expect(err).NotTo(HaveOccurred())
	c.relationship = s.Relationship(unit.Spec.OID)
	c.relationship.Spec.ClientID = c.id
	if edit != nil {
		edit(c.relationship)
	}
	g.Expect(s.Create(background, c.relationship)).To(Succeed())
	return c
}

// open is begun, and waits until the unit has access.
func (s *scene) open(unit *v1alpha1.ProducerUnit, edit func(*v1alpha1.ServiceRelationship)) *care {
	s.t.Helper()
	g := NewWithT(s.t)
	c := s.begun(unit, edit)
	c.caller = s.caller(s.archive, s.UnitSecret(unit))
	g.Eventually(c.access).Should(Equal(allowed))
	g.Expect(believed(g, func() string {
		var err error
		c.note, err = c.caller.Store(background, c.document("case-note", testworld.Task, "the note"))
		return reasonOf(err)
	})).To(Equal(allowed))
	return c
}

func (c *care) document(kind, task, text string) archiveclient.NewDocument {
	return archiveclient.NewDocument{
		Client: c.id, Type: kind, ServiceTasks: []string{task}, Created: time.Now().Add(-time.Second),
		ContentType: "application/json", Body: testworld.Body(kind, text),
	}
}

const allowed = "allowed"

// reasonOf is the reason of a refusal, or that there was none.
func reasonOf(err error) string {
	var problem *archiveclient.Problem
	switch {
	case err == nil:
		return allowed
	case errors.As(err, &problem):
		return problem.Reason
	default:
		return err.Error()
	}
}

// believed asks until the answer rests on a view that is believed. Where a bound is short, a view grows older than that on a
// busy machine, too.
func believed(g Gomega, ask func() string) (reason string) {
	g.Eventually(func() string { reason = ask(); return reason }).ShouldNot(Equal("view-stale"))
	return reason
}

// access is how the unit fares when it looks for its client.
func (c *care) access() string {
	_, err := c.caller.FindClient(background, c.code)
	return reasonOf(err)
}

// end ends the relationship at an instant.
func (c *care) end(at time.Time) error {
	return change(c.s, c.relationship, func(r *v1alpha1.ServiceRelationship) { r.Spec.End = instant(at) })
}

// change edits an object with a merge patch, and leaves in o what the API server answered.
func change[O client.Object](s *scene, o O, edit func(O)) error {
	fresh, err := seen(s, o)()
	if err != nil {
		return err
	}
	before := fresh.DeepCopyObject().(O)
	edit(fresh)
	return s.Patch(background, fresh, client.MergeFrom(before))
}

// seen reads the object as the API server has it.
func seen[O client.Object](s *scene, o O) func() (O, error) {
	return func() (O, error) {
		fresh := o.DeepCopyObject().(O)
		err := s.Get(background, client.ObjectKeyFromObject(o), fresh)
		return fresh, err
	}
}

// grantOf names the grant of a unit.
func (s *scene) grantOf(unit *v1alpha1.ProducerUnit) *v1alpha1.RegistryAccessGrant {
	grant := &v1alpha1.RegistryAccessGrant{}
	key := s.GrantKey(unit)
	grant.Namespace, grant.Name = key.Namespace, key.Name
	return grant
}

// enforced tells the reason for which the object's end counts as enforced; empty while it does not.
func enforced(o conditions.Object) string {
	if c := conditions.Get(o, v1alpha1.RevocationEnforcedCondition); c != nil && c.Status == "True" {
		return c.Reason
	}
	return ""
}

// addUnits adds units to the company, before a world begins.
func addUnits(w *testworld.World, names ...string) map[string]*v1alpha1.ProducerUnit {
	units := map[string]*v1alpha1.ProducerUnit{}
	for i, name := range names {
		unit := w.Unit(name, fmt.Sprintf("20.%d", 100+i))
		w.Company.Spec.UnitOIDs = append(w.Company.Spec.UnitOIDs, unit.Spec.OID)
		units[name] = unit
	}
	return units
}

// producersBound gives a world's registry a short bound for producers.
func producersBound(producers, organizer int32) func(*testworld.World) {
	return func(w *testworld.World) {
		w.Registry.Spec.Policies.Staleness = &v1alpha1.Staleness{ProducersSeconds: ptr.To(producers), OrganizerSeconds: ptr.To(organizer)}
	}
}

func archiveQuery(client string) archiveclient.Query { return archiveclient.Query{Client: client} }
