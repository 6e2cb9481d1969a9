// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/pki"
)

func TestDocumentVerify(t *testing.T) {
	g := NewWithT(t)
	now := time.Now().Truncate(time.Second)
	cards, err := testcard.New(now, 3*time.Hour)
	g.Expect(err).NotTo(HaveOccurred())
	strangers, err := testcard.New(now, 3*time.Hour)
	g.Expect(err).NotTo(HaveOccurred())
	card, err := cards.Issue("1001", now.Add(-time.Hour), now.Add(time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	body := []byte("{\"heading\":\"A visit\"}\n")
	jws, err := signature.Sign(body, "application/json", card.Key, card.Chain, now)
	g.Expect(err).NotTo(HaveOccurred())

	dir := t.TempDir()
	write := func(name string, text []byte) string {
		file := filepath.Join(dir, name)
		g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
		return file
	}
	note, signed, anchors := write("note.json", body), write("note.jws", []byte(jws+"\n")), write("cards.pem", cards.AnchorsPEM())
	revoked, err := cards.Revoke(now, now.Add(time.Hour), card)
	g.Expect(err).NotTo(HaveOccurred())
	crl := write("cards.crl", revoked)
	later := now.Add(2 * time.Hour).Format(time.RFC3339)

	for name, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"valid":              {[]string{"--body", note, "--signature", signed, "--anchors", anchors}, 0, ""},
		"other bytes":        {[]string{"--body", write("other.json", []byte("{}")), "--signature", signed, "--anchors", anchors}, 1, "OtherBytes"},
		"other media type":   {[]string{"--body", note, "--signature", signed, "--anchors", anchors, "--content-type", "application/xhtml+xml"}, 1, "OtherContentType"},
		"other authority":    {[]string{"--body", note, "--signature", signed, "--anchors", write("strangers.pem", strangers.AnchorsPEM())}, 1, "ChainRefused"},
		"card expired since": {[]string{"--body", note, "--signature", signed, "--anchors", anchors, "--at", later}, 1, "CardNotValid"},
		"card revoked":       {[]string{"--body", note, "--signature", signed, "--anchors", anchors, "--crl", crl}, 1, "CardRevoked"},
		"revoked later":      {[]string{"--body", note, "--signature", signed, "--anchors", anchors, "--crl", crl, "--at", now.Add(-time.Second).Format(time.RFC3339)}, 0, ""},
		"no lists":           {[]string{"--body", note, "--signature", signed, "--anchors", anchors, "--crl", anchors}, 1, "no certificate revocation list"},
		"no signature":       {[]string{"--body", note, "--signature", note, "--anchors", anchors}, 1, "Malformed"},
		"no anchors":         {[]string{"--body", note, "--signature", signed, "--anchors", note}, 1, "holds no certificate"},
		"no file":            {[]string{"--body", "none", "--signature", signed, "--anchors", anchors}, 1, "none"},
		"no time":            {[]string{"--body", note, "--signature", signed, "--anchors", anchors, "--at", "today"}, 2, "--at"},
		"no such media type": {[]string{"--body", note, "--signature", signed, "--anchors", anchors, "--content-type", "text/plain"}, 2, "--content-type"},
		"flags left out":     {nil, 1, `"anchors", "body", "signature"`},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			status, out, errs := run(append([]string{"document", "verify"}, c.args...)...)
			g.Expect(status).To(Equal(c.status), errs)
			g.Expect(errs).To(ContainSubstring(c.says))
			if c.status == 0 {
				g.Expect(out).To(SatisfyAll(ContainSubstring("Signer: 1001\n"), ContainSubstring(now.UTC().Format(time.RFC3339)),
					ContainSubstring(pki.FingerprintOf(card.Chain[0]).String())))
			} else {
				g.Expect(out).To(BeEmpty())
			}
		})
	}
}

func TestDocumentSignIsOneThatVerifies(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	cards, err := testcard.New(now, time.Hour)
	g.Expect(err).NotTo(HaveOccurred())
	card, err := cards.Issue("1001", now.Add(-time.Minute), now.Add(time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		file := filepath.Join(dir, name)
		g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
		return file
	}
	other, err := pki.NewKey()
	g.Expect(err).NotTo(HaveOccurred())
	page, cert, key := write("page", []byte("<p/>")), write("card.crt", certificates(card.Chain...)), write("card.key", card.Key.PEM())
	status, jws, errs := run("document", "sign", "--body", page, "--content-type", "application/xhtml+xml", "--card-cert", cert, "--card-key", key)
	g.Expect(status).To(BeZero(), errs)
	status, _, errs = run("document", "verify", "--body", page, "--content-type", "application/xhtml+xml",
		"--signature", write("page.jws", []byte(jws)), "--anchors", write("cards.pem", cards.AnchorsPEM()))
	g.Expect(status).To(BeZero(), errs)

	for says, args := range map[string][]string{
		"none":           {"--body", "none", "--card-cert", cert, "--card-key", key},
		"key does not":   {"--body", page, "--card-cert", cert, "--card-key", write("other.key", other.PEM())},
		"no certificate": {"--body", page, "--card-cert", page, "--card-key", key},
		"must be":        {"--body", page, "--card-cert", cert, "--card-key", key, "--content-type", "text/plain"},
	} {
		status, out, errs := run(append([]string{"document", "sign"}, args...)...)
		g.Expect(status).NotTo(BeZero(), says)
		g.Expect(out).To(BeEmpty())
		g.Expect(errs).To(ContainSubstring(says))
	}
}
