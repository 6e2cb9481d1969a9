// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"bufio"
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/testenv"
)

// TestTheIntegratorsPageRuns runs the shell blocks of docs/integrators.md as they stand, so that what the page tells
// integrators to send is what the archive takes.
func TestTheIntegratorsPageRuns(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			testenv.SkipUninstalled(t, tool+" is not in PATH")
		}
	}
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	s.journal.unanswered = true // curl keeps none
	s.open(s.North, nil)        // a unit has its credential with its first client

	root, err := testenv.ModuleRoot()
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	s.writeCredential(g, filepath.Join(dir, "unit"), s.UnitSecret(s.North))
	s.writeCredential(g, filepath.Join(dir, "organizer"), s.OrganizerSecret())
	card, err := s.Card()
	g.Expect(err).NotTo(HaveOccurred())
	write := func(name string, content []byte) {
		g.Expect(os.WriteFile(filepath.Join(dir, name), content, 0o600)).To(Succeed())
	}
	write("card.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: card.Chain[0].Raw}))
	write("card.key", card.Key.PEM())
	write("cards.pem", s.Cards.AnchorsPEM())
	write("script", shellBlocks(g, filepath.Join(root, "docs", "integrators.md")))
	build := exec.CommandContext(background, "go", "build", "-o", filepath.Join(dir, "bin", "valtuus"), ".")
	build.Dir, build.Stderr = root, os.Stderr
	g.Expect(build.Run()).To(Succeed())

	ctx, cancel := context.WithTimeout(background, 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "bash", "-eu", "script")
	run.Dir = dir
	run.Env = append(os.Environ(),
		"PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"ARCHIVE="+s.archive.Endpoint, "REGISTRY="+string(s.Registry.Spec.OID), "UNIT="+string(s.North.Spec.OID), "CODE="+newCode())
	run.WaitDelay = time.Second
	if output, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// writeCredential writes a credential's Secret into a directory, as it is mounted.
func (s *scene) writeCredential(g Gomega, dir string, key client.ObjectKey) {
	secret := &corev1.Secret{}
	g.Expect(s.Get(background, key, secret)).To(Succeed())
	g.Expect(os.MkdirAll(dir, 0o700)).To(Succeed())
	for name, content := range secret.Data {
		g.Expect(os.WriteFile(filepath.Join(dir, name), content, 0o600)).To(Succeed())
	}
}

// shellBlocks gives the sh blocks of a page as one script, which tells at each block where it is.
func shellBlocks(g Gomega, page string) []byte {
	file, err := os.Open(page)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = file.Close() }()
	var script strings.Builder
	blocks, inside := 0, false
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		switch line := lines.Text(); {
		case line == "```sh":
			blocks, inside = blocks+1, true
			_, _ = fmt.Fprintf(&script, "echo; echo '== %s:%d'\n", filepath.Base(page), number)
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			script.WriteString(line + "\n")
		}
	}
	g.Expect(lines.Err()).NotTo(HaveOccurred())
	g.Expect(blocks).To(BeNumerically(">", 10), "the page has lost its blocks")
	return []byte(script.String())
}
