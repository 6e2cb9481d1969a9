// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// refusedFor matches the refusal of an admission policy with a part of its message.
func refusedFor(policy, message string) OmegaMatcher {
	return And(beRefusedBy(policy), MatchError(ContainSubstring(message)))
}

// pods is a template as the manager's are, but for the change.
func pods(change func(*corev1.PodSpec)) corev1.PodTemplateSpec {
	spec := corev1.PodSpec{
		ServiceAccountName: "one-archive", AutomountServiceAccountToken: ptr.To(false), RestartPolicy: corev1.RestartPolicyAlways,
		InitContainers: []corev1.Container{{Name: "i", Image: "x", SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: ptr.To(false)}}},
		Containers:     []corev1.Container{{Name: "c", Image: "x", SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: ptr.To(false)}}},
	}
	if change != nil {
		change(&spec)
	}
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}}, Spec: spec}
}

// everyKind gives one of each kind that the manager writes and that is not the product's, in a namespace.
func everyKind(in, name string, change func(*corev1.PodSpec)) []client.Object {
	meta := metav1.ObjectMeta{Namespace: in, Name: name}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
	once := func(p *corev1.PodSpec) {
		p.RestartPolicy = corev1.RestartPolicyNever
		if change != nil {
			change(p)
		}
	}
	account := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: in, Name: name}}
	ref := func(role string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	}
	of := "valtuus-archive:" + in + ":" + strings.TrimSuffix(name, "-archive")
	return []client.Object{
		&corev1.Secret{ObjectMeta: meta, Type: corev1.SecretTypeOpaque},
		&corev1.ConfigMap{ObjectMeta: meta},
		&corev1.ServiceAccount{ObjectMeta: meta},
		&corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}},
		&corev1.PersistentVolumeClaim{ObjectMeta: meta, Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		}},
		&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Selector: selector, Template: pods(change)}},
		&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Selector: selector, ServiceName: name, Template: pods(change)}},
		&batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Template: pods(once)}},
		&batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{Schedule: "0 0 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: pods(once)}}}},
		&networkingv1.NetworkPolicy{ObjectMeta: meta},
		&policyv1.PodDisruptionBudget{ObjectMeta: meta, Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector}},
		&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref("valtuus-archive-lease"), Subjects: account},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: of}, RoleRef: ref("valtuus-archive"), Subjects: account},
	}
}

// mark makes an object look made by the manager.
func mark(o client.Object) {
	o.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "valtuus"})
	o.SetAnnotations(map[string]string{"valtuus.io/owner-uid": "7"})
}

// merged is a merge patch of fields.
func merged(t testing.TB, fields map[string]any) client.Patch {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return client.RawPatch(types.MergePatchType, text)
}

func TestAStolenTokenOfTheManagerReachesOnlyWhatTheManagerMade(t *testing.T) {
	i := install(t, "")
	thief := i.client(t, i.serviceAccount(t, "valtuus-manager"))
	g := NewWithT(t)
	unmarked := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "hoivakoti", Name: "probe"}}
	g.Eventually(func() error { return thief.Create(t.Context(), unmarked.DeepCopy(), client.DryRunAll) }, patience, "100ms").Should(beRefusedBy("valtuus-manager-objects"))
	for _, test := range []struct {
		name string
		run  func(*testing.T, client.Client)
	}{
		{"of others' objects it changes and deletes none", i.othersObjects},
		{"it makes nothing that does not say what for", i.unmarkedObjects},
		{"it binds only the roles of archives", i.bindings},
		{"it runs no pod with a hold on a node or on another's rights", i.thievesPods},
		{"it takes no Lease", i.leasesOfOthers},
		{"it changes no word of an organizer's", i.wordsOfOthers},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, thief) })
	}
}

func (i *installation) othersObjects(t *testing.T, thief client.Client) {
	g := NewWithT(t)
	const policy = "valtuus-manager-objects"
	touch := map[string]any{"metadata": map[string]any{"labels": map[string]any{"touched": "yes"}}}
	claim := map[string]any{"metadata": map[string]any{
		"labels": map[string]any{"app.kubernetes.io/managed-by": "valtuus"}, "annotations": map[string]any{"valtuus.io/owner-uid": "7"},
	}}
	unmark := map[string]any{"metadata": map[string]any{"annotations": nil}}
	for n, own := range everyKind("elsewhere", "own-archive", nil) {
		theirs := everyKind("elsewhere", "theirs-archive", nil)[n]
		mark(own)
		g.Expect(i.admin.Create(t.Context(), theirs)).To(Succeed())
		g.Expect(i.admin.Create(t.Context(), own)).To(Succeed())
		kind := fmt.Sprintf("%T", own)
		var patched int
		for _, patch := range []map[string]any{touch, claim} {
			err := thief.Patch(t.Context(), theirs.DeepCopyObject().(client.Object), merged(t, patch))
			if err != nil && !strings.Contains(err.Error(), "ValidatingAdmissionPolicy") { // the role has no such verb
				err = thief.Update(t.Context(), withPatch(t, theirs, patch))
			}
			if err != nil && !strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
				continue
			}
			patched++
			g.Expect(err).To(refusedFor(policy, "change or delete only what it has made"), kind)
		}
		if _, jobOrMap := map[string]bool{"*v1.Job": true, "*v1.ConfigMap": true}[kind]; !jobOrMap {
			g.Expect(patched).To(Equal(2), kind)
			err := thief.Patch(t.Context(), own.DeepCopyObject().(client.Object), merged(t, unmark))
			if err != nil && !strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
				err = thief.Update(t.Context(), withPatch(t, own, unmark))
			}
			g.Expect(err).To(refusedFor(policy, "must say what it was made for"), kind)
		}
		if err := thief.Delete(t.Context(), theirs); strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			g.Expect(err).To(refusedFor(policy, "change or delete only what it has made"), kind)
			g.Expect(thief.Delete(t.Context(), own)).To(Succeed(), kind)
		} else {
			g.Expect(kind).To(BeElementOf("*v1.ConfigMap", "*v1.PersistentVolumeClaim"), "the role may delete it")
		}
	}

	// A lost volume that was brought back carries nothing of the manager's until the manager takes it over.
	var back client.Object
	for _, o := range everyKind("elsewhere", "lost-data", nil) {
		if _, ok := o.(*corev1.PersistentVolumeClaim); ok {
			back = o
		}
	}
	g.Expect(i.admin.Create(t.Context(), back)).To(Succeed())
	g.Expect(thief.Patch(t.Context(), back.DeepCopyObject().(client.Object), merged(t, touch))).To(refusedFor(policy, "must say what it was made for"))
	g.Expect(thief.Patch(t.Context(), back.DeepCopyObject().(client.Object), merged(t, claim))).To(Succeed())
}

// withPatch is an object as the patch would make it.
func withPatch(t testing.TB, o client.Object, patch map[string]any) client.Object {
	t.Helper()
	out := o.DeepCopyObject().(client.Object)
	meta := patch["metadata"].(map[string]any)
	for field, set := range map[string]func(map[string]string){"labels": out.SetLabels, "annotations": out.SetAnnotations} {
		value, there := meta[field]
		if !there {
			continue
		}
		texts := map[string]string{}
		if value != nil {
			for k, v := range value.(map[string]any) {
				texts[k] = v.(string)
			}
		}
		set(texts)
	}
	return out
}

func (i *installation) unmarkedObjects(t *testing.T, thief client.Client) {
	g := NewWithT(t)
	const policy = "valtuus-manager-objects"
	for n, o := range everyKind("hoivakoti", "one-archive", nil) {
		kind := fmt.Sprintf("%T", o)
		o.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "valtuus"})
		g.Expect(thief.Create(t.Context(), o, client.DryRunAll)).To(refusedFor(policy, "must say what it was made for"), kind)
		owned := everyKind("hoivakoti", "one-archive", nil)[n]
		owned.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "valtuus"})
		owned.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "x", UID: "7", Controller: ptr.To(true)}})
		g.Expect(thief.Create(t.Context(), owned, client.DryRunAll)).To(refusedFor(policy, "must say what it was made for"), kind)
		unlabeled := everyKind("hoivakoti", "one-archive", nil)[n]
		mark(unlabeled)
		unlabeled.SetLabels(nil)
		g.Expect(thief.Create(t.Context(), unlabeled, client.DryRunAll)).To(refusedFor(policy, "must carry the label"), kind)
		fine := everyKind("hoivakoti", "one-archive", nil)[n]
		mark(fine)
		g.Expect(thief.Create(t.Context(), fine, client.DryRunAll)).To(Succeed(), kind)
	}
	for kind, fields := range map[corev1.SecretType]map[string]string{
		corev1.SecretTypeServiceAccountToken: {corev1.ServiceAccountNameKey: "default"}, "bootstrap.kubernetes.io/token": nil,
	} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "hoivakoti", Name: "token"}, Type: kind}
		mark(secret)
		for k, v := range fields {
			secret.Annotations[k] = v
		}
		g.Expect(thief.Create(t.Context(), secret, client.DryRunAll)).To(refusedFor(policy, "fill with a token"), string(kind))
	}
}

func (i *installation) bindings(t *testing.T, thief client.Client) {
	g := NewWithT(t)
	const policy = "valtuus-manager-bindings"
	account := func(in, name string) rbacv1.Subject {
		return rbacv1.Subject{Kind: "ServiceAccount", Namespace: in, Name: name}
	}
	user := rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "User", Name: "thief-archive"}
	right := account("hoivakoti", "one-archive")
	const rightName = "valtuus-archive:hoivakoti:one"
	for _, c := range []struct {
		name, role string
		subjects   []rbacv1.Subject
		says       string
	}{
		{rightName, "valtuus-archive-lease", []rbacv1.Subject{right}, "only the roles of archives"},
		{rightName, "valtuus-archive", []rbacv1.Subject{user}, "only to one service account"},
		{rightName, "valtuus-archive", []rbacv1.Subject{right, account("hoivakoti", "two-archive")}, "only to one service account"},
		{rightName, "valtuus-archive", nil, "only to one service account"},
		{"valtuus-archive:hoivakoti:default", "valtuus-archive", []rbacv1.Subject{account("hoivakoti", "default")}, "only to one service account"},
		{rightName, "valtuus-archive", []rbacv1.Subject{account("elsewhere", "one-archive")}, "called as the archive"},
		{"mine", "valtuus-archive", []rbacv1.Subject{right}, "called as the archive"},
	} {
		o := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: c.name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: c.role}, Subjects: c.subjects,
		}
		mark(o)
		g.Expect(thief.Create(t.Context(), o, client.DryRunAll)).To(refusedFor(policy, c.says), "%+v", c)
	}
	for _, c := range []struct {
		name, role string
		subjects   []rbacv1.Subject
		says       string
	}{
		{"one-archive", "valtuus-archive", []rbacv1.Subject{right}, "only the roles of archives"},
		{"one-archive", "valtuus-archive-lease", []rbacv1.Subject{user}, "only to one service account"},
		{"one-archive", "valtuus-archive-lease", []rbacv1.Subject{account("elsewhere", "one-archive")}, "of its own name"},
		{"another", "valtuus-archive-lease", []rbacv1.Subject{right}, "of its own name"},
	} {
		o := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: "hoivakoti", Name: c.name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: c.role}, Subjects: c.subjects,
		}
		mark(o)
		g.Expect(thief.Create(t.Context(), o, client.DryRunAll)).To(refusedFor(policy, c.says), "%+v", c)
	}
	// What carries the marks, but binds another role, is not the manager's to take away.
	other := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "other"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects: []rbacv1.Subject{right},
	}
	mark(other)
	g.Expect(i.admin.Create(t.Context(), other)).To(Succeed())
	g.Expect(thief.Delete(t.Context(), other)).To(refusedFor(policy, "only the roles of archives"))
}

func (i *installation) thievesPods(t *testing.T, thief client.Client) {
	g := NewWithT(t)
	const policy = "valtuus-manager-pods"
	token := corev1.Volume{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}},
	}}}
	for name, c := range map[string]struct {
		change func(*corev1.PodSpec)
		says   string
	}{
		"network":   {func(p *corev1.PodSpec) { p.HostNetwork = true }, "shares nothing with a node"},
		"processes": {func(p *corev1.PodSpec) { p.HostPID = true }, "shares nothing with a node"},
		"memory":    {func(p *corev1.PodSpec) { p.HostIPC = true }, "shares nothing with a node"},
		"node":      {func(p *corev1.PodSpec) { p.NodeName = "control-plane" }, "shares nothing with a node"},
		"files": {func(p *corev1.PodSpec) {
			p.Volumes = []corev1.Volume{{Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		}, "mounts nothing of a node"},
		"no word":    {func(p *corev1.PodSpec) { p.Containers[0].SecurityContext = nil }, "has no privilege"},
		"escalation": {func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.AllowPrivilegeEscalation = ptr.To(true) }, "has no privilege"},
		"privileged": {func(p *corev1.PodSpec) {
			p.InitContainers[0].SecurityContext = &corev1.SecurityContext{Privileged: ptr.To(true)}
		}, "has no privilege"},
		"capability": {func(p *corev1.PodSpec) {
			p.InitContainers[0].SecurityContext.Capabilities = &corev1.Capabilities{Add: []corev1.Capability{"SYS_ADMIN"}}
		}, "has no privilege"},
		"account":   {func(p *corev1.PodSpec) { p.ServiceAccountName = "admin" }, "an archive's service account, or nobody"},
		"automount": {func(p *corev1.PodSpec) { p.AutomountServiceAccountToken = nil }, "an archive's service account, or nobody"},
		"default": {func(p *corev1.PodSpec) { p.ServiceAccountName, p.Volumes = "", []corev1.Volume{token} },
			"an archive's service account, or nobody"},
	} {
		for _, o := range everyKind("elsewhere", "one-archive", c.change) {
			switch o.(type) {
			case *appsv1.Deployment, *appsv1.StatefulSet, *batchv1.Job, *batchv1.CronJob:
				mark(o)
				g.Expect(thief.Create(t.Context(), o, client.DryRunAll)).To(refusedFor(policy, c.says), "%s: %T", name, o)
			}
		}
	}
	fine := everyKind("elsewhere", "one-archive", func(p *corev1.PodSpec) { p.Volumes = []corev1.Volume{token} })[5]
	mark(fine)
	g.Expect(thief.Create(t.Context(), fine)).To(Succeed())
	g.Expect(thief.Patch(t.Context(), fine, merged(t, map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"hostNetwork": true}}}}))).
		To(refusedFor(policy, "shares nothing with a node"), "nor later")
}

func (i *installation) leasesOfOthers(t *testing.T, thief client.Client) {
	g := NewWithT(t)
	const policy = "valtuus-manager-leases"
	lease := func(in, name string, labels map[string]string) *coordinationv1.Lease {
		return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: in, Name: name, Labels: labels}}
	}
	theirs, ofArchive := lease("kube-system", "scheduler", nil), lease("platform", "one.a", map[string]string{"valtuus.io/archive": "one"})
	g.Expect(i.admin.Create(t.Context(), theirs)).To(Succeed())
	g.Expect(i.admin.Create(t.Context(), ofArchive)).To(Succeed())
	g.Expect(thief.Delete(t.Context(), theirs)).To(refusedFor(policy, "deletes only Leases of archives"))
	g.Expect(thief.Delete(t.Context(), ofArchive)).To(Succeed())
	g.Expect(thief.Create(t.Context(), lease(namespace, "another", nil))).To(refusedFor(policy, "the one by which it leads"))
	leads := lease(namespace, "valtuus-manager.valtuus.io", nil)
	g.Expect(thief.Create(t.Context(), leads)).To(Succeed())
	g.Expect(thief.Update(t.Context(), leads)).To(Succeed())
	g.Expect(thief.Delete(t.Context(), leads)).To(refusedFor(policy, "deletes only Leases of archives"))
}

func (i *installation) wordsOfOthers(t *testing.T, thief client.Client) {
	g := NewWithT(t)
	const policy = "valtuus-manager-resources"
	grant := someGrant("theirs")
	grant.Labels, grant.Annotations = map[string]string{"a": "b"}, map[string]string{"a": "b"}
	grant.Finalizers = []string{"example.com/keep", "valtuus.io/revoke-credentials"}
	g.Expect(i.admin.Create(t.Context(), grant)).To(Succeed())
	for says, patches := range map[string][]string{
		"changes no spec":                 {`{"spec":{"suspend":true}}`, `{"spec":{"agreement":{"reference":"7","validFrom":"2026-01-01T00:00:00Z"}}}`},
		"no metadata but its finalizers":  {`{"metadata":{"labels":{"a":"c"}}}`, `{"metadata":{"annotations":null}}`, `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"7"}]}}`},
		"takes away no finalizer but its": {`{"metadata":{"finalizers":["valtuus.io/revoke-credentials"]}}`, `{"metadata":{"finalizers":null}}`},
	} {
		for _, patch := range patches {
			g.Expect(thief.Patch(t.Context(), grant.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))).To(refusedFor(policy, says), patch)
		}
	}
	g.Expect(thief.Patch(t.Context(), grant.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":["example.com/keep"]}}`)))).To(Succeed())
	g.Expect(thief.Delete(t.Context(), grant)).To(refusedFor(policy, "deletes only what was made for a deployment test"))

	owned := func(o client.Object, kind string) client.Object {
		o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, Name: "x", UID: "7", Controller: ptr.To(true)}})
		return o
	}
	registry := func(purpose v1alpha1.RegistryPurpose) *v1alpha1.Registry {
		return &v1alpha1.Registry{ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: "made"}, Spec: v1alpha1.RegistrySpec{
			OID: "2.25.7", ControllerOID: "1.2.246.10.88888888.19.0", Organization: "1.2.246.10.88888888.10.0", ArchiveName: "national", ClientSystem: "one", Purpose: purpose,
			Policies: v1alpha1.RegistryPolicies{DeploymentTest: v1alpha1.DeploymentTestReport, AutomaticGrants: v1alpha1.AutomaticGrantsDisabled},
		}}
	}
	create := func(o client.Object) error { return thief.Create(t.Context(), o, client.DryRunAll) }
	g.Expect(create(someGrant("made"))).To(refusedFor(policy, "makes only grants"), "of its own accord")
	g.Expect(create(registry(v1alpha1.PurposeTest))).To(refusedFor(policy, "makes only grants"))
	g.Expect(create(owned(registry(v1alpha1.PurposeTest), "Registry"))).To(refusedFor(policy, "makes only grants"))
	g.Expect(create(owned(registry(v1alpha1.PurposeProduction), "DeploymentTest"))).To(refusedFor(policy, "no registry for production"))
	g.Expect(create(owned(registry(v1alpha1.PurposeTest), "DeploymentTest"))).To(Succeed())
	for _, extent := range []v1alpha1.GrantExtent{v1alpha1.ExtentBasic, v1alpha1.ExtentExtended} {
		bought := someGrant("made")
		bought.Spec.Extent, bought.Spec.Agreement = extent, &v1alpha1.Agreement{Reference: "7", ValidFrom: metav1.Now()}
		g.Expect(create(owned(bought, "Registry"))).To(refusedFor(policy, "the basic extent only"), string(extent))
	}
	g.Expect(create(owned(someGrant("made"), "Registry"))).To(Succeed())
	made := owned(someGrant("made"), "DeploymentTest")
	g.Expect(i.admin.Create(t.Context(), made)).To(Succeed())
	g.Expect(thief.Delete(t.Context(), made)).To(Succeed())
}

// Only the manager's own service account is fenced in, in whichever namespace it is.
func TestThePoliciesNameTheServiceAccountOfTheRelease(t *testing.T) {
	g := NewWithT(t)
	objects, err := tryRenderIn(t, "care", values(t, ""))
	g.Expect(err).NotTo(HaveOccurred())
	fences := 0
	for _, o := range objects {
		if o.GetKind() != "ValidatingAdmissionPolicy" || !strings.HasPrefix(o.GetName(), "valtuus-manager-") {
			continue
		}
		fences++
		conditions := at(o, "spec", "matchConditions").([]any)
		g.Expect(conditions).To(HaveLen(1), o.GetName())
		g.Expect(conditions[0]).To(HaveKeyWithValue("expression", "request.userInfo.username == 'system:serviceaccount:care:valtuus-manager'"), o.GetName())
	}
	g.Expect(fences).To(Equal(5))
}
