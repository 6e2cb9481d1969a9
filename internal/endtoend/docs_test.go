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

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/testenv"
)

// TestTheIntegratorsPageRuns runs the shell blocks of docs/integrators.md as they stand, so that what the page tells
// integrators to send is what the archive takes.
func TestTheIntegratorsPageRuns(t *testing.T) {
	t.Parallel()
	needTools(t, "bash", "curl")
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	s.journal.unanswered = true // curl keeps none
	s.open(s.North, nil)        // a unit has its credential with its first client

	dir := pageDir(t)
	s.writeCredential(g, filepath.Join(dir, "unit"), s.UnitSecret(s.North))
	s.writeCredential(g, filepath.Join(dir, "organizer"), s.OrganizerSecret())
	card, err := s.Card()
	g.Expect(err).NotTo(HaveOccurred())
	write := func(name string, content []byte) {
		g.Expect(os.WriteFile(filepath.Join(dir, name), content, 0o600)).To(Succeed())
	}
	write("card.crt", leafOf(card))
	write("card.key", card.Key.PEM())
	write("cards.pem", s.Cards.AnchorsPEM())
	blocks := shellBlocks(t, "integrators.md")
	g.Expect(len(blocks)).To(BeNumerically(">", 10), "the page has lost its blocks")
	write("script", []byte(strings.Join(blocks, "")))

	ctx, cancel := context.WithTimeout(background, pagePatience)
	defer cancel()
	run := pageScript(ctx, dir, []string{"-eu"},
		"ARCHIVE="+s.archive.Endpoint, "REGISTRY="+string(s.Registry.Spec.OID), "UNIT="+string(s.North.Spec.OID), "CODE="+newCode())
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

// needTools skips a test where a program is missing.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			testenv.SkipUninstalled(t, tool+" is not in PATH")
		}
	}
}

// pagePatience is how long the blocks of a page may take: each is a dozen of processes.
const pagePatience = 10 * time.Minute

// pageDir makes the directory that a page's script runs in, with the program in its directory bin.
func pageDir(t *testing.T) (dir string) {
	t.Helper()
	g := NewWithT(t)
	dir = t.TempDir()
	g.Expect(os.Mkdir(filepath.Join(dir, "bin"), 0o700)).To(Succeed())
	g.Expect(os.Symlink(program(t), filepath.Join(dir, "bin", "valtuus"))).To(Succeed())
	return dir
}

// pageScript makes the command that runs the file script of a page's directory.
func pageScript(ctx context.Context, dir string, flags []string, environment ...string) *exec.Cmd {
	run := exec.CommandContext(ctx, "bash", append(flags, "script")...)
	run.Dir, run.WaitDelay = dir, time.Minute
	run.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	run.Env = append(run.Env, environment...)
	return run
}

// leafOf gives a card's own certificate in PEM.
func leafOf(card testcard.Card) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: card.Chain[0].Raw})
}

// shellBlocks gives the sh blocks of a page as parts of one script, which tells at each block where it is. In the place
// of a block of the operator it waits until a file that it makes is gone, and reads what is then in another.
func shellBlocks(t *testing.T, page string) (blocks []string) {
	t.Helper()
	g := NewWithT(t)
	root, err := testenv.ModuleRoot()
	g.Expect(err).NotTo(HaveOccurred())
	file, err := os.Open(filepath.Join(root, "docs", page))
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = file.Close() }()
	var script strings.Builder
	inside := false
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		switch line := lines.Text(); {
		case line == "```sh":
			inside = true
			_, _ = fmt.Fprintf(&script, "echo; echo '== %s:%d'\n", page, number)
		case line == "```sh operator":
			blocks = append(blocks, "touch operator; while [ -e operator ]; do sleep 0.1; done; . ./operator.env\n")
		case strings.HasPrefix(line, "```") && inside:
			blocks, inside = append(blocks, script.String()), false
			script.Reset()
		case inside:
			script.WriteString(line + "\n")
		}
	}
	g.Expect(lines.Err()).NotTo(HaveOccurred())
	return blocks
}
