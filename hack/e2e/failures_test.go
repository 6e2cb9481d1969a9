// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// says waits until an archive's Ready condition has the status, and its reason and message the words.
func (s *suite) says(t *testing.T, archive string, ready bool, words ...string) {
	t.Helper()
	said := ""
	NewWithT(t).Eventually(func(g Gomega) {
		var o v1alpha1.Archive
		g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: archive}, &o)).To(Succeed())
		c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ReadyCondition)
		g.Expect(c).NotTo(BeNil())
		said = c.Reason + ": " + c.Message
		g.Expect(c.Status == metav1.ConditionTrue).To(Equal(ready), said)
		for _, word := range words {
			g.Expect(said).To(ContainSubstring(word))
		}
	}).Should(Succeed(), func() string { return "archive " + archive + " says " + said })
	fmt.Printf("e2e: archive %s says %s\n", archive, said)
}

// failures brings about what goes wrong in the field, all of it at once: the manager looks at some things once a minute.
// What serves goes on serving.
func (l *life) failures(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	reads := l.county.unit.load(t, "failures", 20, false, wire.Order{Do: wire.Read, Document: l.county.note})

	sealed := l.seal(t)
	l.databaseSecret(t, "broken-database", l.database.withPassword("broken", "wrong"))
	l.apply(t, platform, l.fill(t, "troubled.yaml", map[string]string{"Sealed": sealed}))
	keys := l.take(t, "national-archive-keys")
	server := l.take(t, l.serverSecret(t, "county"))
	l.must(t, platform, "-n", "platform", "patch", "archive", "county", "--type=merge", "-p",
		`{"spec":{"workload":{"image":"registry.invalid/valtuus/valtuus:none"}}}`)

	l.says(t, "county", false, v1alpha1.PodFailingReason, "ImagePull", "registry.invalid/valtuus/valtuus:none", "2 of 2 pods serve")
	l.must(t, platform, "-n", "platform", "patch", "archive", "county", "--type=merge", "-p",
		fmt.Sprintf(`{"spec":{"workload":{"image":%q}}}`, l.nextImage()))

	l.says(t, "broken", false, v1alpha1.PodFailingReason, "DatabaseAuthenticationFailed")
	l.setDatabase(t, "broken-database", "postgres://valtuus:secret@"+"none.invalid:5432/broken")
	l.says(t, "broken", false, v1alpha1.PodFailingReason, "DatabaseUnreachable")
	l.setDatabase(t, "broken-database", l.database.of("broken"))

	l.says(t, "homeless", false, v1alpha1.VolumePendingReason, "valtuus-e2e-late")
	l.makeClass(t, "valtuus-e2e-late")

	l.says(t, "national", false, v1alpha1.KeysLostReason, keys.Name)
	l.national.unit.does(t, wire.Order{Do: wire.Find, Code: l.national.code})
	g.Expect(l.Create(ctx, keys)).To(Succeed())

	if sealed != "" {
		l.says(t, "sealed", false, v1alpha1.PodFailingReason, "VolumeReadOnly")
		g.Expect(l.node.mount("-o", "remount,rw", sealed)).To(Succeed())
		l.says(t, "sealed", true, v1alpha1.ArchiveServingReason)
	} else {
		l.report.say("a read-only volume", "not tried", "", "the node is not the suite's")
	}
	l.says(t, "broken", true, v1alpha1.ArchiveServingReason)
	l.says(t, "homeless", true, v1alpha1.ArchiveServingReason)
	l.says(t, "national", true, v1alpha1.ArchiveServingReason)
	g.Eventually(func(g Gomega) {
		var made corev1.Secret
		g.Expect(l.Get(ctx, client.ObjectKey{Namespace: "platform", Name: server.Name}, &made)).To(Succeed())
		g.Expect(made.UID).NotTo(Equal(server.UID))
	}).Should(Succeed(), "a server certificate that was lost is issued again")
	l.says(t, "county", true, v1alpha1.ArchiveServingReason)
	l.allReady(t, "platform", archiveLabels("county"), 2)

	told := reads.stop(t)
	g.Expect(told.All.Not(wire.Allowed)).To(BeZero(), "%s", strings.Join(told.Errors, "\n"))
	for _, name := range []string{"broken", "homeless", "sealed"} {
		l.must(t, platform, "-n", "platform", "delete", "archive", name, "--ignore-not-found", inTime)
		l.must(t, admin, "-n", "platform", "delete", "pvc", name+"-data", "--ignore-not-found", inTime)
	}
	l.must(t, admin, "delete", "storageclass,pv", "-l", suiteLabel, inTime)
}

// take deletes a Secret of the platform's, and returns what is needed to bring it back.
func (s *suite) take(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	g := NewWithT(t)
	var secret corev1.Secret
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: name}, &secret)).To(Succeed())
	g.Expect(s.Delete(t.Context(), &secret)).To(Succeed())
	secret.ResourceVersion = ""
	secret.ManagedFields = nil
	return &secret
}

func (s *suite) serverSecret(t *testing.T, archive string) string {
	t.Helper()
	var o v1alpha1.Archive
	NewWithT(t).Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: archive}, &o)).To(Succeed())
	return string(o.Status.ServerSecretRef.Name)
}

func (s *suite) setDatabase(t *testing.T, name, uri string) {
	t.Helper()
	g := NewWithT(t)
	var secret corev1.Secret
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: name}, &secret)).To(Succeed())
	secret.Data["uri"] = []byte(uri)
	g.Expect(s.Update(t.Context(), &secret)).To(Succeed())
}

// makeClass makes a storage class like the default one.
func (s *suite) makeClass(t *testing.T, name string) {
	t.Helper()
	g := NewWithT(t)
	var classes storagev1.StorageClassList
	g.Expect(s.List(t.Context(), &classes)).To(Succeed())
	for _, class := range classes.Items {
		if class.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
			class.ObjectMeta = metav1.ObjectMeta{Name: name, Labels: map[string]string{suiteLabel: "true"}}
			g.Expect(s.Create(t.Context(), &class)).To(Succeed())
			return
		}
	}
	t.Fatal("the cluster has no default storage class")
}

const sealedClass = "valtuus-e2e-sealed"

// seal makes a volume of a file system that is mounted read-only, in memory. It returns where that is, or the empty
// string where the node is not ours.
func (s *suite) seal(t *testing.T) string {
	t.Helper()
	if s.node == nil {
		return ""
	}
	g := NewWithT(t)
	dir := s.file("sealed")
	g.Expect(os.Mkdir(dir, 0o755)).To(Succeed())
	g.Expect(s.node.mount("-t", "tmpfs", "-o", "ro,size=64m,mode=777", "tmpfs", dir)).To(Succeed())
	var nodes corev1.NodeList
	g.Expect(s.List(t.Context(), &nodes)).To(Succeed())
	called := metav1.ObjectMeta{Name: sealedClass, Labels: map[string]string{suiteLabel: "true"}}
	g.Expect(s.Create(t.Context(), &storagev1.StorageClass{ObjectMeta: called, Provisioner: "kubernetes.io/no-provisioner"})).To(Succeed())
	g.Expect(s.Create(t.Context(), &corev1.PersistentVolume{
		ObjectMeta: called,
		Spec: corev1.PersistentVolumeSpec{
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}, StorageClassName: sealedClass,
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: dir}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{nodes.Items[0].Labels[corev1.LabelHostname]},
				}},
			}}}},
		},
	})).To(Succeed())
	return dir
}
