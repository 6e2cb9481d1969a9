// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	apply "github.com/valtuus/valtuus/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/relationship"
	"github.com/valtuus/valtuus/internal/archive/relationship/naming"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

func ago(d time.Duration) time.Time { return time.Now().Add(-d).Truncate(time.Second) }
func in(d time.Duration) time.Time  { return ago(-d) }

func kubernetes(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	out := metav1.NewTime(t)
	return &out
}

func endAt(t time.Time) func(*v1alpha1.ServiceRelationship) {
	return func(o *v1alpha1.ServiceRelationship) { o.Spec.End = kubernetes(t) }
}

func TestADocumentOpensAndEndsTheRight(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	o := d.object()
	g.Expect(o.Spec.ProducerUnit).To(Equal(s.North.Spec.OID))
	g.Expect(o.Spec.ClientID).To(Equal(d.client.String()))
	g.Expect(o.Spec.Procurement).To(Equal(v1alpha1.ProcurementVoucher))
	g.Expect(o.Spec.Start.Time).To(BeTemporally("==", d.said.Start))
	g.Eventually(d.rightNow, soon).Should(Equal("live"))

	d.ends(ago(time.Second))
	g.Expect(d.rightNow()).To(Equal("ended"), "before anyone has told the API server")
	g.Eventually(d.agree, soon).Should(Succeed())
	g.Expect(d.object().UID).To(Equal(o.UID))
	g.Eventually(s.view.DocumentEnds, soon).Should(BeZero(), "the API server says it itself")
	g.Expect(d.rightNow()).To(Equal("ended"))

	d.ends(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	g.Eventually(d.rightNow, soon).Should(Equal("live"), "the document was opened again")
	g.Expect(d.rows()).To(BeEmpty(), "the archive itself stored nothing")
}

func TestAnEndToComeIsKeptToTheSecond(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(in(time.Hour).Add(400 * time.Millisecond))
	g.Eventually(d.agree, soon).Should(Succeed())
	g.Expect(endOf(d.object())).To(BeTemporally("==", d.said.End.Truncate(time.Second)))
	g.Eventually(s.view.DocumentEnds, soon).Should(BeZero())
}

func TestARelationshipGetsItsDocument(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.applies(endAt(in(time.Hour)))
	g.Eventually(d.agree, soon).Should(Succeed())
	rows := d.rows()
	g.Expect(rows).To(HaveLen(1))
	g.Expect(rows[0].Operation).To(Equal("Store"))
	g.Expect(rows[0].Relationship.UID).To(Equal(string(d.object().UID)))
	made, err := s.store.Document(background, string(s.Registry.Spec.OID), d.id, 0, store.ContentJSON)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.Author).To(Equal(store.Author{Organization: string(s.Area.Spec.OID)}))
	g.Expect(made.ClientIDs).To(Equal([]uuid.UUID{d.client}))
	g.Expect(string(made.Body)).To(And(ContainSubstring(`"archive"`), ContainSubstring(string(s.North.Spec.OID))))

	d.kubectl(endAt(ago(time.Second)))
	g.Eventually(func() int { return d.record().Version }, soon).Should(Equal(2))
	g.Eventually(d.agree, soon).Should(Succeed())
	g.Expect(d.rows()).To(HaveLen(2))
	d.kubectl(func(o *v1alpha1.ServiceRelationship) { o.Spec.Procurement = v1alpha1.ProcurementPaymentCommitment })
	g.Eventually(func() string { return d.record().Procurement }, soon).Should(Equal("PaymentCommitment"))
	g.Eventually(d.agree, soon).Should(Succeed())
	g.Expect(d.object().Spec.Procurement).To(Equal(v1alpha1.ProcurementPaymentCommitment))
}

// What the archive says in a version keeps what the former one said beside the relationship, also when its matter
// has been closed meanwhile.
func TestAVersionKeepsTheLabels(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	d.closesMatter()
	d.kubectl(endAt(in(time.Hour)))
	g.Eventually(d.versions, soon).Should(HaveLen(2))
	now := d.versions()[0]
	g.Expect(now.Labels.NonDisclosure).To(BeTrue())
	g.Expect(now.Matter).To(Equal(d.matter()))
	g.Expect(now.ServiceTasks).To(Equal(d.versions()[1].ServiceTasks))
	g.Eventually(d.agree, soon).Should(Succeed())
}

func TestADeletedRelationshipEndsItsDocument(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	made, applied, future := s.stores(time.Time{}), s.applies(nil), s.applies(func(o *v1alpha1.ServiceRelationship) {
		o.Spec.Start = *kubernetes(in(time.Hour))
	})
	before := ago(0)
	for _, d := range []*document{made, applied, future} {
		g.Eventually(d.agree, soon).Should(Succeed())
		g.Expect(s.Delete(background, d.object())).To(Succeed())
	}
	for _, d := range []*document{made, applied, future} {
		g.Eventually(d.gone, soon).Should(Succeed())
		g.Consistently(d.versions, "300ms").Should(HaveLen(2))
	}
	g.Expect(made.record().End).To(And(BeTemporally(">=", before), BeTemporally("<=", time.Now())))
	g.Expect(future.record().End).To(BeTemporally("==", future.record().Start.Add(time.Second)), "it never began")

	made.ends(time.Time{})
	g.Eventually(made.agree, soon).Should(Succeed(), "the organizer's system opened it again")
	g.Expect(made.object().Name).To(Equal(naming.ObjectFor(made.id)))
}

// What was deleted while no archive looked is found out.
func TestADeletionIsNotMissed(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	made, applied := s.stores(time.Time{}), s.applies(nil)
	for _, d := range []*document{made, applied} {
		g.Eventually(d.agree, soon).Should(Succeed())
	}
	s.archive.stop()
	g.Expect(s.Delete(background, made.object())).To(Succeed())
	g.Expect(s.Delete(background, applied.object())).To(Succeed())
	s.restart()
	for _, d := range []*document{made, applied} {
		g.Eventually(d.gone, soon).Should(Succeed())
		g.Expect(d.record().End).NotTo(BeZero())
	}
}

// TestALostClusterEndsNoDocument: where most relationships are gone at once, nobody has deleted them one by one.
func TestALostClusterEndsNoDocument(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	var all []*document
	for range relationship.MassLoss + 1 {
		all = append(all, s.stores(time.Time{}))
	}
	for _, d := range all {
		g.Eventually(d.agree, soon).Should(Succeed())
	}
	s.archive.stop()
	for _, d := range all {
		g.Expect(s.Delete(background, d.object())).To(Succeed())
	}
	s.restart()
	g.Eventually(all[0].rightNow, soon).Should(Equal("none"), "what is gone opens nothing")
	g.Consistently(func() bool {
		for _, d := range all {
			if !d.record().End.IsZero() {
				return false
			}
		}
		return true
	}, 2*time.Second).Should(BeTrue())
}

func TestAnAnnulledDocumentTakesItsRelationshipAway(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.rightNow, soon).Should(Equal("live"))
	d.annul()
	g.Expect(d.rightNow()).To(Equal("ended"))
	g.Eventually(d.gone, soon).Should(Succeed())
	g.Eventually(s.view.DocumentEnds, soon).Should(BeZero())
	g.Expect(d.rightNow()).To(Equal("none"))
}

// TestAConflictIsShownAndNothingIsOverwritten: both sides move while the archive cannot look.
func TestAConflictIsShownAndNothingIsOverwritten(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	earlier, later := ago(time.Minute), in(time.Hour)
	documentFirst, objectFirst := s.stores(time.Time{}), s.stores(time.Time{})
	for _, d := range []*document{documentFirst, objectFirst} {
		g.Eventually(d.agree, soon).Should(Succeed())
	}
	s.archive.stop()
	documentFirst.endsUntold(earlier)
	documentFirst.kubectl(endAt(later))
	objectFirst.endsUntold(later)
	objectFirst.kubectl(endAt(earlier))
	s.restart()
	for _, d := range []*document{documentFirst, objectFirst} {
		g.Eventually(d.stands, soon).Should(Equal("Conflict Conflict"))
		g.Consistently(d.rightNow, "300ms").Should(Equal("ended"), "the earlier end holds")
		g.Expect(d.versions()).To(HaveLen(2))
	}
	g.Expect(endOf(documentFirst.object())).To(BeTemporally("==", later))
	g.Expect(endOf(objectFirst.object())).To(BeTemporally("==", earlier))
	g.Expect(documentFirst.object().Status.Document.Message).NotTo(ContainSubstring(earlier.Format("2006")))

	s.restart()
	g.Expect(documentFirst.rightNow()).To(Equal("ended"), "after a restart too")
	documentFirst.kubectl(endAt(earlier))
	g.Eventually(documentFirst.agree, soon).Should(Succeed(), "a person settled it with kubectl")
	objectFirst.ends(earlier)
	g.Eventually(objectFirst.agree, soon).Should(Succeed(), "a person settled it in the document")
	g.Eventually(s.view.DocumentEnds, soon).Should(BeZero())
}

// An end that another field manager declares is not taken from it.
func TestTheArchiveTakesNoFieldByForce(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.applies(endAt(in(time.Hour)))
	g.Eventually(d.agree, soon).Should(Succeed())
	declared := endOf(d.object())
	g.Expect(s.Apply(background, apply.ServiceRelationship(d.name, s.Organizer).WithSpec(
		apply.ServiceRelationshipSpec().WithEnd(metav1.NewTime(declared))), client.FieldOwner("gitops"))).To(Succeed())

	d.ends(ago(time.Second))
	g.Expect(d.rightNow()).To(Equal("ended"))
	g.Eventually(d.stands, soon).Should(Equal("Conflict Conflict"))
	g.Consistently(func() time.Time { return endOf(d.object()) }, "500ms").Should(BeTemporally("==", declared))
	g.Expect(d.rightNow()).To(Equal("ended"))

	g.Expect(s.Apply(background, apply.ServiceRelationship(d.name, s.Organizer).WithSpec(
		apply.ServiceRelationshipSpec().WithEnd(metav1.NewTime(d.said.End))), client.FieldOwner("gitops"), client.ForceOwnership)).To(Succeed())
	g.Eventually(d.agree, soon).Should(Succeed())
}

// TestAForgedDocumentGainsNothing: whoever may write relationships names another client's document.
func TestAForgedDocumentGainsNothing(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	victim, elsewhere := s.stores(time.Time{}), begin(t)
	g.Eventually(victim.agree, soon).Should(Succeed())
	before := victim.record()
	names := func(id uuid.UUID, end time.Time) func(*v1alpha1.ServiceRelationship) {
		return func(o *v1alpha1.ServiceRelationship) {
			o.Spec.Document = &v1alpha1.RelationshipDocument{ID: id.String(), Version: 1}
			o.Spec.End = kubernetes(end)
		}
	}
	forgeries := []*document{
		s.applies(names(victim.id, ago(time.Minute))),
		s.applies(names(uuid.New(), time.Time{})),
		elsewhere.applies(names(victim.id, ago(time.Minute))),
		elsewhere.applies(func(o *v1alpha1.ServiceRelationship) {
			names(victim.id, ago(time.Minute))(o)
			o.Name = naming.ObjectFor(victim.id)
		}),
		s.applies(func(o *v1alpha1.ServiceRelationship) {
			unmade := uuid.New()
			names(unmade, time.Time{})(o)
			o.Name = naming.ObjectFor(unmade)
		}),
	}
	var messages []string
	for i, d := range forgeries {
		g.Eventually(func() string { return strings.Fields(d.stands() + " x")[len(strings.Fields(d.stands()))-1] }, soon).Should(Equal("Conflict"), "forgery %d", i)
		o := d.object()
		messages = append(messages, o.Status.Document.Message)
		g.Expect(o.Status.Document.Version).To(BeZero())
		_, err := s.store.RelationshipRecord(background, naming.DocumentFor(o.UID))
		g.Expect(err).To(MatchError(store.ErrNotFound), "a forgery gets no document")
	}
	for _, message := range messages {
		g.Expect(message).To(Equal(messages[1]), "an existing document must not be told from one that does not exist")
	}
	for _, d := range forgeries { // and what becomes of them is their own matter
		g.Expect(s.Delete(background, d.object())).To(Succeed())
	}
	g.Consistently(func() store.RelationshipRecord { return victim.record() }, "500ms").Should(Equal(before))
	g.Expect(victim.agree()).To(Succeed())
	g.Expect(victim.rightNow()).To(Equal("live"))
	g.Expect(victim.versions()).To(HaveLen(1))

	victim.ends(ago(time.Second))
	g.Expect(victim.rightNow()).To(Equal("ended"))
	g.Eventually(victim.agree, soon).Should(Succeed())
}

// A forged relationship that stays open must not make the archive forget the end of the real one.
func TestAForgedRelationshipDoesNotLiftAnEnd(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	victim := s.stores(time.Time{})
	g.Eventually(victim.agree, soon).Should(Succeed())
	s.faults.set(true)
	s.applies(func(o *v1alpha1.ServiceRelationship) {
		o.Spec.Document = &v1alpha1.RelationshipDocument{ID: victim.id.String(), Version: 1}
		o.Spec.End = kubernetes(ago(time.Minute))
	})
	victim.ends(ago(time.Second))
	g.Consistently(victim.rightNow, "500ms").Should(Equal("ended"))
	s.faults.set(false)
	g.Eventually(victim.agree, soon).Should(Succeed())
	g.Expect(victim.rightNow()).To(Equal("ended"))
}

// TestATakenName: someone has made an object with the name of the one that is to be made for a document.
func TestATakenName(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	s.archive.stop()
	d := s.storesUntold()
	squatter := s.applies(func(o *v1alpha1.ServiceRelationship) {
		o.Name, o.Spec.ClientID, o.Spec.Start = naming.ObjectFor(d.id), d.client.String(), *kubernetes(d.said.Start)
		o.Spec.Procurement = v1alpha1.ProcurementVoucher
	})
	s.restart()
	g.Eventually(squatter.agree, soon).Should(Succeed(), "it gets a document of its own")
	g.Eventually(func() store.Agreement { return d.record().Agreement }, soon).Should(Equal(store.AgreementConflict))
	g.Expect(d.versions()).To(HaveLen(1))
	g.Expect(s.Delete(background, squatter.object())).To(Succeed())
	g.Eventually(squatter.record, soon).Should(HaveField("End", Not(BeZero())))
	d.ends(in(time.Hour))
	g.Eventually(d.agree, soon).Should(Succeed(), "the name is free")
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.applies(func(o *v1alpha1.ServiceRelationship) { o.Spec.ClientID = uuid.NewString() })
	g.Eventually(d.stands, soon).Should(Equal(" Refused"))
	g.Expect(d.object().Status.Document.Message).To(ContainSubstring("no such client"))

	start := ago(time.Hour)
	backwards := &document{s: s, id: uuid.New(), client: s.client, said: store.Relationship{
		Unit: string(s.North.Spec.OID), Start: start, End: start.Add(-time.Minute), Procurement: "Voucher",
	}}
	_, _, err := s.store.StoreDocument(background, store.NewDocument{
		ID: backwards.id, Registry: string(s.Registry.Spec.OID), ClientIDs: []uuid.UUID{s.client}, Type: "client-relationship", Content: s.content(backwards.said),
	}, s.row("Store"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() string { return backwards.record().Detail }, soon).Should(ContainSubstring("The API server does not take"))
	g.Expect(backwards.object()).To(BeNil())
}

// TestADestroyedDocumentIsNotMadeAgain: a relationship that outlives its document's retention time gets no other one.
func TestADestroyedDocumentIsNotMadeAgain(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.applies(nil)
	g.Eventually(d.agree, soon).Should(Succeed())
	g.Expect(s.store.Destroy(background, d.id, time.Now(), storetest.Due, s.row("Destroy"))).To(Succeed())
	d.kubectl(endAt(in(time.Hour)))
	g.Eventually(func() string { return d.object().Status.Document.Message }, soon).Should(ContainSubstring("was destroyed"))
	_, err := s.store.DocumentFacts(background, string(s.Registry.Spec.OID), d.id, 0)
	g.Expect(err).To(MatchError(store.ErrNotFound))
}

// TestNothingPersonalReachesKubernetes: whatever a document says beside its codes stays in the archive.
func TestNothingPersonalReachesKubernetes(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	d.ends(ago(time.Second))
	g.Eventually(d.agree, soon).Should(Succeed())
	for _, spoil := range []func(*store.Content){
		func(c *store.Content) { c.Relationship.Unit = "010190-123A" },
		func(c *store.Content) { c.Relationship.Procurement = "Matti Meikäläinen" },
		func(c *store.Content) { c.ServiceTasks = []string{"x.010190-123A"} },
		func(c *store.Content) { c.ServiceTasks = []string{"Matti Meikäläinen"} },
	} {
		spoiled := &document{s: s, id: uuid.New(), client: s.register()}
		content := s.content(s.says(time.Time{}))
		spoil(&content)
		_, _, err := s.store.StoreDocument(background, store.NewDocument{
			ID: spoiled.id, Registry: string(s.Registry.Spec.OID), ClientIDs: []uuid.UUID{spoiled.client}, Type: "client-relationship", Content: content,
		}, s.row("Store"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Eventually(func() store.Agreement { return spoiled.record().Agreement }, soon).Should(Equal(store.AgreementRefused))
		g.Expect(spoiled.record().Detail).NotTo(Or(ContainSubstring("Matti"), ContainSubstring("010190")))
	}
	sent := s.faults.written()
	g.Expect(sent).NotTo(BeEmpty())
	for _, text := range sent {
		g.Expect(text).NotTo(Or(ContainSubstring("daughter"), ContainSubstring("1001"), ContainSubstring("social-worker"),
			ContainSubstring("Matti"), ContainSubstring("010190"), ContainSubstring("matter-1")))
	}
}

// TestASettledArchiveWritesNothingAtARestart is design rule 9.
func TestASettledArchiveWritesNothingAtARestart(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	ended, made, applied, deleted := s.stores(ago(time.Minute)), s.stores(time.Time{}), s.applies(nil), s.applies(nil)
	unknown := s.applies(func(o *v1alpha1.ServiceRelationship) { o.Spec.ClientID = uuid.NewString() })
	forged := s.applies(func(o *v1alpha1.ServiceRelationship) {
		o.Spec.Document = &v1alpha1.RelationshipDocument{ID: uuid.NewString(), Version: 1}
	})
	conflict := s.stores(time.Time{})
	g.Eventually(conflict.agree, soon).Should(Succeed())
	g.Eventually(deleted.agree, soon).Should(Succeed())
	g.Expect(s.Delete(background, deleted.object())).To(Succeed())
	for _, d := range []*document{ended, made, applied} {
		g.Eventually(d.agree, soon).Should(Succeed())
	}
	g.Eventually(deleted.gone, soon).Should(Succeed())
	g.Eventually(unknown.stands, soon).Should(Equal(" Refused"))
	g.Eventually(forged.stands, soon).Should(Equal(" Conflict"))
	s.archive.stop()
	conflict.endsUntold(in(time.Hour))
	conflict.kubectl(endAt(in(2 * time.Hour)))
	s.restart()
	g.Eventually(conflict.stands, soon).Should(Equal("Conflict Conflict"))
	// Until the controllers have said all they have to say.
	all := []*document{ended, made, applied, unknown, forged, conflict}
	for _, d := range all {
		g.Eventually(func(g Gomega) {
			o := d.object()
			g.Expect(o).NotTo(BeNil())
			g.Expect(o.Status.ObservedGeneration).To(Equal(o.Generation))
			g.Expect(o.Status.Access).NotTo(BeEmpty())
		}, soon).Should(Succeed())
	}
	versions := map[*document]string{}
	g.Eventually(func() bool {
		still := true
		for _, d := range all {
			version := d.object().ResourceVersion
			still = still && versions[d] == version
			versions[d] = version
		}
		time.Sleep(300 * time.Millisecond)
		return still
	}).Should(BeTrue())
	s.restart()
	g.Consistently(s.faults.writes, "2s").Should(BeZero())
	for d, version := range versions {
		g.Expect(d.object().ResourceVersion).To(Equal(version))
	}
	g.Expect(deleted.versions()).To(HaveLen(2))
}
