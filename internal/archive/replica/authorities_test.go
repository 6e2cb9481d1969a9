// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/pki"
)

func TestAnAuthorityFileWithoutACertificateIsRefused(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "ca.crt")
	g.Expect(os.WriteFile(file, []byte("no certificate"), 0o600)).To(Succeed())
	_, err := openAuthorities(file, clocktesting.NewFakeClock(time.Now()), logr.Discard())
	g.Expect(err).To(MatchError(ContainSubstring("holds no certificate")))
}

// TestAuthoritiesOfClientsAreReadAgain: the file changes alone, the certificate beside it stays. What is of no use
// changes nothing.
func TestAuthoritiesOfClientsAreReadAgain(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "ca.crt")
	var texts []string
	var fingerprints []string
	for range 2 {
		ca, err := pki.NewCA("test", time.Now(), time.Hour)
		g.Expect(err).NotTo(HaveOccurred())
		texts, fingerprints = append(texts, string(ca.CertificatePEM())), append(fingerprints, pki.FingerprintOf(ca.Certificate()).String())
	}
	write := func(text string) { g.Expect(os.WriteFile(file, []byte(text), 0o600)).To(Succeed()) }
	write(texts[0])
	clock := clocktesting.NewFakeClock(time.Now())
	f, err := openAuthorities(file, clock, logr.Discard())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Trusts()).To(Equal(fingerprints[:1]))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	defer func() { stop(); g.Expect(<-done).To(Succeed()) }()
	look := func() []string {
		if clock.HasWaiters() {
			clock.Step(authorityPoll)
		}
		return f.Trusts()
	}
	former := f.Pool()
	write(texts[0] + texts[1])
	g.Eventually(look).Should(Equal(fingerprints))
	g.Expect(f.Pool().Equal(former)).To(BeFalse())
	write("damaged")
	g.Consistently(look, "100ms").Should(Equal(fingerprints))
	write(texts[1])
	g.Eventually(look).Should(Equal(fingerprints[1:]))
}
