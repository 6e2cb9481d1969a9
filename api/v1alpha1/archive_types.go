// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ExternalArchive is an archive that runs outside the cluster's care.
type ExternalArchive struct {
	// endpoint is the base URL of the archive's HTTP API.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() == 'https'",message="endpoint must be an https URL"
	Endpoint string `json:"endpoint,omitempty"`

	// dnsNames lists the DNS names of the server certificate.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(n, !isIP(n))",message="an IP address is no DNS name"
	DNSNames []string `json:"dnsNames,omitempty"`

	// ipAddresses lists the IP addresses of the server certificate.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=2
	// +kubebuilder:validation:items:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="self.all(a, isIP(a))",message="each must be an IP address"
	IPAddresses []string `json:"ipAddresses,omitempty"`
}

// Staleness bounds how old the archive's view of these resources may be when it answers.
// Past the bound it answers 503 instead of deciding.
//
// +kubebuilder:validation:MinProperties=1
type Staleness struct {
	// producersSeconds is the bound for producers; 10 when left out.
	// +optional
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=60
	ProducersSeconds *int32 `json:"producersSeconds,omitempty"`

	// organizerSeconds is the bound for the organizer's own workers, who must be able to work through
	// an outage of the API server; 3600 when left out.
	// +optional
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=86400
	OrganizerSeconds *int32 `json:"organizerSeconds,omitempty"`
}

// CredentialPolicy tells how long the credentials for the archive live.
//
// +kubebuilder:validation:XValidation:rule="!has(self.overlapSeconds) || !has(self.lifetimeSeconds) || self.overlapSeconds * 5 <= self.lifetimeSeconds",message="overlapSeconds must be at most a fifth of lifetimeSeconds"
// +kubebuilder:validation:MinProperties=1
type CredentialPolicy struct {
	// lifetimeSeconds is the lifetime of a client certificate; 28800 (8 hours) when left out.
	// +optional
	// +kubebuilder:validation:Minimum=600
	// +kubebuilder:validation:Maximum=172800
	LifetimeSeconds *int32 `json:"lifetimeSeconds,omitempty"`

	// overlapSeconds is how long the former certificate is still accepted after a renewal; 120 when left out.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	OverlapSeconds *int32 `json:"overlapSeconds,omitempty"`
}

// Professionals tells whose cards the archive trusts.
type Professionals struct {
	// trustAnchors holds, in PEM, the certificates of the authorities that issue professionals' cards.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	TrustAnchors string `json:"trustAnchors,omitempty"`
}

// AuthorityPolicy tells when the archive's certificate authority is replaced.
type AuthorityPolicy struct {
	// rotation is raised to have the authority replaced now; no client notices. It is replaced by itself before it expires.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:XValidation:rule="self >= oldSelf",message="rotation can only be raised"
	Rotation int32 `json:"rotation,omitempty"`
}

// ArchiveSpec says where the archive is and whom it trusts.
//
// +kubebuilder:validation:XValidation:rule="has(self.external) != has(self.workload)",message="give either external or workload"
// +kubebuilder:validation:XValidation:rule="has(self.external) == has(oldSelf.external)",message="an archive that runs outside the cluster's care cannot become a workload, nor the other way"
type ArchiveSpec struct {
	// external is an archive that runs outside the cluster's care.
	// +optional
	External *ExternalArchive `json:"external,omitempty"`

	// workload is an archive that runs in this cluster, in the Archive's namespace, under the controller's care.
	// +optional
	Workload *ArchiveWorkload `json:"workload,omitempty"`

	// trustDomain is the SPIFFE trust domain of the credentials for this archive.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="trustDomain is immutable"
	TrustDomain string `json:"trustDomain,omitempty"`

	// professionals tells whose cards the archive trusts.
	// +required
	Professionals Professionals `json:"professionals,omitempty,omitzero"`

	// staleness bounds the age of the archive's view where a Registry does not say otherwise.
	// +optional
	Staleness *Staleness `json:"staleness,omitempty"`

	// credentials tells how long the credentials for the archive live.
	// +optional
	Credentials *CredentialPolicy `json:"credentials,omitempty"`

	// authority tells when the archive's certificate authority is replaced.
	// +optional
	Authority *AuthorityPolicy `json:"authority,omitempty"`
}

// Reasons of Archive's Ready condition beside the shared ones.
const (
	// ServerCertificateIssuedReason surfaces when the archive's authority and its server certificate are in place.
	ServerCertificateIssuedReason = "ServerCertificateIssued"
	// AuthorityLostReason surfaces when the Secret of the certificate authority is missing or damaged though one was made.
	AuthorityLostReason = "AuthorityLost"
	// TrustAnchorsInvalidReason surfaces when spec.professionals.trustAnchors holds no certificate that can be read.
	TrustAnchorsInvalidReason = "TrustAnchorsInvalid"
)

// ServerCertificate tells of the archive's server certificate.
type ServerCertificate struct {
	// fingerprint is the SHA-256 of the DER-encoded certificate in base64url without padding.
	// +required
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Fingerprint string `json:"fingerprint,omitempty"`

	// notAfter is the instant from which the certificate is not valid any more.
	// +required
	NotAfter metav1.Time `json:"notAfter,omitempty,omitzero"`

	// renewAt is the instant of renewal, chosen once when the certificate was issued.
	// +required
	RenewAt metav1.Time `json:"renewAt,omitempty,omitzero"`
}

// AuthorityStage tells how far the replacement of a certificate authority has come.
//
// +kubebuilder:validation:Enum=Stable;Publishing;Replacing;Retiring
type AuthorityStage string

const (
	// AuthorityStable says that one authority is in use.
	AuthorityStable AuthorityStage = "Stable"
	// AuthorityPublishing says that the new authority is being made known to servers and clients; nothing is issued by it.
	AuthorityPublishing AuthorityStage = "Publishing"
	// AuthorityReplacing says that certificates are issued by the new authority, and those of the former still in use.
	AuthorityReplacing AuthorityStage = "Replacing"
	// AuthorityRetiring says that no certificate of the former authority is in use, and that it is being taken away.
	AuthorityRetiring AuthorityStage = "Retiring"
)

// AuthorityStatus tells of the certificate authority and of its replacement.
type AuthorityStatus struct {
	// stage tells how far the replacement has come.
	// +required
	Stage AuthorityStage `json:"stage,omitempty"`

	// rotation is what spec.authority.rotation was when the last replacement was begun.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Rotation *int32 `json:"rotation,omitempty"`

	// fingerprint is the SHA-256 of the DER-encoded certificate of the authority that issues, in base64url without padding.
	// +required
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Fingerprint string `json:"fingerprint,omitempty"`

	// notAfter is the instant from which the authority that issues is not valid any more.
	// +required
	NotAfter metav1.Time `json:"notAfter,omitempty,omitzero"`

	// nextFingerprint is the fingerprint of the authority that is being made known and is to issue next.
	// +optional
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	NextFingerprint string `json:"nextFingerprint,omitempty"`

	// stageSince is the instant at which the stage began.
	// +required
	StageSince metav1.Time `json:"stageSince,omitempty,omitzero"`

	// publishedAt is the instant from which every server and client has been given the authority that is to issue next.
	// +optional
	PublishedAt *metav1.Time `json:"publishedAt,omitempty"`
}

// ArchiveStatus is what the controller found and did.
type ArchiveStatus struct {
	// observedGeneration is the generation that the status speaks of, -1 before the first.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions tell the state of the object in words.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// caBundle holds, in PEM, the certificate authority that both server and clients are verified against; there are
	// two or more while one takes the other's place.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	CABundle string `json:"caBundle,omitempty"`

	// serverCertificate tells of the server certificate.
	// +optional
	ServerCertificate *ServerCertificate `json:"serverCertificate,omitempty"`

	// serverSecretRef names the Secret with the server certificate, its key and the authority, for the archive to mount.
	// +optional
	ServerSecretRef *SecretReference `json:"serverSecretRef,omitempty"`

	// endpoint is the base URL of the archive's HTTP API.
	// +optional
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=512
	Endpoint string `json:"endpoint,omitempty"`

	// authority tells of the certificate authority and of its replacement.
	// +optional
	Authority *AuthorityStatus `json:"authority,omitempty"`

	// workload tells of the pods and of the storage.
	// +optional
	Workload *ArchiveWorkloadStatus `json:"workload,omitempty"`
}

// Archive is the archive workload that keeps client documents and enforces the rights. It is written by the platform only.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=arc,categories=valtuus
// +kubebuilder:printcolumn:name="Endpoint",type=string,JSONPath=`.status.endpoint`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Server Certificate Until",type=string,JSONPath=`.status.serverCertificate.notAfter`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="the name must have at most 63 characters: its replicas carry the name as a label value"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.workload) || (size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$'))",message="an archive that runs in this cluster gives its name to a Service and others: at most 40 lower case letters, digits and hyphens, the first a letter"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.workload) || !has(self.spec.workload.restore) || (has(oldSelf.spec.workload) && has(oldSelf.spec.workload.restore)) || (has(self.status) && has(self.status.workload) && has(self.status.workload.volumeLostAt))",message="restore can be given only when the Archive is made, or while its volume is lost: a backup is restored into an empty archive"
type Archive struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec ArchiveSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ArchiveStatus `json:"status,omitempty,omitzero"`
}

// ArchiveList is a list of Archives.
//
// +kubebuilder:object:root=true
type ArchiveList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Archive `json:"items"`
}
