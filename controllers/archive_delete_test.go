// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/testworld"
	"github.com/valtuus/valtuus/internal/workload"
)

var _ = Describe("an archive's keys", func() {
	It("are made once, and are missed when they are lost", func(ctx context.Context) {
		l := up(ctx, embedded)
		made := come(ctx, l, l.keys())
		Expect(workload.CheckKeys(made.Data)).To(Succeed())
		Expect(made.OwnerReferences).To(BeEmpty())
		set := come(ctx, l, l.statefulSet()).ResourceVersion
		Expect(l.Delete(ctx, made)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.KeysLostReason),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.KeysLostReason)))
		Consistently(missing(ctx, l, made), "600ms").Should(Succeed())
		Expect(come(ctx, l, l.statefulSet()).ResourceVersion).To(Equal(set), "what serves goes on")

		// From a copy that holds nothing but the keys.
		back := &corev1.Secret{ObjectMeta: l.meta("-archive-keys"), Data: map[string][]byte{workload.IdentityKey: made.Data[workload.IdentityKey]}}
		Expect(l.Create(ctx, back)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(HaveField("Status.Conditions", ContainElement(HaveField("Message", ContainSubstring("is damaged: client.key")))))
		change(ctx, l, back, func(s *corev1.Secret) { s.Data = made.Data })
		Eventually(seen(ctx, l, l.Archive)).Should(beReady(v1alpha1.ArchiveServingReason))
		Expect(come(ctx, l, back).Labels).To(BeEmpty(), "it is only read")
		Expect(come(ctx, l, l.statefulSet()).ResourceVersion).To(Equal(set))
	})

	It("are the platform's own where it names them, and only read", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { embedded(w); w.Archive.Spec.Workload.KeysSecretName = "own" })
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.KeysLostReason))
		Expect(missing(ctx, l, l.statefulSet())()).To(Succeed())
		keys, err := workload.NewKeys()
		Expect(err).NotTo(HaveOccurred())
		own := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: "own"}, Data: keys}
		Expect(l.Create(ctx, own)).To(Succeed())
		l.serve(ctx)
		Expect(come(ctx, l, own).ResourceVersion).To(Equal(own.ResourceVersion))
		Expect(missing(ctx, l, l.keys())()).To(Succeed())
		Expect(l.Delete(ctx, own)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.KeysLostReason))
	})

	It("are not taken from a Secret that is somebody else's", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.Archive = another(l.Archive, l.Platform, l.Archive.Name+"-2")
		embedded(l.World)
		keys, err := workload.NewKeys()
		Expect(err).NotTo(HaveOccurred())
		theirs := &corev1.Secret{ObjectMeta: l.meta("-archive-keys"), Data: keys}
		Expect(l.Create(ctx, theirs)).To(Succeed())
		Expect(l.Create(ctx, l.Archive)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.SecretConflictReason))
		Expect(missing(ctx, l, l.statefulSet())()).To(Succeed())
	})
})

var _ = Describe("an archive that is deleted", func() {
	It("waits for the registries that use it and serves them until then, and leaves documents and keys behind", func(ctx context.Context) {
		l := up(ctx, embedded)
		l.replica(ctx, "killed")
		Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))
		credential := come(ctx, l, l.Registry).Status.Credentials
		Expect(credential).NotTo(BeEmpty())
		unbelieved := another(l.Registry, l.space(ctx, "stranger"), "unbelieved")
		Expect(l.Create(ctx, unbelieved)).To(Succeed())

		Expect(l.Delete(ctx, l.Archive)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.ArchiveInUseReason),
			HaveField("Status.Conditions", ContainElement(HaveField("Message", SatisfyAll(
				ContainSubstring("There are 1: "+l.Organizer+"/clients."), Not(ContainSubstring("unbelieved"))))))))
		service := &corev1.Service{ObjectMeta: l.meta("")}
		Expect(l.Delete(ctx, service)).To(Succeed())
		come(ctx, l, service)
		Consistently(seen(ctx, l, l.Registry), "500ms").Should(SatisfyAll(beReady(v1alpha1.SucceededReason), HaveField("Status.Credentials", Equal(credential))))
		late := another(l.Registry, l.Organizer, "late")
		late.Spec.OID = l.OID("19.9")
		Expect(l.Create(ctx, late)).To(Succeed())
		Eventually(seen(ctx, l, late)).Should(notBeAccepted(v1alpha1.ArchiveNotReadyReason))

		Expect(l.Delete(ctx, l.Registry)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.ArchiveEndingReason))
		Eventually(missing(ctx, l, l.statefulSet())).Should(Succeed())
		binding := workload.ClusterRoleBinding(l.Platform, l.Archive.Name)
		Consistently(func() error { return missing(ctx, l, binding)() }, "300ms").ShouldNot(Succeed(), "what ends may do what it does at its end")
		Expect(l.Delete(ctx, &corev1.Pod{ObjectMeta: l.meta("-0")}, client.GracePeriodSeconds(0))).To(Succeed())
		Eventually(missing(ctx, l, l.Archive)).Should(Succeed())
		for _, o := range append(l.children(), &corev1.Secret{ObjectMeta: l.meta("-ca")}, &corev1.Secret{ObjectMeta: l.meta("-server")}) {
			if o.GetName() != l.volume().Name && o.GetName() != l.keys().Name {
				Expect(missing(ctx, l, o)()).To(Succeed(), "%T %s: there is no garbage collector here", o, o.GetName())
			}
		}
		Expect(l.leases(ctx)).To(BeEmpty(), "nobody waits for the word of what is gone")
		volume, keys := come(ctx, l, l.volume()), come(ctx, l, l.keys())
		Expect(volume.DeletionTimestamp).To(BeNil())
		Eventually(func() (notes []string, err error) {
			var list eventsv1.EventList
			err = l.List(ctx, &list, client.InNamespace(l.Platform))
			for i := range list.Items {
				if list.Items[i].Reason == "Kept" {
					notes = append(notes, list.Items[i].Note)
				}
			}
			return notes, err
		}).Should(ConsistOf(SatisfyAll(ContainSubstring(volume.Name), ContainSubstring(keys.Name))))

		// The next Archive of the name finds the documents, and the keys that they are sealed under.
		next := another(l.Archive, l.Platform, l.Archive.Name)
		next.Finalizers, next.Status = nil, v1alpha1.ArchiveStatus{}
		Expect(l.Create(ctx, next)).To(Succeed())
		Eventually(seen(ctx, l, next)).Should(HaveField("Status.Workload.KeysSecretName", BeEquivalentTo(keys.Name)))
		come(ctx, l, l.statefulSet())
		Expect(come(ctx, l, l.keys()).Data).To(Equal(keys.Data))
		Eventually(seen(ctx, l, l.volume())).Should(SatisfyAll(HaveField("UID", volume.UID),
			HaveField("Annotations", HaveKeyWithValue(workload.OwnerAnnotation, string(next.UID)))))
	})

	It("leaves nothing to the garbage collector: what a former version made loses its owner references, and no pod is replaced for that", func(ctx context.Context) {
		l := up(ctx, embedded)
		l.stop()
		set := come(ctx, l, l.statefulSet())
		former, err := appsv1ac.ExtractStatefulSet(set, controllers.FieldOwner)
		Expect(err).NotTo(HaveOccurred())
		Expect(l.Apply(ctx, former.WithOwnerReferences(metav1ac.OwnerReference().
			WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind("Archive").WithName(l.Archive.Name).WithUID(l.Archive.UID).
			WithController(true).WithBlockOwnerDeletion(true)), client.FieldOwner(controllers.FieldOwner))).To(Succeed())
		Expect(come(ctx, l, l.statefulSet()).OwnerReferences).To(HaveLen(1))
		l.start(nil)
		Eventually(seen(ctx, l, l.statefulSet())).Should(SatisfyAll(HaveField("OwnerReferences", BeEmpty()),
			HaveField("UID", set.UID), HaveField("Generation", set.Generation)))
	})

	It("names the first few of many registries and counts the rest", func(ctx context.Context) {
		l := up(ctx, embedded)
		for i := range 6 {
			o := another(l.Registry, l.Organizer, fmt.Sprintf("clients-%d", i))
			o.Spec.OID = l.OID(fmt.Sprintf("19.%d", i+1))
			Expect(l.Create(ctx, o)).To(Succeed())
			Eventually(seen(ctx, l, o)).Should(beReady(v1alpha1.SucceededReason))
		}
		Expect(l.Delete(ctx, l.Archive)).To(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(HaveField("Status.Conditions", ContainElement(HaveField("Message",
			HaveSuffix("There are 7: %[1]s/clients, %[1]s/clients-0, %[1]s/clients-1, %[1]s/clients-2, %[1]s/clients-3 and 2 more.", l.Organizer)))))
	})

	It("of a name that is another's goes at once, and leaves the other's alone", func(ctx context.Context) {
		l := up(ctx, embedded)
		second := another(l.Archive, l.space(ctx, "second"), l.Archive.Name)
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(notBeReady(v1alpha1.NameTakenReason))
		Expect(l.Delete(ctx, second)).To(Succeed())
		Eventually(missing(ctx, l, second)).Should(Succeed())
		Consistently(seen(ctx, l, l.Archive), "500ms").Should(beReady(v1alpha1.ArchiveServingReason))
	})
})
