// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/valtuus/valtuus/internal/manifests"
)

// build renders a directory of config/ as kubectl kustomize does.
func build(t testing.TB, directory string) []*unstructured.Unstructured {
	t.Helper()
	found, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(configDir, directory))
	if err != nil {
		t.Fatal(err)
	}
	text, err := found.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := manifests.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// plain takes away what only Helm adds.
func plain(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	labels := o.GetLabels()
	for _, label := range []string{"instance", "version", "managed-by", "part-of"} {
		delete(labels, "app.kubernetes.io/"+label)
	}
	delete(labels, "helm.sh/chart")
	if o.GetKind() != "Deployment" && o.GetKind() != "Service" && o.GetKind() != "Job" {
		delete(labels, "app.kubernetes.io/name")
	}
	if len(labels) == 0 {
		labels = nil
	}
	o.SetLabels(labels)
	annotations := o.GetAnnotations()
	for _, annotation := range []string{"helm.sh/resource-policy", "helm.sh/hook", "helm.sh/hook-delete-policy"} {
		delete(annotations, annotation)
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	o.SetAnnotations(annotations)
	return o.Object
}

func TestTheChartAndConfigSayTheSame(t *testing.T) {
	for directory, more := range map[string]string{
		"default": "", "namespaces": "scope: {namespaces: [hoivakoti, pirkanmaa, platform]}",
	} {
		t.Run(directory, func(t *testing.T) { sameAs(t, directory, more) })
	}
}

func sameAs(t *testing.T, directory, more string) {
	g := NewWithT(t)
	ofChart := byID(t, render(t, "monitoring: {serviceMonitor: {enabled: true}, podMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboard: {enabled: true}}\n"+more))
	config := append(build(t, directory), build(t, "prometheus")...)
	uninstall, err := manifests.Read(filepath.Join(configDir, "uninstall"))
	g.Expect(err).NotTo(HaveOccurred())
	ofConfig := byID(t, append(config, uninstall...))
	// Helm makes the namespace, with --create-namespace.
	delete(ofConfig, "Namespace//"+namespace)
	for id, o := range ofConfig {
		if g.Expect(ofChart).To(HaveKey(id)) {
			g.Expect(plain(ofChart[id])).To(Equal(plain(o)), id)
		}
	}
	for id := range ofChart {
		g.Expect(ofConfig).To(HaveKey(id))
	}
	g.Expect(len(ofConfig)).To(BeNumerically(">", 40))
}

func TestTheChartsCopiesAreThoseOfConfig(t *testing.T) {
	g := NewWithT(t)
	for copies, source := range map[string]string{
		"crd": "crd/bases", "rbac": "rbac", "namespaces": "namespaces", "admission": "admission", "prometheus": "prometheus",
	} {
		files, err := os.ReadDir(filepath.Join(chartDir, "files", copies))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(files).NotTo(BeEmpty())
		for _, file := range files {
			got, err := os.ReadFile(filepath.Join(chartDir, "files", copies, file.Name()))
			g.Expect(err).NotTo(HaveOccurred())
			want, err := os.ReadFile(filepath.Join(configDir, source, file.Name()))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(got)).To(Equal(string(want)), "%s differs: run make generate", file.Name())
		}
	}
}
