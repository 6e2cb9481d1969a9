// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux && cluster

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cluster is one that runs, and the commands that a person would type.
type cluster struct {
	t  *testing.T
	at place
}

func running(t *testing.T) cluster {
	t.Helper()
	at, err := findPlace()
	if err != nil {
		t.Fatal(err)
	}
	if _, found := findNode(at); !found {
		t.Fatalf("no cluster runs in %s: make cluster-up", at.dir)
	}
	return cluster{t, at}
}

func (c cluster) kubectl(args ...string) string {
	c.t.Helper()
	return c.do(exec.CommandContext(c.t.Context(), c.at.binary("kubectl"), append([]string{"--kubeconfig", c.at.kubeconfig()}, args...)...))
}

func (c cluster) do(cmd *exec.Cmd) string {
	c.t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// image makes an image of a binary and returns its digest.
func (c cluster) image(binary, name, out string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "go", "run", ".", "-binary", binary, "-name", name, "-out", out)
	cmd.Dir = filepath.Join(c.at.root, "hack", "images")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	text, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("image %s: %v", name, err)
	}
	return strings.TrimSpace(string(text))
}

// volumes proves that a pod that is not root writes into its volume, and that the volume
// grows, and goes with its claim.
func (c cluster) volumes() {
	c.t.Helper()
	c.kubectl("-n", "smoke", "exec", "first", "--", "/echo", "write", "/data/text", "kept")
	name := c.kubectl("-n", "smoke", "get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")
	file := c.at.path("volumes", name, "text")
	if text, err := os.ReadFile(file); err != nil || string(text) != "kept" {
		c.t.Errorf("%s: %q, %v", file, text, err)
	}
	c.kubectl("-n", "smoke", "patch", "pvc", "data", "-p", `{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}`)
	c.kubectl("-n", "smoke", "wait", "--for=jsonpath={.status.capacity.storage}=2Gi", "pvc/data", "--timeout=10m")
	c.kubectl("-n", "smoke", "delete", "pod/first", "pvc/data", "--timeout=10m")
	c.kubectl("wait", "--for=delete", "pv/"+name, "--timeout=10m")
	if _, err := os.Stat(filepath.Dir(file)); err == nil {
		c.t.Errorf("%s is still there", filepath.Dir(file))
	}
}

func TestTwoPodsAnswerEachOtherThroughAService(t *testing.T) {
	c, dir := running(t), t.TempDir()
	product := os.Getenv("VALTUUS_IMAGE")
	if product == "" {
		t.Fatal("VALTUUS_IMAGE does not name the image that make images loaded: make cluster-test")
	}
	binary, archive := filepath.Join(dir, "echo"), filepath.Join(dir, "echo.tar")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "./hack/cluster/echo")
	build.Dir, build.Env = c.at.root, append(os.Environ(), "CGO_ENABLED=0")
	c.do(build)
	c.image(binary, "localhost/valtuus/echo:1", archive)
	if err := load(t.Context(), c.at, []string{archive}); err != nil {
		t.Fatal(err)
	}

	text, err := os.ReadFile("testdata/smoke.yaml")
	if err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, "smoke.yaml")
	if err := os.WriteFile(manifest, []byte(strings.ReplaceAll(string(text), "VALTUUS_IMAGE", product)), 0o600); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	c.kubectl("apply", "-f", manifest)
	t.Cleanup(func() {
		out, err := exec.Command(c.at.binary("kubectl"), "--kubeconfig", c.at.kubeconfig(), "delete", "namespace", "smoke", "--timeout=10m").CombinedOutput()
		if err != nil {
			t.Errorf("the namespace: %v %s", err, out)
		}
	})
	c.kubectl("-n", "smoke", "wait", "--for=condition=Ready", "pod/first", "pod/second", "--timeout=10m")
	t.Logf("two pods ready after %.1f s", time.Since(started).Seconds())

	address := c.kubectl("-n", "smoke", "get", "service", "echo", "-o", "jsonpath={.spec.clusterIP}")
	for _, from := range []string{"first", "second"} {
		for _, url := range []string{"http://" + address, "http://echo", "http://echo.smoke.svc.cluster.local"} {
			t.Log(from, url, c.kubectl("-n", "smoke", "exec", from, "--", "/echo", "call", url, "first", "second"))
		}
	}
	if log := c.kubectl("-n", "smoke", "logs", "first"); !strings.Contains(log, "asked by 10.244.") {
		t.Errorf("the log does not tell who asked: %s", log)
	}
	c.volumes()
	c.kubectl("-n", "smoke", "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/product", "--timeout=10m")
	t.Log(c.kubectl("-n", "smoke", "logs", "product"))
	t.Log(c.do(exec.CommandContext(t.Context(), "go", "run", ".", "exec", binary, "call", "http://"+address, "second")))
}
