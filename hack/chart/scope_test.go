// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"helm.sh/helm/v4/pkg/strvals"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/reach"
)

// scoped are values for three namespaces.
const scoped = "scope: {namespaces: [pirkanmaa, hoivakoti, platform]}"

// namespacesOf reads from the manager's arguments, as the chart renders them, where it works.
func namespacesOf(t testing.TB, text string) reach.Namespaces {
	t.Helper()
	deployment := byID(t, render(t, text))["Deployment/valtuus-system/valtuus-manager"]
	var names []string
	for _, arg := range at(deployment, "spec", "template", "spec", "containers").([]any)[0].(map[string]any)["args"].([]any) {
		if list, ok := strings.CutPrefix(arg.(string), "--namespaces="); ok {
			names = strings.Split(list, ",")
		}
	}
	found, err := reach.Of(names...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWithNamespacesTheManagerIsBoundInEachAndNotInTheCluster(t *testing.T) {
	g := NewWithT(t)
	g.Expect(namespacesOf(t, "").Everywhere()).To(BeTrue())
	g.Expect(namespacesOf(t, scoped).Names()).To(Equal([]string{"hoivakoti", "pirkanmaa", "platform"}))
	bound := func(text string) (out []string) {
		for _, o := range render(t, text) {
			if subjects, _ := at(o, "subjects").([]any); len(subjects) == 1 && subjects[0].(map[string]any)["name"] == "valtuus-manager" {
				g.Expect(subjects[0]).To(HaveKeyWithValue("namespace", namespace))
				out = append(out, idOf(o)+" "+at(o, "roleRef", "name").(string))
			}
		}
		slices.Sort(out)
		return out
	}
	g.Expect(bound("")).To(Equal([]string{
		"ClusterRoleBinding//valtuus-manager valtuus-manager", "RoleBinding/valtuus-system/valtuus-leader-election valtuus-leader-election",
	}))
	g.Expect(bound(scoped)).To(Equal([]string{
		"ClusterRoleBinding//valtuus-manager-cluster valtuus-manager-cluster",
		"RoleBinding/hoivakoti/valtuus-manager valtuus-manager", "RoleBinding/pirkanmaa/valtuus-manager valtuus-manager", "RoleBinding/platform/valtuus-manager valtuus-manager",
		"RoleBinding/valtuus-system/valtuus-leader-election valtuus-leader-election",
	}))
}

// The page's command is not run by the e2e suite, which has the whole cluster; its value is taken as Helm takes it.
func TestTheDocumentedNamespacesAreTaken(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile("../../docs/install.md")
	g.Expect(err).NotTo(HaveOccurred())
	found := regexp.MustCompile(`(?m)^helm upgrade valtuus charts/valtuus .*--set '([^']+)'`).FindSubmatch(page)
	g.Expect(found).To(HaveLen(2))
	in, err := strvals.Parse(string(found[1]))
	g.Expect(err).NotTo(HaveOccurred())
	got, err := tryRender(t, in)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ids(got, "")).To(Equal(ids(render(t, scoped), "")))
}

// rights lists what a role allows: group, resource and verb, with the names where it is for some only.
func rights(t testing.TB, role *unstructured.Unstructured) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, item := range at(role, "rules").([]any) {
		rule := item.(map[string]any)
		names, _ := rule["resourceNames"].([]any)
		if names == nil {
			names = []any{""}
		}
		for _, group := range rule["apiGroups"].([]any) {
			for _, resource := range rule["resources"].([]any) {
				for _, verb := range rule["verbs"].([]any) {
					for _, name := range names {
						out[strings.Join([]string{group.(string), resource.(string), verb.(string), name.(string)}, " ")] = true
					}
				}
			}
		}
	}
	return out
}

// The two roles together are what the manager of a whole cluster has: what it may do in the cluster is no more, and all
// that a binding in a namespace could not give.
func TestTheManagersRoleInTheClusterIsWhatNoNamespaceCanGive(t *testing.T) {
	g := NewWithT(t)
	all := byID(t, render(t, scoped))
	whole, inCluster := rights(t, all["ClusterRole//valtuus-manager"]), rights(t, all["ClusterRole//valtuus-manager-cluster"])
	// Role bindings do not reach what is in no namespace.
	ofCluster := []string{"clientsystems", "clientsystems/status", "clusterrolebindings", "organizations", "organizations/status", "namespaces", "statuses", "storageclasses"}
	for right := range whole {
		parts := strings.Split(right, " ")
		reads := parts[0] == v1alpha1.GroupVersion.Group && slices.Contains([]string{"get", "list", "watch"}, parts[2])
		if reads || slices.Contains(ofCluster, parts[1]) || parts[3] == "valtuus-archive" {
			g.Expect(inCluster).To(HaveKey(right))
		}
	}
	survives := map[string]bool{}
	for right := range inCluster {
		g.Expect(whole).To(HaveKey(right))
		parts := strings.Split(right, " ")
		writes := !slices.Contains([]string{"get", "list", "watch"}, parts[2])
		if writes && !slices.Contains(ofCluster, parts[1]) && parts[1] != "clusterroles" {
			survives[parts[1]+" "+parts[2]] = true
		}
		if parts[0] != v1alpha1.GroupVersion.Group {
			g.Expect(parts[1]).To(BeElementOf("clusterrolebindings", "clusterroles", "namespaces", "storageclasses"))
		}
	}
	g.Expect(survives).To(Equal(map[string]bool{
		"archives patch": true, "deploymenttests patch": true, "deploymenttests/status patch": true,
		"registryaccessgrants patch": true, "registryaccessgrants grant": true,
	}), "what a namespace waits for that is going")
}

func TestTheChartForSomeNamespacesOnAnAPIServer(t *testing.T) {
	g := NewWithT(t)
	i := install(t, scoped)
	organizer := i.as(t, "olli", "valtuus-organizer", "pirkanmaa")
	onboard(t, i.as(t, "pia", "valtuus-platform", ""), organizer, i.as(t, "paula", "valtuus-producer", "hoivakoti"))
	outside := samples(t, "50-producer.yaml")[0]
	outside.SetNamespace("elsewhere")
	outside.SetName("outside")
	g.Expect(i.admin.Create(t.Context(), outside)).To(Succeed())
	hidden := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "elsewhere", Name: "hidden"}}
	g.Expect(i.admin.Create(t.Context(), hidden)).To(Succeed())

	refused := i.startManager(t, scoped)
	secret := i.granted(t, organizer, refused)
	manager := i.client(t, i.serviceAccount(t, "valtuus-manager"))
	g.Expect(manager.Get(t.Context(), secret, &corev1.Secret{})).To(Succeed())
	g.Expect(refused()).To(BeEmpty(), "the manager was refused what its controllers do")
	for _, in := range []string{"elsewhere", namespace, "kube-system"} {
		g.Expect(apierrors.IsForbidden(manager.Get(t.Context(), client.ObjectKey{Namespace: in, Name: "hidden"}, &corev1.Secret{}))).To(BeTrue(), in)
		g.Expect(apierrors.IsForbidden(manager.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: in, Name: "made"}}))).To(BeTrue(), in)
	}
	var unit v1alpha1.ProducerUnit
	g.Expect(i.admin.Get(t.Context(), client.ObjectKeyFromObject(outside), &unit)).To(Succeed())
	g.Expect(unit.Status.Conditions).To(BeEmpty(), "what is elsewhere gets no status")
}
