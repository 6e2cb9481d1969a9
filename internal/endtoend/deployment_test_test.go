// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	public "github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/observation"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/deploymenttest/play"
	"github.com/valtuus/valtuus/internal/deploymenttest/report"
	"github.com/valtuus/valtuus/internal/testworld"
)

// trial is a deployment test that is run.
type trial struct {
	s    *scene
	test *v1alpha1.DeploymentTest
	oid  string
}

// trial schedules a test that both parties have accepted, and waits until its window is open.
func (s *scene) trial(name string) *trial {
	s.t.Helper()
	g := NewWithT(s.t)
	test := s.Test()
	test.Name = name
	test.Spec.Mode, test.Spec.Recorded = v1alpha1.ModeObserved, nil
	test.Spec.Run = &v1alpha1.TestRun{
		Registry: v1alpha1.RegistryReference{Name: v1alpha1.ObjectName(s.Registry.Name)}, ProducerUnit: s.North.Spec.OID,
		ServiceTask: testworld.Task, StartsAt: metav1.NewTime(time.Now().Add(2 * time.Second).Truncate(time.Second)),
	}
	g.Expect(s.Create(background, test)).To(Succeed())
	g.Expect(change(s, s.North, func(o *v1alpha1.ProducerUnit) {
		o.Spec.AcceptTests = append(o.Spec.AcceptTests, s.Acceptance(test))
	})).To(Succeed())
	d := &trial{s: s, test: test, oid: observation.OIDOf(test.UID)}
	g.Eventually(func() *v1alpha1.TestObservation { return d.now().Status.Observation }).ShouldNot(BeNil(), "the archive observes: %v", d.now().Status)
	return d
}

func (d *trial) now() *v1alpha1.DeploymentTest {
	d.s.t.Helper()
	var now v1alpha1.DeploymentTest
	NewWithT(d.s.t).Expect(d.s.Get(background, client.ObjectKeyFromObject(d.test), &now)).To(Succeed())
	return &now
}

func (d *trial) seen() v1alpha1.TestObservation {
	return ptr.Deref(d.now().Status.Observation, v1alpha1.TestObservation{})
}

// party makes a party that acts with a card of its own.
func (d *trial) party(endpoint string, secret client.ObjectKey, card, code string, format public.Format) *play.Party {
	d.s.t.Helper()
	g := NewWithT(d.s.t)
	credential, err := d.s.Credential(background, secret)
	g.Expect(err).NotTo(HaveOccurred())
	issued, err := d.s.Cards.Issue(card, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	c, err := public.New(public.Config{
		Endpoint: endpoint, Registry: d.oid, Credential: &credential, OnAnswer: d.s.journal.of(endpoint),
		Professional: public.Card{ID: card, Role: "social-worker", Key: issued.Key, Chain: issued.Chain},
	})
	g.Expect(err).NotTo(HaveOccurred())
	d.s.t.Cleanup(c.Close)
	return &play.Party{Archive: c, Code: code, Unit: string(d.s.North.Spec.OID), ServiceTask: testworld.Task, Format: format}
}

// parties are the organizer, whose system stores JSON, and the producer, whose system stores XHTML.
func (d *trial) parties(endpoint string) (organizer, producer *play.Party) {
	code := newCode()
	return d.party(endpoint, client.ObjectKey{Namespace: d.s.Organizer, Name: d.test.Name + "-organizer"}, "2001", code, public.JSON),
		d.party(endpoint, client.ObjectKey{Namespace: d.s.Producer, Name: d.s.North.Name + "-" + d.oid}, "3001", code, public.XHTML)
}

// played lets both parties play at once.
func played(organizer, producer *play.Party) error {
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- producer.Producer(ctx) }()
	if err := organizer.Organizer(ctx); err != nil {
		cancel()
		return errors.Join(err, <-done)
	}
	return <-done
}

// story is what the events tell, the requests that are no step aside.
func story(events []v1alpha1.TestEvent) (told []string) {
	for _, e := range events {
		if e.Operation == v1alpha1.OperationOther {
			continue
		}
		told = append(told, fmt.Sprintf("%s %s %s%s", e.Party, e.Operation, e.Format, e.Reason))
	}
	return slices.Compact(told)
}

// untold gives the first of what should be told in this order that is not; what else is told in between does not matter.
func untold(told []string) string {
	for _, want := range []string{
		"Organizer Store JSON", "Organizer StoreRelationship JSON", "Producer Search ", "Producer Read JSON", "Producer Store XHTML",
		"Organizer Search ", "Organizer Read XHTML", "Organizer EndRelationship JSON", "Producer Search relationship-ended",
	} {
		at := slices.Index(told, want)
		if at < 0 {
			return want
		}
		told = told[at+1:]
	}
	return ""
}

// TestTheArchiveObservesADeploymentTest plays a test with two systems of their own, holds what the archive tells against what
// they did, closes the window, and looks for what is left.
func TestTheArchiveObservesADeploymentTest(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	care := s.open(s.North, nil)
	d := s.trial("observed")
	organizer, producer := d.parties(s.archive.Endpoint)
	// The production credential of the same unit is none of the test.
	credential, err := s.Credential(background, s.UnitSecret(s.North))
	g.Expect(err).NotTo(HaveOccurred())
	card, err := s.Card()
	g.Expect(err).NotTo(HaveOccurred())
	foreign := s.follow(s.archive, archiveclient.New(s.archive.Endpoint, d.oid, credential, archiveclient.Professional{
		ID: "1001", Role: "social-worker", Key: card.Key, Chain: card.Chain,
	}))
	_, err = foreign.FindClient(background, organizer.Code)
	g.Expect(reasonOf(err)).To(Equal("registry-mismatch"))
	// Nor does a person's own code go into it.
	g.Eventually(func() string {
		_, err := organizer.Archive.RegisterClient(background, organizer.Code)
		return public.ReasonOf(err)
	}).Should(BeEmpty())
	_, err = organizer.Archive.RegisterClient(background, "131052-308T")
	g.Expect(public.ReasonOf(err)).To(Equal("identity-code-not-test"))

	g.Expect(played(organizer, producer)).To(Succeed())

	g.Eventually(func() string { return untold(story(d.seen().Events)) }).Should(BeEmpty())
	foreigner := func(e v1alpha1.TestEvent) bool { return e.Reason == "registry-mismatch" }
	g.Eventually(func() bool { return slices.ContainsFunc(d.seen().Events, foreigner) }).Should(BeTrue())
	seen := d.seen()
	strange := seen.Events[slices.IndexFunc(seen.Events, foreigner)]
	g.Expect(strange.Party).To(BeEmpty())
	g.Expect(strange.Certificate).NotTo(BeEmpty())
	cards := map[v1alpha1.TestParty]map[string]bool{v1alpha1.PartyOrganizer: {}, v1alpha1.PartyProducer: {}, "": {}}
	for i, e := range seen.Events {
		g.Expect(e.Number).To(Equal(int32(i + 1)))
		cards[e.Party][e.Professional] = true
		switch e.Operation {
		case v1alpha1.OperationRead:
			g.Expect(e.StoredBy).NotTo(Or(BeEmpty(), Equal(e.Party)))
		case v1alpha1.OperationStoreRelationship, v1alpha1.OperationEndRelationship:
			g.Expect(e.Unit).To(Equal(s.North.Spec.OID))
		}
	}
	g.Expect(cards[v1alpha1.PartyOrganizer]).To(HaveLen(1))
	g.Expect(cards[v1alpha1.PartyProducer]).To(HaveLen(1))
	g.Expect(cards[v1alpha1.PartyOrganizer]).NotTo(Equal(cards[v1alpha1.PartyProducer]))

	// The archive waits until each event is proven, at most a minute.
	g.Eventually(func() *v1alpha1.TestDestruction { return d.seen().Destruction }).ShouldNot(BeNil())
	over := d.seen()
	g.Expect(*over.Destruction.Documents).To(Equal(int32(3)))
	g.Expect(*over.Destruction.Clients).To(Equal(int32(1)))
	g.Expect(over.Through.Time).To(BeTemporally("==", d.now().Status.Window.ClosedAt.Time))
	for _, e := range over.Events {
		g.Expect(e.Evidence).NotTo(BeNil())
		g.Expect(e.Evidence.Proof).NotTo(BeEmpty())
	}
	_, err = organizer.Archive.RegisterClient(background, organizer.Code)
	g.Expect(public.ReasonOf(err)).To(Equal("deployment-test-over"))
	var gone *public.Problem
	g.Expect(errors.As(err, &gone)).To(BeTrue())
	g.Expect(gone.Status).To(Equal(http.StatusGone))
	g.Expect(care.access()).To(Equal(allowed), "production goes on")
	var relationships v1alpha1.ServiceRelationshipList
	g.Expect(s.List(background, &relationships, client.InNamespace(s.Organizer))).To(Succeed())
	for _, r := range relationships.Items {
		g.Expect(string(r.Spec.RegistryRef.Name)).NotTo(Equal(d.test.Name))
	}
	text, err := json.Marshal(d.now())
	g.Expect(err).NotTo(HaveOccurred())
	for _, personal := range []string{organizer.Code, `"2001"`, `"3001"`, `"1001"`} {
		g.Expect(string(text)).NotTo(ContainSubstring(personal))
	}
	g.Eventually(func() *v1alpha1.TestReport { return d.now().Status.Report }).ShouldNot(BeNil())
	g.Expect(d.now().Status.Result).To(Equal(v1alpha1.ResultPassed))
	var archive v1alpha1.Archive
	g.Expect(s.Get(background, client.ObjectKeyFromObject(s.Archive), &archive)).To(Succeed())
	authority, err := report.Authority([]byte(archive.Status.CABundle))
	g.Expect(err).NotTo(HaveOccurred())
	var kept corev1.ConfigMap
	g.Expect(s.Get(background, client.ObjectKey{Namespace: s.Organizer, Name: string(d.now().Status.Report.ConfigMapName)}, &kept)).To(Succeed())
	signed, err := report.Verify(kept.Data["report.jws"], report.Options{Authority: authority})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(signed.Digest).To(Equal(d.now().Status.Report.Digest))
	g.Expect(signed.Unproven).To(BeZero())
	settled := d.now().ResourceVersion
	g.Consistently(func() string { return d.now().ResourceVersion }, "2s").Should(Equal(settled), "nothing more is written")
}

// TestADeletedDeploymentTestLeavesNothing deletes a test while the archive is down.
func TestADeletedDeploymentTestLeavesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	g.Expect(s.archive.Stop()).To(Succeed()) // it has a store of its own
	b := s.binary("binary-0", nil)
	g.Expect(b.start(t)).To(Succeed())
	d := s.trial("deleted")
	organizer, _ := d.parties(b.Endpoint)
	g.Eventually(func() error { _, err := organizer.Archive.RegisterClient(background, organizer.Code); return err }).Should(Succeed())
	// The last one that was asked, before which it may have been refused.
	g.Eventually(func() []v1alpha1.TestEvent { return d.seen().Events }).Should(ContainElement(HaveField("Reason", BeEmpty())))
	before := d.seen()

	// A restart in the middle says the same again, and so writes nothing.
	g.Expect(b.kill()).To(Succeed())
	g.Expect(b.start(t)).To(Succeed())
	g.Consistently(func() []v1alpha1.TestEvent { return withoutEvidence(d.seen().Events) }, "2s").Should(Equal(withoutEvidence(before.Events)))

	g.Expect(b.kill()).To(Succeed())
	g.Expect(s.Delete(background, d.test)).To(Succeed())
	// Whoever takes the finalizer off leaves the registry to the archive.
	g.Expect(s.Patch(background, d.now(), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))).To(Succeed())
	g.Expect(b.start(t)).To(Succeed())
	g.Eventually(func() string {
		_, err := organizer.Archive.RegisterClient(background, organizer.Code)
		return public.ReasonOf(err)
	}).Should(Equal("deployment-test-over"))
}

// withoutEvidence are events as they are before the log has its leaves.
func withoutEvidence(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
	events = slices.Clone(events)
	for i := range events {
		events[i].Evidence = nil
	}
	return events
}
