// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

func (r *ArchiveReconciler) updateStatus(s *archiveScope) {
	set := conditions.For(s.archive, s.now)
	switch {
	case s.stalled:
		set.Stalled(s.reason, s.message)
	case s.archive.Status.ServerCertificate == nil:
		set.Waiting(v1alpha1.ProgressingReason, "The certificate authority and the server certificate are being made.")
	default:
		set.Ready(v1alpha1.ServerCertificateIssuedReason, "The archive's authority and server certificate are in place.")
	}
}
