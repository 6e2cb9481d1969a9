// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/await"
	"github.com/valtuus/valtuus/internal/testenv"
)

// kubectl gives what the page asks kubectl for, once it is there.
const kubectl = `#!/bin/bash
until [ -s "$(dirname "$0")/report.jws" ]; do sleep 0.1; done
cat "$(dirname "$0")/report.jws"
`

// TestTheDeploymentTestsPageRuns runs the shell blocks of docs/deployment-tests.md as they stand, in the window of a test.
func TestTheDeploymentTestsPageRuns(t *testing.T) {
	t.Parallel()
	needTools(t, "bash")
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	s.journal.unanswered = true // the command keeps none
	s.open(s.North, nil)
	dir := pageDir(t)
	bin := filepath.Join(dir, "bin")
	write := func(name string, content []byte) {
		file := filepath.Join(dir, name)
		g.Expect(os.MkdirAll(filepath.Dir(file), 0o700)).To(Succeed())
		g.Expect(os.WriteFile(file, content, 0o700)).To(Succeed())
	}
	write("bin/kubectl", []byte(kubectl))
	kubeconfig := filepath.Join(dir, "kubeconfig")
	g.Expect(testenv.WriteKubeconfig(s.cluster.Config, kubeconfig)).To(Succeed())
	for who, id := range map[string]string{"organizer-card": "2001", "unit-card": "3001"} {
		card, err := s.Cards.Issue(id, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		g.Expect(err).NotTo(HaveOccurred())
		write(who+"/tls.crt", leafOf(card))
		write(who+"/tls.key", card.Key.PEM())
	}
	blocks := shellBlocks(t, "deployment-tests.md")
	g.Expect(blocks).To(HaveLen(4), "the page has lost its blocks")
	write("script", []byte(strings.Join(blocks, "")))
	key := exec.CommandContext(background, filepath.Join(bin, "valtuus"), "log", "key", "--data-dir", s.archive.DataDir)
	vkey, err := key.Output()
	g.Expect(err).NotTo(HaveOccurred())

	d := s.trial("page")
	organizer := client.ObjectKey{Namespace: s.Organizer, Name: d.test.Name + "-organizer"}
	unit := client.ObjectKey{Namespace: s.Producer, Name: s.North.Name + "-" + d.oid}
	for _, secret := range []client.ObjectKey{organizer, unit} {
		_, err := s.Credential(background, secret)
		g.Expect(err).NotTo(HaveOccurred())
	}
	s.writeCredential(g, filepath.Join(dir, "organizer"), organizer)
	s.writeCredential(g, filepath.Join(dir, "unit"), unit)

	ctx, cancel := context.WithTimeout(background, pagePatience)
	defer cancel()
	go func() { // what kubectl will be asked for
		_ = await.Until(ctx, "the report", pagePatience, 100*time.Millisecond, func() (bool, error) {
			var kept corev1.ConfigMap
			if err := s.Get(ctx, client.ObjectKey{Namespace: s.Organizer, Name: d.test.Name + "-report"}, &kept); err != nil {
				return false, nil
			}
			written := filepath.Join(bin, "report") // all of it, before kubectl sees it
			if err := os.WriteFile(written, []byte(kept.Data["report.jws"]), 0o600); err != nil {
				return false, err
			}
			return true, os.Rename(written, filepath.Join(bin, "report.jws"))
		})
	}()
	run := pageScript(ctx, dir, []string{"-euo", "pipefail"}, "KUBECONFIG="+kubeconfig, "BIN="+bin,
		"ARCHIVE="+s.archive.Endpoint, "ORGANIZER="+s.Organizer, "TEST="+d.test.Name, "TEST_REGISTRY="+d.oid,
		"UNIT="+string(s.North.Spec.OID), "LOG_VKEY="+strings.TrimSpace(string(vkey)))
	output, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	g.Expect(string(output)).To(And(ContainSubstring("All steps were done."), ContainSubstring("The report is valid"), ContainSubstring("Result:    Passed")))
	// What a simulation says is what its pod says at its end: no identity code, and no professional.
	g.Expect(string(output)).NotTo(MatchRegexp(`(^|[^-0-9A-Za-z])[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-Z]\b`))
	g.Expect(string(output)).NotTo(MatchRegexp(`(^|[^-0-9A-Za-z.])[23]001($|[^-0-9A-Za-z.])`))
}
