// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/workload"
)

// archiveScope is what one pass over an archive knows.
type archiveScope struct {
	archive *v1alpha1.Archive
	before  *v1alpha1.Archive // as it was last written
	now     time.Time
	wakeAt  time.Time // for the server certificate
	trouble
	// users are the registries that a deletion waits for.
	users []string
	// ending is how many pods a deletion waits for.
	ending int
	// verdict is how a workload is; nil before it was looked at.
	verdict *workload.Verdict
	// backup is how the backups of a workload went; nil before that was looked at.
	backup *workload.LastBackup
	// lookAt is when what nobody tells of is looked at again.
	lookAt time.Time
	// authorities are the archive's, as its status has them; issuing is the one that issues, with its key.
	authorities authority.State
	issuing     pki.CA
	server      *corev1.Secret // with the server certificate, as it is in the cluster
	waits       string         // what the replacement of the authority waits for
	authorityAt time.Time      // when to look at the authorities again
	again       bool           // something was begun that goes on in another pass
}

// trouble tells what stands in the way; zero when nothing does.
type trouble struct {
	reason, message string
	stalled         bool
}

// stop says what a person must change.
func (s *archiveScope) stop(reason, format string, args ...any) {
	s.reason, s.message, s.stalled = reason, fmt.Sprintf(format, args...), true
}

// wait says what is in the way and may pass by itself.
func (s *archiveScope) wait(reason, format string, args ...any) {
	s.stop(reason, format, args...)
	s.stalled = false
}

func (r *ArchiveReconciler) ensure(ctx context.Context, s *archiveScope) error {
	var namesakes v1alpha1.ArchiveList
	if err := r.List(ctx, &namesakes, in("", byName, s.archive.Name)...); err != nil {
		return err
	}
	if first := oldestArchive(pointers(namesakes.Items)); first != nil && first.UID != s.archive.UID {
		s.stop(v1alpha1.NameTakenReason, "Archive %s has the same name and is older: registries refer to an archive by name. Choose another name.", fullName(first))
		return nil
	}
	s.archive.Status.Endpoint = endpointOf(s.archive)
	if !holdsCertificate(s.archive.Spec.Professionals.TrustAnchors) {
		s.stop(v1alpha1.TrustAnchorsInvalidReason, "spec.professionals.trustAnchors must hold at least one CA certificate in PEM.")
		return nil
	}
	if err := r.authority(ctx, s); err != nil || s.again || s.authorities.Stage == "" {
		return err
	}
	// What is wrong with the authority keeps nothing from running that runs without it.
	ofAuthority := s.trouble
	s.trouble = trouble{}
	err := r.serverCertificate(ctx, s)
	if err == nil && s.reason == "" && s.archive.Spec.Workload != nil {
		err = r.run(ctx, s)
	}
	if s.reason == "" {
		s.trouble = ofAuthority
	}
	return err
}

func holdsCertificate(text string) bool {
	found := false
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err != nil || !cert.IsCA {
			return false
		}
		found = true
	}
}
