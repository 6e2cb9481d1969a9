// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// trialName is the name of the deployment test that the suite runs.
const trialName = "alue-hoiva-2"

// playDeploymentTest has two client systems in pods, each with the credential that it got for this test alone, do their
// parts while the archive on PostgreSQL observes them.
func (l *life) playDeploymentTest(t *testing.T) {
	g := NewWithT(t)
	starts := time.Now().Add(10 * time.Second).UTC().Format(time.RFC3339)
	l.apply(t, organizer, fmt.Sprintf(`
apiVersion: valtuus.io/v1alpha1
kind: DeploymentTest
metadata: {namespace: pirkanmaa, name: %s}
spec:
  systems: {organizer: alue-system, producer: hoiva-system}
  mode: Observed
  run: {registry: {name: county}, producerUnit: %s, serviceTask: elderly, startsAt: %q}
`, trialName, northOID, starts))
	key := client.ObjectKey{Namespace: "pirkanmaa", Name: trialName}
	// The producer copies what its own unit's status tells it.
	var asked v1alpha1.UnitDeploymentTest
	g.Eventually(func() ([]v1alpha1.UnitDeploymentTest, error) {
		var unit v1alpha1.ProducerUnit
		err := l.Get(t.Context(), client.ObjectKey{Namespace: "hoivakoti", Name: "pohjoinen"}, &unit)
		if len(unit.Status.DeploymentTests) > 0 {
			asked = unit.Status.DeploymentTests[0]
		}
		return unit.Status.DeploymentTests, err
	}).Should(ConsistOf(HaveField("RegistryOID", BeEquivalentTo(countyOID))))
	l.must(t, producer, "-n", "hoivakoti", "patch", "producerunit", "pohjoinen", "--type=merge",
		"-p", fmt.Sprintf(`{"spec":{"acceptTests":[{"registryOID":%q,"testRegistryOID":%q,"startsAt":%q,"closesAt":%q}]}}`,
			asked.RegistryOID, asked.TestRegistryOID, asked.StartsAt.UTC().Format(time.RFC3339), asked.ClosesAt.UTC().Format(time.RFC3339)))
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=jsonpath={.status.state}=Open", "deploymenttest/"+trialName, inTime)
	var test v1alpha1.DeploymentTest
	g.Expect(l.Get(t.Context(), key, &test)).To(Succeed())
	oid := string(test.Status.RegistryOID)

	county := startTrial(t, l.suite, l.county.endpoint, oid, "pirkanmaa", trialName+"-organizer", "trial-organizer")
	unit := startTrial(t, l.suite, l.county.endpoint, oid, "hoivakoti", "pohjoinen-"+oid, "trial-unit")
	code := newCode()
	person := county.eventually(t, wire.Allowed, wire.Order{Do: wire.Register, Code: code}).Client
	decision := county.does(t, wire.Order{Do: wire.Store, Client: person, Type: "service-decision", Task: "elderly"}).Document
	begun := time.Now().Add(-time.Minute).Truncate(time.Second)
	paper := county.does(t, wire.Order{Do: wire.Relate, Client: person, Unit: northOID, Task: "elderly", Start: begun})
	unit.eventually(t, wire.Allowed, wire.Order{Do: wire.Find, Code: code})
	unit.does(t, wire.Order{Do: wire.Search, Client: person})
	unit.does(t, wire.Order{Do: wire.Read, Document: decision})
	note := unit.does(t, wire.Order{Do: wire.Store, Client: person, Type: "case-note", Task: "elderly"}).Document
	county.does(t, wire.Order{Do: wire.Search, Client: person})
	county.does(t, wire.Order{Do: wire.Read, Document: note})
	county.does(t, wire.Order{
		Do: wire.Relate, Client: person, Unit: northOID, Task: "elderly", Start: begun, End: time.Now().Truncate(time.Second),
		Document: paper.Document, Seen: paper.Version,
	})
	unit.eventually(t, "relationship-ended", wire.Order{Do: wire.Search, Client: person})

	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=jsonpath={.status.state}=Passed", "deploymenttest/"+trialName, inTime)
	g.Expect(l.Get(t.Context(), key, &test)).To(Succeed())
	g.Expect(test.Status.Steps).To(HaveEach(HaveField("State", v1alpha1.StepSeen)))
	g.Expect(test.Status.Observation.Destruction).NotTo(BeNil())
	for _, holder := range []client.ObjectKey{{Namespace: "pirkanmaa", Name: trialName + "-organizer"}, {Namespace: "hoivakoti", Name: "pohjoinen-" + oid}} {
		g.Expect(apierrors.IsNotFound(l.Get(t.Context(), holder, &corev1.Secret{}))).To(BeTrue(), "a credential of a test that is over")
	}
	l.verifyReport(t, &test)
	for _, one := range []*caller{county, unit} {
		l.must(t, admin, "-n", one.namespace, "delete", "pod", one.name)
	}
}

// startTrial waits for the credential of a party, and starts its client system.
func startTrial(t *testing.T, s *suite, endpoint, oid, namespace, secret, name string) *caller {
	t.Helper()
	NewWithT(t).Eventually(func() error {
		return s.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: secret}, &corev1.Secret{})
	}).Should(Succeed())
	return s.startCaller(t, namespace, name, endpoint, oid, secret)
}

// verifyReport checks the report with the command, which asks nobody.
func (s *suite) verifyReport(t *testing.T, test *v1alpha1.DeploymentTest) {
	t.Helper()
	g := NewWithT(t)
	// It is signed after the result is told.
	g.Eventually(func() (*v1alpha1.TestReport, error) {
		err := s.Get(t.Context(), client.ObjectKeyFromObject(test), test)
		return test.Status.Report, err
	}).ShouldNot(BeNil())
	var told corev1.ConfigMap
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: test.Namespace, Name: string(test.Status.Report.ConfigMapName)}, &told)).To(Succeed())
	var archive v1alpha1.Archive
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: "county"}, &archive)).To(Succeed())
	report, ca := s.file("report.jws"), s.file("county-ca.crt")
	g.Expect(os.WriteFile(report, []byte(told.Data["report.jws"]), 0o600)).To(Succeed())
	g.Expect(os.WriteFile(ca, []byte(archive.Status.CABundle), 0o600)).To(Succeed())
	program := filepath.Join(s.root, "dist", "linux", "valtuus")
	out, err := s.run(context.Background(), exec.CommandContext(t.Context(), program, "tests", "verify", report, "--ca", ca))
	g.Expect(err).NotTo(HaveOccurred())
	fmt.Println(out)
}
