// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// rotation is a renewal that goes on while other things are tried.
type rotation struct {
	former string
	load   *running
}

func (s *suite) ledger(t *testing.T, grant string) []v1alpha1.Credential {
	t.Helper()
	var object v1alpha1.RegistryAccessGrant
	NewWithT(t).Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "pirkanmaa", Name: grant}, &object)).To(Succeed())
	return object.Status.Credentials
}

// lifetime, in seconds, of the credentials of the archive on a volume. For a fifth of it the former is accepted beside the
// new one, which has to be in the pod by then: a node brings it within a minute or two, and a busy one later.
const lifetime = "1200"

// beginRotation makes the renewal of the unit's credential due. It would come of itself after three fifths of the life:
// longer than the suite needs. The load goes over to the new credential when the node brings the changed Secret into the
// pod.
func (l *life) beginRotation(t *testing.T) {
	g := NewWithT(t)
	l.rotation = &rotation{former: l.national.unit.does(t, wire.Order{Do: wire.Identity}).Fingerprint}
	l.rotation.load = l.national.unit.load(t, "rotation", 5, true, wire.Order{Do: wire.Find, Code: l.national.code}, wire.Order{Do: wire.Read, Document: l.national.decision})
	key := client.ObjectKey{Namespace: "pirkanmaa", Name: l.national.grant(northOID)}
	var grant v1alpha1.RegistryAccessGrant
	g.Expect(l.Get(t.Context(), key, &grant)).To(Succeed())
	g.Expect(grant.Status.Credentials).To(ConsistOf(HaveField("Fingerprint", l.rotation.former)), "the pod uses what the ledger lists")
	before := grant.DeepCopy()
	grant.Status.Credentials[0].RenewAt = metav1.NewTime(time.Now().Add(-time.Second).Truncate(time.Second))
	g.Expect(l.Status().Patch(t.Context(), &grant, client.MergeFrom(before))).To(Succeed())
	l.must(t, admin, "-n", "pirkanmaa", "annotate", "registryaccessgrant", grant.Name, "e2e=look-again")
	g.Eventually(func() []v1alpha1.Credential { return l.ledger(t, grant.Name) }).
		Should(ContainElement(And(HaveField("Fingerprint", Not(Equal(l.rotation.former))), HaveField("State", v1alpha1.CredentialActive))))
}

// endRotation waits for the pod, which was never started again, and looks that nobody was refused meanwhile.
func (l *life) endRotation(t *testing.T) {
	g := NewWithT(t)
	unit := l.national.unit
	g.Eventually(func() string {
		answer, err := unit.tell(t.Context(), wire.Order{Do: wire.Identity})
		if err != nil {
			return l.rotation.former
		}
		return answer.Fingerprint
	}).ShouldNot(Equal(l.rotation.former))
	l.rotation.load.flowing(t, 10)
	g.Eventually(func() []v1alpha1.Credential { return l.ledger(t, l.national.grant(northOID)) }).
		ShouldNot(ContainElement(HaveField("Fingerprint", l.rotation.former)), "the former goes from the ledger")
	told := l.rotation.load.stop(t)
	g.Expect(told.All.Not(wire.Allowed)).To(BeZero(), "%s", strings.Join(told.Errors, "\n"))
	pod := l.allReady(t, "hoivakoti", client.MatchingLabels{"app": unit.name}, 1)[0]
	g.Expect(pod.Status.ContainerStatuses[0].RestartCount).To(BeZero())
	l.report.say("requests refused or failed while a credential was renewed", told.All.Not(wire.Allowed), "", "")
}
