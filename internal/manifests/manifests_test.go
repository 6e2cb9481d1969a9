// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func configMap(name, value string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: default\n  name: " + name + "\ndata:\n  value: " + value + "\n"
}

func names(objects []*unstructured.Unstructured) (out []string) {
	for _, o := range objects {
		out = append(out, o.GetName())
	}
	return out
}

func TestReadKeepsTheOrderOfFilesAndDocuments(t *testing.T) {
	g := NewWithT(t)
	directory := t.TempDir()
	for name, text := range map[string]string{
		"2.yaml": configMap("c", "x"), "1.yaml": "# nothing but words\n---\n" + configMap("a", "x") + "---\n\n---\n" + configMap("b", "x"),
		"kustomization.yaml": "resources: [1.yaml]\n", "notes.txt": "not YAML: [", "empty.yaml": "",
	} {
		g.Expect(os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600)).To(Succeed())
	}
	objects, err := Read(directory)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(names(objects)).To(Equal([]string{"a", "b", "c"}))
	objects, err = Read(filepath.Join(directory, "2.yaml"), filepath.Join(directory, "1.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(names(objects)).To(Equal([]string{"c", "a", "b"}))
}

func TestReadTellsWhichFileIsWrong(t *testing.T) {
	g := NewWithT(t)
	directory := t.TempDir()
	_, err := Read(filepath.Join(directory, "none.yaml"))
	g.Expect(err).To(MatchError(os.ErrNotExist))
	for _, text := range []string{"a: [", "- a list", "just words"} {
		g.Expect(os.WriteFile(filepath.Join(directory, "wrong.yaml"), []byte(text), 0o600)).To(Succeed())
		_, err = Read(directory)
		g.Expect(err).To(MatchError(ContainSubstring("wrong.yaml: ")), text)
	}
}

func TestApplyMakesAndChanges(t *testing.T) {
	g := NewWithT(t)
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).Build()
	for _, value := range []string{"one", "two", "two"} {
		objects, err := Parse([]byte(configMap("a", value)))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(Apply(t.Context(), c, "test", objects...)).To(Succeed())
		got := objects[0].DeepCopy()
		g.Expect(c.Get(t.Context(), client.ObjectKeyFromObject(got), got)).To(Succeed())
		g.Expect(got.Object).To(HaveKeyWithValue("data", HaveKeyWithValue("value", value)))
	}
}

func TestApplyStopsAtTheFirstFailureAndNamesIt(t *testing.T) {
	g := NewWithT(t)
	refused := errors.New("refused")
	calls := 0
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithInterceptorFuncs(interceptor.Funcs{
		Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
			calls++
			return refused
		},
	}).Build()
	objects, err := Parse([]byte(configMap("a", "x") + "---\n" + configMap("b", "x")))
	g.Expect(err).NotTo(HaveOccurred())
	err = Apply(t.Context(), c, "test", objects...)
	g.Expect(err).To(MatchError(refused))
	g.Expect(err).To(MatchError(ContainSubstring("apply ConfigMap a")))
	g.Expect(calls).To(Equal(1))
}
