// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/card"
)

// The authority's service may be out: the last good lists serve, for a while, and the log tells it once.
func TestTheLastGoodRevocationListsServe(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cards, err := testcard.New(now, 1000*time.Hour)
	g.Expect(err).NotTo(HaveOccurred())
	one, err := cards.Issue("1001", now.Add(-time.Hour), now.Add(1000*time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	way, err := card.Trace(one.Chain, cards.Anchors(), now, x509.ExtKeyUsageClientAuth)
	g.Expect(err).NotTo(HaveOccurred())

	file := filepath.Join(t.TempDir(), "cards.crl")
	write := func(text []byte, err error) {
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	}
	var log strings.Builder
	clock := clocktesting.NewFakeClock(now)
	lines := func() int { return strings.Count(log.String(), "\n") }
	_, err = openRevocations(file, clock, funcr.New(func(_, args string) { log.WriteString(args + "\n") }, funcr.Options{}))
	g.Expect(err).To(MatchError(ContainSubstring("read the revocation lists")))
	write([]byte("no list"), nil)
	_, err = openRevocations(file, clock, funcr.New(func(_, args string) { log.WriteString(args + "\n") }, funcr.Options{}))
	g.Expect(err).To(MatchError(card.ErrListForm))

	write(cards.Revoke(now, now.Add(time.Hour)))
	f, err := openRevocations(file, clock, funcr.New(func(_, args string) { log.WriteString(args + "\n") }, funcr.Options{}))
	g.Expect(err).NotTo(HaveOccurred())
	check := func() error { f.look(); return f.Current().Check(way, clock.Now()) }
	g.Expect(check()).To(Succeed())
	g.Expect(lines()).To(BeZero())

	write([]byte("damaged"), nil)
	g.Expect(check()).To(Succeed())
	g.Expect(check()).To(Succeed())
	g.Expect(log.String()).To(ContainSubstring("Kept the last good"))
	g.Expect(lines()).To(Equal(1), "once")
	g.Expect(os.Remove(file)).To(Succeed())
	clock.SetTime(now.Add(2 * time.Hour))
	g.Expect(check()).To(Succeed(), "out of date, within the grace")
	clock.SetTime(now.Add(26 * time.Hour))
	g.Expect(check()).To(MatchError(card.ErrStatusUnknown))

	write(cards.Revoke(now, now.Add(25*time.Hour)))
	g.Expect(check()).To(Succeed())
	g.Expect(log.String()).To(ContainSubstring("serves for a while"))
	clock.SetTime(now.Add(50 * time.Hour))
	g.Expect(check()).To(MatchError(card.ErrStatusUnknown))
	g.Expect(log.String()).To(ContainSubstring("too old"))
	write(cards.Revoke(clock.Now(), clock.Now().Add(time.Hour), one))
	g.Expect(check()).To(MatchError(card.ErrRevoked))
	g.Expect(log.String()).To(ContainSubstring("up to date again"))
	g.Expect((*revocationFile)(nil).Current()).To(BeNil())
	g.Expect((*revocationFile)(nil).Run(t.Context())).To(Succeed())
}

func TestTheRevocationListsAreFollowed(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	cards, err := testcard.New(now, time.Hour)
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(t.TempDir(), "cards.crl")
	text, err := cards.Revoke(now, now.Add(time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	clock := clocktesting.NewFakeClock(now)
	f, err := openRevocations(file, clock, funcr.New(func(string, string) {}, funcr.Options{}))
	g.Expect(err).NotTo(HaveOccurred())
	go func() { _ = f.Run(t.Context()) }()
	before := f.Current()
	text, err = cards.Revoke(now, now.Add(2*time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	g.Eventually(clock.HasWaiters).Should(BeTrue())
	clock.Step(statusPoll)
	g.Eventually(f.Current).ShouldNot(BeIdenticalTo(before))
}
