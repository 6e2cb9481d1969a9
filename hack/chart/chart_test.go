// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// everything turns on all that can be.
const everything = `
image: {repository: registry.example/valtuus, digest: "sha256:` + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + `"}
imagePullSecrets: [{name: pull}]
manager:
  replicas: 3
  concurrency: 8
  verbosity: 2
  podLabels: {team: care, app.kubernetes.io/component: other}
  podAnnotations: {note: here}
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: dedicated, operator: Exists}]
  affinity: {nodeAffinity: {}}
  priorityClassName: system-cluster-critical
serviceAccount: {annotations: {role: x}}
scope: {namespaces: [pirkanmaa, hoivakoti, platform]}
networkPolicy: {metricsFrom: [{namespaceSelector: {matchLabels: {name: monitoring}}}], apiServerPorts: [8443]}
monitoring:
  serviceMonitor: {enabled: true, interval: 10s, labels: {release: prometheus}}
  podMonitor: {enabled: true, interval: 10s, labels: {release: prometheus}}
  prometheusRule: {enabled: true, labels: {release: prometheus}}
  dashboard: {enabled: true}
`

// little turns off all that can be.
const little = `
crds: {enabled: false}
manager: {replicas: 1, resources: {}}
roles: {personas: false}
admission: {enabled: false}
revoke: {enabled: false}
networkPolicy: {enabled: false}
`

func TestLint(t *testing.T) {
	for name, text := range map[string]string{"defaults": "", "everything": everything, "little": little} {
		t.Run(name, func(t *testing.T) {
			for _, m := range lint.RunAll(chartDir, values(t, text), namespace).Messages {
				if m.Severity > support.InfoSev {
					t.Error(m)
				}
			}
		})
	}
}

func TestTheCRDsStayWhenTheChartGoes(t *testing.T) {
	g := NewWithT(t)
	count := 0
	for _, o := range render(t, "") {
		if o.GetKind() == "CustomResourceDefinition" {
			count++
			g.Expect(o.GetAnnotations()).To(HaveKeyWithValue("helm.sh/resource-policy", "keep"), o.GetName())
		}
	}
	g.Expect(count).To(Equal(8))
}

func TestWhatIsTurnedOffIsNotThere(t *testing.T) {
	g := NewWithT(t)
	g.Expect(ids(render(t, little), "")).To(Equal([]string{
		"ClusterRole//valtuus-archive", "ClusterRole//valtuus-archive-lease", "ClusterRole//valtuus-leader-election", "ClusterRole//valtuus-manager",
		"ClusterRoleBinding//valtuus-manager",
		"Deployment/valtuus-system/valtuus-manager",
		"RoleBinding/valtuus-system/valtuus-leader-election",
		"Service/valtuus-system/valtuus-manager-metrics",
		"ServiceAccount/valtuus-system/valtuus-manager",
	}))
}

func TestValuesReachWhatTheyAreFor(t *testing.T) {
	g := NewWithT(t)
	all := byID(t, render(t, everything))
	deployment := all["Deployment/valtuus-system/valtuus-manager"]
	g.Expect(at(deployment, "spec", "replicas")).To(BeEquivalentTo(3))
	template := &unstructured.Unstructured{Object: at(deployment, "spec", "template").(map[string]any)}
	g.Expect(template.GetLabels()).To(Equal(map[string]string{
		"team": "care", "app.kubernetes.io/name": "valtuus", "app.kubernetes.io/component": "manager",
	}), "labels of a person's own do not take the pods out of the selector")
	g.Expect(template.GetAnnotations()).To(HaveKeyWithValue("note", "here"))
	for field, want := range map[string]any{
		"priorityClassName": "system-cluster-critical",
		"nodeSelector":      HaveKeyWithValue("kubernetes.io/os", "linux"),
		"tolerations":       HaveLen(1),
		"affinity":          HaveKey("nodeAffinity"),
		"imagePullSecrets":  HaveLen(1),
	} {
		matcher, ok := want.(OmegaMatcher)
		if !ok {
			matcher = Equal(want)
		}
		g.Expect(at(deployment, "spec", "template", "spec", field)).To(matcher, field)
	}
	container := at(deployment, "spec", "template", "spec", "containers").([]any)[0].(map[string]any)
	g.Expect(container["image"]).To(HavePrefix("registry.example/valtuus@sha256:"))
	g.Expect(container["args"]).To(ContainElements("--concurrency=8", "--verbosity=2"))
	g.Expect(at(all["NetworkPolicy/valtuus-system/valtuus-manager"], "spec", "ingress").([]any)[0]).To(HaveKey("from"))
	g.Expect(all).To(HaveKey("ServiceMonitor/valtuus-system/valtuus-manager"))
	g.Expect(all["PrometheusRule/valtuus-system/valtuus"].GetLabels()).To(HaveKeyWithValue("release", "prometheus"))
	g.Expect(all["ConfigMap/valtuus-system/valtuus-dashboard"].GetLabels()).To(HaveKeyWithValue("grafana_dashboard", "1"))
	g.Expect(byID(t, render(t, "manager: {replicas: 1}"))).NotTo(HaveKey("PodDisruptionBudget/valtuus-system/valtuus-manager"),
		"a budget for one pod would keep its node from being drained")
}

func TestAnUninstallRevokesFirst(t *testing.T) {
	g := NewWithT(t)
	job := byID(t, render(t, "revoke: {timeoutSeconds: 30}"))["Job/valtuus-system/valtuus-revoke"]
	g.Expect(job.GetAnnotations()).To(HaveKeyWithValue("helm.sh/hook", "pre-delete"))
	container := at(job, "spec", "template", "spec", "containers").([]any)[0].(map[string]any)
	g.Expect(container["args"]).To(Equal([]any{"revoke", "--timeout=30s"}))
}

func TestAWrongValueIsRefusedBeforeAnythingIsApplied(t *testing.T) {
	for _, c := range []struct{ values, names string }{
		{"manager: {replicas: two}", "/manager/replicas"},
		{"manager: {replicas: 0}", "/manager/replicas"},
		{"manager: {logFormat: xml}", "/manager/logFormat"},
		{"manager: {verbosity: -1}", "/manager/verbosity"},
		{"manager: {resource: {}}", "resource"},
		{"manager: {podLabels: {a: 1}}", "/manager/podLabels/a"},
		{"image: valtuus", "/image"},
		{"image: {tag: 1.0}", "/image/tag"},
		{"image: {digest: latest}", "/image/digest"},
		{"image: {pullPolicy: Sometimes}", "/image/pullPolicy"},
		{"scope: {namespaces: pirkanmaa}", "/scope/namespaces"},
		{"scope: {namespaces: [Pirkanmaa]}", "/scope/namespaces/0"},
		{"scope: {namespaces: [a.b]}", "/scope/namespaces/0"},
		{"scope: {namespaces: [\"\"]}", "/scope/namespaces/0"},
		{"scope: {namespaces: [\"" + strings.Repeat("a", 64) + "\"]}", "/scope/namespaces/0"},
		{"scope: {namespaces: [pirkanmaa, pirkanmaa]}", "/scope/namespaces"},
		{"scope: {namespace: [pirkanmaa]}", "namespace"},
		{"admission: {enabled: \"yes\"}", "/admission/enabled"},
		{"revoke: {timeoutSeconds: 4m}", "/revoke/timeoutSeconds"},
		{"networkPolicy: {apiServerPorts: []}", "/networkPolicy/apiServerPorts"},
		{"monitoring: {serviceMonitor: {enabled: true, interval: often}}", "/monitoring/serviceMonitor/interval"},
		{"monitoring: {podMonitor: {enabled: true, interval: often}}", "/monitoring/podMonitor/interval"},
		{"replicas: 3", "replicas"},
	} {
		t.Run(c.values, func(t *testing.T) {
			_, err := tryRender(t, values(t, c.values))
			if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(c.names, "/")) {
				t.Errorf("got %v, which does not name %s", err, c.names)
			}
		})
	}
}

var persona = regexp.MustCompile("^valtuus-(platform|organizer|producer|revoke)")

func TestNoPersonaReadsASecretOrWritesAStatus(t *testing.T) {
	g := NewWithT(t)
	seen := 0
	for _, o := range render(t, "") {
		if o.GetKind() != "ClusterRole" || !persona.MatchString(o.GetName()) {
			continue
		}
		rules, _ := at(o, "rules").([]any)
		for _, rule := range rules {
			for _, list := range []string{"apiGroups", "resources", "verbs"} {
				for _, word := range rule.(map[string]any)[list].([]any) {
					seen++
					g.Expect(word).NotTo(BeElementOf("*", "secrets", "", "statuses", "report"), o.GetName())
					g.Expect(word).NotTo(HaveSuffix("/status"), o.GetName())
				}
			}
		}
	}
	g.Expect(seen).To(BeNumerically(">", 30))
}

// TestGatheredRolesLeaveTheirRulesToTheCluster: rules that the chart gave would be in conflict with those that
// kube-controller-manager gathers, and Helm would not upgrade.
func TestGatheredRolesLeaveTheirRulesToTheCluster(t *testing.T) {
	gathered := 0
	for _, o := range render(t, "") {
		if at(o, "aggregationRule") == nil {
			continue
		}
		gathered++
		if _, says := o.Object["rules"]; says {
			t.Errorf("%s says rules", idOf(o))
		}
	}
	if gathered != 3 {
		t.Errorf("%d roles are gathered, want 3", gathered)
	}
}
