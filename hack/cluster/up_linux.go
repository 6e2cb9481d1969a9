// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// up starts the cluster and waits until it can be used; where it runs already, it only waits.
func up(ctx context.Context, at place) error {
	if answering(ctx, at) {
		return nil
	}
	if os.Geteuid() != 0 {
		return errors.New("a node is run by root; or point KUBECONFIG at a cluster of your own")
	}
	unlock, err := lock(at)
	if err != nil {
		return err
	}
	defer unlock()
	started := time.Now()
	if _, running := findNode(at); running {
		say("running already, in %s", at.dir)
	} else if err := start(ctx, at); err != nil {
		return err
	}
	if err := waitReady(ctx, at); err != nil {
		return fmt.Errorf("%w (logs: %s)", err, at.path("log"))
	}
	say("ready in %.0f s; use it with\n\n  export KUBECONFIG=%s PATH=%s:$PATH\n", time.Since(started).Seconds(), at.kubeconfig(), at.path("bin"))
	return nil
}

// start makes all that the node needs, and the node.
func start(ctx context.Context, at place) error {
	left, err := remains(at)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		say("removing what an earlier cluster left")
		if err := takeDown(at); err != nil {
			return err
		}
	}
	if err := installMissing(ctx, toRun); err != nil {
		return err
	}
	dirs, err := ensureBinaries(ctx, at)
	if err != nil {
		return err
	}
	if err := prepare(at, dirs); err != nil {
		return err
	}
	if _, err := buildImages(ctx, at, filepath.Dir(mustLink(at, "coredns"))); err != nil {
		return err
	}
	say("starting the node")
	return begin(ctx, at)
}

// ensureBinaries returns the directories that together hold all binaries.
func ensureBinaries(ctx context.Context, at place) ([]string, error) {
	servers := exec.CommandContext(ctx, filepath.Join(at.root, "hack", "envtest", "ensure.sh"), "etcd", "kube-apiserver", "kube-controller-manager")
	servers.Stderr = os.Stderr
	// Servers of another version would not fit the kubelet.
	servers.Env = append(withoutVariable(os.Environ(), "KUBEBUILDER_ASSETS"), "VALTUUS_CACHE="+at.cache)
	out, err := servers.Output()
	if err != nil {
		return nil, fmt.Errorf("the servers of hack/envtest: %w", err)
	}
	dirs := []string{strings.TrimSpace(string(out))}
	for _, m := range modules {
		if m.cgo && !m.built(at) {
			if err := installMissing(ctx, toBuild); err != nil {
				return nil, err
			}
		}
		dir, err := m.ensure(ctx, at)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func withoutVariable(environment []string, name string) []string {
	var kept []string
	for _, variable := range environment {
		if !strings.HasPrefix(variable, name+"=") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// prepare fills the cluster's directory.
func prepare(at place, binaries []string) error {
	for _, dir := range []string{"", "bin", "log", "run", "tmp"} {
		if err := os.MkdirAll(at.path(dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(at.marker(), []byte("cluster-down removes this directory.\n"), 0o644); err != nil {
		return err
	}
	for _, dir := range binaries {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), ".") { // a lock, or a build at work
				continue
			}
			if err := os.Symlink(filepath.Join(dir, entry.Name()), at.binary(entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := writePKI(at); err != nil {
		return err
	}
	return writeConfigs(at, settingsOf(at, snapshotter(at.dir)))
}

// mustLink is what one of the links in bin leads to.
func mustLink(at place, name string) string {
	target, err := os.Readlink(at.binary(name))
	if err != nil { // prepare made it a moment ago
		panic(err)
	}
	return target
}

// snapshotter is how images are unpacked: in layers that the kernel puts together, but
// by copying where the directory is such a combination itself, as in a container.
func snapshotter(dir string) string {
	const overlay = 0x794c7630
	var about syscall.Statfs_t
	if err := syscall.Statfs(dir, &about); err == nil && about.Type == overlay {
		return "native"
	}
	return "overlayfs"
}

// begin opens the listener on the loopback, and launches the node with it.
func begin(ctx context.Context, at place) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	if err := writeKubeconfigs(at, listener.Addr().String()); err != nil {
		return err
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "launch")
	cmd.Env = append(os.Environ(), "CLUSTER_DIR="+at.dir, "VALTUUS_CACHE="+at.cache)
	cmd.ExtraFiles = []*os.File{file}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("launching the node: %w: %s", err, out)
	}
	return nil
}
