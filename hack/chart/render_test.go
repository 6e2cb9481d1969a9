// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/valtuus/valtuus/internal/manifests"
)

const (
	chartDir  = "../../charts/valtuus"
	configDir = "../../config"
	namespace = "valtuus-system"
)

// values reads a values file of a user.
func values(t testing.TB, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// tryRender renders the chart as helm template does, schema included.
func tryRender(t testing.TB, in map[string]any) ([]*unstructured.Unstructured, error) {
	t.Helper()
	return tryRenderIn(t, namespace, in)
}

// tryRenderIn renders it for a namespace.
func tryRenderIn(t testing.TB, namespace string, in map[string]any) ([]*unstructured.Unstructured, error) {
	t.Helper()
	chart, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := util.ToRenderValues(chart, in, common.ReleaseOptions{
		Name: "valtuus", Namespace: namespace, Revision: 1, IsInstall: true,
	}, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		found, err := manifests.Parse([]byte(files[name]))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, files[name])
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

func render(t testing.TB, text string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := tryRender(t, values(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// idOf names an object among all.
func idOf(o *unstructured.Unstructured) string {
	return strings.Join([]string{o.GetKind(), o.GetNamespace(), o.GetName()}, "/")
}

func byID(t testing.TB, objects []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	t.Helper()
	out := map[string]*unstructured.Unstructured{}
	for _, o := range objects {
		if out[idOf(o)] != nil {
			t.Errorf("%s is there twice", idOf(o))
		}
		out[idOf(o)] = o
	}
	return out
}

func ids(objects []*unstructured.Unstructured, kind string) (out []string) {
	for _, o := range objects {
		if kind == "" || o.GetKind() == kind {
			out = append(out, idOf(o))
		}
	}
	slices.Sort(out)
	return out
}

// at reads a field by its path; nil when there is none.
func at(o *unstructured.Unstructured, path ...string) any {
	value, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return value
}
