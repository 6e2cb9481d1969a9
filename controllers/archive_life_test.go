// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/testworld"
	"github.com/valtuus/valtuus/internal/workload"
)

var _ = Describe("an archive that runs in the cluster", func() {
	DescribeTable("is made with all that it needs, serves, and is left alone by a second look and a restart (invariant 9)",
		func(ctx context.Context, kind func(*testworld.World), first string) {
			l := begin(ctx, kind)
			if l.Archive.Spec.Workload.Storage.Postgres != nil {
				Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.DatabaseURIMissingReason))
				l.database(ctx)
			}
			for _, child := range l.children() {
				come(ctx, l, child)
			}
			Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(first))
			l.serve(ctx)
			Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(
				HaveField("Status.Workload.Image", archiveImage), HaveField("Finalizers", ConsistOf(controllers.ArchiveFinalizer))))

			settling := &journal{}
			l.startOn(settling.keep(l.config()), nil)
			l.quiet(ctx, settling)
			restarted := &journal{}
			l.startOn(restarted.keep(l.config()), nil)
			l.expectNothing(ctx, restarted)
			l.touch(ctx, l.Archive, "again")
			for _, child := range l.children() {
				change(ctx, l, child, func(o client.Object) { o.GetLabels()["somebody"] = "else" })
			}
			l.expectNothing(ctx, restarted)
			for _, child := range l.children() {
				Expect(seen(ctx, l, child)()).To(HaveField("GetLabels()", HaveKeyWithValue("somebody", "else")), "what others add is theirs")
			}
		},
		Entry("on a volume", embedded, v1alpha1.VolumePendingReason),
		Entry("on a database", postgres, v1alpha1.ArchiveRollingOutReason),
	)

	It("has no secret in what is made for it but in its Secrets (invariant 8)", func(ctx context.Context) {
		l := up(ctx, postgres)
		keys := come(ctx, l, l.keys())
		secret := []string{"very-secret"}
		for name, value := range keys.Data {
			text := strings.TrimSpace(string(value))
			if name == workload.IdentityKey {
				raw, err := json.Marshal(value)
				Expect(err).NotTo(HaveOccurred())
				text = strings.Trim(string(raw), `"`)
			}
			Expect(len(text)).To(BeNumerically(">", 20))
			secret = append(secret, text)
		}
		for _, o := range append(l.children(), l.Archive) {
			if _, ok := o.(*corev1.Secret); ok {
				continue
			}
			text, err := json.Marshal(come(ctx, l, o))
			Expect(err).NotTo(HaveOccurred())
			for _, s := range secret {
				Expect(strings.Contains(string(text), s)).To(BeFalse(), "%T", o)
			}
		}
	})

	It("runs pods that the Pod Security level restricted lets run", func(ctx context.Context) {
		l := begin(ctx, embedded)
		change(ctx, l, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: l.Platform}}, func(n *corev1.Namespace) {
			n.Labels = map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
		})
		privileged := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: "privileged"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a"}}},
		}
		// The API server takes a moment to know of a level that was just set.
		Eventually(func() error { return l.Create(ctx, privileged.DeepCopy(), client.DryRunAll) }).Should(MatchError(ContainSubstring("PodSecurity")))
		template := come(ctx, l, l.statefulSet()).Spec.Template
		Expect(l.Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: "as-rendered"}, Spec: template.Spec,
		})).To(Succeed())
	})

	It("takes back what anybody changed or deleted", func(ctx context.Context) {
		l := up(ctx, postgres)
		service, policy, budget := &corev1.Service{ObjectMeta: l.meta("")}, &networkingv1.NetworkPolicy{ObjectMeta: l.meta("")}, &policyv1.PodDisruptionBudget{ObjectMeta: l.meta("")}
		account, role := &corev1.ServiceAccount{ObjectMeta: l.meta("-archive")}, &rbacv1.RoleBinding{ObjectMeta: l.meta("-archive")}

		change(ctx, l, l.deployment(), func(d *appsv1.Deployment) {
			d.Spec.Replicas = ptr.To[int32](7)
			d.Spec.Template.Spec.Containers[0].Image = "evil"
			d.Spec.Template.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem = ptr.To(false)
		})
		Eventually(seen(ctx, l, l.deployment())).Should(SatisfyAll(
			HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(2))),
			HaveField("Spec.Template.Spec.Containers", ConsistOf(SatisfyAll(
				HaveField("Image", archiveImage), HaveField("SecurityContext.ReadOnlyRootFilesystem", HaveValue(BeTrue())))))))
		change(ctx, l, service, func(s *corev1.Service) { s.Spec.Ports[0].Port = 443 })
		Eventually(seen(ctx, l, service)).Should(HaveField("Spec.Ports", ConsistOf(HaveField("Port", BeEquivalentTo(8443)), HaveField("Port", BeEquivalentTo(8444)))))
		change(ctx, l, policy, func(p *networkingv1.NetworkPolicy) {
			p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
		})
		Eventually(seen(ctx, l, policy)).Should(HaveField("Spec.Ingress", HaveLen(2)))
		change(ctx, l, budget, func(b *policyv1.PodDisruptionBudget) { b.Spec.MaxUnavailable.IntVal = 2 })
		Eventually(seen(ctx, l, budget)).Should(HaveField("Spec.MaxUnavailable.IntVal", BeEquivalentTo(1)))
		change(ctx, l, account, func(a *corev1.ServiceAccount) { a.AutomountServiceAccountToken = ptr.To(true) })
		Eventually(seen(ctx, l, account)).Should(HaveField("AutomountServiceAccountToken", HaveValue(BeFalse())))
		change(ctx, l, role, func(b *rbacv1.RoleBinding) { b.Subjects = nil })
		Eventually(seen(ctx, l, role)).Should(HaveField("Subjects", HaveLen(1)))
		// An object that lost all by which it is known but the annotation.
		change(ctx, l, service, func(s *corev1.Service) { s.Labels = nil })
		Eventually(seen(ctx, l, service)).Should(HaveField("Labels", HaveKey(workload.ArchiveLabel)))

		for _, o := range []client.Object{service, policy, budget, account, role, l.deployment(), workload.ClusterRoleBinding(l.Platform, l.Archive.Name)} {
			before := come(ctx, l, o).GetUID()
			Expect(l.Delete(ctx, o)).To(Succeed())
			Eventually(seen(ctx, l, o)).Should(HaveField("GetUID()", Not(Equal(before))), "%T", o)
		}
	})

	It("touches nothing where an object of its name is somebody else's", func(ctx context.Context) {
		l := begin(ctx, nil)
		first := l.Archive
		l.Archive = another(first, l.Platform, first.Name+"-2")
		embedded(l.World)
		theirs := &corev1.Service{ObjectMeta: l.meta(""), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
		theirs.Labels = map[string]string{"app": "theirs"}
		Expect(l.Create(ctx, theirs)).To(Succeed())
		Expect(l.Create(ctx, l.Archive)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.ArchiveConflictReason),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.ArchiveConflictReason),
			HaveField("Status.Conditions", ContainElement(HaveField("Message", ContainSubstring("Service "+l.Platform+"/"+l.Archive.Name+" exists"))))))
		Consistently(seen(ctx, l, theirs), "500ms").Should(HaveField("ResourceVersion", theirs.ResourceVersion))
		for _, child := range l.children() {
			switch child.(type) {
			case *corev1.Service, *corev1.Secret:
			default:
				Expect(missing(ctx, l, child)()).To(Succeed())
			}
		}
		Expect(l.Delete(ctx, theirs)).To(Succeed())
		come(ctx, l, l.statefulSet())
		Expect(come(ctx, l, &corev1.Service{ObjectMeta: l.meta("")}).Spec.Ports).To(HaveLen(2))
	})

	It("follows its spec: pods are replaced for what they read at their start, and for nothing else", func(ctx context.Context) {
		l := up(ctx, postgres)
		version := func() string { return come(ctx, l, l.deployment()).ResourceVersion }
		before := version()
		server := come(ctx, l, &corev1.Secret{ObjectMeta: l.meta("-server")})
		Expect(l.Delete(ctx, server)).To(Succeed())
		Eventually(seen(ctx, l, server)).Should(HaveField("Data", HaveKeyWithValue(corev1.TLSCertKey, Not(Equal(server.Data[corev1.TLSCertKey])))),
			"a Secret that was removed under a running pod is made again")
		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) { w.DNSNames = []string{"archive.example"} })
		Eventually(seen(ctx, l, l.Archive)).Should(HaveField("Status.ObservedGeneration", BeEquivalentTo(2)))
		Expect(version()).To(Equal(before), "a new certificate restarts no pod")

		uri := come(ctx, l, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: "database"}})
		change(ctx, l, uri, func(s *corev1.Secret) { s.Data["uri"] = []byte("postgresql://app:new@db:6000/app") })
		Eventually(version).ShouldNot(Equal(before))
		Eventually(seen(ctx, l, &networkingv1.NetworkPolicy{ObjectMeta: l.meta("")})).Should(
			HaveField("Spec.Egress", ContainElement(HaveField("Ports", ConsistOf(HaveField("Port.IntVal", BeEquivalentTo(6000)))))))
		change(ctx, l, uri, func(s *corev1.Secret) { s.Data["uri"] = []byte("no uri of very-secret") })
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.DatabaseURIMissingReason),
			HaveField("Status.Conditions", HaveEach(HaveField("Message", Not(ContainSubstring("very-secret")))))))
		change(ctx, l, uri, func(s *corev1.Secret) { s.Data["uri"] = []byte("postgresql://app:new@db/app") })

		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) {
			w.Replicas, w.Image = ptr.To[int32](1), "registry.example/valtuus:2.0"
		})
		Eventually(seen(ctx, l, l.deployment())).Should(SatisfyAll(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(1))),
			HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Image", "registry.example/valtuus:2.0")))))
		Eventually(missing(ctx, l, &policyv1.PodDisruptionBudget{ObjectMeta: l.meta("")})).Should(Succeed(), "one pod has no budget")
	})

	It("says what keeps a pod from serving, and is ready when it serves again", func(ctx context.Context) {
		l := up(ctx, embedded)
		pod := &corev1.Pod{ObjectMeta: l.meta("-0")}
		l.says(ctx, pod, corev1.PodStatus{Phase: corev1.PodRunning, InitContainerStatuses: []corev1.ContainerStatus{{
			Name: workload.MigrateContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Message: `{"reason":"SchemaTooNew","message":"the tables are newer"}`,
			}},
		}}})
		l.count(ctx, 1, 0)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.PodFailingReason),
			HaveField("Status.Workload.ReadyReplicas", HaveValue(BeZero())), HaveField("Status.Workload.Image", BeEmpty()),
			HaveField("Status.Conditions", ContainElement(HaveField("Message", ContainSubstring("SchemaTooNew: "))))))
		l.says(ctx, pod, serving)
		l.count(ctx, 1, 1)
		Eventually(seen(ctx, l, l.Archive)).Should(beReady(v1alpha1.ArchiveServingReason))
	})

	It("reads the events of what waits", func(ctx context.Context) {
		l := begin(ctx, embedded)
		claim := come(ctx, l, l.volume())
		Eventually(seen(ctx, l, l.Archive)).Should(HaveField("Status.Conditions", ContainElement(HaveField("Message", ContainSubstring("no default one")))))
		class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "fast-" + l.Archive.Name}, Provisioner: "example.com/none"}
		Expect(l.Create(ctx, class)).To(Succeed())
		change(ctx, l, claim, func(c *corev1.PersistentVolumeClaim) { c.Spec.StorageClassName = &class.Name })
		Eventually(seen(ctx, l, l.Archive)).Should(HaveField("Status.Conditions", ContainElement(HaveField("Message", HaveSuffix("waits for a volume.")))))
		Expect(l.Create(ctx, &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: l.Platform, Name: "provisioning"},
			InvolvedObject: corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: l.Platform, Name: claim.Name},
			Type:           corev1.EventTypeWarning, Reason: "ProvisioningFailed", Message: "out of capacity", LastTimestamp: metav1.NewTime(l.clock.Now()),
		})).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.VolumePendingReason),
			HaveField("Status.Conditions", ContainElement(HaveField("Message", ContainSubstring("ProvisioningFailed: out of capacity."))))))
	})

	It("grows its volume where the class lets it, and says where not", func(ctx context.Context) {
		classes := map[bool]string{}
		l := begin(ctx, func(w *testworld.World) {
			embedded(w)
			for _, expand := range []bool{true, false} {
				class := &storagev1.StorageClass{
					ObjectMeta:  metav1.ObjectMeta{Name: map[bool]string{true: "grows-", false: "fixed-"}[expand] + w.Archive.Name},
					Provisioner: "example.com/none", AllowVolumeExpansion: &expand,
				}
				Expect(w.Create(ctx, class)).To(Succeed())
				classes[expand] = class.Name
			}
			w.Archive.Spec.Workload.Storage.Embedded.StorageClassName = v1alpha1.ObjectName(classes[true])
		})
		l.serve(ctx)
		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) { w.Storage.Embedded.Size = ptr.To(resource.MustParse("2Gi")) })
		Eventually(seen(ctx, l, l.volume())).Should(HaveField("Spec.Resources.Requests", HaveKeyWithValue(corev1.ResourceStorage, resource.MustParse("2Gi"))))
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.VolumeNotGrownReason),
			HaveField("Status.Workload.VolumeSize", HaveValue(Equal(resource.MustParse("1Gi"))))))
		l.bind(ctx, "2Gi")
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(beReady(v1alpha1.ArchiveServingReason),
			HaveField("Status.Workload.VolumeSize", HaveValue(Equal(resource.MustParse("2Gi"))))))
		Expect(tryChange(ctx, l, l.Archive, func(a *v1alpha1.Archive) {
			a.Spec.Workload.Storage.Embedded.Size = ptr.To(resource.MustParse("1Gi"))
		})).To(MatchError(ContainSubstring("size can only grow")))

		// The class is asked at each growth.
		class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: classes[true]}}
		change(ctx, l, class, func(c *storagev1.StorageClass) { c.AllowVolumeExpansion = ptr.To(false) })
		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) { w.Storage.Embedded.Size = ptr.To(resource.MustParse("3Gi")) })
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.VolumeNotGrownReason),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.VolumeNotGrownReason)))
		Expect(come(ctx, l, l.statefulSet()).Spec.Replicas).To(HaveValue(BeEquivalentTo(1)))
	})

	It("is refused by the API server where it cannot be", func(ctx context.Context) {
		l := begin(ctx, embedded)
		refuse := func(part string, edit func(*v1alpha1.Archive)) {
			GinkgoHelper()
			o := &v1alpha1.Archive{ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: "another"}, Spec: *l.Archive.Spec.DeepCopy()}
			edit(o)
			Expect(l.Create(ctx, o)).To(MatchError(ContainSubstring(part)))
		}
		refuse("at most 40", func(a *v1alpha1.Archive) { a.Name = strings.Repeat("n", 41) })
		refuse("at most 40", func(a *v1alpha1.Archive) { a.Name = "with.dot" })
		refuse("at most 40", func(a *v1alpha1.Archive) { a.Name = "1st" })
		refuse("has one replica", func(a *v1alpha1.Archive) { a.Spec.Workload.Replicas = ptr.To[int32](2) })
		refuse("either embedded or postgres", func(a *v1alpha1.Archive) {
			a.Spec.Workload.Storage.Postgres = &v1alpha1.PostgresStorage{URI: v1alpha1.SecretKey{Name: "a", Key: "b"}}
		})
		refuse("either external or workload", func(a *v1alpha1.Archive) { a.Spec.External = &v1alpha1.ExternalArchive{Endpoint: "https://x.example"} })
		refuse("more than zero", func(a *v1alpha1.Archive) {
			a.Spec.Workload.Storage.Embedded.Size = ptr.To(resource.MustParse("0"))
		})
		Expect(tryChange(ctx, l, l.Archive, func(a *v1alpha1.Archive) {
			a.Spec.Workload.KeysSecretName = "others"
		})).To(MatchError(ContainSubstring("keeps the keys that it began with")))
		Expect(tryChange(ctx, l, l.Archive, func(a *v1alpha1.Archive) {
			a.Spec.Workload.Storage = v1alpha1.ArchiveStorage{Postgres: &v1alpha1.PostgresStorage{URI: v1alpha1.SecretKey{Name: "a", Key: "b"}}}
		})).To(MatchError(ContainSubstring("the kind of storage cannot change")))

		// What the API server refuses of its objects is told.
		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) {
			w.Resources = &v1alpha1.WorkloadResources{
				Requests: &v1alpha1.ResourceAmounts{CPU: ptr.To(resource.MustParse("2"))}, Limits: &v1alpha1.ResourceAmounts{CPU: ptr.To(resource.MustParse("1"))},
			}
		})
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.ArchiveRefusedReason),
			HaveField("Status.Conditions", ContainElement(HaveField("Message", ContainSubstring("must be less than or equal to cpu limit"))))))
	})

	It("needs an image from its spec or from the manager", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { embedded(w); w.Archive.Spec.Workload.Image = "registry.example/valtuus:3" })
		Expect(come(ctx, l, l.statefulSet()).Spec.Template.Spec.Containers[0].Image).To(Equal("registry.example/valtuus:3"))
		former := archives
		DeferCleanup(func() { archives = former })
		archives.Image = ""
		l.start(nil)
		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) { w.Image = "" })
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.ImageMissingReason),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.ImageMissingReason)))
		Expect(come(ctx, l, l.statefulSet()).Spec.Template.Spec.Containers[0].Image).To(Equal("registry.example/valtuus:3"), "what serves is left")
	})

	It("has one field manager, and takes no field that it does not set", func(ctx context.Context) {
		l := up(ctx, embedded)
		for _, child := range l.children() {
			if _, ok := child.(*corev1.Secret); ok {
				continue
			}
			var managers []string
			for _, entry := range come(ctx, l, child).GetManagedFields() {
				if entry.Subresource == "" {
					managers = append(managers, entry.Manager+" "+string(entry.Operation))
				}
			}
			Expect(managers).To(ConsistOf(controllers.FieldOwner+" Apply"), "%T", child)
		}
	})
})
