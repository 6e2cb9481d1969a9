// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/testenv"
)

// TestTheSupervisorsPageRuns runs the shell blocks of docs/log.md as they stand, with an archive that its operator starts
// where the page says so.
func TestTheSupervisorsPageRuns(t *testing.T) {
	t.Parallel()
	needTools(t, "bash", "curl")
	g := NewWithT(t)
	dir := pageDir(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	blocks := shellBlocks(t, "log.md")
	g.Expect(len(blocks)).To(BeNumerically(">", 10), "the page has lost its blocks")
	ask := shellBlocks(t, "integrators.md")[0]
	g.Expect(os.WriteFile(file("script"), []byte(ask+strings.Join(blocks, "")), 0o600)).To(Succeed())
	witness := fmt.Sprintf("127.0.0.1:%d", testenv.PortForTest(t))

	ctx, cancel := context.WithTimeout(background, pagePatience)
	defer cancel()
	run := pageScript(ctx, dir, []string{"-eu", "-o", "pipefail"}, "WITNESS="+witness)
	var output bytes.Buffer
	run.Stdout, run.Stderr = &output, &output
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the witness goes on in the background, and ends with the page
	run.Cancel = func() error { return syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }
	g.Expect(run.Start()).To(Succeed())
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	defer func() { _ = syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }() // the witness is still in the group

	g.Eventually(func() error { _, err := os.Stat(file("operator")); return err }).Should(Succeed())
	key, err := os.ReadFile(file("witness.vkey"))
	g.Expect(err).NotTo(HaveOccurred())
	s := shared.of(t).begin(t, settings{witnesses: []string{"http://" + witness + "=" + strings.TrimSpace(string(key))}})
	s.journal.unanswered = true // curl keeps none
	care := s.open(s.North, nil)
	s.writeCredential(g, file("organizer"), s.OrganizerSecret())
	card, err := s.Card()
	g.Expect(err).NotTo(HaveOccurred())
	authority, err := os.ReadFile(filepath.Join(filepath.Dir(s.archive.DataDir), "tls", "ca.crt"))
	g.Expect(err).NotTo(HaveOccurred())
	for name, content := range map[string][]byte{
		"card.crt": leafOf(card), "card.key": card.Key.PEM(), "ca.crt": authority,
		"operator.env": fmt.Appendf(nil, "DATA='%s' LOG='%s' ARCHIVE='%s' REGISTRY='%s' CLIENT='%s'\n",
			s.archive.DataDir, s.archive.LogEndpoint, s.archive.Endpoint, s.Registry.Spec.OID, care.id),
	} {
		g.Expect(os.WriteFile(file(name), content, 0o600)).To(Succeed())
	}
	g.Expect(os.Remove(file("operator"))).To(Succeed())
	if err := <-ended; err != nil {
		told, _ := os.ReadFile(file("witness.log"))
		t.Fatalf("%v\n%s\n%s", err, output.String(), told)
	}
	g.Expect(output.String()).To(ContainSubstring("cosigned by witness.example.fi/w1"))
	g.Expect(strings.Count(output.String(), "\nsound\n")).To(Equal(2), output.String())
}
