// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package failure tells programs why an archive cannot start or serve: one reason of a fixed list, and a line for people
// that holds no secret.
package failure

import (
	"errors"
	"syscall"
)

// Reason is one of the constants. They are part of what others rely on: none is ever given another meaning.
type Reason string

// What is wrong with the database.
const (
	// DatabaseURIInvalid: the file of the URI is not there, is empty or holds no PostgreSQL URI.
	DatabaseURIInvalid Reason = "DatabaseURIInvalid"
	// DatabaseUnreachable: no server answers, none of those that answer takes TLS as asked, or it is starting or stopping.
	DatabaseUnreachable Reason = "DatabaseUnreachable"
	// DatabaseAuthenticationFailed: the server refuses the user or the password.
	DatabaseAuthenticationFailed Reason = "DatabaseAuthenticationFailed"
	// DatabaseUnknown: the server has no such database.
	DatabaseUnknown Reason = "DatabaseUnknown"
	// DatabaseForbidden: the user lacks a permission in the database.
	DatabaseForbidden Reason = "DatabaseForbidden"
	// DatabaseReadOnly: the server takes no writes, as a standby does not.
	DatabaseReadOnly Reason = "DatabaseReadOnly"
	// DatabaseFull: the server's disk is full.
	DatabaseFull Reason = "DatabaseFull"
	// DatabaseUnfit: the server is too old, or does not promise that a commit lasts.
	DatabaseUnfit Reason = "DatabaseUnfit"
)

// What is wrong with the volume of an embedded store.
const (
	// VolumeReadOnly: the file system is mounted for reading alone.
	VolumeReadOnly Reason = "VolumeReadOnly"
	// VolumeFull: there is no room, or the quota is used up.
	VolumeFull Reason = "VolumeFull"
	// VolumeForbidden: the user that the archive runs as may not write there.
	VolumeForbidden Reason = "VolumeForbidden"
	// VolumeInUse: another process serves from the data directory.
	VolumeInUse Reason = "VolumeInUse"
	// VolumeFailed: the disk gives errors.
	VolumeFailed Reason = "VolumeFailed"
)

// What is wrong with what is kept there.
const (
	// SchemaTooNew: a newer program has changed the tables, and this one may not write to them.
	SchemaTooNew Reason = "SchemaTooNew"
	// SchemaTooOld: the tables have not been brought up to date, and this program was told to leave them.
	SchemaTooOld Reason = "SchemaTooOld"
	// StoreNotWhole: a restore or a move into the store has not been finished.
	StoreNotWhole Reason = "StoreNotWhole"
	// StoreMoved: the documents have been moved to another store.
	StoreMoved Reason = "StoreMoved"
	// StoreDamaged: the data file is damaged, or is no data file.
	StoreDamaged Reason = "StoreDamaged"
	// StoreNotEmpty: a backup is to be restored where there is another store already.
	StoreNotEmpty Reason = "StoreNotEmpty"
	// BackupMissing: there is no backup of that name.
	BackupMissing Reason = "BackupMissing"
	// BackupDamaged: the backup is not what its manifest says.
	BackupDamaged Reason = "BackupDamaged"
	// StoreUnavailable: the store does not take a write now, for another reason.
	StoreUnavailable Reason = "StoreUnavailable"
)

// What is wrong with what the archive is given.
const (
	// KeyMissing: the file of a key is not there or cannot be read, and the store needs it.
	KeyMissing Reason = "KeyMissing"
	// KeyInvalid: the file of a key holds no key.
	KeyInvalid Reason = "KeyInvalid"
	// KeyMismatch: the key is not the one that the store was written with.
	KeyMismatch Reason = "KeyMismatch"
	// CertificateInvalid: the server certificate or its key is missing or damaged, or the certificate does not hold now.
	CertificateInvalid Reason = "CertificateInvalid"
	// ClientAuthorityInvalid: the file of the authority of clients is missing or holds no certificate.
	ClientAuthorityInvalid Reason = "ClientAuthorityInvalid"
	// RevocationListInvalid: the revocation lists of professionals' cards are missing or damaged.
	RevocationListInvalid Reason = "RevocationListInvalid"
	// CatalogInvalid: the catalog of document types is missing or damaged.
	CatalogInvalid Reason = "CatalogInvalid"
	// WitnessInvalid: a witness of the log is not named as URL=VKEY.
	WitnessInvalid Reason = "WitnessInvalid"
	// CommandInvalid: the command line cannot be followed.
	CommandInvalid Reason = "CommandInvalid"
	// AddressUnavailable: an address to listen on is not to be had.
	AddressUnavailable Reason = "AddressUnavailable"
)

// What is wrong with the cluster.
const (
	// ClusterUnknown: nothing tells how to reach the API server.
	ClusterUnknown Reason = "ClusterUnknown"
	// ArchiveUnknown: there is no such Archive.
	ArchiveUnknown Reason = "ArchiveUnknown"
	// ArchiveForbidden: the archive may not read its Archive, or not write its Lease.
	ArchiveForbidden Reason = "ArchiveForbidden"
)

// Why an archive that runs is not ready, beside what is wrong with its store and its certificate.
const (
	// Draining: it was asked to end, and finishes what it has.
	Draining Reason = "Draining"
	// ViewIncomplete: it has not read all rights from the API server yet.
	ViewIncomplete Reason = "ViewIncomplete"
	// ViewStale: its view of the rights is too old to answer producers.
	ViewStale Reason = "ViewStale"
	// ClientAuthorityMissing: it does not know the authority of clients yet.
	ClientAuthorityMissing Reason = "ClientAuthorityMissing"
	// TrustAnchorsMissing: it does not know the authorities of professionals' cards yet.
	TrustAnchorsMissing Reason = "TrustAnchorsMissing"
)

// Unknown is the reason of what has no other: the message alone tells.
const Unknown Reason = "Unknown"

// reasoned is an error whose reason is known.
type reasoned struct {
	reason Reason
	err    error
}

func (r *reasoned) Error() string         { return r.err.Error() }
func (r *reasoned) Unwrap() error         { return r.err }
func (r *reasoned) FailureReason() Reason { return r.reason }

// New makes an error with a reason.
func New(reason Reason, text string) error { return &reasoned{reason, errors.New(text)} }

// As gives an error its reason, and leaves its text; nil stays nil.
func As(reason Reason, err error) error {
	if err == nil {
		return nil
	}
	return &reasoned{reason, err}
}

// Of gives the reason of an error: what one within it says of itself with a method FailureReason, or else what the
// operating system said of a volume, or else Unknown.
func Of(err error) Reason {
	var said interface{ FailureReason() Reason }
	if errors.As(err, &said) {
		return said.FailureReason()
	}
	for _, known := range []struct {
		errno  syscall.Errno
		reason Reason
	}{
		{syscall.EROFS, VolumeReadOnly},
		{syscall.ENOSPC, VolumeFull},
		{syscall.EDQUOT, VolumeFull},
		{syscall.EIO, VolumeFailed},
		{syscall.EACCES, VolumeForbidden},
		{syscall.EPERM, VolumeForbidden},
	} {
		if errors.Is(err, known.errno) {
			return known.reason
		}
	}
	return Unknown
}
