// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/cli"
	"github.com/valtuus/valtuus/internal/pki"
)

func run(args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	status = cli.Main("v1.2.3", args, &o, &e)
	return status, o.String(), e.String()
}

// commandLine is one with the status that it ends with, and what it says on the error output.
type commandLine struct {
	args   string
	status int
	says   string
}

func tryCommandLines(t *testing.T, lines []commandLine) {
	t.Helper()
	for _, c := range lines {
		t.Run(c.args, func(t *testing.T) {
			g := NewWithT(t)
			status, _, errs := run(strings.Fields(c.args)...)
			g.Expect(status).To(Equal(c.status), errs)
			g.Expect(errs).To(ContainSubstring(c.says))
		})
	}
}

func TestCommandLineErrorsSayWhatToDo(t *testing.T) {
	tryCommandLines(t, []commandLine{
		{"", 0, ""},
		{"--help", 0, ""},
		{"--version", 0, ""},
		{"manager --help", 0, ""},
		{"archive --help", 0, ""},
		{"nonsense", 2, `unknown command "nonsense"`},
		{"archive --nonsense", 2, "see 'valtuus archive --help'"},
		{"archive", 1, `"client-ca"`},
		{"archive --archive national --data-dir x --tls-cert x --tls-key x --client-ca x", 2, "must be NAMESPACE/NAME"},
		{"manager --log-format xml", 2, "must be json or console"},
		{"manager --kubeconfig does-not-exist --namespaces north,a.b", 2, `--namespaces: "a.b"`},
		{"manager --kubeconfig does-not-exist", 1, "give --kubeconfig"},
		{"revoke --help", 0, ""},
		{"revoke --timeout 0s", 2, "must be longer than nothing"},
		{"revoke --kubeconfig does-not-exist", 1, "give --kubeconfig"},
		{"assertion --registry 1.2.3 --client-cert none --card-cert none --card-key none --subject 1", 1, "none"},
	})
}

func TestAssertionIsOneThatTheArchiveTakes(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	cards, err := testcard.New(now, time.Hour)
	g.Expect(err).NotTo(HaveOccurred())
	card, err := cards.Issue("1001", now.Add(-time.Minute), now.Add(time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	connection := card.Chain[0] // any certificate serves to bind to

	dir := t.TempDir()
	write := func(name string, text []byte) string {
		file := filepath.Join(dir, name)
		g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
		return file
	}
	status, out, errs := run("assertion", "--registry", "1.2.246.10.1.19.0", "--subject", "1001",
		"--client-cert", write("tls.crt", certificates(connection)),
		"--card-cert", write("card.crt", certificates(card.Chain...)), "--card-key", write("card.key", card.Key.PEM()))
	g.Expect(status).To(BeZero(), errs)
	who, err := assertion.Verify(strings.TrimSpace(out), assertion.Options{
		Anchors: cards.Anchors(), Now: time.Now(), Audience: assertion.AudienceOf("1.2.246.10.1.19.0"),
		ClientCertificate: pki.FingerprintOf(connection), Replay: assertion.NewReplayCache(1),
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(who.ID).To(Equal("1001"))
}

func certificates(chain ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}
