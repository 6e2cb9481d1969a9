// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

func (r *ArchiveReconciler) updateStatus(s *archiveScope) {
	set := conditions.For(s.archive, s.now)
	switch {
	case len(s.users) > 0:
		set.Waiting(v1alpha1.ArchiveInUseReason, inUse(s.users))
	case s.ending > 0:
		set.Waiting(v1alpha1.ArchiveEndingReason, fmt.Sprintf("The Archive is being deleted, and %d of its pods have not ended yet.", s.ending))
	case s.stalled:
		set.Stalled(s.reason, s.message)
	case s.reason != "":
		set.Waiting(s.reason, s.message)
	case s.archive.Status.ServerCertificate == nil:
		set.Waiting(v1alpha1.ProgressingReason, "The certificate authority and the server certificate are being made.")
	case s.archive.Spec.Workload != nil && s.verdict == nil:
		set.Waiting(v1alpha1.ProgressingReason, "What runs the archive is being made.")
	case s.verdict != nil && s.verdict.Serving:
		set.Ready(s.verdict.Reason, s.verdict.Message)
	case s.verdict != nil && s.verdict.Stalled:
		set.Stalled(s.verdict.Reason, s.verdict.Message)
	case s.verdict != nil:
		set.Waiting(s.verdict.Reason, s.verdict.Message)
	default:
		set.Ready(v1alpha1.ServerCertificateIssuedReason, "The archive's authority and server certificate are in place.")
	}
}

// inUse names the first few of the registries that a deletion waits for.
func inUse(users []string) string {
	const most = 5
	named, more := users[:min(len(users), most)], ""
	if rest := len(users) - len(named); rest > 0 {
		more = fmt.Sprintf(" and %d more", rest)
	}
	return fmt.Sprintf("The Archive is being deleted and goes on serving until no registry uses it. There are %d: %s%s.",
		len(users), strings.Join(named, ", "), more)
}
