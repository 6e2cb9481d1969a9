// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux && cluster

package main

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is what of this machine a cluster could change, as text: name to content.
type machine map[string]string

func look(t *testing.T) machine {
	t.Helper()
	seen := machine{}
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		addresses, _ := link.Addrs()
		seen["link "+link.Name] = fmt.Sprint(link.Flags, addresses)
	}
	tables, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	seen["firewall"] = string(tables)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		seen["mount "+fields[4]] = strings.Join(fields[2:6], " ")
	}
	for _, name := range []string{
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
		"net/ipv4/ip_forward", "net/netfilter/nf_conntrack_max", "net/bridge/bridge-nf-call-iptables", "kernel/hostname",
	} {
		value, _ := os.ReadFile("/proc/sys/" + name)
		seen["setting "+name] = string(value)
	}
	for _, pattern := range []string{"/etc/*", "/opt/*", "/run/*", "/var/lib/*", "/var/log/*", "/usr/libexec/*", "/sys/fs/cgroup/*/valtuus-*", "/sys/fs/cgroup/*/kubepods*", "/sys/fs/cgroup/valtuus-*"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			seen["file "+path] = "there"
		}
	}
	return seen
}

func (m machine) differs(later machine) []string {
	names := slices.Collect(maps.Keys(m))
	for name := range later {
		if _, known := m[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var found []string
	for _, name := range names {
		if m[name] != later[name] {
			found = append(found, fmt.Sprintf("%s: %q, was %q", name, later[name], m[name]))
		}
	}
	return found
}

// A place of its own, beside a cluster that may be running in the usual one.
func ownPlace(t *testing.T) place {
	t.Helper()
	at, err := findPlace()
	if err != nil {
		t.Fatal(err)
	}
	parent, err := os.MkdirTemp("", "valtuus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(parent) })
	at.dir = filepath.Join(parent, "cluster")
	return at
}

// command is the program itself with another directory.
func (p place) command(t *testing.T, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(withoutVariable(os.Environ(), "KUBECONFIG"), "CLUSTER_DIR="+p.dir, "VALTUUS_CACHE="+p.cache)
	return cmd
}

func program(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "cluster")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// foreign are processes in a network that is not this machine's, by their command lines.
func foreign() map[int]string {
	found := map[int]string{}
	for _, pid := range allProcesses() {
		if slices.ContainsFunc(namespacesOf(pid), func(n string) bool { return strings.HasPrefix(n, "net:") }) {
			found[pid] = commandLine(pid)
		}
	}
	return found
}

func TestDownLeavesNothingBehind(t *testing.T) {
	at, cluster, before, others := ownPlace(t), program(t), look(t), foreign()
	t.Cleanup(func() { _ = takeDown(at) })
	for _, args := range [][]string{{"up"}, {"up"}} { // the second finds it running
		if out, err := at.command(t, cluster, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	if changed := before.differs(look(t)); len(changed) > 0 {
		for _, change := range changed {
			if !strings.HasPrefix(change, "file /sys/fs/cgroup/") {
				t.Errorf("a running cluster changes its machine: %s", change)
			}
		}
	}
	out, err := at.command(t, cluster, "down", "-check").CombinedOutput()
	if err == nil {
		t.Errorf("-check does not see a running cluster: %s", out)
	}
	if out, err := at.command(t, cluster, "down").CombinedOutput(); err != nil {
		t.Fatalf("down: %v\n%s", err, out)
	}
	nothingLeft(t, at, cluster, before, others)
}

func TestDownCleansUpAfterACrashInTheMiddleOfUp(t *testing.T) {
	cluster := program(t)
	for _, crash := range []struct {
		said string // of up, after which it is killed
		wait time.Duration
	}{
		{"pause: built", 0},
		{"starting the node", 0},
		{"starting the node", 20 * time.Millisecond},
		{"starting the node", 80 * time.Millisecond},
		{"starting the node", 300 * time.Millisecond},
		{"starting the node", time.Second},
		{"the container runtime: after", 0},
		{"the API server: after", 0},
		{"the service account of pods: after", 0},
		{"the name service: after", 300 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(crash.said, " ", crash.wait), func(t *testing.T) {
			at, before, others := ownPlace(t), look(t), foreign()
			t.Cleanup(func() { _ = takeDown(at) })
			killedAfter(t, at.command(t, cluster, "up"), crash.said, crash.wait)
			_, found := findNode(at)
			t.Log("the node runs:", found)
			if out, err := at.command(t, cluster, "down").CombinedOutput(); err != nil {
				t.Fatalf("down: %v\n%s", err, out)
			}
			nothingLeft(t, at, cluster, before, others)
		})
	}
}

// killedAfter starts a command and kills it, and all that it has started itself, a
// moment after it has said something.
func killedAfter(t *testing.T, cmd *exec.Cmd, said string, wait time.Duration) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	heard := false
	for lines := bufio.NewScanner(out); !heard && lines.Scan(); {
		heard = strings.Contains(lines.Text(), said)
	}
	time.Sleep(wait)
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = cmd.Wait()
	if !heard {
		t.Fatalf("it never said %q", said)
	}
}

func TestDownCleansUpAfterTheNodeWasKilled(t *testing.T) {
	at, cluster, before, others := ownPlace(t), program(t), look(t), foreign()
	t.Cleanup(func() { _ = takeDown(at) })
	if out, err := at.command(t, cluster, "up").CombinedOutput(); err != nil {
		t.Fatalf("up: %v\n%s", err, out)
	}
	pid, found := findNode(at)
	if !found {
		t.Fatal("no node")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if out, err := at.command(t, cluster, "down").CombinedOutput(); err != nil {
		t.Fatalf("down: %v\n%s", err, out)
	}
	nothingLeft(t, at, cluster, before, others)
}

func nothingLeft(t *testing.T, at place, cluster string, before machine, others map[int]string) {
	t.Helper()
	if out, err := at.command(t, cluster, "down", "-check").CombinedOutput(); err != nil {
		t.Errorf("-check: %v\n%s", err, out)
	}
	for _, change := range before.differs(look(t)) {
		t.Errorf("left behind: %s", change)
	}
	for pid, line := range foreign() {
		if _, known := others[pid]; !known && strings.Contains(line, at.dir) {
			t.Errorf("left behind: process %d: %s", pid, line)
		}
	}
	if _, err := os.Stat(at.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", at.dir)
	}
}
