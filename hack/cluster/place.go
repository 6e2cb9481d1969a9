// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What the node calls itself, and its addresses: they exist in the cluster's own network
// namespace only, so they collide with nothing of this machine's.
const (
	nodeName    = "node"
	nodeAddress = "10.123.0.1"
	podRange    = "10.244.0.0/16"
	serviceCIDR = "10.96.0.0/16"
	apiService  = "10.96.0.1"
	dnsService  = "10.96.0.10"
	apiPort     = "6443"
	apiAddress  = nodeAddress + ":" + apiPort
)

// place is where the cluster and what it is made of are kept.
type place struct {
	dir   string // all of the running cluster; gone when it is down
	cache string // binaries and images; stays
	root  string // of the repository
}

// findPlace reads CLUSTER_DIR and VALTUUS_CACHE.
func findPlace() (place, error) {
	cache := os.Getenv("VALTUUS_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return place{}, err
		}
		cache = filepath.Join(base, "valtuus")
	}
	dir := os.Getenv("CLUSTER_DIR")
	if dir == "" {
		dir = filepath.Join(cache, "cluster")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return place{}, err
	}
	if err := usableDir(dir); err != nil {
		return place{}, err
	}
	root, err := repository()
	return place{dir: dir, cache: cache, root: root}, err
}

// usableDir refuses what the node's own view of the file system covers, and what is too
// long for the path of a socket (108 bytes with the longest name that is put into it).
func usableDir(dir string) error {
	for _, covered := range []string{"/run", "/var/run", "/var/lib", "/var/log", "/proc", "/sys", "/dev"} {
		if dir == covered || strings.HasPrefix(dir, covered+"/") {
			return fmt.Errorf("CLUSTER_DIR %s: the node has a %s of its own; choose another directory", dir, covered)
		}
	}
	if strings.Count(dir, "/") < 2 {
		return fmt.Errorf("CLUSTER_DIR %s: it is removed when the cluster goes down; choose a directory further down", dir)
	}
	if len(dir) > 80 {
		return fmt.Errorf("CLUSTER_DIR %s: %d characters; sockets are made in it, so 80 at most", dir, len(dir))
	}
	return nil
}

// repository is the directory with this module's go.mod, from where the command runs.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "hack", "cluster", "modules")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not in the repository", dir)
		}
	}
}

// id tells this cluster from another one of the same machine.
func (p place) id() string {
	sum := sha256.Sum256([]byte(p.dir))
	return "valtuus-" + hex.EncodeToString(sum[:4])
}

func (p place) path(parts ...string) string {
	return filepath.Join(append([]string{p.dir}, parts...)...)
}

// marker is in every directory that up made: down removes no other.
func (p place) marker() string     { return p.path("valtuus-cluster") }
func (p place) kubeconfig() string { return p.path("kubeconfig") }
func (p place) binary(name string) string {
	return p.path("bin", name)
}
func (p place) log(name string) string { return p.path("log", name+".log") }
func (p place) socket() string         { return p.path("run", "containerd.sock") }
