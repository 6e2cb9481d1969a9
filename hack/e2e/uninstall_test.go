// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// uninstall ends every credential before the managers go. The CRDs and all resources stay, and nothing else does.
func (l *life) uninstall(t *testing.T) {
	g := NewWithT(t)
	r := l.county
	r.unit.does(t, wire.Order{Do: wire.Find, Code: r.code})
	before := l.objects(t)
	out := l.documented(t, "Uninstall", 0)
	g.Expect(out).To(ContainSubstring(`release "valtuus" uninstalled`))

	answer, err := r.unit.tell(t.Context(), wire.Order{Do: wire.Find, Code: r.code})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.Outcome).NotTo(Equal(wire.Allowed))
	answer, err = r.organizer.tell(t.Context(), wire.Order{Do: wire.Read, Document: r.note})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.Outcome).NotTo(Equal(wire.Allowed), "the organizer's own credential")
	g.Expect(l.Get(t.Context(), r.unitSecret(), &corev1.Secret{})).NotTo(Succeed())
	g.Expect(l.objects(t)).To(Equal(before), "no resource went")
	g.Expect(l.crds(t)).To(HaveLen(8))
	l.nothingInstalled(t)
}

// objects lists the resources of the product, by kind and name.
func (s *suite) objects(t *testing.T) []string {
	t.Helper()
	return strings.Fields(s.must(t, admin, "get", "valtuus", "-A", "-o", "name"))
}

// nothingInstalled looks that of what an installation makes, but for CRDs, nothing is there.
func (s *suite) nothingInstalled(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	g.Eventually(func() (string, error) {
		return s.kubectl(t.Context(), admin, "-n", managerSpace, "get",
			"deployments,replicasets,jobs,services,serviceaccounts,poddisruptionbudgets,networkpolicies,pods,secrets,rolebindings",
			"-o", `jsonpath={range .items[?(@.metadata.name!="default")]}{.kind}/{.metadata.name}{"\n"}{end}`)
	}).Should(BeEmpty())
	left, err := s.installedInCluster(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
}

// installedInCluster lists what an installation makes outside of namespaces. What archives that run have of their own is
// not of the installation, nor what the page has an administrator bind.
func (s *suite) installedInCluster(ctx context.Context) (left []string, err error) {
	out, err := s.kubectl(ctx, admin, "get", "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings", "-o", "name")
	for name := range strings.Lines(out) {
		name = strings.TrimSpace(name)
		if strings.Contains(name, "/valtuus-") && !strings.Contains(name, "/valtuus-archive:") &&
			name != "clusterrolebinding.rbac.authorization.k8s.io/valtuus-platform" {
			left = append(left, name)
		}
	}
	return left, err
}

// comeBack installs with kustomize, and follows the page from there.
func (l *life) comeBack(t *testing.T) {
	g := NewWithT(t)
	l.documented(t, "Install", 1)
	l.allReady(t, managerSpace, managerLabels, 2)
	l.must(t, platform, "apply", "-f", l.sample("20-platform.yaml"))
	l.documented(t, "Coming back", 0)
	l.documented(t, "Coming back", 1)
	for _, name := range []string{"national", "county"} {
		l.must(t, platform, "-n", "platform", "wait", "--for=condition=Ready", "archive/"+name, inTime)
	}
	r := l.county
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=condition=Ready", "registryaccessgrant/"+r.grant(northOID), inTime)
	g.Eventually(func() error { return l.Get(t.Context(), r.unitSecret(), &corev1.Secret{}) }).Should(Succeed())
	l.must(t, admin, "-n", "hoivakoti", "delete", "pod", r.unit.name, inTime)
	r.unit = l.startCaller(t, "hoivakoti", r.unit.name, r.endpoint, r.oid, r.unitSecret().Name)
	r.unit.eventually(t, wire.Allowed, wire.Order{Do: wire.Read, Document: r.note})
}

// leaveNothing ends everything and takes everything away, as the page says for an installation by kustomize.
func (l *life) leaveNothing(t *testing.T) {
	g := NewWithT(t)
	l.documented(t, "Uninstall", 1)
	answer, err := l.county.unit.tell(t.Context(), wire.Order{Do: wire.Read, Document: l.county.note})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.Outcome).NotTo(Equal(wire.Allowed))
	var grants v1alpha1.RegistryAccessGrantList
	g.Expect(l.List(t.Context(), &grants)).To(Succeed())
	for _, grant := range grants.Items {
		g.Expect(grant.Status.Credentials).To(BeEmpty(), grant.Name)
	}
	l.documented(t, "Leave nothing behind", 0)
	g.Expect(l.crds(t)).To(BeEmpty())
	var namespace corev1.Namespace
	g.Expect(client.IgnoreNotFound(l.Get(t.Context(), client.ObjectKey{Name: managerSpace}, &namespace))).To(Succeed())
	left, err := l.installedInCluster(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
}
