// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// buildImages makes the cluster's own two images, and returns their archives.
func buildImages(ctx context.Context, at place, coredns string) ([]string, error) {
	dir := at.path("images")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	pause := filepath.Join(dir, "pause")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", pause, "./hack/cluster/pause"}
	if err := goCommand(ctx, "pause", at.root, args, "CGO_ENABLED=0"); err != nil {
		return nil, err
	}
	var archives []string
	for _, image := range []struct{ binary, name string }{
		{pause, pauseImage},
		{filepath.Join(coredns, "coredns"), dnsImage},
	} {
		archive := filepath.Join(dir, filepath.Base(image.binary)+".tar")
		args := []string{"run", ".", "-binary", image.binary, "-name", image.name, "-out", archive}
		if err := goCommand(ctx, "image "+image.name, filepath.Join(at.root, "hack", "images"), args); err != nil {
			return nil, err
		}
		archives = append(archives, archive)
	}
	return archives, nil
}

// load gives the running cluster images.
func load(ctx context.Context, at place, archives []string) error {
	if _, found := findNode(at); !found {
		return fmt.Errorf("no cluster runs in %s: start one with make cluster-up, or load %v with the tool of your own", at.dir, archives)
	}
	for _, archive := range archives {
		archive, err := filepath.Abs(archive)
		if err != nil {
			return err
		}
		out, err := exec.CommandContext(ctx, at.binary("ctr"), "--address", at.socket(), "--namespace", "k8s.io",
			"images", "import", archive).CombinedOutput()
		if err != nil {
			return fmt.Errorf("loading %s: %w: %s", archive, err, out)
		}
	}
	return nil
}
