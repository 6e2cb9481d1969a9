// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EmbeddedStorage keeps documents in a database on one volume; such an archive has one replica.
type EmbeddedStorage struct {
	// size is the size of the volume. It can grow, where the storage class lets it.
	// +required
	// +kubebuilder:validation:XValidation:rule="quantity(self).isGreaterThan(quantity('0'))",message="size must be more than zero"
	// +kubebuilder:validation:XValidation:rule="!quantity(self).isLessThan(quantity(oldSelf))",message="size can only grow"
	Size *resource.Quantity `json:"size,omitempty"`

	// storageClassName is the class of the volume; the cluster's default when left out.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storageClassName is immutable"
	StorageClassName ObjectName `json:"storageClassName,omitempty"`
}

// SecretKey names a key of a Secret in the same namespace.
type SecretKey struct {
	// name is the name of the Secret.
	// +required
	Name ObjectName `json:"name,omitempty"`

	// key is the key in the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// PostgresStorage keeps documents in a PostgreSQL database that replicas share.
type PostgresStorage struct {
	// uri names the Secret, in the Archive's namespace, that holds the connection URI. CloudNativePG makes one with the key uri.
	// +required
	URI SecretKey `json:"uri,omitempty,omitzero"`
}

// ArchiveStorage says where documents are kept.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.embedded) != has(self.postgres)",message="give either embedded or postgres"
// +kubebuilder:validation:XValidation:rule="has(self.embedded) == has(oldSelf.embedded)",message="the kind of storage cannot change: make a new Archive and copy with 'valtuus archive migrate'"
type ArchiveStorage struct {
	// embedded keeps documents in a database on one volume; such an archive has one replica.
	// +optional
	Embedded *EmbeddedStorage `json:"embedded,omitempty"`

	// postgres keeps documents in a PostgreSQL database that replicas share.
	// +optional
	Postgres *PostgresStorage `json:"postgres,omitempty"`
}

// ResourceAmounts are amounts of what a pod uses.
//
// +kubebuilder:validation:MinProperties=1
type ResourceAmounts struct {
	// cpu is an amount of processor time.
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`

	// memory is an amount of memory.
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
}

// WorkloadResources are what each pod of an archive asks for and may use.
//
// +kubebuilder:validation:MinProperties=1
type WorkloadResources struct {
	// requests are what a pod is sure to get.
	// +optional
	Requests *ResourceAmounts `json:"requests,omitempty"`

	// limits are what a pod may use at most.
	// +optional
	Limits *ResourceAmounts `json:"limits,omitempty"`
}

// LogWitness is a witness that cosigns the access log.
type LogWitness struct {
	// url is the base URL of the witness.
	// +required
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self)",message="url must be a URL"
	URL string `json:"url,omitempty"`

	// key is the witness's verifier key (vkey) of C2SP signed notes.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Key string `json:"key,omitempty"`
}

// BackupVolume is the volume that backups are written to.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.claimName) != has(self.size)",message="give either claimName or size"
type BackupVolume struct {
	// claimName names a PersistentVolumeClaim in the Archive's namespace that exists already.
	// +optional
	ClaimName ObjectName `json:"claimName,omitempty"`

	// size is the size of a volume that the controller claims. It stays when the Archive is deleted.
	// +optional
	Size *resource.Quantity `json:"size,omitempty"`

	// storageClassName is the class of the volume that the controller claims; the cluster's default when left out.
	// +optional
	StorageClassName ObjectName `json:"storageClassName,omitempty"`
}

// ArchiveBackup schedules backups.
type ArchiveBackup struct {
	// schedule says when, in the five fields of cron, in UTC.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^(@(hourly|daily|weekly|monthly)|\S+ +\S+ +\S+ +\S+ +\S+)$`
	Schedule string `json:"schedule,omitempty"`

	// volume is where backups are written.
	// +required
	Volume BackupVolume `json:"volume,omitempty,omitzero"`

	// keep is how many backups are kept; 14 when left out.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Keep *int32 `json:"keep,omitempty"`
}

// ArchiveRestore says which backup a new, empty archive starts from.
type ArchiveRestore struct {
	// claimName names the PersistentVolumeClaim, in the Archive's namespace, that holds the backup.
	// +required
	ClaimName ObjectName `json:"claimName,omitempty"`

	// backup is the name of the backup in the volume.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][-._A-Za-z0-9]*$`
	Backup string `json:"backup,omitempty"`
}

// ArchiveWorkload is an archive that runs in this cluster.
//
// +kubebuilder:validation:XValidation:rule="has(self.keysSecretName) == has(oldSelf.keysSecretName)",message="keysSecretName is immutable: an archive keeps the keys that it began with"
// +kubebuilder:validation:XValidation:rule="!has(self.storage.embedded) || !has(self.replicas) || self.replicas == 1",message="an archive with embedded storage has one replica: use postgres for more"
type ArchiveWorkload struct {
	// image is the image that the pods run; the manager's own when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// imagePullSecrets names Secrets in the Archive's namespace for pulling the image.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ImagePullSecrets []ObjectName `json:"imagePullSecrets,omitempty"`

	// replicas is how many pods serve: 1 with embedded storage; with postgres, 2 when left out.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16
	Replicas *int32 `json:"replicas,omitempty"`

	// storage says where documents are kept.
	// +required
	Storage ArchiveStorage `json:"storage,omitempty,omitzero"`

	// dnsNames lists names of the server certificate beside those of the Service.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(n, !isIP(n))",message="an IP address is no DNS name"
	DNSNames []string `json:"dnsNames,omitempty"`

	// resources are what each pod asks for and may use.
	// +optional
	Resources *WorkloadResources `json:"resources,omitempty"`

	// keysSecretName names a Secret in the Archive's namespace with the keys client.key, identity.key and log.key.
	// The controller makes one when this is left out. It is in no backup: keep a copy, apart from the backups.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="keysSecretName is immutable"
	KeysSecretName ObjectName `json:"keysSecretName,omitempty"`

	// catalogConfigMapName names a ConfigMap in the Archive's namespace with the catalog of document types;
	// the stand-in catalog is used when left out.
	// +optional
	CatalogConfigMapName ObjectName `json:"catalogConfigMapName,omitempty"`

	// logWitnesses cosign the access log.
	// +optional
	// +listType=map
	// +listMapKey=url
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	LogWitnesses []LogWitness `json:"logWitnesses,omitempty"`

	// backup schedules backups; none are made when left out.
	// +optional
	Backup *ArchiveBackup `json:"backup,omitempty"`

	// restore says which backup an archive starts from: a new one, or one whose volume is lost. An archive that holds
	// anything is never overwritten. The Secret with the keys of the archive that was backed up has to be there. Take
	// the field away once restored.
	// +optional
	Restore *ArchiveRestore `json:"restore,omitempty"`
}

// BackupStatus tells of a backup.
type BackupStatus struct {
	// name is the name of the backup in its volume.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// completedAt is the instant at which it was complete.
	// +required
	CompletedAt metav1.Time `json:"completedAt,omitempty,omitzero"`

	// size is how much it takes.
	// +required
	Size *resource.Quantity `json:"size,omitempty"`
}

// ArchiveWorkloadStatus tells of the pods and of the storage.
//
// +kubebuilder:validation:MinProperties=1
type ArchiveWorkloadStatus struct {
	// replicas is how many pods there are.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// readyReplicas is how many of them serve.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`

	// image is the image that all serving pods run; empty while they differ.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// volumeSize is the size of the volume as the cluster gives it.
	// +optional
	VolumeSize *resource.Quantity `json:"volumeSize,omitempty"`

	// volumeClaimUID is the UID of the PersistentVolumeClaim with the archive's documents. No other takes its place by itself.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	VolumeClaimUID string `json:"volumeClaimUID,omitempty"`

	// volumeName is the PersistentVolume with the archive's documents.
	// +optional
	VolumeName ObjectName `json:"volumeName,omitempty"`

	// volumeLostAt is the instant at which the volume was missed while no restore was asked for; from then on one may be.
	// +optional
	VolumeLostAt *metav1.Time `json:"volumeLostAt,omitempty"`

	// keysSecretName is the Secret in the Archive's namespace that holds the archive's keys. It is in no backup.
	// It is not deleted with the Archive.
	// +optional
	KeysSecretName ObjectName `json:"keysSecretName,omitempty"`

	// lastBackup tells of the newest complete backup.
	// +optional
	LastBackup *BackupStatus `json:"lastBackup,omitempty"`

	// restoredFrom is the name of the backup that the archive started from.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	RestoredFrom string `json:"restoredFrom,omitempty"`
}

// BackedUpCondition is present once a scheduled backup has ended. It is True when the last one is whole.
const BackedUpCondition = "BackedUp"

// BackupFailedReason surfaces when the last backup was not made; the message tells why.
const BackupFailedReason = "BackupFailed"

// Reasons of Archive's Ready condition where it is a workload.
const (
	// ArchiveServingReason surfaces when all pods serve.
	ArchiveServingReason = "Serving"
	// ArchiveRollingOutReason surfaces while pods are started or replaced.
	ArchiveRollingOutReason = "RollingOut"
	// PodFailingReason surfaces when a pod cannot start or stay up; the message tells why.
	PodFailingReason = "PodFailing"
	// KeysLostReason surfaces when the Secret with the archive's keys is missing or damaged though one was made.
	KeysLostReason = "KeysLost"
	// ArchiveConflictReason surfaces when an object with the name of one of the archive's exists and was not made for it.
	ArchiveConflictReason = "ObjectConflict"
	// ArchiveRefusedReason surfaces when the API server refuses one of the archive's objects as its spec asks for it.
	ArchiveRefusedReason = "ObjectRefused"
	// ImageMissingReason surfaces when neither the Archive nor the manager names an image.
	ImageMissingReason = "ImageMissing"
	// DatabaseURIMissingReason surfaces when the Secret with the database's URI is missing or does not hold one.
	DatabaseURIMissingReason = "DatabaseURIMissing"
	// VolumePendingReason surfaces when the archive has no volume; the message tells why.
	VolumePendingReason = "VolumePending"
	// VolumeLostReason surfaces when the volume with the archive's documents is missing though it was there. Nothing serves,
	// and no empty volume takes its place; the message says what to do.
	VolumeLostReason = "VolumeLost"
	// VolumeNotGrownReason surfaces when the volume is smaller than asked for; the message tells why. Pods serve meanwhile.
	VolumeNotGrownReason = "VolumeNotGrown"
	// ArchiveEndingReason surfaces when an Archive is being deleted and its pods have not ended yet.
	ArchiveEndingReason = "Ending"
	// ArchiveInUseReason surfaces when an Archive is being deleted and registries still use it.
	ArchiveInUseReason = "InUse"
)
