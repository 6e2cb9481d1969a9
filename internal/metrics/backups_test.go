// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

func TestTheAgeOfBackupsIsTold(t *testing.T) {
	g := NewWithT(t)
	archive := func(name string, backup *v1alpha1.ArchiveBackup, last time.Time) client.Object {
		o := &v1alpha1.Archive{
			ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: name, CreationTimestamp: metav1.NewTime(now)},
			Spec:       v1alpha1.ArchiveSpec{Workload: &v1alpha1.ArchiveWorkload{Backup: backup}},
		}
		if !last.IsZero() {
			o.Status.Workload = &v1alpha1.ArchiveWorkloadStatus{LastBackup: &v1alpha1.BackupStatus{Name: "b", CompletedAt: metav1.NewTime(last)}}
		}
		return o
	}
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	wanted := &v1alpha1.ArchiveBackup{Schedule: "@daily"}
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewBackups(fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		archive("made", wanted, now.Add(time.Hour)), archive("none-yet", wanted, time.Time{}), archive("unscheduled", nil, now),
	).Build()))
	const name = "valtuus_archive_last_backup_timestamp_seconds"
	g.Expect(gathered(g, registry)).To(Equal(map[string]float64{
		name + " archive=made namespace=platform":     float64(now.Add(time.Hour).Unix()),
		name + " archive=none-yet namespace=platform": float64(now.Unix()),
	}))
}
