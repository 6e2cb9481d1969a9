// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

func (r *ArchiveReconciler) updateStatus(s *archiveScope) {
	if s.again && conditions.Get(s.archive, v1alpha1.ReadyCondition) != nil {
		return // the pass that goes on knows more
	}
	set := conditions.For(s.archive, s.now)
	s.setBackedUp(set)
	switch {
	case len(s.users) > 0:
		set.Waiting(v1alpha1.ArchiveInUseReason, inUse(s.users))
	case s.ending > 0:
		set.Waiting(v1alpha1.ArchiveEndingReason, fmt.Sprintf("The Archive is being deleted, and %d of its pods have not ended yet.", s.ending))
	case s.stalled:
		set.Stalled(s.reason, s.message+s.replacing())
	case s.reason != "":
		set.Waiting(s.reason, s.message)
	case s.archive.Status.ServerCertificate == nil:
		set.Waiting(v1alpha1.ProgressingReason, "The certificate authority and the server certificate are being made.")
	case s.archive.Spec.Workload != nil && s.verdict == nil:
		set.Waiting(v1alpha1.ProgressingReason, "What runs the archive is being made.")
	case s.verdict != nil && s.verdict.Serving:
		set.Ready(s.verdict.Reason, s.verdict.Message+s.replacing())
	case s.verdict != nil && s.verdict.Stalled:
		set.Stalled(s.verdict.Reason, s.verdict.Message)
	case s.verdict != nil:
		set.Waiting(s.verdict.Reason, s.verdict.Message)
	default:
		set.Ready(v1alpha1.ServerCertificateIssuedReason, "The archive's authority and server certificate are in place."+s.replacing())
	}
}

// setBackedUp tells how the last backup went.
func (s *archiveScope) setBackedUp(set conditions.Setter) {
	switch {
	case s.archive.Spec.Workload == nil || s.archive.Spec.Workload.Backup == nil:
		set.Remove(v1alpha1.BackedUpCondition)
	case s.backup == nil || !s.backup.Ended: // nothing new
	case s.backup.Failed:
		set.False(v1alpha1.BackedUpCondition, v1alpha1.BackupFailedReason, "The last backup was not made. "+s.backup.Reason+": "+s.backup.Message)
	default:
		set.True(v1alpha1.BackedUpCondition, v1alpha1.SucceededReason, "The last backup is whole, and was read back.")
	}
}

// tellOfBackup makes an event of a backup that failed.
func (r *ArchiveReconciler) tellOfBackup(before, after *v1alpha1.Archive) {
	was, is := conditions.Get(before, v1alpha1.BackedUpCondition), conditions.Get(after, v1alpha1.BackedUpCondition)
	if is != nil && is.Status == metav1.ConditionFalse && (was == nil || was.Status != is.Status || was.Message != is.Message) {
		r.events.Eventf(after, nil, corev1.EventTypeWarning, is.Reason, "Backup", "%s", is.Message)
	}
}

// replacing tells of the replacement of the authority that is under way; empty when none is.
func (s *archiveScope) replacing() string {
	if s.waits == "" {
		return ""
	}
	return " Another authority is taking the place of the archive's, and waits for " + s.waits + "."
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

// stageTold is what is told when a replacement of the authority reaches a stage.
var stageTold = map[v1alpha1.AuthorityStage]string{
	v1alpha1.AuthorityPublishing: "A new certificate authority is being made known; it issues nothing yet",
	v1alpha1.AuthorityReplacing:  "The new certificate authority issues; what the former one issued is accepted until it is renewed",
	v1alpha1.AuthorityRetiring:   "Nothing that the former certificate authority issued is in use; it is being withdrawn",
	v1alpha1.AuthorityStable:     "The former certificate authority has been withdrawn and its key destroyed",
}

// tellOfAuthority makes an event of each stage that was reached.
func (r *ArchiveReconciler) tellOfAuthority(before, after *v1alpha1.Archive) {
	was, is := before.Status.Authority, after.Status.Authority
	if was == nil || is == nil || was.Stage == is.Stage {
		return
	}
	r.events.Eventf(after, nil, corev1.EventTypeNormal, "Authority"+string(is.Stage), "Rotate", "%s", stageTold[is.Stage])
}
