// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

const (
	// BackupContainer takes a backup.
	BackupContainer = "backup"
	// RestoreContainer lets a new archive start from one.
	RestoreContainer = "restore"
	backupComponent  = "backup"

	backupDir  = "/var/backups/valtuus"
	restoreDir = "/var/restore/valtuus"

	defaultKeep = int32(14)
	// backupDeadline bounds a backup, waiting included: one that hangs is in the way of all that follow.
	backupDeadline = 12 * time.Hour
	// lateBy is how late a backup may begin when the cluster could not begin it in time.
	lateBy = time.Hour
	// longestCronJob is the longest name of a CronJob: its Jobs have eleven characters more.
	longestCronJob = 52
)

// BackupClaimName is the PersistentVolumeClaim that is made for an archive's backups.
func BackupClaimName(archive string) string { return archive + "-backups" }

// BackupName is the CronJob of an archive's backups: its name, or what fits of it.
func BackupName(archive string) string {
	const suffix = "-backup"
	if len(archive)+len(suffix) <= longestCronJob {
		return archive + suffix
	}
	sum := sha256.Sum256([]byte(archive))
	return archive[:longestCronJob-len(suffix)-9] + "-" + hex.EncodeToString(sum[:4]) + suffix
}

// BackupSelector selects the Jobs and pods of an archive's backups.
func (p *Plan) BackupSelector() map[string]string {
	return map[string]string{ComponentLabel: backupComponent, ArchiveLabel: p.name()}
}

func (p *Plan) backupLabels() map[string]string {
	labels := p.BackupSelector()
	labels[ManagedByLabel], labels[nameLabel] = ManagedBy, "valtuus"
	return labels
}

// backups are the objects that backups are made by. The volume stays whatever happens to the rest.
func (p *Plan) backups() []Child {
	in := metav1.ObjectMeta{Namespace: p.namespace(), Name: BackupPolicyName(p.name())}
	policy := Child{Object: &networkingv1.NetworkPolicy{ObjectMeta: in}}
	job := Child{Object: &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace(), Name: BackupName(p.name())}}}
	wanted := p.spec().Backup
	if wanted == nil {
		// The policy goes after what makes pods that it is for.
		return []Child{job, policy}
	}
	job.Wanted = p.cronJob(wanted)
	if p.Settings.NetworkPolicies {
		policy.Wanted = p.backupPolicy()
	}
	children := []Child{policy, job}
	if wanted.Volume.Size != nil {
		claim := metav1.ObjectMeta{Namespace: p.namespace(), Name: BackupClaimName(p.name())}
		children = append([]Child{{Object: &corev1.PersistentVolumeClaim{ObjectMeta: claim}, Wanted: p.backupClaim(&wanted.Volume), Outlives: true}}, children...)
	}
	return children
}

func (p *Plan) backupClaim(volume *v1alpha1.BackupVolume) *corev1ac.PersistentVolumeClaimApplyConfiguration {
	spec := corev1ac.PersistentVolumeClaimSpec().WithAccessModes(corev1.ReadWriteOnce).
		WithResources(corev1ac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: *volume.Size}))
	if class := volume.StorageClassName; class != "" {
		spec.WithStorageClassName(string(class))
	}
	return corev1ac.PersistentVolumeClaim(BackupClaimName(p.name()), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).WithSpec(spec)
}

// backupClaimName is the claim that backups are written to.
func (p *Plan) backupClaimName(volume *v1alpha1.BackupVolume) string {
	if volume.ClaimName != "" {
		return string(volume.ClaimName)
	}
	return BackupClaimName(p.name())
}

func (p *Plan) cronJob(wanted *v1alpha1.ArchiveBackup) *batchv1ac.CronJobApplyConfiguration {
	keep := defaultKeep
	if wanted.Keep != nil {
		keep = *wanted.Keep
	}
	args := append([]string{"archive", "backup", "--into=" + backupDir, fmt.Sprintf("--keep=%d", keep), "--termination-log=" + terminationLog}, p.StorageArgs()...)
	pod := p.PodSpec().WithRestartPolicy(corev1.RestartPolicyNever).
		WithContainers(p.Container(BackupContainer, args...).WithVolumeMounts(writable("backups", backupDir))).
		WithVolumes(p.Volumes()...).
		WithVolumes(claimVolume("backups", p.backupClaimName(&wanted.Volume)))
	if p.Embedded() {
		// The volume with the documents is where the archive's pod is.
		pod.WithAffinity(corev1ac.Affinity().WithPodAffinity(corev1ac.PodAffinity().
			WithRequiredDuringSchedulingIgnoredDuringExecution(corev1ac.PodAffinityTerm().
				WithTopologyKey(corev1.LabelHostname).
				WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(p.Selector())))))
	}
	job := batchv1ac.JobSpec().
		WithBackoffLimit(2).WithActiveDeadlineSeconds(int64(backupDeadline / time.Second)).
		WithTemplate(corev1ac.PodTemplateSpec().WithLabels(p.backupLabels()).WithSpec(pod))
	return batchv1ac.CronJob(BackupName(p.name()), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).
		WithSpec(batchv1ac.CronJobSpec().
			WithSchedule(wanted.Schedule).WithTimeZone("Etc/UTC").
			WithConcurrencyPolicy(batchv1.ForbidConcurrent).
			WithStartingDeadlineSeconds(int64(lateBy / time.Second)).
			WithSuccessfulJobsHistoryLimit(1).WithFailedJobsHistoryLimit(3).
			WithJobTemplate(batchv1ac.JobTemplateSpec().WithLabels(p.backupLabels()).WithSpec(job)))
}

// restore lets a pod start from a backup: once, into a store that is empty, before anything is served from it.
func (p *Plan) restore(spec *corev1ac.PodSpecApplyConfiguration) {
	wanted := p.spec().Restore
	if wanted == nil {
		return
	}
	args := append([]string{
		"archive", "restore", "--start", "--from=" + restoreDir + "/" + wanted.Backup, "--termination-log=" + terminationLog,
	}, p.StorageArgs()...)
	spec.WithInitContainers(p.Container(RestoreContainer, args...).WithVolumeMounts(mount("restore", restoreDir))).
		WithVolumes(claimVolume("restore", string(wanted.ClaimName)))
}

func claimVolume(name, claim string) *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName(name).
		WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(claim))
}
