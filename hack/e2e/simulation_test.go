// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/pem"
	"fmt"
	"regexp"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// identityCode is the form of one, whoever it is of, and of no part of a UUID.
var identityCode = regexp.MustCompile(`(^|[^-0-9A-Za-z])[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-Z]\b`)

// simulate has Jobs play two deployment tests: one to its end, and one with a card that is none, which tells so.
func (l *life) simulate(t *testing.T) {
	g := NewWithT(t)
	for i, name := range []string{"organizers-card", "producers-card"} {
		card, err := l.cards.Issue(fmt.Sprintf("200%d", i), time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(l.Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: name}, Type: corev1.SecretTypeTLS,
			Data: map[string][]byte{
				corev1.TLSCertKey:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: card.Chain[0].Raw}),
				corev1.TLSPrivateKeyKey: card.Key.PEM(),
			},
		})).To(Succeed())
	}
	g.Expect(l.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: "no-card"}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: []byte("none"), corev1.TLSPrivateKeyKey: []byte("none")},
	})).To(Succeed())
	starts := time.Now().Add(5 * time.Second).UTC().Format(time.RFC3339)
	for _, one := range []struct{ name, system, unit, card string }{
		{"simulated", "hoiva-system", northOID, "producers-card"},
		{"simulated-without", "kirjaus-system", southOID, "no-card"},
	} {
		l.apply(t, organizer, fmt.Sprintf(`
apiVersion: valtuus.io/v1alpha1
kind: DeploymentTest
metadata: {namespace: pirkanmaa, name: %s}
spec:
  systems: {organizer: alue-system, producer: %s}
  mode: Simulated
  run: {registry: {name: county}, producerUnit: %s, serviceTask: elderly, startsAt: %q}
  simulation: {organizerCardSecretName: organizers-card, producerCardSecretName: %s}
`, one.name, one.system, one.unit, starts, one.card))
	}
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=jsonpath={.status.state}=Passed", "deploymenttest/simulated", inTime)
	job := client.ObjectKey{Namespace: "pirkanmaa", Name: "simulated-simulation"}
	g.Expect(l.Get(t.Context(), job, &networkingv1.NetworkPolicy{})).To(Succeed())
	g.Eventually(func() error { return l.Get(t.Context(), job, &batchv1.Job{}) }).Should(MatchError(apierrors.IsNotFound, "IsNotFound"), "it goes at the close")

	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=jsonpath={.status.state}=Failed", "deploymenttest/simulated-without", inTime)
	var test v1alpha1.DeploymentTest
	g.Expect(l.Get(t.Context(), client.ObjectKey{Namespace: "pirkanmaa", Name: "simulated-without"}, &test)).To(Succeed())
	g.Expect(test.Status.Window.ClosedAt.Before(&test.Status.Window.ClosesAt)).To(BeTrue(), "nobody waits for the end of the window")
	g.Expect(test.Status.Window.Message).To(And(ContainSubstring("The simulation failed: BackoffLimitExceeded"), ContainSubstring("certificate"), Not(MatchRegexp(identityCode.String()))))
	fmt.Println("e2e:", test.Status.Window.Message)
}
