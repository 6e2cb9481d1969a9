// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fill gives a manifest of testdata with the suite's card authority in it.
func (s *suite) fill(t *testing.T, name string, more map[string]string) string {
	t.Helper()
	indent := func(n int, text string) string {
		pad := strings.Repeat(" ", n)
		return pad + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+pad)
	}
	parsed, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{"indent": indent}).
		ParseFiles(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]string{"Anchors": string(s.cards.AnchorsPEM())}
	for key, value := range more {
		data[key] = value
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, data); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// databaseSecret holds a URI, as an operator of databases makes it.
func (s *suite) databaseSecret(t *testing.T, name, uri string) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: name}, StringData: map[string]string{"uri": uri}}
	NewWithT(t).Expect(s.Create(t.Context(), secret)).To(Succeed())
}

// onboarding is what differs between the stories.
type onboarding struct {
	// database is that of the second archive; lifetime, in seconds, that of the first one's credentials, if not the usual.
	database, lifetime string
}

// onboard has three people apply what is theirs.
func (l *life) onboard(t *testing.T, with onboarding) {
	t.Helper()
	l.can(t, platform, "create", "archives.valtuus.io", "-n", "platform")
	l.can(t, organizer, "create", "registries.valtuus.io", "-n", "pirkanmaa")
	l.can(t, producer, "create", "producerunits.valtuus.io", "-n", "hoivakoti")
	l.databaseSecret(t, "county-database", l.database.of(with.database))
	l.must(t, platform, "apply", "-f", l.sample("20-platform.yaml"))
	l.apply(t, platform, l.fill(t, "archives.yaml", map[string]string{"Lifetime": with.lifetime}))
	l.must(t, organizer, "apply", "-f", l.sample("40-organizer.yaml"))
	l.must(t, organizer, "apply", "-f", filepath.Join("hack", "e2e", "testdata", "county.yaml"))
	l.must(t, producer, "apply", "-f", l.sample("50-producer.yaml"))
}

// othersAreRefused tries what each role must not be able to do.
func (l *life) othersAreRefused(t *testing.T) {
	grant := l.written(t, `{apiVersion: valtuus.io/v1alpha1, kind: RegistryAccessGrant, metadata: {namespace: pirkanmaa, name: mine},
		spec: {registryRef: {name: clients}, producerUnit: 1.2.246.10.99999999.10.1, extent: Basic}}`)
	evil := l.written(t, `{apiVersion: valtuus.io/v1alpha1, kind: Organization, metadata: {name: mine}, spec: {
		oid: 1.2.246.10.88888888.10.0, displayName: {fi: Minun}, sector: Private, joining: {mode: Direct, joinedAt: "2025-03-01T00:00:00Z"},
		registeredFor: [Social], namespaces: [hoivakoti]}}`)
	code := l.written(t, `{apiVersion: valtuus.io/v1alpha1, kind: ProducerUnit, metadata: {namespace: hoivakoti, name: coded,
		labels: {person: 010190-999W}}, spec: {oid: 1.2.246.10.99999999.10.2, organization: 1.2.246.10.99999999.10.0,
		clientSystem: hoiva-system, serviceTasks: [elderly], acceptFrom: [1.2.246.10.32213086.10.0], credential: {delivery: Secret}}}`)
	status := `{"status":{"observedGeneration":99}}`
	for _, try := range []struct {
		who  persona
		says string
		args []string
	}{
		{producer, "cannot", []string{"apply", "-f", grant}},
		{producer, "cannot", []string{"apply", "-f", evil}},
		{producer, "cannot", []string{"-n", "hoivakoti", "get", "secrets"}},
		{producer, "cannot", []string{"-n", "pirkanmaa", "get", "servicerelationships"}},
		{producer, "cannot", []string{"-n", "platform", "get", "archives"}},
		{producer, "valtuus-no-identity-codes", []string{"apply", "-f", code}},
		{organizer, "cannot", []string{"apply", "-f", evil}},
		{organizer, "cannot", []string{"apply", "-f", l.sample("50-producer.yaml")}},
		{organizer, "cannot", []string{"-n", "pirkanmaa", "get", "secrets"}},
		{organizer, "cannot", []string{"-n", "pirkanmaa", "patch", "registry", "clients", "--subresource=status", "--type=merge", "-p", status}},
		{organizer, "cannot", []string{"-n", "platform", "delete", "archive", "national"}},
		{platform, "cannot", []string{"apply", "-f", grant}},
		{platform, "cannot", []string{"-n", "platform", "get", "secrets"}},
		{platform, "cannot", []string{"-n", "hoivakoti", "delete", "producerunit", "pohjoinen"}},
	} {
		_, err := l.kubectl(t.Context(), try.who, try.args...)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(try.says)),
			"%s: kubectl %s", try.who.name, strings.Join(try.args, " "))
	}

	// A role that is too wide does not do: what needs the requester's identity is asked by admission policies.
	l.apply(t, admin, `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: pirkanmaa, name: too-wide}
rules: [{apiGroups: [valtuus.io], resources: ["*"], verbs: [create, delete, get, list, patch, update, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: pirkanmaa, name: too-wide}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: too-wide}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: hoivakoti-team}]
`)
	for says, args := range map[string][]string{
		"valtuus-grants": {"apply", "-f", grant},
		"valtuus-status": {"-n", "pirkanmaa", "patch", "registry", "clients", "--subresource=status", "--type=merge", "-p", status},
	} {
		NewWithT(t).Eventually(func() error {
			_, err := l.kubectl(t.Context(), producer, args...)
			return err
		}).Should(MatchError(ContainSubstring(says)), strings.Join(args, " "))
	}
	l.must(t, admin, "-n", "pirkanmaa", "delete", "role/too-wide", "rolebinding/too-wide")

	// Pods that are less than restricted are not let in where archives and client systems run.
	for _, ns := range namespaces {
		_, err := l.kubectl(t.Context(), admin, "-n", ns, "run", "root", "--image", callerImage, "--dry-run=server")
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("violates PodSecurity")), ns)
	}
}
