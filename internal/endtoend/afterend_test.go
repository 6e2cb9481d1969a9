// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// TestInvariant3_AfterTheEndNothing: of all that a unit could do for a client, its own notes included, nothing is
// left after the end; the organizer keeps everything.
func TestInvariant3_AfterTheEndNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c, other := s.open(s.North, nil), s.open(s.North, nil)
	g.Expect(c.end(time.Now())).To(Succeed())
	g.Eventually(c.access, soon).Should(Equal("relationship-ended"))

	for _, document := range []string{c.note, c.decision} {
		body, err := c.caller.Read(background, document)
		g.Expect(reasonOf(err)).To(Equal("relationship-ended"))
		g.Expect(body).To(BeEmpty())
		for _, path := range []string{"/documents/" + document + "/versions", "/documents/" + document + "/"} {
			_, _, err = c.caller.Do(background, http.MethodGet, path, "", nil)
			g.Expect(err).To(HaveOccurred(), path)
		}
	}
	page, err := c.caller.Search(background, archiveQuery(c.id))
	g.Expect(reasonOf(err)).To(Equal("relationship-ended"))
	g.Expect(page).To(BeZero())
	_, err = c.caller.Store(background, c.document("case-note", testworld.Task, "after the end"))
	g.Expect(reasonOf(err)).To(Equal("relationship-ended"))
	for _, operation := range []string{"Search", "Read", "Store", "FindClient"} {
		e, err := c.caller.Explain(background, archiveclient.Question{Client: c.id, Operation: operation, ServiceTask: testworld.Task})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(e.Allowed).To(BeFalse(), operation)
		g.Expect(e.Reason).To(Equal("relationship-ended"), operation)
	}
	// Through its other client the unit gets no further.
	_, body, err := other.caller.Do(background, http.MethodPost, "/documents/_search", "application/json",
		[]byte(`{"client": "`+other.id+`", "authorUnit": "`+string(s.North.Spec.OID)+`"}`))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(body)).To(ContainSubstring(other.note))
	g.Expect(string(body)).NotTo(ContainSubstring(c.note))

	g.Eventually(func() (int, error) {
		page, err := s.organizer.Search(background, archiveQuery(c.id))
		return page.Total, err
	}).Should(Equal(3), "the relationship's own document and these two, neither less nor what was tried after the end")
	g.Expect(s.organizer.Read(background, c.note)).To(MatchJSON(testworld.Body("case-note", "the note")))
	g.Expect(s.organizer.Read(background, c.decision)).To(MatchJSON(testworld.Body("service-decision", "the decision")))
}

// TestInvariant4_NoTraceNoDocument: whatever is asked, and however it ends, has its row. That every answer of every
// test has one is held against the journal when a scene ends; here are the ways of asking that no other test knows.
func TestInvariant4_NoTraceNoDocument(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c := s.open(s.North, nil)
	token, err := c.caller.Assertion()
	g.Expect(err).NotTo(HaveOccurred())
	do := func(token, method, path, contentType, body string) string {
		_, _, err := c.caller.DoWith(background, token, method, path, contentType, []byte(body))
		return reasonOf(err)
	}
	ask := func(method, path, contentType, body string) string {
		token, err := c.caller.Assertion()
		g.Expect(err).NotTo(HaveOccurred())
		return do(token, method, path, contentType, body)
	}
	got := []string{
		do(token, "GET", "/documents/"+c.decision, "", ""),
		do(token, "GET", "/documents/"+c.decision, "", ""),
		do("", "GET", "/documents/"+c.decision, "", ""),
		do("not an assertion", "GET", "/documents/"+c.decision, "", ""),
		ask("GET", "/documents/"+c.decision+"?and=more", "", ""),
		ask("DELETE", "/documents/"+c.decision, "", ""),
		ask("GET", "/nothing/there", "", ""),
		ask("GET", "/documents/not-an-id", "", ""),
		ask("POST", "/documents/_search", "application/json", "{"),
		ask("POST", "/documents/_search?code=010190-999W", "application/json", "{}"),
		ask("POST", "/clients", "application/json", `{"identityCode": "010190-999W"}`),
		ask("POST", "/clients/_search", "application/json", `{"identityCode": "010190-999W"}`),
		ask("POST", "/explain", "application/json", `{"client": "`+c.id+`", "operation": "Search", "unit": "1.2.3"}`),
		ask("GET", "/documents/00000000-0000-4000-8000-000000000000", "", ""),
	}
	g.Expect(got).To(HaveExactElements(
		allowed, "assertion-replayed", "professional-missing", "assertion-malformed", "unknown-parameter", "method-not-allowed",
		"not-found", "invalid-parameter", "invalid-body", "identity-code-in-url", "extent-insufficient", "no-relationship",
		"extent-insufficient", "document-not-found",
	))
	// A caller that does not wait for the answer leaves its trace all the same.
	for range 20 {
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		_, _ = c.caller.Read(ctx, c.decision)
		cancel()
	}
	s.journal.unanswered = true

	answers := s.journal.at(s.archive.Endpoint)
	rows := s.stopForLog(s.archive)
	g.Expect(len(rows)).To(BeNumerically(">=", len(answers)))
	served := 0
	for _, row := range rows {
		if row.Operation == "Read" && row.Outcome == store.OutcomeAllowed {
			served++
			g.Expect(row.DocumentIDs).To(HaveLen(1))
			g.Expect(row.ClientID.String()).To(Equal(c.id))
			g.Expect(row.Professional).To(Equal("1001"))
			g.Expect(row.Relationship.UID).To(BeEquivalentTo(c.relationship.UID))
		}
	}
	g.Expect(served).To(BeNumerically(">=", 1))
}

// TestInvariant10_TheRecordOutlivesTheObject deletes everything in Kubernetes that a use of the right rested on.
func TestInvariant10_TheRecordOutlivesTheObject(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c := s.open(s.North, nil)
	grant, err := seen(s, s.grantOf(c.unit))()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = c.caller.Read(background, c.decision)
	g.Expect(err).NotTo(HaveOccurred())
	for _, o := range []client.Object{c.relationship, grant, s.North, s.South, s.Registry} {
		g.Expect(s.Delete(background, o)).To(Succeed())
		g.Eventually(func() error { _, err := seen(s, o)(); return err }).Should(MatchError(ContainSubstring("not found")))
	}
	for _, namespace := range []string{s.Organizer, s.Producer} {
		g.Expect(s.deleteNamespace(namespace)).To(Succeed())
	}
	g.Eventually(c.access, soon).Should(Equal("registry-unknown"))

	rows := s.stopForLog(s.archive)
	i := slices.IndexFunc(rows, func(r store.LogRow) bool {
		return r.Operation == "Read" && r.Outcome == store.OutcomeAllowed
	})
	g.Expect(i).To(BeNumerically(">=", 0))
	row := rows[i]
	g.Expect(row.Relationship.UID).To(BeEquivalentTo(c.relationship.UID))
	g.Expect(row.Grant.UID).To(BeEquivalentTo(grant.UID))
	g.Expect(row.RegistryObject.UID).To(BeEquivalentTo(s.Registry.UID))
	for _, ref := range []store.ObjectRef{row.Relationship, row.Grant, row.RegistryObject} {
		g.Expect(ref.Revision).To(MatchRegexp(`^[1-9][0-9]*$`))
	}
	g.Expect(row.Registry).To(BeEquivalentTo(s.Registry.Spec.OID))
	g.Expect(row.Unit).To(BeEquivalentTo(s.North.Spec.OID))
	g.Expect(row.DocumentIDs).To(HaveLen(1))
	g.Expect(row.DocumentIDs[0].String()).To(Equal(c.decision))
}

// deleteNamespace deletes a namespace with what is in it, as the namespace controller would, which does not run here.
func (s *scene) deleteNamespace(name string) error {
	clientset, err := kubernetes.NewForConfig(s.cluster.Config)
	if err != nil {
		return err
	}
	for _, o := range []client.Object{&v1alpha1.DeploymentTest{}, &corev1.Secret{}} {
		if err := s.DeleteAllOf(background, o, client.InNamespace(name)); err != nil {
			return err
		}
	}
	if err := clientset.CoreV1().Namespaces().Delete(background, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	namespace, err := clientset.CoreV1().Namespaces().Get(background, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	namespace.Spec.Finalizers = nil
	if _, err = clientset.CoreV1().Namespaces().Finalize(background, namespace, metav1.UpdateOptions{}); err != nil {
		return err
	}
	_, err = clientset.CoreV1().Namespaces().Get(background, name, metav1.GetOptions{})
	if err != nil && strings.Contains(err.Error(), "not found") {
		return nil
	}
	return err
}
