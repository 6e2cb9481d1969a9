// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship_test

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/relationship"
)

// TestAnEndNeedsNoAPIServer: what was stored while the API server is away counts at once, also for a process that knows
// it only from the store, and is carried out when it is back.
func TestAnEndNeedsNoAPIServer(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	ended, applied, annulled := s.stores(time.Time{}), s.applies(nil), s.stores(time.Time{})
	for _, d := range []*document{ended, applied, annulled} {
		g.Eventually(d.agree, soon).Should(Succeed())
		g.Eventually(d.rightNow, soon).Should(Equal("live"))
	}
	s.faults.set(true)
	ended.ends(ago(time.Second))
	applied.ends(ago(time.Second))
	annulled.annul()
	fresh := s.stores(time.Time{})
	for _, d := range []*document{ended, applied, annulled} {
		g.Expect(d.rightNow()).To(Equal("ended"))
		g.Consistently(d.rightNow, "300ms").Should(Equal("ended"))
	}

	s.archive.stop()
	s.archive = s.prepare("replica-0", -1)
	g.Expect(s.loaded).To(Equal(3), "before anything is served")
	s.faults.set(true) // its view is loaded, but nothing can be carried out
	for _, d := range []*document{ended, applied, annulled} {
		g.Consistently(d.rightNow, "300ms").ShouldNot(Equal("live"))
		g.Eventually(d.rightNow, soon).Should(Equal("ended"))
	}
	g.Expect(endOf(ended.object())).To(BeZero())
	s.faults.set(false)
	for _, d := range []*document{ended, applied, fresh} {
		g.Eventually(d.agree, soon).Should(Succeed())
	}
	g.Eventually(annulled.gone, soon).Should(Succeed())
	g.Eventually(s.view.DocumentEnds, soon).Should(BeZero())
	for _, d := range []*document{ended, applied} {
		g.Expect(d.rightNow()).To(Equal("ended"))
	}
}

// An object that has not been told its document yet is ended by that document all the same.
func TestAnEndReachesAnObjectThatDoesNotNameItsDocument(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	s.archive.stop()
	s.archive = s.process("replica-0", 1) // it stores the document and dies
	d := s.applies(nil)
	g.Eventually(s.faults.dead, soon).Should(BeTrue())
	g.Expect(d.object().Spec.Document).To(BeNil())
	g.Expect(d.record().Version).To(Equal(1))
	g.Eventually(d.rightNow, soon).Should(Equal("live"))
	d.ends(ago(time.Second))
	g.Expect(d.rightNow()).To(Equal("ended"))
	s.restart()
	g.Eventually(d.agree, soon).Should(Succeed())
	g.Expect(d.rightNow()).To(Equal("ended"))
}

// An object that was deleted before it was told its document is not made anew from that document.
func TestADeletedObjectIsNotMadeAnewFromItsDocument(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	s.archive.stop()
	s.archive = s.process("replica-0", 1)
	d := s.applies(nil)
	g.Eventually(s.faults.dead, soon).Should(BeTrue())
	s.archive.stop()
	g.Expect(s.Delete(background, d.object())).To(Succeed())
	s.restart()
	g.Eventually(d.gone, soon).Should(Succeed())
	g.Expect(d.record().End).NotTo(BeZero())
	g.Expect(s.faults.written()).To(BeEmpty())
}

// TestAWriteDoesNotUndoADeletion: the object goes between the archive's look and its write.
func TestAWriteDoesNotUndoADeletion(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(in(time.Hour))
	g.Eventually(d.agree, soon).Should(Succeed())
	o := d.object()
	before := ago(0)
	s.faults.beforeNextWrite(func() { g.Expect(s.Delete(background, o)).To(Succeed()) })
	d.ends(in(2 * time.Hour))
	g.Eventually(d.gone, soon).Should(Succeed())
	g.Consistently(d.object, "300ms").Should(BeNil())
	g.Expect(d.record().End).To(And(BeTemporally(">=", before), BeTemporally("<=", time.Now())))
}

// TestAnAnnulmentDoesNotUndoAChange: the object changes between the archive's look and its write.
func TestAnAnnulmentDoesNotUndoAChange(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	s.faults.beforeNextWrite(func() { d.kubectl(endAt(in(time.Hour))) })
	d.annul()
	g.Eventually(d.stands, soon).Should(Equal("Conflict Conflict"))
	g.Expect(d.object()).NotTo(BeNil())
	g.Expect(d.rightNow()).To(Equal("ended"), "the annulment holds all the same")
	g.Expect(s.Delete(background, d.object())).To(Succeed())
	g.Eventually(d.gone, soon).Should(Succeed())
}

// TestAChangeMeanwhileIsNotOverwritten: kubectl moves the end between the archive's look and its write.
func TestAChangeMeanwhileIsNotOverwritten(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	kept := in(time.Hour)
	s.faults.beforeNextWrite(func() { d.kubectl(endAt(kept)) })
	d.ends(in(2 * time.Hour))
	g.Eventually(d.stands, soon).Should(Equal("Conflict Conflict"))
	g.Expect(endOf(d.object())).To(BeTemporally("==", kept))
}

// TestAnotherReplicaLearnsOfAnEnd: replicas that share a store are told by the store.
func TestAnotherReplicaLearnsOfAnEnd(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	other := s.process("replica-1", -1)
	g.Eventually(func() string { return d.right(other.view) }, soon).Should(Equal("live"))
	s.faults.set(true)
	answer := other.faults.hang()
	defer answer()
	for range 2 * relationship.Workers {
		s.stores(time.Time{})
	}
	g.Eventually(other.faults.unanswered, soon).Should(BeNumerically(">=", relationship.Workers))
	d.ends(ago(time.Second))
	g.Eventually(func() string { return d.right(other.view) }, soon).Should(Equal("ended"), "although it is stuck")
	g.Expect(other.faults.unanswered()).To(BeNumerically(">=", relationship.Workers))
	s.faults.set(false)
	answer()
	g.Eventually(other.faults.unanswered, soon).Should(BeZero())
	g.Eventually(d.agree, soon).Should(Succeed())
	for _, a := range []*archive{s.archive, other} {
		g.Eventually(a.view.DocumentEnds, soon).Should(BeZero())
		g.Expect(d.right(a.view)).To(Equal("ended"))
	}
	made := s.stores(time.Time{})
	g.Eventually(made.agree, soon).Should(Succeed())
	g.Consistently(made.versions, "500ms").Should(HaveLen(1))
}

// TestAnEndThatAnotherReplicaCarriesOutFirst: nothing tells a replica that starts of an end which it has loaded and
// another one has carried out since. It lets go of it all the same.
func TestAnEndThatAnotherReplicaCarriesOutFirst(t *testing.T) {
	g := NewWithT(t)
	s := begin(t)
	d := s.stores(time.Time{})
	g.Eventually(d.agree, soon).Should(Succeed())
	s.faults.set(true)
	d.ends(ago(time.Second))
	other := s.load("replica-1", -1)
	g.Expect(other.loaded).To(Equal(1))
	s.faults.set(false)
	g.Eventually(d.agree, soon).Should(Succeed())
	other.start()
	g.Eventually(other.view.DocumentEnds, soon).Should(BeZero())
	g.Expect(d.right(other.view)).To(Equal("ended"))
}

// TestACrashBetweenAnyTwoWrites lets the archive die after any number of writes, to the store or to the API server, and
// another process go on.
func TestACrashBetweenAnyTwoWrites(t *testing.T) {
	s := begin(t)
	type deed struct {
		name string
		// do does it with no archive running, on a document that both sides agree on unless fresh.
		fresh bool
		do    func(d **document)
		// done tells whether the archive has done its part; ended whether the right must be over throughout.
		done     func(d *document) error
		ended    bool
		versions int
	}
	agree, gone := (*document).agree, (*document).gone
	for _, c := range []deed{
		{"document stored", true, func(d **document) { *d = s.storesUntold() }, agree, false, 1},
		{"object applied", true, func(d **document) { *d = s.applies(nil) }, agree, false, 1},
		{"document ended", false, func(d **document) { (*d).endsUntold(ago(time.Second)) }, agree, true, 2},
		{"object ended", false, func(d **document) { (*d).kubectl(endAt(ago(time.Second))) }, agree, true, 2},
		{"object deleted", false, func(d **document) { NewWithT(t).Expect(s.Delete(background, (*d).object())).To(Succeed()) }, gone, true, 2},
		{"document annulled", false, func(d **document) { (*d).annul() }, gone, true, 1},
	} {
		for _, applied := range []bool{false, true} {
			if c.fresh && applied {
				continue
			}
			t.Run(fmt.Sprintf("%s, applied %t", c.name, applied), func(t *testing.T) {
				g := NewWithT(t)
				for after := 0; ; after++ {
					var d *document
					switch {
					case c.fresh:
					case applied:
						d = s.applies(nil)
					default:
						d = s.stores(time.Time{})
					}
					if d != nil {
						g.Eventually(d.agree, soon).Should(Succeed())
						g.Eventually(d.rightNow, soon).Should(Equal("live"))
					}
					s.archive.stop()
					c.do(&d)
					s.archive = s.process("replica-0", after)
					g.Eventually(func() bool { return s.faults.dead() || c.done(d) == nil }, soon).Should(BeTrue(), "after %d writes", after)
					died := s.faults.dead()
					if c.ended {
						g.Eventually(d.rightNow, soon).ShouldNot(Equal("live"), "after %d writes", after)
					}
					s.archive.stop()
					s.archive = s.prepare("replica-0", -1)
					g.Eventually(func() error {
						if c.ended {
							g.Expect(d.rightNow()).NotTo(Equal("live"), "after %d writes", after)
						}
						return c.done(d)
					}, soon).Should(Succeed(), "after a crash at write %d", after)
					g.Expect(d.versions()).To(HaveLen(c.versions), "after a crash at write %d", after)
					if !died {
						t.Logf("%d writes", after)
						return
					}
				}
			})
		}
	}
}
