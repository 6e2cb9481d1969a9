// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// module is a Go module of hack/cluster/modules, and what is built from it.
type module struct {
	name     string
	packages []string
	tags     string
	cgo      bool
	versions string // -X settings, with VERSION for the version of the module
	of       string // path of the module that has that version
}

var modules = []module{
	{
		name: "kubernetes", of: "k8s.io/kubernetes",
		packages: []string{
			"k8s.io/kubernetes/cmd/kube-proxy", "k8s.io/kubernetes/cmd/kube-scheduler",
			"k8s.io/kubernetes/cmd/kubectl", "k8s.io/kubernetes/cmd/kubelet",
		},
		versions: "-X k8s.io/component-base/version.gitVersion=vVERSION -X k8s.io/component-base/version.gitMajor=MAJOR -X k8s.io/component-base/version.gitMinor=MINOR",
	},
	{
		name: "containerd", of: "github.com/containerd/containerd/v2",
		packages: []string{
			"github.com/containerd/containerd/v2/cmd/containerd", "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
			"github.com/containerd/containerd/v2/cmd/ctr",
		},
		versions: "-X github.com/containerd/containerd/v2/version.Version=VERSION",
	},
	{
		name: "cni", of: "github.com/containernetworking/plugins",
		packages: []string{
			"github.com/containernetworking/plugins/plugins/ipam/host-local",
			"github.com/containernetworking/plugins/plugins/main/loopback", "github.com/containernetworking/plugins/plugins/main/ptp",
		},
	},
	{name: "coredns", of: "github.com/coredns/coredns", packages: []string{"."}},
	{
		name: "runc", of: "github.com/opencontainers/runc", packages: []string{"github.com/opencontainers/runc"},
		tags: "seccomp", cgo: true, versions: "-X main.version=VERSION",
	},
}

// binaries are the names of what the module gives.
func (m module) binaries() []string {
	names := make([]string, 0, len(m.packages))
	for _, p := range m.packages {
		if p == "." {
			p = m.name
		}
		names = append(names, filepath.Base(p))
	}
	return names
}

func (m module) source(at place) string {
	return filepath.Join(at.root, "hack", "cluster", "modules", m.name)
}

// dir is where the cache has the binaries: one for each state of the module's files.
func (m module) dir(at place) (string, error) {
	key, err := keyOf(m.source(at))
	return filepath.Join(at.cache, "cluster-bin", m.name+"-"+key+"-"+runtime.GOARCH), err
}

func (m module) built(at place) bool {
	dir, err := m.dir(at)
	return err == nil && holds(dir, m.binaries())
}

// ensure builds the module where the cache lacks it, and returns the directory with it.
func (m module) ensure(ctx context.Context, at place) (string, error) {
	dir, err := m.dir(at)
	if err != nil {
		return "", err
	}
	if holds(dir, m.binaries()) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".build-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	say("building %s from the Go module %s; first time only", strings.Join(m.binaries(), ", "), m.of)
	if err := m.build(ctx, m.source(at), work); err != nil {
		return "", fmt.Errorf("building %s: %w", m.name, err)
	}
	// A rename: a directory that exists is complete. Another build may have been faster.
	if err := os.Rename(work, dir); err != nil && !holds(dir, m.binaries()) {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// build writes the binaries into the directory, and tells from time to time that it still does.
func (m module) build(ctx context.Context, source, into string) error {
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	version, err := versionIn(string(mod), m.of)
	if err != nil {
		return err
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w " + versionFlags(m.versions, version)}
	if m.tags != "" {
		args = append(args, "-tags", m.tags)
	}
	args = append(append(args, "-o", into+string(filepath.Separator)), m.packages...)
	cgo := "CGO_ENABLED=0"
	if m.cgo {
		cgo = "CGO_ENABLED=1"
	}
	return goCommand(ctx, m.name, source, args, cgo)
}

// goCommand runs go in a directory, for this machine, and says every 20 s that it does.
func goCommand(ctx context.Context, what, dir string, args []string, env ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -mod=readonly"), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH), env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return err
	}
	started, done := time.Now(), make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	beat := time.NewTicker(20 * time.Second)
	defer beat.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return errors.Join(err, errors.New(output.String()))
			}
			say("%s: built in %.0f s", what, time.Since(started).Seconds())
			return nil
		case <-beat.C:
			say("%s: %.0f s", what, time.Since(started).Seconds())
		}
	}
}

// keyOf changes when one of the module's own files does.
func keyOf(source string) (string, error) {
	sum := sha256.New()
	own, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return "", err
	}
	for _, name := range append([]string{filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum")}, own...) {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// versionIn is the version, without its v, of a dependency in a go.mod.
func versionIn(mod, path string) (string, error) {
	for line := range strings.Lines(mod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == path && strings.HasPrefix(fields[1], "v") {
			return fields[1][1:], nil
		}
	}
	return "", fmt.Errorf("no version of %s in its go.mod", path)
}

func versionFlags(text, version string) string {
	parts := append(strings.SplitN(version, ".", 3), "", "")
	return strings.NewReplacer("VERSION", version, "MAJOR", parts[0], "MINOR", parts[1]).Replace(text)
}

func holds(dir string, names []string) bool {
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}
