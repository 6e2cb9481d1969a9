// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Images beside the one that make images built.
const callerImage = "localhost/valtuus/e2e-caller:1"

// defaultImage is what the manifests of this tree name: its version, which is not always published yet.
func (s *suite) defaultImage(ctx context.Context) (string, error) {
	version, err := s.appVersion(ctx, "charts/valtuus")
	repository, _, _ := cutTag(s.image)
	return repository + ":" + version, err
}

// appVersion is that of a chart.
func (s *suite) appVersion(ctx context.Context, chart string) (string, error) {
	out, err := s.runHelm(ctx, "show", "chart", chart)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if version, ok := strings.CutPrefix(line, "appVersion: "); ok {
			return strings.Trim(strings.TrimSpace(version), `"`), nil
		}
	}
	return "", fmt.Errorf("chart %s has no appVersion", chart)
}

// nextImage is the same program under another name: what a roll-out goes to.
func (s *suite) nextImage() string { return s.image + "-next" }

// makeImages gives the cluster the image of this tree under the names that it is asked for by, and the client system.
func (s *suite) makeImages(ctx context.Context) error {
	caller := s.file("caller")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", caller, "./hack/e2e/caller")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if _, err := s.run(ctx, build); err != nil {
		return err
	}
	byDefault, err := s.defaultImage(ctx)
	if err != nil {
		return err
	}
	product := filepath.Join(s.root, "dist", "linux", "valtuus")
	for name, binary := range map[string]string{s.image: product, s.nextImage(): product, byDefault: product, callerImage: caller} {
		if err := s.loadImage(ctx, name, binary); err != nil {
			return err
		}
	}
	return nil
}

// loadImage makes an image of a static program and gives it to the cluster, with the command LOAD.
func (s *suite) loadImage(ctx context.Context, name, binary string) error {
	archive := s.file(filepath.Base(strings.ReplaceAll(name, ":", "-")) + ".tar")
	if _, err := s.goRun(ctx, "hack/images", ".", "-binary", binary, "-name", name, "-out", archive); err != nil {
		return err
	}
	load := exec.CommandContext(ctx, "bash", "-euc", os.Getenv("LOAD")+` "$1"`, "load", archive)
	if _, err := s.run(ctx, load); err != nil {
		return err
	}
	return os.Remove(archive)
}
