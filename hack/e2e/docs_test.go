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
	"testing"
)

// Pages whose commands the suite runs as they stand.
const (
	installPage = "docs/install.md"
	backupPage  = "docs/backup.md"
)

// block is a shell block of a page: the nth under a heading.
func (s *suite) block(page, heading string, nth int) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.root, page))
	if err != nil {
		return "", err
	}
	var block strings.Builder
	under, inside, seen := false, false, -1
	for line := range strings.Lines(string(text)) {
		switch line = strings.TrimSuffix(line, "\n"); {
		case !inside && strings.HasPrefix(line, "#"):
			under = strings.TrimSpace(strings.TrimLeft(line, "#")) == heading
		case under && line == "```sh":
			inside = true
			seen++
		case inside && line == "```":
			inside = false
		case inside && seen == nth:
			block.WriteString(line + "\n")
		}
	}
	if block.Len() == 0 {
		return "", fmt.Errorf("%s has no shell block %d under %q", page, nth, heading)
	}
	return block.String(), nil
}

// documented runs a block of docs/install.md.
func (s *suite) documented(t *testing.T, heading string, nth int) string {
	t.Helper()
	out, err := s.runDocumented(t.Context(), heading, nth)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *suite) runDocumented(ctx context.Context, heading string, nth int) (string, error) {
	return s.runBlock(ctx, installPage, s.root, heading, nth)
}

// runBlock runs a block of a page in a directory.
func (s *suite) runBlock(ctx context.Context, page, dir, heading string, nth int) (string, error) {
	script, err := s.block(page, heading, nth)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	return s.run(ctx, cmd)
}

// wrapHelm puts the commands that the page names into one directory. What users have in a file of values, the suite
// gives to each install and upgrade: the tag that the image of this tree was loaded under. It waits longer than Helm does.
func (s *suite) wrapHelm() error {
	bin := s.file("bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	helm := fmt.Sprintf("#!/bin/sh\ncase \"$1\" in\ninstall|upgrade) exec %q \"$@\" --values %q %s ;;\nesac\nexec %q \"$@\"\n",
		s.helmBin, s.file("values.yaml"), inTime, s.helmBin)
	if err := os.WriteFile(filepath.Join(bin, "helm"), []byte(helm), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(s.kubectlBin, filepath.Join(bin, "kubectl")); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(s.root, "dist", "linux", "valtuus"), filepath.Join(bin, "valtuus")); err != nil {
		return err
	}
	return s.values(s.image)
}

// values writes the file of values.
func (s *suite) values(image string) error {
	repository, tag, _ := cutTag(image)
	return os.WriteFile(s.file("values.yaml"), fmt.Appendf(nil, `
image:
  repository: %s
  tag: %q
manager:
  podLabels:
    team: platform
`, repository, tag), 0o600)
}

func cutTag(image string) (repository, tag string, found bool) {
	at := strings.LastIndex(image, ":")
	if at < strings.LastIndex(image, "/") {
		return image, "", false
	}
	return image[:at], image[at+1:], true
}
