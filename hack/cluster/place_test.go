// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestDirectoriesThatCannotHoldAClusterAreRefused(t *testing.T) {
	for dir, usable := range map[string]bool{
		"/root/.cache/valtuus/cluster":       true,
		"/tmp/valtuus1/cluster":              true,
		"/var/library/cluster":               true,
		"/":                                  false,
		"/home":                              false,
		"/var/lib/cluster":                   false,
		"/run/cluster":                       false,
		"/var/log":                           false,
		"/dev/shm/cluster":                   false,
		"/tmp/" + strings.Repeat("long", 20): false,
	} {
		if err := usableDir(dir); (err == nil) != usable {
			t.Errorf("%s: %v, want usable %v", dir, err, usable)
		}
	}
}

func TestEachDirectoryIsAClusterOfItsOwn(t *testing.T) {
	one, two := place{dir: "/a/b"}, place{dir: "/a/c"}
	if one.id() == two.id() || one.id() != (place{dir: "/a/b"}).id() {
		t.Error(one.id(), two.id())
	}
}

func TestAllConfigurationFilesCanBeFilledAndParsed(t *testing.T) {
	with := settingsOf(place{dir: "/x y"}, "overlayfs")
	for _, name := range []string{"kubelet.yaml", "kube-proxy.yaml", "dns.yaml", "storage.yaml", "pods.conflist", "containerd.toml"} {
		text, err := fill(name, with)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(string(text), "<no value>") || strings.Contains(string(text), "{{") {
			t.Errorf("%s: %s", name, text)
		}
		if strings.HasSuffix(name, ".toml") {
			continue
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			var object map[string]any
			if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestAVersionIsReadFromAModuleFile(t *testing.T) {
	const mod = "module x\n\nrequire a.example/one v1.2.3\n\nrequire (\n\tb.example/two v0.4.5 // indirect\n)\n"
	for path, want := range map[string]string{"a.example/one": "1.2.3", "b.example/two": "0.4.5", "b.example/tw": ""} {
		if got, err := versionIn(mod, path); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if got := versionFlags("-X a=vVERSION -X b=MAJOR -X c=MINOR", "1.36.3"); got != "-X a=v1.36.3 -X b=1 -X c=36" {
		t.Error(got)
	}
}

// All modules are there, and name what their binaries are built from.
func TestEveryModuleHasAVersionForItsBinaries(t *testing.T) {
	for _, m := range modules {
		text := read(t, "hack/cluster/modules/"+m.name+"/go.mod")
		if _, err := versionIn(text, m.of); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		for _, p := range m.packages {
			if p != "." && !strings.Contains(text, "\t"+p+"\n") && !strings.Contains(text, "tool "+p+"\n") {
				t.Errorf("%s: %s is not a tool of its go.mod", m.name, p)
			}
		}
	}
	// The kubelet must not be newer than the API server.
	kubelet, _ := versionIn(read(t, "hack/cluster/modules/kubernetes/go.mod"), "k8s.io/kubernetes")
	server, _ := versionIn(read(t, "hack/envtest/apiserver/go.mod"), "k8s.io/kubernetes")
	if kubelet != server {
		t.Errorf("kubelet %s, API server %s", kubelet, server)
	}
}
