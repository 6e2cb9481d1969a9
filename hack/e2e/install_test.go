// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// runHelm runs Helm, without the suite's values.
func (s *suite) runHelm(ctx context.Context, args ...string) (string, error) {
	return s.run(ctx, exec.CommandContext(ctx, s.helmBin, args...))
}

func (l *life) install(t *testing.T) {
	g := NewWithT(t)
	_, err := l.runHelm(t.Context(), "install", "valtuus", "charts/valtuus", "--namespace", managerSpace, "--set", "manager.replicas=many")
	g.Expect(err).To(MatchError(ContainSubstring("got string, want integer")), "a value of the wrong type")
	g.Expect(l.Get(t.Context(), client.ObjectKey{Namespace: managerSpace, Name: "valtuus-manager"}, &appsv1.Deployment{})).NotTo(Succeed())

	l.installed = time.Now()
	l.documented(t, "Install", 0)
	l.report.say("helm install --wait", time.Since(l.installed).Seconds(), "s", "")
	l.allReady(t, managerSpace, managerLabels, 2)
	l.documented(t, "Who may do what", 0)
}

// crds are the names of the product's resource definitions.
func (s *suite) crds(t *testing.T) (names []string) {
	t.Helper()
	for line := range strings.Lines(s.must(t, admin, "get", "customresourcedefinitions", "-o", "name")) {
		if name := strings.TrimSpace(line); strings.HasSuffix(name, ".valtuus.io") {
			names = append(names, name)
		}
	}
	return names
}
