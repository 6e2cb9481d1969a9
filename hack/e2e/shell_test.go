// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// A persona is a user who has only what a role of the chart gives, through a group that docs/install.md binds.
type persona struct{ name, group string }

var (
	admin     = persona{}
	platform  = persona{"pia", "platform-team"}
	organizer = persona{"olli", "pirkanmaa-team"}
	producer  = persona{"paula", "hoivakoti-team"}
)

// kubectl runs kubectl as somebody, and returns what it printed.
func (s *suite) kubectl(ctx context.Context, who persona, args ...string) (string, error) {
	all := []string{"--kubeconfig", s.kubeconfig}
	if who.name != "" {
		all = append(all, "--as", who.name, "--as-group", who.group)
	}
	return s.run(ctx, exec.CommandContext(ctx, s.kubectlBin, append(all, args...)...))
}

// must is kubectl that has to succeed.
func (s *suite) must(t *testing.T, who persona, args ...string) string {
	t.Helper()
	out, err := s.kubectl(t.Context(), who, args...)
	if err != nil {
		t.Fatalf("%s: %v", who.name, err)
	}
	return out
}

// can waits until the API server lets somebody do something: it learns of a role and its binding a moment after they were
// made. The arguments are those of kubectl auth can-i.
func (s *suite) can(t *testing.T, who persona, args ...string) {
	t.Helper()
	NewWithT(t).Eventually(func() error {
		_, err := s.kubectl(t.Context(), who, append([]string{"auth", "can-i"}, args...)...)
		return err
	}).Should(Succeed())
}

// apply applies a manifest as somebody does.
func (s *suite) apply(t *testing.T, who persona, manifest string) {
	t.Helper()
	s.must(t, who, "apply", "-f", s.written(t, manifest))
}

// written puts a manifest into a file. Its path has no comma, which kubectl would take for the end of it.
func (s *suite) written(t *testing.T, manifest string) string {
	t.Helper()
	file, err := os.CreateTemp(s.dir, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(manifest); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// sample is a file of config/samples.
func (s *suite) sample(name string) string { return filepath.Join(s.root, "config", "samples", name) }

// run runs a command in the repository; its error has all that it said.
func (s *suite) run(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if cmd.Dir == "" {
		cmd.Dir = s.root
	}
	cmd.WaitDelay = time.Minute
	if cmd.Env == nil {
		cmd.Env = s.env()
	}
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, out.String(), errs.String())
	}
	return out.String(), nil
}

// env is the environment of somebody who administers the cluster.
func (s *suite) env() []string {
	path := strings.Join([]string{s.file("bin"), os.Getenv("PATH")}, string(os.PathListSeparator))
	return append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "PATH="+path)
}

// goRun runs a program of the repository.
func (s *suite) goRun(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"run"}, args...)...)
	cmd.Dir = filepath.Join(s.root, dir)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	return s.run(ctx, cmd)
}
