// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
)

// A running archive serves its log to whoever has no certificate, and another project's client can follow it.
func TestTheLogOfARunningArchiveIsServedToAnybody(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	authority := x509.NewCertPool()
	pem, err := os.ReadFile(filepath.Join(filepath.Dir(s.archive.DataDir), "tls", "ca.crt"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(authority.AppendCertsFromPEM(pem)).To(BeTrue())
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: authority}}}
	defer web.CloseIdleConnections()

	var list struct {
		Trees []struct{ Prefix, Origin, Key string }
	}
	g.Eventually(func(g Gomega) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.archive.LogEndpoint+"/months", nil)
		g.Expect(err).NotTo(HaveOccurred())
		answer, err := web.Do(request)
		g.Expect(err).NotTo(HaveOccurred())
		body, err := io.ReadAll(answer.Body)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(answer.Body.Close()).To(Succeed())
		g.Expect(json.Unmarshal(body, &list)).To(Succeed())
		g.Expect(list.Trees).NotTo(BeEmpty())
		tree := list.Trees[len(list.Trees)-1]
		root, err := url.Parse(s.archive.LogEndpoint + "/" + tree.Prefix + "/")
		g.Expect(err).NotTo(HaveOccurred())
		verifier, err := note.NewVerifier(tree.Key)
		g.Expect(err).NotTo(HaveOccurred())
		fetcher, err := client.NewHTTPFetcher(root, web)
		g.Expect(err).NotTo(HaveOccurred())
		checkpoint, _, _, err := client.FetchCheckpoint(t.Context(), fetcher.ReadCheckpoint, verifier, tree.Origin)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(checkpoint.Size).NotTo(BeZero())
		proofs, err := client.NewProofBuilder(t.Context(), checkpoint.Size, fetcher.ReadTile)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = proofs.InclusionProof(t.Context(), 0)
		g.Expect(err).NotTo(HaveOccurred())
	}).Should(Succeed())
}
