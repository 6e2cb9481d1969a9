// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Backups tells at each scrape when the newest backup was made of each archive that backups are scheduled for.
type Backups struct {
	reader client.Reader
	last   *prometheus.Desc
}

// NewBackups returns the collector; the reader must be a cache.
func NewBackups(reader client.Reader) *Backups {
	return &Backups{reader: reader, last: prometheus.NewDesc(namespace+"_archive_last_backup_timestamp_seconds",
		"When the newest whole backup of an archive was complete; when the Archive was made, where there is none yet.",
		[]string{"namespace", "archive"}, nil)}
}

// Describe sends the description.
func (b *Backups) Describe(out chan<- *prometheus.Desc) { out <- b.last }

// Collect reads the archives in the cache.
func (b *Backups) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	var list v1alpha1.ArchiveList
	if err := b.reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(b.last, err)
		return
	}
	for i := range list.Items {
		archive := &list.Items[i]
		if archive.Spec.Workload == nil || archive.Spec.Workload.Backup == nil {
			continue
		}
		at := archive.CreationTimestamp
		if status := archive.Status.Workload; status != nil && status.LastBackup != nil {
			at = status.LastBackup.CompletedAt
		}
		out <- prometheus.MustNewConstMetric(b.last, prometheus.GaugeValue, float64(at.Unix()), archive.Namespace, archive.Name)
	}
}
