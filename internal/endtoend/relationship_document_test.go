// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/relationship/naming"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// paper is a client relationship document, as the organizer's system stores it.
type paper struct {
	*care
	id string

	start       time.Time
	until       time.Time
	procurement string
}

// ground is what a client relationship document says for people only.
const ground = "the daughter asked for it"

func (p *paper) body() []byte {
	says := map[string]any{
		"producerUnit": p.unit.Spec.OID, "start": p.start.UTC().Format(time.RFC3339), "procurement": p.procurement, "ground": ground,
	}
	if !p.until.IsZero() {
		says["end"] = p.until.UTC().Format(time.RFC3339)
	}
	text, err := json.Marshal(says)
	if err != nil {
		panic(err)
	}
	return text
}

// writes stores a client relationship document for a new client in the unit.
func (s *scene) writes(unit *v1alpha1.ProducerUnit, end time.Time) *paper {
	s.t.Helper()
	g := NewWithT(s.t)
	p := &paper{care: &care{s: s, unit: unit, code: newCode()}, start: time.Now().Add(-time.Hour).Truncate(time.Second), until: end, procurement: "service-voucher"}
	var err error
	p.care.id, err = s.organizer.RegisterClient(background, p.code)
	g.Expect(err).NotTo(HaveOccurred())
	p.id, err = s.organizer.Store(background, archiveclient.NewDocument{
		Client: p.care.id, Type: "client-relationship", ServiceTasks: []string{testworld.Task}, Created: time.Now().Add(-time.Second),
		ContentType: "application/json", Body: p.body(),
	})
	g.Expect(err).NotTo(HaveOccurred())
	p.relationship = &v1alpha1.ServiceRelationship{}
	p.relationship.Namespace, p.relationship.Name = s.Organizer, "document-"+p.id
	return p
}

// opens is writes, and waits until the unit has access.
func (s *scene) opens(unit *v1alpha1.ProducerUnit) *paper {
	s.t.Helper()
	g := NewWithT(s.t)
	p := s.writes(unit, time.Time{})
	g.Eventually(seen(s, p.relationship), soon).Should(HaveField("Spec.Document", HaveField("ID", p.id)))
	p.caller = s.caller(s.archive, s.UnitSecret(unit))
	g.Eventually(p.access).Should(Equal(allowed))
	return p
}

// paperOf names the document of a relationship that was applied.
func (s *scene) paperOf(c *care) *paper {
	s.t.Helper()
	fresh, err := seen(s, c.relationship)()
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return &paper{care: c, id: naming.DocumentFor(fresh.UID).String(), start: fresh.Spec.Start.Time, procurement: "outsourced-service"}
}

// metadata is what the archive tells of a client relationship document.
type metadata struct {
	Version      int    `json:"version"`
	State        string `json:"state"`
	Relationship struct {
		Unit      string    `json:"unit"`
		Start     time.Time `json:"start"`
		End       time.Time `json:"end"`
		Agreement string    `json:"agreement"`
		Detail    string    `json:"detail"`
	} `json:"relationship"`
}

func (p *paper) metadata() (m metadata, err error) {
	_, text, err := p.s.organizer.Do(background, http.MethodGet, "/documents/"+p.id+"/metadata", "", nil)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

// ends stores a version with another end.
func (p *paper) ends(end time.Time) error {
	p.until = end
	now, err := p.metadata()
	if err != nil {
		return err
	}
	query := url.Values{"serviceTask": {testworld.Task}, "created": {time.Now().Add(-time.Second).UTC().Format(time.RFC3339)}}
	return p.change("/versions?"+query.Encode(), now.Version, p.body())
}

func (p *paper) annul() error {
	now, err := p.metadata()
	if err != nil {
		return err
	}
	return p.change("/annulment", now.Version, []byte(`{"reason": "made-in-error"}`))
}

// change sends a change of the version that was seen.
func (p *paper) change(path string, seen int, body []byte) error {
	_, _, err := p.s.organizer.DoIf(background, fmt.Sprintf("%q", fmt.Sprint(seen)), http.MethodPost, "/documents/"+p.id+path, "application/json", body)
	return err
}

// agree tells whether the document and its relationship say the same, and both know it.
func (p *paper) agree() error {
	m, err := p.metadata()
	if err != nil {
		return err
	}
	o, err := seen(p.s, p.relationship)()
	switch {
	case err != nil:
		return err
	case m.Relationship.Agreement != "Agreed":
		return fmt.Errorf("the document says %s: %s", m.Relationship.Agreement, m.Relationship.Detail)
	case o.Spec.Document == nil || o.Spec.Document.ID != p.id || int(o.Spec.Document.Version) != m.Version:
		return fmt.Errorf("the relationship names %+v, the document is at version %d", o.Spec.Document, m.Version)
	case o.Status.Document == nil || o.Status.Document.State != v1alpha1.DocumentAgreed || o.Status.Document.ObservedGeneration != o.Generation:
		return fmt.Errorf("the relationship shows %+v", o.Status.Document)
	case (o.Spec.End == nil) != m.Relationship.End.IsZero(), o.Spec.End != nil && !o.Spec.End.Time.Equal(m.Relationship.End):
		return fmt.Errorf("the relationship ends %v, the document %s", o.Spec.End, m.Relationship.End)
	}
	return nil
}

// stands tells the state that both sides show.
func (p *paper) stands() string {
	m, err := p.metadata()
	o, err2 := seen(p.s, p.relationship)()
	if err = errors.Join(err, err2); err != nil {
		return err.Error()
	}
	shown := "nothing"
	if o.Status.Document != nil {
		shown = string(o.Status.Document.State)
	}
	return m.Relationship.Agreement + " " + shown
}

// TestTheClientRelationshipDocumentOpensAndClosesTheRight goes the way of the field: nobody applies anything.
func TestTheClientRelationshipDocumentOpensAndClosesTheRight(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	first := s.opens(s.North)
	began := time.Now()
	p := s.writes(s.North, time.Time{})
	p.caller = first.caller
	g.Eventually(func() error { _, err := seen(s, p.relationship)(); return err }, soon).WithPolling(5 * time.Millisecond).Should(Succeed())
	t.Logf("a relationship %s after its document", time.Since(began).Round(time.Millisecond))
	g.Eventually(p.access, soon).WithPolling(5 * time.Millisecond).Should(Equal(allowed))
	t.Logf("access %s after the document", time.Since(began).Round(time.Millisecond))
	g.Eventually(p.agree, soon).Should(Succeed())

	g.Expect(p.ends(time.Now().Add(-time.Second).Truncate(time.Second))).To(Succeed())
	g.Expect(p.access()).To(Equal("relationship-ended"), "at once")
	ended := time.Now()
	g.Eventually(p.agree, soon).Should(Succeed())
	g.Eventually(seen(s, p.relationship)).Should(WithTransform(
		func(r *v1alpha1.ServiceRelationship) string { return enforced(r) }, Equal(v1alpha1.AppliedReason)))
	t.Logf("enforced by the controllers' word after %s", time.Since(ended).Round(time.Millisecond))

	g.Expect(first.annul()).To(Succeed())
	g.Expect(first.access()).To(Equal("relationship-ended"), "at once")
	g.Eventually(func() error { _, err := seen(s, first.relationship)(); return err }, soon).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
	g.Eventually(first.access, soon).Should(Equal("no-relationship"))
	s.expectNothingPersonal(g, p, first)
}

// TestARelationshipAppliedGetsItsDocument goes the other way.
func TestARelationshipAppliedGetsItsDocument(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c := s.open(s.North, nil)
	p := s.paperOf(c)
	g.Eventually(p.agree, soon).Should(Succeed())
	g.Expect(s.organizer.Read(background, p.id)).To(ContainSubstring(string(s.North.Spec.OID)))

	end := time.Now().Truncate(time.Second)
	g.Expect(c.end(end)).To(Succeed())
	g.Eventually(func() time.Time { m, _ := p.metadata(); return m.Relationship.End }, soon).Should(BeTemporally("==", end))
	g.Eventually(p.agree, soon).Should(Succeed())
	g.Expect(p.metadata()).To(HaveField("Version", 2))
	g.Eventually(seen(s, c.relationship)).Should(WithTransform(
		func(r *v1alpha1.ServiceRelationship) string { return enforced(r) }, Equal(v1alpha1.AppliedReason)))

	d := s.open(s.North, nil)
	q := s.paperOf(d)
	g.Eventually(q.agree, soon).Should(Succeed())
	deleted := time.Now()
	g.Expect(s.Delete(background, d.relationship)).To(Succeed())
	var ended time.Time
	g.Eventually(func() time.Time { m, _ := q.metadata(); ended = m.Relationship.End; return ended }, soon).ShouldNot(BeZero())
	g.Expect(ended).To(And(BeTemporally(">=", deleted.Add(-time.Second)), BeTemporally("<=", time.Now().Add(time.Second))), "in whole seconds")

	stored := 0
	for _, row := range s.stopForLog(s.archive) {
		if byItself(row) {
			stored++
			g.Expect(row.Professional).To(BeEmpty())
			g.Expect(row.Outcome).To(Equal(store.OutcomeAllowed))
			g.Expect([]string{"Store", "NewVersion"}).To(ContainElement(row.Operation))
		}
	}
	g.Expect(stored).To(Equal(4), "what the archive itself stored is in the use log")
}

// TestInvariant2_AnEndInADocumentNeedsNobody: an end that the archive has acknowledged refuses at once, with every
// controller stopped and the API server away, and is carried out when it is back.
func TestInvariant2_AnEndInADocumentNeedsNobody(t *testing.T) {
	t.Parallel()
	c := disturbed.toItself(t)
	s := c.begin(t, settings{})
	for _, outage := range []struct {
		name        string
		begin, over func() error
	}{
		{"frozen", c.APIServer.Pause, c.APIServer.Resume},
		{"killed", func() error { c.APIServer.Kill(); return nil }, func() error { return c.APIServer.Start(background) }},
	} {
		t.Run(outage.name, func(t *testing.T) {
			g := NewWithT(t)
			ended, annulled, kept := s.opens(s.North), s.opens(s.North), s.opens(s.North)
			applied := s.open(s.North, nil)
			paperOfApplied := s.paperOf(applied)
			g.Eventually(paperOfApplied.agree, soon).Should(Succeed())
			g.Expect(c.withoutManager()).To(Succeed())
			g.Expect(outage.begin()).To(Succeed())
			resumed := false
			defer func() {
				if !resumed {
					_ = outage.over()
				}
			}()
			past := time.Now().Add(-time.Second).Truncate(time.Second)
			for p, end := range map[*paper]func() error{
				ended: func() error { return ended.ends(past) }, annulled: annulled.annul,
				paperOfApplied: func() error { return paperOfApplied.ends(past) },
			} {
				g.Expect(p.access()).To(Equal(allowed))
				g.Expect(end()).To(Succeed(), "the organizer's work goes on")
				g.Expect(p.access()).To(Equal("relationship-ended"))
			}
			meanwhile := s.writes(s.North, time.Time{})
			meanwhile.caller = kept.caller
			g.Expect(kept.access()).To(Equal(allowed))
			g.Expect(outage.over()).To(Succeed())
			resumed = true
			ends := func() []string { return []string{ended.access(), annulled.access(), paperOfApplied.access()} }
			over := BeElementOf("relationship-ended", "no-relationship", "view-stale")
			g.Eventually(func() error {
				g.Expect(ends()).To(HaveEach(over))
				return errors.Join(ended.agree(), paperOfApplied.agree())
			}).Should(Succeed(), "the relationships follow")
			g.Eventually(func() error { _, err := seen(s, annulled.relationship)(); return err }).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
			g.Consistently(ends, "500ms").Should(HaveEach(over))
			g.Expect(c.startManager()).To(Succeed())
			g.Eventually(meanwhile.access).Should(Equal(allowed), "what was stored meanwhile is carried out")
		})
	}
}

// TestAKilledArchiveCarriesOutWhatItAcknowledged kills the archive while it cannot reach the API server, and nothing of what it
// tried to say there arrives later.
func TestAKilledArchiveCarriesOutWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := shared.of(t)
	line := newWire(t, c.Config.Host)
	s := c.begin(t, settings{cluster: line.through})
	b := s.binary("binary-0", nil)
	g.Expect(b.start(t)).To(Succeed())
	s.organizer, s.archive = s.caller(&b.Replica, s.OrganizerSecret()), &b.Replica
	ended, kept := s.opens(s.North), s.opens(s.North)
	line.freeze()
	thaw := sync.OnceFunc(line.thaw)
	defer thaw()
	g.Expect(ended.ends(time.Now().Add(-time.Second).Truncate(time.Second))).To(Succeed())
	fresh := s.writes(s.North, time.Time{})
	fresh.caller = kept.caller
	s.journal.unanswered = true
	g.Expect(b.kill()).To(Succeed())

	line.cut()
	thaw()
	o, err := seen(s, ended.relationship)()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(o.Spec.End).To(BeNil(), "nobody has told the API server")
	g.Expect(b.start(t)).To(Succeed())
	var answers []string
	g.Eventually(func() string {
		answers = append(answers, ended.access())
		return kept.access()
	}).Should(Equal(allowed))
	g.Eventually(ended.agree, soon).Should(Succeed())
	g.Expect(answers).NotTo(ContainElement(allowed))
	g.Expect(ended.access()).To(Equal("relationship-ended"))
	g.Eventually(fresh.access).Should(Equal(allowed))
	g.Eventually(fresh.agree, soon).Should(Succeed())
}

// TestAConflictIsShownOnBothSides: the document and the relationship are changed, each in another way, while the archive
// is cut off from the API server.
func TestAConflictIsShownOnBothSides(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := shared.of(t)
	line := newWire(t, c.Config.Host)
	s := c.begin(t, settings{cluster: line.through})
	p := s.opens(s.North)
	line.freeze()
	later, earlier := time.Now().Add(time.Hour).Truncate(time.Second), time.Now().Add(-time.Minute).Truncate(time.Second)
	g.Expect(p.end(later)).To(Succeed())
	g.Expect(p.ends(earlier)).To(Succeed())
	g.Expect(p.access()).To(BeElementOf("relationship-ended", "view-stale"))
	line.thaw()
	g.Eventually(p.stands).Should(Equal("Conflict Conflict"))
	g.Consistently(p.access, "500ms").Should(BeElementOf("relationship-ended", "view-stale"))
	o, err := seen(s, p.relationship)()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(o.Spec.End.Time).To(BeTemporally("==", later), "not overwritten")
	g.Expect(p.metadata()).To(HaveField("Version", 2))

	g.Expect(p.end(earlier)).To(Succeed())
	g.Eventually(p.agree, soon).Should(Succeed(), "a person has settled it")
	g.Consistently(p.access, "300ms").Should(BeElementOf("relationship-ended", "view-stale"))
}

// expectNothingPersonal looks through all that Kubernetes has of the documents.
func (s *scene) expectNothingPersonal(g Gomega, papers ...*paper) {
	objects, err := s.Objects(background)
	g.Expect(err).NotTo(HaveOccurred())
	text, err := json.Marshal(objects)
	g.Expect(err).NotTo(HaveOccurred())
	log := s.log.String() + s.cluster.log.String()
	for _, p := range papers {
		for _, personal := range []string{p.code, ground, "daughter"} {
			g.Expect(string(text)).NotTo(ContainSubstring(personal))
			g.Expect(log).NotTo(ContainSubstring(personal))
		}
	}
	g.Expect(slices.ContainsFunc(papers, func(p *paper) bool { return strings.Contains(string(text), p.care.id) })).To(BeTrue(), "the client's random id is there")
}
