// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// server is an API server with a world whose objects are there, and no controller.
type server struct {
	*testworld.World
	config *rest.Config
}

// TestTheAPIServer holds what the API server accepts and refuses by itself, with no controller running.
func TestTheAPIServer(t *testing.T) {
	testenv.Need(t)
	g := NewWithT(t)
	env, err := testworld.Start(t.Context(), testenv.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { NewWithT(t).Expect(env.Stop()).To(Succeed()) })
	world, err := testworld.New(env.Config, clock.RealClock{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(world.Begin(t.Context())).To(Succeed())
	s := &server{World: world, config: env.Config}
	// A policy that has just been applied takes effect a moment later.
	g.Eventually(func() error { return s.try(t.Context(), s.labeled("a", "020516C903K")) }, "2m", "100ms").ShouldNot(Succeed())

	t.Run("accepts what is right", s.accepts)
	t.Run("refuses a wrong OID", s.refusesOIDs)
	t.Run("refuses what looks like an identity code, wherever it is", s.refusesIdentityCodes)
	t.Run("refuses what contradicts itself", s.refusesContradictions)
	t.Run("refuses to change what is immutable", s.refusesChanges)
	t.Run("refuses a field that it does not know", s.refusesUnknownFields)
	t.Run("gives a new object a status that speaks of no generation", s.defaultsStatus)
	t.Run("answers a person's question with its columns", s.printsColumns)
	t.Run("knows the short names and the category", s.knowsNames)
	t.Run("selects by field", s.selectsByField)
}

// try asks for an object to be made, without making it.
func (s *server) try(ctx context.Context, o client.Object) error {
	return s.Create(ctx, o, client.DryRunAll)
}

func (s *server) labeled(key, value string) client.Object {
	o := s.Relationship(s.North.Spec.OID)
	o.Labels = map[string]string{key: value}
	return o
}

// fresh returns a copy of an object that could be made.
func fresh[O client.Object](o O, edit func(O)) O {
	twin := o.DeepCopyObject().(O)
	twin.SetName("another-" + strings.ReplaceAll(o.GetName(), ".", "-"))
	twin.SetResourceVersion("")
	twin.SetUID("")
	edit(twin)
	return twin
}

func (s *server) grant(edit func(*v1alpha1.RegistryAccessGrant)) *v1alpha1.RegistryAccessGrant {
	return fresh(&v1alpha1.RegistryAccessGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Organizer, Name: "grant"},
		Spec: v1alpha1.RegistryAccessGrantSpec{
			RegistryRef: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: s.North.Spec.OID, Extent: v1alpha1.ExtentBasic,
		},
	}, edit)
}

func (s *server) relationship(edit func(*v1alpha1.ServiceRelationship)) *v1alpha1.ServiceRelationship {
	return fresh(s.Relationship(s.North.Spec.OID), edit)
}

func (s *server) agreement(reference v1alpha1.Reference) *v1alpha1.Agreement {
	return &v1alpha1.Agreement{Reference: reference, ValidFrom: s.Ago(time.Hour)}
}

func (s *server) accepts(t *testing.T) {
	g := NewWithT(t)
	for _, o := range []client.Object{
		fresh(s.Archive, func(*v1alpha1.Archive) {}), fresh(s.Area, func(*v1alpha1.Organization) {}),
		fresh(s.AreaSystem, func(*v1alpha1.ClientSystem) {}), fresh(s.Registry, func(*v1alpha1.Registry) {}),
		fresh(s.North, func(*v1alpha1.ProducerUnit) {}), s.relationship(func(*v1alpha1.ServiceRelationship) {}),
		s.grant(func(*v1alpha1.RegistryAccessGrant) {}), s.Test(),
		// Near a code, but none: no such day, no such month, part of something longer.
		s.labeled("order", "991301-1234"), s.labeled("order", "1020516C903K"), s.labeled("order", "020516C903K7"),
	} {
		g.Expect(s.try(t.Context(), o)).To(Succeed(), "%T %s", o, o.GetName())
	}
}

func (s *server) refusesOIDs(t *testing.T) {
	long := "1.2" + strings.Repeat(".1", 64)
	for _, oid := range []v1alpha1.OID{
		"", "1", "1.2", "1.2.", ".1.2.3", "1..2", "1.2.3.", "3.1.2", "1.2.03", "1.2.a", "1.2.-3", "1.2.3 ", " 1.2.3", "1,2,3",
		"urn:oid:1.2.246.10", "1.2.246.10.32213086.19.0\n", "01.2.3", v1alpha1.OID(long),
	} {
		t.Run(fmt.Sprintf("%q", oid), func(t *testing.T) {
			g := NewWithT(t)
			for _, o := range []client.Object{
				fresh(s.Area, func(o *v1alpha1.Organization) { o.Spec.OID = oid }),
				fresh(s.Company, func(o *v1alpha1.Organization) { o.Spec.UnitOIDs = []v1alpha1.OID{oid} }),
				fresh(s.Company, func(o *v1alpha1.Organization) {
					o.Spec.Joining.Mode, o.Spec.Joining.MainJoiner = v1alpha1.JoiningJoint, oid
				}),
				fresh(s.Registry, func(o *v1alpha1.Registry) { o.Spec.OID = oid }),
				fresh(s.Registry, func(o *v1alpha1.Registry) { o.Spec.ControllerOID = oid }),
				fresh(s.Registry, func(o *v1alpha1.Registry) { o.Spec.Organization = oid }),
				fresh(s.North, func(o *v1alpha1.ProducerUnit) { o.Spec.OID = oid }),
				fresh(s.North, func(o *v1alpha1.ProducerUnit) { o.Spec.AcceptFrom = []v1alpha1.OID{oid} }),
				s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.ProducerUnit = oid }),
				s.grant(func(o *v1alpha1.RegistryAccessGrant) { o.Spec.ProducerUnit = oid }),
			} {
				g.Expect(s.try(t.Context(), o)).To(MatchError(apierrors.IsInvalid, "IsInvalid"), "%T", o)
			}
		})
	}
}

func (s *server) refusesIdentityCodes(t *testing.T) {
	const message = "looks like a personal identity code"
	refused := func(t *testing.T, where string, o client.Object) {
		t.Helper()
		err := s.try(t.Context(), o)
		g := NewWithT(t)
		g.Expect(err).To(MatchError(apierrors.IsInvalid, "IsInvalid"), where)
		g.Expect(err).To(MatchError(ContainSubstring(message)), where)
	}
	for _, code := range []string{"020516C903K", "131052-308T", "020516c903k", "131052-308t", "010199+903K", "311299X9999", "client.020516C903K", "020516C903K.note"} {
		reference := v1alpha1.Reference(strings.ReplaceAll("see "+code, ".", " "))
		t.Run(code, func(t *testing.T) {
			word := !strings.Contains(code, "+") // what a label and a code of a task may be
			if word {
				refused(t, "label", s.labeled("client", code))
				refused(t, "label's key", s.labeled("valtuus.test/"+code, ""))
				refused(t, "annotation's key", fresh(s.North, func(o *v1alpha1.ProducerUnit) { o.Annotations = map[string]string{code: "x"} }))
			}
			refused(t, "annotation", fresh(s.Registry, func(o *v1alpha1.Registry) { o.Annotations = map[string]string{"note": "of " + code + "."} }))
			if word && strings.ToLower(code) == code { // what a name may be
				for _, o := range s.all() {
					o.SetName(code)
					refused(t, fmt.Sprintf("name of %T", o), o)
				}
			}
			refused(t, "agreement", s.grant(func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Agreement = s.agreement(reference) }))
			refused(t, "report", fresh(s.Test(), func(o *v1alpha1.DeploymentTest) { o.Spec.Recorded.ReportReference = reference }))
			for _, name := range []v1alpha1.LocalizedName{{Fi: string(reference)}, {Fi: "x", Sv: string(reference)}, {Fi: "x", En: string(reference)}} {
				refused(t, "display name", fresh(s.Area, func(o *v1alpha1.Organization) { o.Spec.DisplayName = name }))
			}
			refused(t, "vendor", fresh(s.AreaSystem, func(o *v1alpha1.ClientSystem) { o.Spec.Vendor = reference }))
			refused(t, "product", fresh(s.AreaSystem, func(o *v1alpha1.ClientSystem) { o.Spec.Product = reference }))
			refused(t, "version", fresh(s.AreaSystem, func(o *v1alpha1.ClientSystem) { o.Spec.Version = reference }))
			if word {
				tasks := []v1alpha1.ServiceTaskCode{v1alpha1.ServiceTaskCode(code)}
				refused(t, "task", s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.ServiceTasks = tasks }))
				refused(t, "unit's task", fresh(s.North, func(o *v1alpha1.ProducerUnit) { o.Spec.ServiceTasks = tasks }))
			}
		})
	}
	t.Run("also when it is put there later", func(t *testing.T) {
		g := NewWithT(t)
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"note":"020516C903K"}}}`))
		g.Expect(s.Patch(t.Context(), s.North.DeepCopy(), patch)).To(MatchError(ContainSubstring(message)))
	})
}

// all returns one new object of every kind.
func (s *server) all() []client.Object {
	return []client.Object{
		fresh(s.Archive, func(*v1alpha1.Archive) {}), fresh(s.Area, func(*v1alpha1.Organization) {}),
		fresh(s.AreaSystem, func(*v1alpha1.ClientSystem) {}), fresh(s.Registry, func(*v1alpha1.Registry) {}),
		fresh(s.North, func(*v1alpha1.ProducerUnit) {}), s.relationship(func(*v1alpha1.ServiceRelationship) {}),
		s.grant(func(*v1alpha1.RegistryAccessGrant) {}), fresh(s.Test(), func(*v1alpha1.DeploymentTest) {}),
	}
}

func (s *server) refusesContradictions(t *testing.T) {
	_, start := s.Ago(0), s.Ago(time.Hour)
	for name, refused := range map[string]struct {
		object  client.Object
		message string
	}{
		"end at start":       {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.Start, o.Spec.End = start, &start }), "end must be after start"},
		"end before start":   {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.Start, o.Spec.End = start, ptr.To(s.Ago(2*time.Hour)) }), "end must be after start"},
		"client not a UUID":  {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.ClientID = "client-7" }), "spec.clientID"},
		"client an OID":      {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.ClientID = "1.2.246.10.32213086.19.0.1234567.123" }), "spec.clientID"},
		"client in capitals": {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.ClientID = strings.ToUpper(o.Spec.ClientID) }), "spec.clientID"},
		"no task":            {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.ServiceTasks = nil }), "spec.serviceTasks"},
		"a task twice": {s.relationship(func(o *v1alpha1.ServiceRelationship) {
			o.Spec.ServiceTasks = []v1alpha1.ServiceTaskCode{"elderly", "elderly"}
		}), "spec.serviceTasks"},
		"unknown procurement": {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.Procurement = "Gift" }), "spec.procurement"},
		"a document without a version": {s.relationship(func(o *v1alpha1.ServiceRelationship) {
			o.Spec.Document = &v1alpha1.RelationshipDocument{ID: o.Spec.ClientID}
		}), "spec.document.version"},
		"a document that is no UUID": {s.relationship(func(o *v1alpha1.ServiceRelationship) {
			o.Spec.Document = &v1alpha1.RelationshipDocument{ID: "010190-123A", Version: 1}
		}), "spec.document.id"},
		"no start":                    {s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Spec.Start = metav1.Time{} }), "spec.start"},
		"Direct with a main joiner":   {fresh(s.Company, func(o *v1alpha1.Organization) { o.Spec.Joining.MainJoiner = s.OID("30.0") }), "mainJoiner is given exactly when"},
		"Joint without a main joiner": {fresh(s.Company, func(o *v1alpha1.Organization) { o.Spec.Joining.Mode = v1alpha1.JoiningJoint }), "mainJoiner is given exactly when"},
		"own main joiner": {fresh(s.Company, func(o *v1alpha1.Organization) {
			o.Spec.Joining.Mode, o.Spec.Joining.MainJoiner = v1alpha1.JoiningJoint, o.Spec.OID
		}), "its own main joiner"},
		"a public co-joiner": {fresh(s.Area, func(o *v1alpha1.Organization) {
			o.Spec.Joining.Mode, o.Spec.Joining.MainJoiner = v1alpha1.JoiningJoint, s.OID("30.0")
		}), "joint connection is for private organizations"},
		"ended before joined":        {fresh(s.Company, func(o *v1alpha1.Organization) { o.Spec.Joining.EndedAt = &o.Spec.Joining.JoinedAt }), "endedAt must be after joinedAt"},
		"extended without agreement": {s.grant(func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Extent = v1alpha1.ExtentExtended }), "an extended grant needs an agreement"},
		"agreement that ends before it begins": {s.grant(func(o *v1alpha1.RegistryAccessGrant) {
			o.Spec.Agreement = s.agreement("7")
			o.Spec.Agreement.ValidUntil = &o.Spec.Agreement.ValidFrom
		}), "validUntil must be after validFrom"},
		"agreement that buys what is no care": {s.grant(func(o *v1alpha1.RegistryAccessGrant) {
			o.Spec.Agreement = s.agreement("7")
			o.Spec.Agreement.Buys = []v1alpha1.CareSector{"Dental"}
		}), "spec.agreement.buys"},
		"agreement that buys one thing twice": {s.grant(func(o *v1alpha1.RegistryAccessGrant) {
			o.Spec.Agreement = s.agreement("7")
			o.Spec.Agreement.Buys = []v1alpha1.CareSector{"Social", "Social"}
		}), "spec.agreement.buys"},
		"own key without request": {fresh(s.North, func(o *v1alpha1.ProducerUnit) { o.Spec.Credential.Delivery = v1alpha1.DeliveryCertificateRequest }), "certificateRequest is given exactly when"},
		"Secret with request":     {fresh(s.North, func(o *v1alpha1.ProducerUnit) { o.Spec.Credential.CertificateRequest = "x" }), "certificateRequest is given exactly when"},
		"system's certificate ends before it begins": {fresh(s.AreaSystem, func(o *v1alpha1.ClientSystem) {
			o.Spec.Certificate.ValidUntil = o.Spec.Certificate.ValidFrom
		}), "validUntil must be after validFrom"},
		"overlap over a fifth of the lifetime": {fresh(s.Archive, func(o *v1alpha1.Archive) {
			o.Spec.Credentials = &v1alpha1.CredentialPolicy{LifetimeSeconds: ptr.To(int32(600)), OverlapSeconds: ptr.To(int32(121))}
		}), "at most a fifth"},
		"lifetime of days": {fresh(s.Archive, func(o *v1alpha1.Archive) {
			o.Spec.Credentials = &v1alpha1.CredentialPolicy{LifetimeSeconds: ptr.To(int32(172801))}
		}), "spec.credentials.lifetimeSeconds"},
		"endpoint without TLS":        {fresh(s.Archive, func(o *v1alpha1.Archive) { o.Spec.External.Endpoint = "http://localhost:8443" }), "must be an https URL"},
		"endpoint not a URL":          {fresh(s.Archive, func(o *v1alpha1.Archive) { o.Spec.External.Endpoint = "localhost:8443" }), "must be an https URL"},
		"DNS name that is an address": {fresh(s.Archive, func(o *v1alpha1.Archive) { o.Spec.External.DNSNames = []string{"127.0.0.1"} }), "an IP address is no DNS name"},
		"address not an IP":           {fresh(s.Archive, func(o *v1alpha1.Archive) { o.Spec.External.IPAddresses = []string{"127.0.0.256"} }), "each must be an IP address"},
		"stale beyond a minute": {fresh(s.Registry, func(o *v1alpha1.Registry) {
			o.Spec.Policies.Staleness = &v1alpha1.Staleness{ProducersSeconds: ptr.To(int32(61))}
		}), "producersSeconds"},
		"unknown non-disclosure":                   {fresh(s.Registry, func(o *v1alpha1.Registry) { o.Spec.Policies.NonDisclosure = "show" }), "spec.policies.nonDisclosure"},
		"recorded nothing":                         {fresh(s.Test(), func(o *v1alpha1.DeploymentTest) { o.Spec.Recorded = nil }), "recorded is required"},
		"a test that is run when nothing says how": {s.run(func(o *v1alpha1.DeploymentTest) { o.Spec.Run = nil }), "run is given exactly when"},
		"a recorded test that is run": {s.run(func(o *v1alpha1.DeploymentTest) {
			o.Spec.Mode, o.Spec.Recorded = v1alpha1.ModeRecorded, s.Test().Spec.Recorded
		}), "run is given exactly when"},
		"an observed test with a record":              {s.run(func(o *v1alpha1.DeploymentTest) { o.Spec.Recorded = s.Test().Spec.Recorded }), "recorded is for mode Recorded only"},
		"a simulation without cards":                  {s.run(func(o *v1alpha1.DeploymentTest) { o.Spec.Mode = v1alpha1.ModeSimulated }), "simulation is given exactly when"},
		"a test with a name of which no name is made": {s.run(func(o *v1alpha1.DeploymentTest) { o.Name = strings.Repeat("x", 53) }), "at most 52 characters"},
		"a window of half a minute":                   {s.run(func(o *v1alpha1.DeploymentTest) { o.Spec.Run.WindowSeconds = ptr.To(int32(30)) }), "windowSeconds"},
		"unknown mode":                                {fresh(s.Test(), func(o *v1alpha1.DeploymentTest) { o.Spec.Mode = "Guessed" }), "spec.mode"},
		"unknown purpose":                             {fresh(s.Registry, func(o *v1alpha1.Registry) { o.Spec.Purpose = "Play" }), "spec.purpose"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := s.try(t.Context(), refused.object)
			g.Expect(err).To(MatchError(apierrors.IsInvalid, "IsInvalid"))
			g.Expect(err).To(MatchError(ContainSubstring(refused.message)))
		})
	}
	t.Run("documents under a non-disclosure may be shown", func(t *testing.T) {
		NewWithT(t).Expect(s.try(t.Context(), fresh(s.Registry, func(o *v1alpha1.Registry) {
			o.Spec.Policies.NonDisclosure = v1alpha1.NonDisclosureShow
		}))).To(Succeed())
	})
	t.Run("but a fifth is enough", func(t *testing.T) {
		NewWithT(t).Expect(s.try(t.Context(), fresh(s.Archive, func(o *v1alpha1.Archive) {
			o.Spec.Credentials = &v1alpha1.CredentialPolicy{LifetimeSeconds: ptr.To(int32(600)), OverlapSeconds: ptr.To(int32(120))}
		}))).To(Succeed())
	})
}

// run describes a test that is run.
func (s *server) run(change func(*v1alpha1.DeploymentTest)) *v1alpha1.DeploymentTest {
	o := fresh(s.Test(), func(o *v1alpha1.DeploymentTest) {
		o.Spec.Mode, o.Spec.Recorded = v1alpha1.ModeObserved, nil
		o.Spec.Run = &v1alpha1.TestRun{
			Registry: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: s.North.Spec.OID, ServiceTask: testworld.Task, StartsAt: s.In(time.Hour),
		}
	})
	change(o)
	return o
}

func (s *server) refusesChanges(t *testing.T) {
	g := NewWithT(t)
	relationship, grant, test := s.relationship(func(o *v1alpha1.ServiceRelationship) {
		o.Spec.Document = &v1alpha1.RelationshipDocument{ID: o.Spec.ClientID, Version: 1}
	}), s.grant(func(*v1alpha1.RegistryAccessGrant) {}), s.Test()
	grant.Name = "unchanged"
	run := s.run(func(o *v1alpha1.DeploymentTest) { o.Name = "run" })
	for _, o := range []client.Object{relationship, grant, test, run} {
		g.Expect(s.Create(t.Context(), o)).To(Succeed())
	}
	other := string(s.OID("99.9"))
	for _, refused := range []struct {
		object client.Object
		patch  string
		field  string
	}{
		{s.Archive, `{"trustDomain":"other.example"}`, "trustDomain"},
		{s.Area, `{"oid":"` + other + `"}`, "oid"},
		{s.Registry, `{"oid":"` + other + `"}`, "oid"},
		{s.Registry, `{"organization":"` + other + `"}`, "organization"},
		{s.Registry, `{"archiveName":"other"}`, "archiveName"},
		{s.Registry, `{"purpose":"Production"}`, "purpose"},
		{s.North, `{"oid":"` + other + `"}`, "oid"},
		{s.North, `{"organization":"` + other + `"}`, "organization"},
		{relationship, `{"registryRef":{"name":"other"}}`, "registryRef"},
		{relationship, `{"producerUnit":"` + other + `"}`, "producerUnit"},
		{relationship, `{"clientID":"00000000-0000-4000-8000-000000000000"}`, "clientID"},
		{relationship, `{"serviceTasks":["families"]}`, "serviceTasks"},
		{relationship, `{"start":"2001-01-01T00:00:00Z"}`, "start"},
		{relationship, `{"document":{"id":"00000000-0000-4000-8000-000000000000"}}`, "document"},
		{relationship, `{"document":null}`, "document"},
		{grant, `{"registryRef":{"name":"other"}}`, "registryRef"},
		{grant, `{"producerUnit":"` + other + `"}`, "producerUnit"},
		{test, `{"systems":{"producer":"other"}}`, "systems"},
		{test, `{"recorded":{"testedAt":"2001-01-01T00:00:00Z"}}`, "testedAt"},
		{run, `{"run":{"registry":{"name":"other"}}}`, "registry"},
		{run, `{"run":{"producerUnit":"` + other + `"}}`, "producerUnit"},
		{run, `{"run":{"serviceTask":"families"}}`, "serviceTask"},
	} {
		kind := strings.TrimPrefix(fmt.Sprintf("%T", refused.object), "*v1alpha1.")
		t.Run(kind+"."+refused.field, func(t *testing.T) {
			g := NewWithT(t)
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":`+refused.patch+`}`))
			err := s.Patch(t.Context(), refused.object.DeepCopyObject().(client.Object), patch)
			g.Expect(err).To(MatchError(apierrors.IsInvalid, "IsInvalid"))
			g.Expect(err).To(MatchError(ContainSubstring(refused.field + " is immutable")))
		})
	}
	t.Run("but an end can be set, moved and taken away", func(t *testing.T) {
		g := NewWithT(t)
		for _, end := range []string{`"2101-01-01T00:00:00Z"`, `"2100-01-01T00:00:00Z"`, `null`} {
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"end":`+end+`}}`))
			g.Expect(s.Patch(t.Context(), relationship.DeepCopy(), patch)).To(Succeed())
		}
	})
}

func (s *server) refusesUnknownFields(t *testing.T) {
	g := NewWithT(t)
	for _, o := range s.all() {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		g.Expect(err).NotTo(HaveOccurred())
		unknown := &unstructured.Unstructured{Object: content}
		kinds, _, err := s.Scheme().ObjectKinds(o)
		g.Expect(err).NotTo(HaveOccurred())
		unknown.SetGroupVersionKind(kinds[0])
		unstructured.RemoveNestedField(content, "status")
		g.Expect(s.try(t.Context(), unknown.DeepCopy())).To(Succeed(), kinds[0].Kind)
		g.Expect(unstructured.SetNestedField(content, "020516", "spec", "identityCode")).To(Succeed())
		g.Expect(s.try(t.Context(), unknown)).To(MatchError(ContainSubstring(`unknown field "spec.identityCode"`)), kinds[0].Kind)
	}
}

func (s *server) defaultsStatus(t *testing.T) {
	g := NewWithT(t)
	for _, o := range s.all() {
		g.Expect(s.try(t.Context(), o)).To(Succeed())
		g.Expect(o).To(HaveField("Status.ObservedGeneration", BeEquivalentTo(-1)), "%T", o)
		g.Expect(o).To(HaveField("Status.Conditions", BeEmpty()), "%T", o)
	}
}

func (s *server) printsColumns(t *testing.T) {
	g := NewWithT(t)
	relationship := s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Name, o.Spec.End = "printed", ptr.To(s.In(time.Hour)) })
	grant := s.grant(func(o *v1alpha1.RegistryAccessGrant) { o.Name = "printed" })
	g.Expect(s.Create(t.Context(), relationship)).To(Succeed())
	g.Expect(s.Create(t.Context(), grant)).To(Succeed())
	condition := func(o interface{ SetConditions([]metav1.Condition) }, kind, reason string) {
		o.SetConditions([]metav1.Condition{{
			Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: "All is well.", LastTransitionTime: s.Ago(0),
		}})
	}
	condition(relationship, v1alpha1.RevocationEnforcedCondition, v1alpha1.AppliedReason)
	relationship.Status.Access = v1alpha1.AccessEnded
	condition(grant, v1alpha1.ReadyCondition, v1alpha1.GrantReadyReason)
	grant.Status.LiveRelationships, grant.Status.CredentialExpiresAt = ptr.To(int32(3)), ptr.To(s.In(time.Hour))
	g.Expect(s.Status().Update(t.Context(), relationship)).To(Succeed())
	g.Expect(s.Status().Update(t.Context(), grant)).To(Succeed())

	stamp := func(o metav1.Time) string { return o.UTC().Format(time.RFC3339) }
	g.Expect(s.table(t, "servicerelationships", "printed")).To(Equal(map[string]string{
		"Name": "printed", "Unit": string(s.North.Spec.OID), "Task": `["elderly"]`, "Start": stamp(relationship.Spec.Start),
		"End": stamp(*relationship.Spec.End), "Access": "Ended", "Enforced": "True",
	}))
	g.Expect(s.table(t, "registryaccessgrants", "printed")).To(Equal(map[string]string{
		"Name": "printed", "Registry": "clients", "Unit": string(s.North.Spec.OID), "Extent": "Basic", "Live": "3",
		"Ready": "True", "Reason": v1alpha1.GrantReadyReason, "Credential Until": stamp(*grant.Status.CredentialExpiresAt),
	}))
}

// table returns an object's row as kubectl get shows it.
func (s *server) table(t *testing.T, resource, name string) map[string]string {
	g := NewWithT(t)
	transport, err := rest.HTTPClientFor(s.config)
	g.Expect(err).NotTo(HaveOccurred())
	path := "/apis/valtuus.io/v1alpha1/namespaces/" + s.Organizer + "/" + resource + "/" + name
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.config.Host+path, nil)
	g.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Accept", "application/json;as=Table;g=meta.k8s.io;v=v1")
	response, err := transport.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	var table metav1.Table
	g.Expect(json.Unmarshal(body, &table)).To(Succeed(), string(body))
	g.Expect(table.Rows).To(HaveLen(1), string(body))
	row := map[string]string{}
	for i, column := range table.ColumnDefinitions {
		if column.Priority == 0 {
			row[column.Name] = fmt.Sprint(table.Rows[0].Cells[i])
		}
	}
	return row
}

func (s *server) knowsNames(t *testing.T) {
	g := NewWithT(t)
	c, err := discovery.NewDiscoveryClientForConfig(s.config)
	g.Expect(err).NotTo(HaveOccurred())
	list, err := c.ServerResourcesForGroupVersion(v1alpha1.GroupVersion.String())
	g.Expect(err).NotTo(HaveOccurred())
	short := map[string]string{}
	for i := range list.APIResources {
		resource := &list.APIResources[i]
		if strings.Contains(resource.Name, "/") {
			continue
		}
		g.Expect(resource.Categories).To(ConsistOf("valtuus"), resource.Name)
		g.Expect(resource.ShortNames).To(HaveLen(1), resource.Name)
		short[resource.Kind] = resource.ShortNames[0]
		cluster := resource.Kind == "Organization" || resource.Kind == "ClientSystem"
		g.Expect(resource.Namespaced).To(Equal(!cluster), resource.Name)
	}
	g.Expect(short).To(Equal(map[string]string{
		"Archive": "arc", "Organization": "vorg", "ClientSystem": "csys", "Registry": "reg", "ProducerUnit": "pu",
		"ServiceRelationship": "srel", "RegistryAccessGrant": "rag", "DeploymentTest": "dtest",
	}))
}

func (s *server) selectsByField(t *testing.T) {
	relationship := s.relationship(func(o *v1alpha1.ServiceRelationship) { o.Name = "selected" })
	g := NewWithT(t)
	g.Expect(s.Create(t.Context(), relationship)).To(Succeed())
	g.Expect(s.Create(t.Context(), s.grant(func(o *v1alpha1.RegistryAccessGrant) { o.Name = "selected" }))).To(Succeed())
	for _, selected := range []struct {
		list  client.ObjectList
		field string
		value string
	}{
		{&v1alpha1.OrganizationList{}, "spec.oid", string(s.Area.Spec.OID)},
		{&v1alpha1.RegistryList{}, "spec.oid", string(s.Registry.Spec.OID)},
		{&v1alpha1.RegistryList{}, "spec.organization", string(s.Area.Spec.OID)},
		{&v1alpha1.ProducerUnitList{}, "spec.oid", string(s.North.Spec.OID)},
		{&v1alpha1.ProducerUnitList{}, "spec.organization", string(s.Company.Spec.OID)},
		{&v1alpha1.RegistryAccessGrantList{}, "spec.registryRef.name", "clients"},
		{&v1alpha1.RegistryAccessGrantList{}, "spec.producerUnit", string(s.North.Spec.OID)},
		{&v1alpha1.ServiceRelationshipList{}, "spec.registryRef.name", "clients"},
		{&v1alpha1.ServiceRelationshipList{}, "spec.producerUnit", string(s.North.Spec.OID)},
		{&v1alpha1.ServiceRelationshipList{}, "spec.clientID", relationship.Spec.ClientID},
	} {
		t.Run(fmt.Sprintf("%T %s", selected.list, selected.field), func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(s.List(t.Context(), selected.list, client.MatchingFields{selected.field: selected.value})).To(Succeed())
			g.Expect(meta.LenList(selected.list)).To(BeNumerically(">=", 1))
			g.Expect(s.List(t.Context(), selected.list, client.MatchingFields{selected.field: "none"})).To(Succeed())
			g.Expect(meta.LenList(selected.list)).To(BeZero())
		})
	}
}
