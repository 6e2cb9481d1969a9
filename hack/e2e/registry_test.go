// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
	"github.com/valtuus/valtuus/internal/identitycode"
)

const (
	northOID = "1.2.246.10.99999999.10.1"
	southOID = "1.2.246.10.99999999.10.2"

	nationalOID = "1.2.246.10.32213086.19.0"
	countyOID   = "1.2.246.10.32213086.19.1"
)

// registry is a client registry with one client in the care of the northern unit.
type registry struct {
	name, oid, archive string
	endpoint           string

	organizer, unit *caller
	code            string    // of the client
	client          uuid.UUID // its id
	decision        uuid.UUID // a document of the organizer
	other           uuid.UUID // one of another service task
	note            uuid.UUID // a document of the unit
	relationship    wire.Answer
	start           time.Time
}

var nextCode int

// newCode is an identity code of the 900 series that no other client has.
func newCode() string {
	nextCode++
	return identitycode.Synthetic(nextCode).Reveal()
}

func (l *life) archivesServe(t *testing.T) {
	for _, name := range []string{"national", "county"} {
		l.must(t, platform, "-n", "platform", "wait", "--for=condition=Ready", "archive/"+name, inTime)
	}
	g := NewWithT(t)
	l.allReady(t, "platform", archiveLabels("national"), 1)
	l.allReady(t, "platform", archiveLabels("county"), 2)
	var claim corev1.PersistentVolumeClaim
	g.Expect(l.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: "national-data"}, &claim)).To(Succeed())
	g.Expect(claim.Status.Phase).To(Equal(corev1.ClaimBound))
	var class storagev1.StorageClass
	g.Expect(l.Get(t.Context(), client.ObjectKey{Name: *claim.Spec.StorageClassName}, &class)).To(Succeed())
	g.Expect(class.Annotations).To(HaveKeyWithValue("storageclass.kubernetes.io/is-default-class", "true"))
}

func (l *life) firstGrant(t *testing.T) {
	l.national = &registry{name: "clients", oid: nationalOID, archive: "national"}
	l.organize(t, l.national)
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=create", "registryaccessgrant/"+l.national.grant(northOID), inTime)
	l.must(t, organizer, "-n", "pirkanmaa", "wait", inTime,
		`--for=jsonpath={.status.conditions[?(@.type=="Ready")].reason}=DeploymentTestMissing`, "registryaccessgrant/"+l.national.grant(northOID))
	NewWithT(t).Expect(l.Get(t.Context(), l.national.unitSecret(), &corev1.Secret{})).NotTo(Succeed(), "a credential before the deployment test")
	l.must(t, organizer, "apply", "-f", l.sample("70-deployment-tests.yaml"))
	l.work(t, l.national)
	l.report.say("from helm install to the first grant in use", time.Since(l.installed).Seconds(), "s",
		"with onboarding by kubectl and the start of two archives and two client systems")
}

func (l *life) secondGrant(t *testing.T) {
	l.county = &registry{name: "county", oid: countyOID, archive: "county"}
	l.organize(t, l.county)
	l.work(t, l.county)
}

func (r *registry) grant(unit string) string { return r.name + "-" + unit }

func (r *registry) unitSecret() client.ObjectKey {
	return client.ObjectKey{Namespace: "hoivakoti", Name: "pohjoinen-" + r.oid}
}

// organize is what the organizer's own system does: clients, documents, and the relationship.
func (s *suite) organize(t *testing.T, r *registry) {
	t.Helper()
	g := NewWithT(t)
	s.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=condition=Ready", "registry/"+r.name, inTime)
	var object v1alpha1.Registry
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "pirkanmaa", Name: r.name}, &object)).To(Succeed())
	var archive v1alpha1.Archive
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: r.archive}, &archive)).To(Succeed())
	r.endpoint = archive.Status.Endpoint
	r.organizer = s.startCaller(t, "pirkanmaa", "organizer-"+r.name, r.endpoint, r.oid, string(object.Status.SecretRef.Name))
	r.code = newCode()
	r.client = r.organizer.eventually(t, wire.Allowed, wire.Order{Do: wire.Register, Code: r.code}).Client
	r.decision = r.organizer.does(t, wire.Order{Do: wire.Store, Client: r.client, Type: "service-decision", Task: "elderly"}).Document
	r.other = r.organizer.does(t, wire.Order{Do: wire.Store, Client: r.client, Type: "service-decision", Task: "substance-abuse"}).Document
	r.start = time.Now().Add(-time.Hour).Truncate(time.Second)
	r.relationship = r.organizer.does(t, wire.Order{Do: wire.Relate, Client: r.client, Unit: northOID, Task: "elderly", Start: r.start})
}

// work is what the unit's system does with the credential that came.
func (s *suite) work(t *testing.T, r *registry) {
	t.Helper()
	g := NewWithT(t)
	g.Eventually(func() error { return s.Get(t.Context(), r.unitSecret(), &corev1.Secret{}) }).Should(Succeed())
	r.unit = s.startCaller(t, "hoivakoti", "unit-"+r.name, r.endpoint, r.oid, r.unitSecret().Name)
	found := r.unit.eventually(t, wire.Allowed, wire.Order{Do: wire.Find, Code: r.code})
	g.Expect(found.Client).To(Equal(r.client))
	r.unit.does(t, wire.Order{Do: wire.Read, Document: r.decision})
	r.note = r.unit.does(t, wire.Order{Do: wire.Store, Client: r.client, Type: "case-note", Task: "elderly"}).Document
	r.organizer.does(t, wire.Order{Do: wire.Read, Document: r.note})
	g.Expect(r.unit.does(t, wire.Order{Do: wire.Search, Client: r.client}).Total).To(Equal(3), "decision, relationship and note, and no word of the other")
	r.unit.refused(t, "task-not-covered", wire.Order{Do: wire.Read, Document: r.other})
	stranger := newCode()
	r.organizer.does(t, wire.Order{Do: wire.Register, Code: stranger})
	r.unit.refused(t, "no-relationship", wire.Order{Do: wire.Find, Code: stranger})
	s.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=condition=Ready", "registryaccessgrant/"+r.grant(northOID), inTime)
}

func (r *registry) relationshipName() string { return "document-" + r.relationship.Document.String() }

// end has the organizer's system store the end of the relationship.
func (l *life) end(t *testing.T) {
	r := l.national
	r.unit.does(t, wire.Order{Do: wire.Read, Document: r.note})
	r.relationship = r.organizer.does(t, wire.Order{
		Do: wire.Relate, Client: r.client, Unit: northOID, Task: "elderly", Start: r.start, End: time.Now().Truncate(time.Second),
		Document: r.relationship.Document, Seen: r.relationship.Version,
	})
	r.unit.eventually(t, "relationship-ended", wire.Order{Do: wire.Find, Code: r.code})
	r.unit.refused(t, "relationship-ended", wire.Order{Do: wire.Read, Document: r.note})
	r.organizer.does(t, wire.Order{Do: wire.Read, Document: r.note})
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=condition=RevocationEnforced", "servicerelationship/"+r.relationshipName(), inTime)
}
