// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package testworld sets up, on a real API server, the parties of a register access
// right: a welfare area with its registry, a private producer with two units, their
// client systems and an archive. Suites and benchmarks start from it.
package testworld

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/manager"
)

// Task is the service task that relationships are about unless said otherwise.
const Task = "elderly"

var counter atomic.Int64

// World is one set of parties. Its OIDs and namespaces are its own, so that many worlds share an API server.
type World struct {
	client.WithWatch
	Clock clock.PassiveClock
	Cards testcard.Authority

	Platform, Organizer, Producer string // namespaces

	Archive         *v1alpha1.Archive
	Registry        *v1alpha1.Registry
	Area, Company   *v1alpha1.Organization
	AreaSystem      *v1alpha1.ClientSystem
	CompanySystem   *v1alpha1.ClientSystem
	North, South    *v1alpha1.ProducerUnit
	number, objects int64
}

// New makes the objects of a world without creating them, so that a caller can change them first.
func New(cfg *rest.Config, now clock.PassiveClock) (*World, error) {
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: manager.Scheme(), FieldValidation: "Strict"})
	if err != nil {
		return nil, err
	}
	cards, err := testcard.New(now.Now().Add(-time.Hour), 365*24*time.Hour)
	if err != nil {
		return nil, err
	}
	w := &World{WithWatch: c, Clock: now, Cards: cards, number: time.Now().Unix()%1e6*1000 + counter.Add(1)}
	w.Platform, w.Organizer, w.Producer = w.name("platform"), w.name("area"), w.name("company")
	w.describe()
	return w, nil
}

func (w *World) name(what string) string { return fmt.Sprintf("%s-%d", what, w.number) }

// OID returns an OID of this world.
func (w *World) OID(suffix string) v1alpha1.OID {
	return v1alpha1.OID(fmt.Sprintf("1.2.246.10.%d.%s", w.number, suffix))
}

// Ago and In are instants seen from the world's clock, in whole seconds as the API keeps them.
func (w *World) Ago(d time.Duration) metav1.Time { return w.In(-d) }

// In is an instant to come.
func (w *World) In(d time.Duration) metav1.Time {
	return metav1.NewTime(w.Clock.Now().Add(d).Truncate(time.Second))
}

func (w *World) describe() {
	const year = 365 * 24 * time.Hour
	system := func(name string) *v1alpha1.ClientSystem {
		return &v1alpha1.ClientSystem{
			ObjectMeta: metav1.ObjectMeta{Name: w.name(name)},
			Spec: v1alpha1.ClientSystemSpec{
				Vendor: "Vendor " + v1alpha1.Reference(name), Product: v1alpha1.Reference(name), Version: "1.0",
				Certificate: v1alpha1.SystemCertificate{Class: "A2", Phase: 2, ValidFrom: w.Ago(year), ValidUntil: w.In(year)},
				Features:    []v1alpha1.SystemFeature{v1alpha1.FeatureRegisterAccess},
				Formats:     []v1alpha1.DocumentFormat{v1alpha1.FormatJSON, v1alpha1.FormatXHTML},
			},
		}
	}
	organization := func(name, suffix, namespace string, sector v1alpha1.Sector, units ...v1alpha1.OID) *v1alpha1.Organization {
		return &v1alpha1.Organization{
			ObjectMeta: metav1.ObjectMeta{Name: w.name(name)},
			Spec: v1alpha1.OrganizationSpec{
				OID: w.OID(suffix), DisplayName: v1alpha1.LocalizedName{Fi: name}, Sector: sector,
				Joining:       v1alpha1.Joining{Mode: v1alpha1.JoiningDirect, JoinedAt: w.Ago(year)},
				RegisteredFor: []v1alpha1.CareSector{v1alpha1.CareSectorSocial}, Namespaces: []string{namespace}, UnitOIDs: units,
			},
		}
	}
	w.AreaSystem, w.CompanySystem = system("areasystem"), system("companysystem")
	w.Area = organization("area", "10.0", w.Organizer, v1alpha1.SectorPublic)
	w.Company = organization("company", "20.0", w.Producer, v1alpha1.SectorPrivate, w.OID("20.1"), w.OID("20.2"))
	w.Archive = &v1alpha1.Archive{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Platform, Name: w.name("archive")},
		Spec: v1alpha1.ArchiveSpec{
			External:      &v1alpha1.ExternalArchive{Endpoint: "https://localhost:8443", DNSNames: []string{"localhost"}, IPAddresses: []string{"127.0.0.1"}},
			TrustDomain:   "archive.example",
			Professionals: v1alpha1.Professionals{TrustAnchors: string(w.Cards.AnchorsPEM())},
		},
	}
	w.Registry = &v1alpha1.Registry{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Organizer, Name: "clients"},
		Spec: v1alpha1.RegistrySpec{
			OID: w.OID("19.0"), ControllerOID: w.OID("19.0"), Organization: w.Area.Spec.OID,
			ArchiveName: v1alpha1.ObjectName(w.Archive.Name), ClientSystem: v1alpha1.ObjectName(w.AreaSystem.Name),
			Purpose: v1alpha1.PurposeTest,
			Policies: v1alpha1.RegistryPolicies{
				DeploymentTest: v1alpha1.DeploymentTestEnforce, AutomaticGrants: v1alpha1.AutomaticGrantsEnabled,
			},
		},
	}
	w.North, w.South = w.Unit("north", "20.1"), w.Unit("south", "20.2")
}

// Unit describes another unit of the company.
func (w *World) Unit(name, suffix string) *v1alpha1.ProducerUnit {
	return &v1alpha1.ProducerUnit{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Producer, Name: name},
		Spec: v1alpha1.ProducerUnitSpec{
			OID: w.OID(suffix), Organization: w.Company.Spec.OID, ClientSystem: v1alpha1.ObjectName(w.CompanySystem.Name),
			ServiceTasks: []v1alpha1.ServiceTaskCode{Task, "families"}, AcceptFrom: []v1alpha1.OID{w.Area.Spec.OID},
			Credential: v1alpha1.UnitCredential{Delivery: v1alpha1.DeliverySecret},
		},
	}
}

// Test describes the recorded, passed deployment test of the world's two systems.
func (w *World) Test() *v1alpha1.DeploymentTest {
	return &v1alpha1.DeploymentTest{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Organizer, Name: "systems"},
		Spec: v1alpha1.DeploymentTestSpec{
			Systems: v1alpha1.SystemCombination{
				Organizer: v1alpha1.ObjectName(w.AreaSystem.Name), Producer: v1alpha1.ObjectName(w.CompanySystem.Name),
			},
			Mode: v1alpha1.ModeRecorded,
			Recorded: &v1alpha1.RecordedTest{
				TestedAt: w.Ago(24 * time.Hour), Result: v1alpha1.ResultPassed, ReportReference: "report 7",
			},
		},
	}
}

// Acceptance describes the unit's word on a test that has been made, as its organizer proposes it.
func (w *World) Acceptance(test *v1alpha1.DeploymentTest) v1alpha1.TestAcceptance {
	return v1alpha1.TestAcceptance{
		RegistryOID: w.Registry.Spec.OID, TestRegistryOID: deploymenttest.RegistryOID(test.UID),
		StartsAt: test.Spec.Run.StartsAt, ClosesAt: deploymenttest.Proposed(test.Spec.Run).ClosesAt,
	}
}

// Relationship describes a relationship of a new client in a unit, from an hour ago.
func (w *World) Relationship(unit v1alpha1.OID) *v1alpha1.ServiceRelationship {
	w.objects++
	return &v1alpha1.ServiceRelationship{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Organizer, Name: fmt.Sprintf("relationship-%d", w.objects)},
		Spec: v1alpha1.ServiceRelationshipSpec{
			RegistryRef: v1alpha1.RegistryReference{Name: v1alpha1.ObjectName(w.Registry.Name)}, ProducerUnit: unit,
			ClientID: uuid.NewString(), ServiceTasks: []v1alpha1.ServiceTaskCode{Task},
			Procurement: v1alpha1.ProcurementOutsourced, Start: w.Ago(time.Hour),
		},
	}
}

// Begin creates the namespaces and the parties, but no deployment test, relationship or grant.
func (w *World) Begin(ctx context.Context) error {
	for _, name := range []string{w.Platform, w.Organizer, w.Producer} {
		if err := w.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	for _, o := range []client.Object{
		w.AreaSystem, w.CompanySystem, w.Area, w.Company, w.Archive, w.Registry, w.North, w.South,
	} {
		if err := w.Create(ctx, o); err != nil {
			return fmt.Errorf("create %T %s: %w", o, o.GetName(), err)
		}
	}
	return nil
}
