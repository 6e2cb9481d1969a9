// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/manifests"
)

// samplesAreTaken applies, as those who would, the samples that no story plays. Nothing of it stays.
func (i *installation) samplesAreTaken(who map[string]client.Client) func(*testing.T) {
	return func(t *testing.T) {
		g := NewWithT(t)
		found, err := filepath.Glob(filepath.Join(configDir, "samples", "*", "*.yaml"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(len(found)).To(BeNumerically(">=", 4))
		for _, file := range found {
			objects, err := manifests.Read(file)
			g.Expect(err).NotTo(HaveOccurred(), file)
			for _, o := range objects {
				persona := who[o.GetNamespace()]
				g.Expect(persona).NotTo(BeNil(), "%s: nobody applies to namespace %q", file, o.GetNamespace())
				g.Expect(manifests.Apply(t.Context(), client.NewDryRunClient(persona), "kubectl", o)).To(Succeed(), file)
			}
		}
	}
}

// sampled reads the one object of a sample.
func sampled(t testing.TB, file string, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(samples(t, file)[0].Object, into, true); err != nil {
		t.Fatal(file, err)
	}
}

// TestTheSamplesOfDeploymentTestsFitTheOthers: whoever applies them beside the other samples has tests that can be scheduled.
func TestTheSamplesOfDeploymentTestsFitTheOthers(t *testing.T) {
	g := NewWithT(t)
	names := map[string]bool{}
	for _, file := range []string{"20-platform.yaml", "40-organizer.yaml", "50-producer.yaml", "70-deployment-tests.yaml"} {
		for _, o := range samples(t, file) {
			names[o.GetKind()+"/"+o.GetNamespace()+"/"+o.GetName()] = true
			if oid, ok := at(o, "spec", "oid").(string); ok {
				names[o.GetKind()+" "+oid] = true
			}
		}
	}
	var observed, simulated v1alpha1.DeploymentTest
	sampled(t, "deployment-tests/observed.yaml", &observed)
	sampled(t, "deployment-tests/simulated.yaml", &simulated)
	for _, test := range []v1alpha1.DeploymentTest{observed, simulated} {
		g.Expect(deploymenttest.Runs(&test)).To(BeTrue(), test.Name)
		g.Expect(names).To(And(
			HaveKey("ClientSystem//"+string(test.Spec.Systems.Organizer)), HaveKey("ClientSystem//"+string(test.Spec.Systems.Producer)),
			HaveKey("Registry/"+test.Namespace+"/"+string(test.Spec.Run.Registry.Name)), HaveKey("ProducerUnit "+string(test.Spec.Run.ProducerUnit)),
			Not(HaveKey("DeploymentTest/"+test.Namespace+"/"+test.Name)),
		), test.Name)
	}
	g.Expect(simulated.Spec.Mode).To(Equal(v1alpha1.ModeSimulated))
}
