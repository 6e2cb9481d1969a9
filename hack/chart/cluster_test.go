// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/manifests"
	"github.com/valtuus/valtuus/internal/revocation"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/workload"
)

// patience is how long a test waits for anything: much longer than it takes, for a machine that is busy.
const patience = 2 * time.Minute

// installation is an API server with the chart's objects on it.
type installation struct {
	*testenv.Env
	admin client.Client
}

// install applies what the chart renders with the values, in the order in which Helm would need it, but for hooks and for
// kinds of the Prometheus operator.
func install(t *testing.T, text string) *installation {
	t.Helper()
	g := NewWithT(t)
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	i := &installation{Env: testenv.ForTest(t, testenv.Options{CRDs: []string{}})}
	i.admin = i.client(t, i.Config)
	all := render(t, text)
	for _, label := range []string{namespace, "platform", "pirkanmaa", "hoivakoti", "elsewhere"} {
		g.Expect(i.admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: label, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		}})).To(Succeed())
	}
	for _, o := range all {
		if o.GetAnnotations()["helm.sh/hook"] != "" {
			continue
		}
		gather(all, o)
		g.Expect(manifests.Apply(t.Context(), i.admin, "helm", o)).To(Succeed(), idOf(o))
	}
	g.Eventually(func() error {
		return i.admin.List(t.Context(), &v1alpha1.ServiceRelationshipList{})
	}, patience).Should(Succeed(), "the CRDs are served")
	i.policiesWork(t)
	return i
}

// policiesWork waits until the API server asks every admission policy that was made up to now. It takes them all over at a
// time, some moments late, and one that refuses what nobody else makes tells when it has: it is the last of them.
func (i *installation) policiesWork(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	const last = "last-policy"
	g.Expect(i.admin.Create(t.Context(), &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: last},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				ResourceNames: []string{last},
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: "false", Reason: ptr.To(metav1.StatusReasonForbidden)}},
		},
	})).To(Succeed())
	g.Expect(i.admin.Create(t.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: last},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: last, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	})).To(Succeed())
	g.Eventually(func() error {
		return i.admin.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: last}}, client.DryRunAll)
	}, patience, "100ms").Should(beRefusedBy(last))
}

// gather fills an aggregated role as kube-controller-manager does, which does not run here.
func gather(all []*unstructured.Unstructured, role *unstructured.Unstructured) {
	selectors, _ := at(role, "aggregationRule", "clusterRoleSelectors").([]any)
	var rules []any
	for _, s := range selectors {
		for label, value := range s.(map[string]any)["matchLabels"].(map[string]any) {
			for _, o := range all {
				if o.GetKind() == "ClusterRole" && o.GetLabels()[label] == value {
					rules = append(rules, at(o, "rules").([]any)...)
				}
			}
		}
	}
	if rules != nil {
		role.Object["rules"] = rules
	}
}

func (i *installation) client(t testing.TB, cfg *rest.Config) client.Client {
	t.Helper()
	c, err := client.New(cfg, client.Options{Scheme: manager.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// as is a user with one of the chart's roles: in a namespace, or in the cluster when that is empty.
func (i *installation) as(t testing.TB, name, role, in string) client.Client {
	t.Helper()
	g := NewWithT(t)
	cfg, err := i.AddUser(name)
	g.Expect(err).NotTo(HaveOccurred())
	meta := metav1.ObjectMeta{Name: name + "-" + role, Namespace: in}
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	var binding client.Object = &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
	if in == "" {
		binding = &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
	}
	g.Expect(i.admin.Create(t.Context(), binding)).To(Succeed())
	c := i.client(t, cfg)
	i.known(t, c, in)
	return c
}

// known waits until the API server lets a user do something with the product's kinds: it learns of a binding a moment after
// that was made.
func (i *installation) known(t testing.TB, user client.Client, in string) {
	t.Helper()
	NewWithT(t).Eventually(func() ([]authorizationv1.ResourceRule, error) {
		review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: cmp.Or(in, namespace)}}
		err := user.Create(context.Background(), review)
		return review.Status.ResourceRules, err
	}, patience, "20ms").Should(ContainElement(HaveField("APIGroups", ContainElement(v1alpha1.GroupVersion.Group))))
}

// serviceAccount is the configuration of one of the chart's service accounts, which has what the chart binds to it.
func (i *installation) serviceAccount(t testing.TB, name string) *rest.Config {
	t.Helper()
	cfg, err := i.AddUser("system:serviceaccount:"+namespace+":"+name, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// samples reads objects of config/samples.
func samples(t testing.TB, file string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := manifests.Read(configDir + "/samples/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// beRefusedBy matches the refusal of an admission policy, which none of RBAC's looks like.
func beRefusedBy(policy string) OmegaMatcher {
	return And(
		WithTransform(apierrors.IsForbidden, BeTrue()),
		MatchError(ContainSubstring("ValidatingAdmissionPolicy '"+policy+"'")),
	)
}

func TestTheChartOnAnAPIServer(t *testing.T) {
	i := install(t, "")
	platform := i.as(t, "pia", "valtuus-platform", "")
	organizer := i.as(t, "olli", "valtuus-organizer", "pirkanmaa")
	producer := i.as(t, "paula", "valtuus-producer", "hoivakoti")

	// One after the other: a policy works some time after it was made, and the first test waits for that.
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"only the platform binds Organizations to namespaces", i.onlyThePlatformBinds},
		{"a producer cannot touch a grant", i.aProducerCannotTouchAGrant},
		{"an organizer cannot write status", i.anOrganizerCannotWriteStatus},
		{"identity codes are refused in labels", i.identityCodesAreRefused},
		{"the pods are admitted under restricted", i.thePodsAreAdmitted},
		{"the samples that no story plays are taken", i.samplesAreTaken(map[string]client.Client{"platform": platform, "pirkanmaa": organizer, "hoivakoti": producer})},
	} {
		t.Run(test.name, test.run)
	}

	t.Run("the three personas onboard, the manager's service account does all its work, and revoke ends it", func(t *testing.T) {
		g := NewWithT(t)
		onboard(t, platform, organizer, producer)
		refused := i.startManager(t, "")
		secret := i.granted(t, organizer, refused)
		for name, who := range map[string]client.Client{"platform": platform, "organizer": organizer, "producer": producer} {
			g.Expect(apierrors.IsForbidden(who.Get(t.Context(), secret, &corev1.Secret{}))).To(BeTrue(), "%s reads a Secret", name)
		}

		var out strings.Builder
		g.Expect(revocation.Run(t.Context(), revocation.Options{
			Client: i.client(t, i.serviceAccount(t, "valtuus-revoke")), Clock: clock.RealClock{}, Out: &out, Timeout: 3 * time.Minute,
		})).To(Succeed(), out.String())
		g.Expect(apierrors.IsNotFound(i.admin.Get(t.Context(), secret, &corev1.Secret{}))).To(BeTrue())
		g.Expect(refused()).To(BeEmpty(), "the manager was refused what its controllers do")
	})
}

// onboard applies the samples, as three users with only their own role.
func onboard(t *testing.T, platform, organizer, producer client.Client) {
	t.Helper()
	g := NewWithT(t)
	for _, part := range []struct {
		who  client.Client
		file string
	}{
		{platform, "20-platform.yaml"},
		{platform, "30-archive.yaml"},
		{organizer, "40-organizer.yaml"},
		{producer, "50-producer.yaml"},
		{organizer, "60-relationships.yaml"},
		{organizer, "70-deployment-tests.yaml"},
	} {
		g.Expect(manifests.Apply(t.Context(), part.who, "kubectl", samples(t, part.file)...)).To(Succeed(), part.file)
	}
}

// granted waits until the samples' one grant is ready, and names the Secret that it delivered.
func (i *installation) granted(t *testing.T, organizer client.Client, refused func() []string) client.ObjectKey {
	t.Helper()
	g := NewWithT(t)
	var grant *v1alpha1.RegistryAccessGrant
	g.Eventually(func() string {
		var list v1alpha1.RegistryAccessGrantList
		if organizer.List(t.Context(), &list, client.InNamespace("pirkanmaa")) != nil || len(list.Items) != 1 || len(list.Items[0].Status.Conditions) == 0 {
			return ""
		}
		grant = &list.Items[0]
		for _, c := range grant.Status.Conditions {
			if c.Type == v1alpha1.ReadyCondition {
				return string(c.Status) + " " + c.Reason
			}
		}
		return ""
	}, patience, "100ms").Should(Equal("True "+v1alpha1.GrantReadyReason), func() string { return fmt.Sprintf("refused: %v", refused()) })
	secret := client.ObjectKey{Namespace: grant.Status.SecretRef.Namespace, Name: string(grant.Status.SecretRef.Name)}
	g.Expect(i.admin.Get(t.Context(), secret, &corev1.Secret{})).To(Succeed())
	return secret
}

// startManager runs the manager as its service account, in the namespaces that the chart gives it with the values, and
// returns what tells of requests that were refused.
func (i *installation) startManager(t *testing.T, text string) (refused func() []string) {
	t.Helper()
	g := NewWithT(t)
	cfg := i.serviceAccount(t, "valtuus-manager")
	i.known(t, i.client(t, cfg), "pirkanmaa")
	watcher := &refusals{}
	cfg.Wrap(watcher.over)
	ctx, cancel := context.WithCancel(context.Background())
	mgr, err := manager.New(ctx, cfg, manager.Options{
		MetricsAddress: "0", ProbeAddress: "0", LeaderElection: true, LeaderElectionNamespace: namespace,
		Registry: prometheus.NewRegistry(), Log: logr.Discard(), ShareNames: true,
		Controllers: controllers.Options{
			Namespaces: namespacesOf(t, text), Workload: workload.Settings{Image: "registry.example/valtuus:1.0", NetworkPolicies: true},
		},
	})
	g.Expect(err).NotTo(HaveOccurred())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return watcher.list
}

func (i *installation) onlyThePlatformBinds(t *testing.T) {
	g := NewWithT(t)
	// A registrar may keep Organizations up to date, and has every plain verb for that.
	g.Expect(i.Grant(t.Context(), "rita", "", rbacv1.PolicyRule{
		APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"organizations"},
		Verbs: []string{"create", "delete", "get", "list", "patch", "update", "watch"},
	})).To(Succeed())
	cfg, err := i.AddUser("rita")
	g.Expect(err).NotTo(HaveOccurred())
	registrar := i.client(t, cfg)
	platform := i.as(t, "pekka", "valtuus-platform", "")
	organization := func(name, oid string, namespaces ...string) *v1alpha1.Organization {
		return &v1alpha1.Organization{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.OrganizationSpec{
				OID: v1alpha1.OID(oid), DisplayName: v1alpha1.LocalizedName{Fi: "Esimerkki"}, Sector: v1alpha1.SectorPrivate,
				Joining:       v1alpha1.Joining{Mode: v1alpha1.JoiningDirect, JoinedAt: metav1.Now()},
				RegisteredFor: []v1alpha1.CareSector{v1alpha1.CareSectorSocial}, Namespaces: namespaces,
			},
		}
	}
	policy := "valtuus-organizations"
	g.Eventually(func() error {
		return registrar.Create(t.Context(), organization("bound", "1.2.246.10.88888888.10.0", "evil"), client.DryRunAll)
	}, patience, "100ms").Should(beRefusedBy(policy))
	unbound := organization("unbound", "1.2.246.10.88888888.10.0")
	g.Expect(registrar.Create(t.Context(), unbound)).To(Succeed(), "what binds nothing is not the policy's matter")
	unbound.Spec.DisplayName.En = "Example"
	g.Expect(registrar.Update(t.Context(), unbound)).To(Succeed())
	binding := unbound.DeepCopy()
	binding.Spec.Namespaces = []string{"evil"}
	g.Expect(registrar.Update(t.Context(), binding)).To(beRefusedBy(policy))
	g.Expect(platform.Update(t.Context(), binding)).To(Succeed())
	binding.Spec.DisplayName.En = "Example again"
	g.Expect(registrar.Update(t.Context(), binding)).To(Succeed(), "the rest of a bound one may be kept up to date")
	units := binding.DeepCopy()
	units.Spec.UnitOIDs = []v1alpha1.OID{"1.2.246.10.88888888.10.7"}
	g.Expect(registrar.Update(t.Context(), units)).To(beRefusedBy(policy), "another unit in a bound namespace")
	released := binding.DeepCopy()
	released.Spec.Namespaces = nil
	g.Expect(registrar.Update(t.Context(), released)).To(beRefusedBy(policy))
	g.Expect(registrar.Delete(t.Context(), binding)).To(Succeed(), "deleting can only take away")
}

// wide gives a user every plain verb on everything of valtuus.io in a namespace, as a careless role would.
func (i *installation) wide(t testing.TB, name, in string, verbs ...string) client.Client {
	t.Helper()
	g := NewWithT(t)
	if verbs == nil {
		verbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	}
	g.Expect(i.Grant(context.Background(), name, in, rbacv1.PolicyRule{
		APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"*"}, Verbs: verbs,
	})).To(Succeed())
	cfg, err := i.AddUser(name)
	g.Expect(err).NotTo(HaveOccurred())
	c := i.client(t, cfg)
	i.known(t, c, in)
	return c
}

func someGrant(name string) *v1alpha1.RegistryAccessGrant {
	return &v1alpha1.RegistryAccessGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: name},
		Spec: v1alpha1.RegistryAccessGrantSpec{
			RegistryRef: v1alpha1.RegistryReference{Name: "none"}, ProducerUnit: "1.2.246.10.88888888.10.1", Extent: v1alpha1.ExtentBasic,
		},
	}
}

func (i *installation) aProducerCannotTouchAGrant(t *testing.T) {
	g := NewWithT(t)
	policy := "valtuus-grants"
	organizer := i.as(t, "oona", "valtuus-organizer", "pirkanmaa")
	plain := i.as(t, "pentti", "valtuus-producer", "hoivakoti")
	wide := i.wide(t, "paavo", "pirkanmaa")
	grant := someGrant("touched")
	g.Expect(apierrors.IsForbidden(plain.Create(t.Context(), grant.DeepCopy()))).To(BeTrue(), "by RBAC")
	g.Eventually(func() error { return wide.Create(t.Context(), grant.DeepCopy(), client.DryRunAll) }, patience, "100ms").Should(beRefusedBy(policy))
	g.Expect(organizer.Create(t.Context(), grant)).To(Succeed())
	changed := grant.DeepCopy()
	changed.Spec.Suspend = ptr.To(true)
	g.Expect(wide.Update(t.Context(), changed.DeepCopy())).To(beRefusedBy(policy))
	g.Expect(wide.Patch(t.Context(), changed.DeepCopy(), client.MergeFrom(grant))).To(beRefusedBy(policy))
	g.Expect(wide.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(asUnstructured(t, grant, "suspend")), client.FieldOwner("x"), client.ForceOwnership)).
		To(beRefusedBy(policy))
	stripped := grant.DeepCopy()
	stripped.Finalizers = []string{"example.com/keep"}
	g.Expect(wide.Update(t.Context(), stripped)).To(beRefusedBy(policy), "nor its finalizers")
	g.Expect(organizer.Update(t.Context(), changed)).To(Succeed())
	g.Expect(organizer.Delete(t.Context(), changed)).To(Succeed())
}

func asUnstructured(t testing.TB, o client.Object, field string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{field: true}}}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("RegistryAccessGrant"))
	object.SetNamespace(o.GetNamespace())
	object.SetName(o.GetName())
	return object
}

func (i *installation) anOrganizerCannotWriteStatus(t *testing.T) {
	g := NewWithT(t)
	policy := "valtuus-status"
	plain := i.as(t, "outi", "valtuus-organizer", "pirkanmaa")
	// Everything, in the organizer's own namespace: verbs that a policy asks for there too.
	wide := i.wide(t, "oskari", "pirkanmaa", "*")
	grant := someGrant("forged")
	g.Expect(plain.Create(t.Context(), grant)).To(Succeed())
	forge := func(c client.Client, options ...client.SubResourceUpdateOption) error {
		forged := grant.DeepCopy()
		forged.Status.ObservedGeneration = 1
		forged.Status.Credentials = []v1alpha1.Credential{{
			ID: "1", State: v1alpha1.CredentialActive, Fingerprint: strings.Repeat("a", 43),
			NotBefore: metav1.Now(), NotAfter: metav1.NewTime(time.Now().Add(time.Hour)), RenewAt: metav1.Now(),
		}}
		return c.Status().Update(t.Context(), forged, options...)
	}
	g.Expect(apierrors.IsForbidden(forge(plain))).To(BeTrue(), "by RBAC")
	g.Eventually(func() error { return forge(wide, client.DryRunAll) }, patience, "100ms").Should(beRefusedBy(policy))
	g.Expect(forge(i.client(t, i.serviceAccount(t, "valtuus-manager")))).NotTo(Succeed(), "the manager patches, and has no need to update")
	relationship := &v1alpha1.ServiceRelationship{}
	g.Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(samples(t, "60-relationships.yaml")[0].Object, relationship)).To(Succeed())
	g.Expect(wide.Create(t.Context(), relationship)).To(Succeed())
	before := relationship.DeepCopy()
	relationship.Status.Access = v1alpha1.AccessGranted
	g.Expect(wide.Status().Patch(t.Context(), relationship.DeepCopy(), client.MergeFrom(before))).To(beRefusedBy(policy))
	archive := i.as(t, "archive", "valtuus-archive", "")
	g.Expect(archive.Status().Patch(t.Context(), relationship, client.MergeFrom(before))).To(Succeed(), "the archive tells of documents")
	g.Expect(wide.Delete(t.Context(), before)).To(Succeed())
	g.Expect(wide.Delete(t.Context(), grant)).To(Succeed())
}

func (i *installation) identityCodesAreRefused(t *testing.T) {
	g := NewWithT(t)
	organizer := i.as(t, "otto", "valtuus-organizer", "pirkanmaa")
	grant := someGrant("labeled")
	grant.Labels = map[string]string{"client": "010190-900A"}
	g.Eventually(func() error { return organizer.Create(t.Context(), grant.DeepCopy(), client.DryRunAll) }, patience, "100ms").
		Should(MatchError(ContainSubstring("ValidatingAdmissionPolicy 'valtuus-no-identity-codes'")))
}

// thePodsAreAdmitted makes the pods of both templates in a namespace that enforces the Pod Security level restricted.
func (i *installation) thePodsAreAdmitted(t *testing.T) {
	g := NewWithT(t)
	all := byID(t, render(t, ""))
	for _, id := range []string{"Deployment/valtuus-system/valtuus-manager", "Job/valtuus-system/valtuus-revoke"} {
		pod := &corev1.Pod{}
		g.Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(at(all[id], "spec", "template").(map[string]any), pod)).To(Succeed())
		pod.Namespace, pod.GenerateName = namespace, "pod-"
		g.Expect(i.admin.Create(t.Context(), pod, client.DryRunAll)).To(Succeed(), id)
		pod.ResourceVersion, pod.UID = "", ""
		pod.Spec.Containers[0].SecurityContext = nil
		g.Expect(i.admin.Create(t.Context(), pod, client.DryRunAll)).To(MatchError(ContainSubstring("PodSecurity")), "the level is enforced here")
	}
}
