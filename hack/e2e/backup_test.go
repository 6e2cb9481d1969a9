// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

const keptOID = "1.2.246.10.32213086.19.2"

// keeping is a registry that moves to the restored archive, with what was stored in it before the backup and after.
type keeping struct {
	dir           string // of the page's files
	code          string
	client        uuid.UUID
	before, after uuid.UUID
}

// backUpAndRestore follows docs/backup.md: the archive on a volume is backed up while it serves, and a new one starts from
// the backup and serves what was stored before. The archive on a database is backed up too.
func (l *life) backUpAndRestore(t *testing.T) {
	g := NewWithT(t)
	if wait := untilScheduled(time.Now()); wait > 0 {
		fmt.Printf("e2e: waiting %s, until the time of the page's schedule has passed\n", wait.Round(time.Second))
		time.Sleep(wait)
	}
	k := l.keep(t)
	pod := l.allReady(t, "platform", archiveLabels("national"), 1)[0].UID
	began := time.Now()
	l.backUp(t, k)
	l.report.say("from kubectl create job to a backup in the status", time.Since(began).Seconds(), "s", "of a small archive, with the start of a pod")

	k.after = l.fromKept(t, "kept-later").does(t, wire.Order{Do: wire.Store, Client: k.client, Type: "service-decision", Task: "elderly"}).Document
	began = time.Now()
	l.restore(t, k)
	l.report.say("from kubectl apply to an archive that serves what was restored", time.Since(began).Seconds(), "s", "of a small archive")
	g.Expect(l.allReady(t, "platform", archiveLabels("national"), 1)[0].UID).To(Equal(pod), "neither a schedule nor a backup restarts the archive")
	l.serveRestored(t, k)
	l.backUpDatabase(t)
	l.forget(t)
}

// untilScheduled is how long to wait where the page's schedule, two o'clock, is near: its backup would come between those
// of the suite.
func untilScheduled(now time.Time) time.Duration {
	scheduled := now.UTC().Truncate(24 * time.Hour).Add(2 * time.Hour)
	if left := scheduled.Sub(now); left > 20*time.Minute || left < -time.Minute {
		return 0
	}
	return scheduled.Add(time.Minute).Sub(now)
}

// keep makes the registry, and what a person has who follows the page: the manifests, in a directory.
func (l *life) keep(t *testing.T) *keeping {
	t.Helper()
	g := NewWithT(t)
	k := &keeping{dir: l.file("backup"), code: newCode()}
	g.Expect(os.Mkdir(k.dir, 0o755)).To(Succeed())
	archive, _, _ := strings.Cut(l.fill(t, "archives.yaml", map[string]string{"Lifetime": lifetime}), "\n---\n")
	g.Expect(os.WriteFile(filepath.Join(k.dir, "national.yaml"), []byte(archive), 0o600)).To(Succeed())
	registry, err := os.ReadFile(filepath.Join("testdata", "kept.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(k.dir, "registry.yaml"), registry, 0o600)).To(Succeed())
	l.apply(t, organizer, string(registry))
	system := l.fromKept(t, "kept")
	k.client = system.eventually(t, wire.Allowed, wire.Order{Do: wire.Register, Code: k.code}).Client
	k.before = system.does(t, wire.Order{Do: wire.Store, Client: k.client, Type: "service-decision", Task: "elderly"}).Document
	return k
}

// fromKept starts a system of the organizer with the registry's credential as it is now.
func (l *life) fromKept(t *testing.T, name string) *caller {
	t.Helper()
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=condition=Ready", "registry/kept", inTime)
	g := NewWithT(t)
	var registry v1alpha1.Registry
	g.Expect(l.Get(t.Context(), client.ObjectKey{Namespace: "pirkanmaa", Name: "kept"}, &registry)).To(Succeed())
	return l.startCaller(t, "pirkanmaa", name, l.archive(t, string(registry.Spec.ArchiveName)).Status.Endpoint, keptOID, string(registry.Status.SecretRef.Name))
}

func (l *life) archive(t *testing.T, name string) *v1alpha1.Archive {
	t.Helper()
	archive := &v1alpha1.Archive{}
	NewWithT(t).Expect(l.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: name}, archive)).To(Succeed())
	return archive
}

// followed runs a block of the page.
func (l *life) followed(t *testing.T, k *keeping, heading string, nth int) string {
	t.Helper()
	out, err := l.runBlock(t.Context(), backupPage, k.dir, heading, nth)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(out)
	return out
}

func (l *life) backUp(t *testing.T, k *keeping) {
	t.Helper()
	g := NewWithT(t)
	l.followed(t, k, "What to keep", 0)
	l.followed(t, k, "Scheduled backups", 0)
	g.Eventually(func() error {
		return l.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: "national.backup"}, &networkingv1.NetworkPolicy{})
	}).Should(Succeed())
	began := time.Now().Truncate(time.Second)
	told := l.followed(t, k, "Scheduled backups", 1)
	last := l.archive(t, "national").Status.Workload.LastBackup
	g.Expect(last).NotTo(BeNil())
	g.Expect(told).To(ContainSubstring(last.Name))
	g.Expect(last.CompletedAt.Time).To(BeTemporally(">=", began))
	g.Expect(last.Size.Value()).To(BeNumerically(">", 4096))
}

func (l *life) restore(t *testing.T, k *keeping) {
	t.Helper()
	g := NewWithT(t)
	keys := func() (secret corev1.Secret) {
		g.Expect(l.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: "national-archive-keys"}, &secret)).To(Succeed())
		return secret
	}
	former := keys()
	// As in a cluster that has lost it. The archive read its keys when it started.
	l.must(t, admin, "-n", "platform", "delete", "secret", "national-archive-keys")
	l.followed(t, k, "Restore", 0)
	g.Expect(keys().Data).To(Equal(former.Data))
	told := l.followed(t, k, "Restore", 1)
	archive := l.archive(t, "copy")
	g.Expect(archive.Status.Workload.RestoredFrom).To(Equal(l.archive(t, "national").Status.Workload.LastBackup.Name))
	g.Expect(told).To(ContainSubstring(archive.Status.Workload.RestoredFrom))
}

// serveRestored moves the registry to the restored archive, and finds there what was stored before the backup, and only that.
func (l *life) serveRestored(t *testing.T, k *keeping) {
	t.Helper()
	g := NewWithT(t)
	l.followed(t, k, "Serving what was restored", 0)
	system := l.fromKept(t, "kept-restored")
	g.Expect(system.eventually(t, wire.Allowed, wire.Order{Do: wire.Find, Code: k.code}).Client).To(Equal(k.client))
	system.does(t, wire.Order{Do: wire.Read, Document: k.before})
	lost, err := system.tell(t.Context(), wire.Order{Do: wire.Read, Document: k.after})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lost.Outcome).NotTo(Equal(wire.Allowed), "it was stored after the backup")

	l.followed(t, k, "Serving what was restored", 1)
	g.Eventually(func(g Gomega) {
		var set appsv1.StatefulSet
		g.Expect(l.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: "copy"}, &set)).To(Succeed())
		g.Expect(set.Spec.Template.Spec.InitContainers).To(HaveLen(1))
		g.Expect([]any{set.Status.ObservedGeneration, set.Status.UpdatedReplicas, set.Status.ReadyReplicas}).To(Equal([]any{set.Generation, int32(1), int32(1)}))
	}).Should(Succeed(), "it serves without the backups' volume")
	system.eventually(t, wire.Allowed, wire.Order{Do: wire.Read, Document: k.before})
}

// backUpDatabase backs the archive on a database up, by the same commands.
func (l *life) backUpDatabase(t *testing.T) {
	t.Helper()
	l.must(t, admin, "-n", "platform", "patch", "archive", "county", "--type=merge", "-p", `{"spec":{"workload":{"backup":{"schedule":"0 2 * * *","volume":{"size":"1Gi"}}}}}`)
	l.must(t, admin, "-n", "platform", "wait", "--for=create", "cronjob/county-backup", inTime)
	l.must(t, admin, "-n", "platform", "create", "job", "--from=cronjob/county-backup", "county-backup-now")
	l.must(t, admin, "-n", "platform", "wait", "--for=condition=BackedUp", "archive/county", inTime)
	NewWithT(t).Expect(l.archive(t, "county").Status.Workload.LastBackup.Size.Value()).To(BeNumerically(">", 4096))
}

// forget leaves the archives as they were before.
func (l *life) forget(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	for _, name := range []string{"kept", "kept-later", "kept-restored"} {
		l.must(t, admin, "-n", "pirkanmaa", "delete", "pod", name)
	}
	l.must(t, organizer, "-n", "pirkanmaa", "delete", "registry", "kept", inTime)
	l.must(t, platform, "-n", "platform", "delete", "archive", "copy", inTime)
	for _, name := range []string{"national", "county"} {
		l.must(t, admin, "-n", "platform", "patch", "archive", name, "--type=merge", "-p", `{"spec":{"workload":{"backup":null}}}`)
		g.Eventually(func() bool {
			policy := l.Get(t.Context(), types.NamespacedName{Namespace: "platform", Name: name + ".backup"}, &networkingv1.NetworkPolicy{})
			return apierrors.IsNotFound(policy)
		}).Should(BeTrue())
	}
	l.must(t, admin, "-n", "platform", "wait", "--for=delete", "cronjob/national-backup", "cronjob/county-backup", inTime)
	l.must(t, admin, "-n", "platform", "delete", "pvc", "national-backups", "county-backups", "copy-data", inTime)
}
