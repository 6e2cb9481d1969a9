// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// The server binaries a suite can ask for.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
)

const modulePath = "github.com/valtuus/valtuus"

// ErrNoAssets says that the server binaries are nowhere to be found.
var ErrNoAssets = errors.New("server binaries not found: run make envtest")

// Assets returns the directory that holds the named binaries (etcd and
// kube-apiserver when none is named): KUBEBUILDER_ASSETS, or else the cache that
// hack/envtest/ensure.sh fills, so that go test and an IDE work without make.
func Assets(binaries ...string) (string, error) {
	if len(binaries) == 0 {
		binaries = []string{Etcd, APIServer}
	}
	var tried []string
	for _, find := range []func() (string, error){assetsFromEnv, assetsFromCache} {
		dir, err := find()
		if err != nil {
			return "", err
		}
		if dir == "" {
			continue
		}
		if holds(dir, binaries) {
			return dir, nil
		}
		tried = append(tried, dir)
	}
	return "", fmt.Errorf("%w (looked for %v in %v)", ErrNoAssets, binaries, tried)
}

func assetsFromEnv() (string, error) { return os.Getenv("KUBEBUILDER_ASSETS"), nil }

// assetsFromCache computes the directory as hack/envtest/ensure.sh does.
func assetsFromCache() (string, error) {
	root, err := ModuleRoot()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, module := range []string{"apiserver", "etcd"} {
		for _, name := range []string{"go.mod", "go.sum"} {
			content, err := os.ReadFile(filepath.Join(root, "hack", "envtest", module, name))
			if err != nil {
				return "", err
			}
			sum.Write(content)
		}
	}
	key := hex.EncodeToString(sum.Sum(nil))[:16] + "-" + runtime.GOOS + "-" + runtime.GOARCH
	cache := os.Getenv("VALTUUS_CACHE")
	if cache == "" {
		base := os.Getenv("XDG_CACHE_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", err
			}
			base = filepath.Join(home, ".cache")
		}
		cache = filepath.Join(base, "valtuus")
	}
	return filepath.Join(cache, "envtest", key), nil
}

func holds(dir string, binaries []string) bool {
	for _, name := range binaries {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

// ModuleRoot walks up from the working directory to this module's go.mod; a test
// runs in its package's directory, the demo wherever it is started.
func ModuleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.Contains(append([]byte("\n"), content...), []byte("\nmodule "+modulePath+"\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod of %s above %s", modulePath, start)
		}
	}
}
