// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/cli"
	"github.com/valtuus/valtuus/internal/deploymenttest/report"
	"github.com/valtuus/valtuus/internal/pki"
)

func TestTestsCommandLineErrorsSayWhatToDo(t *testing.T) {
	tryCommandLines(t, []commandLine{
		{"tests", 0, ""},
		{"tests matrix --help", 0, ""},
		{"tests matrix -o xml", 2, "must be one of table, json, html"},
		{"tests matrix -A -n x", 2, "not both"},
		{"tests matrix --kubeconfig does-not-exist", 1, "give --kubeconfig"},
		{"tests verify", 2, "name the file of one report"},
		{"tests verify x", 1, `"ca"`},
		{"tests verify x --ca does-not-exist", 1, "does-not-exist"},
		{"tests simulate", 1, "required flag"},
	})
}

// TestThePluginIsCalledAsKubectlCallsIt: texts name what a person types.
func TestThePluginIsCalledAsKubectlCallsIt(t *testing.T) {
	for file, name := range map[string]string{"/usr/bin/valtuus": "valtuus", "/usr/local/bin/kubectl-valtuus": "kubectl valtuus", "kubectl-valtuus.exe": "kubectl valtuus"} {
		g := NewWithT(t)
		var out, errs bytes.Buffer
		g.Expect(cli.MainAs(file, "v1", []string{"tests", "matrix", "--help"}, &out, &errs)).To(BeZero())
		g.Expect(out.String()).To(ContainSubstring("\n  " + name + " tests matrix [flags]"))
		g.Expect(cli.MainAs(file, "v1", []string{"tests", "matrix", "--nonsense"}, &out, &errs)).To(Equal(2))
		g.Expect(errs.String()).To(And(HavePrefix(name+": "), ContainSubstring("see '"+name+" tests matrix --help'")))
	}
}

// TestAReportIsVerifiedByACommand, and one that was changed is refused with words.
func TestAReportIsVerifiedByACommand(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	ca, err := pki.NewCA("test", now, 24*time.Hour)
	g.Expect(err).NotTo(HaveOccurred())
	test := &v1alpha1.DeploymentTest{ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: "systems", UID: "u"}}
	test.Spec.Mode, test.Status.Result = v1alpha1.ModeSimulated, v1alpha1.ResultFailed
	test.Status.Observation = &v1alpha1.TestObservation{Through: ptr.To(metav1.NewMicroTime(now))}
	signed, err := report.Sign(t.Context(), report.Compose(report.Input{
		Test: test, Registry: &v1alpha1.Registry{Spec: v1alpha1.RegistrySpec{OID: "1.2.246.10.1.19.0"}}, SignedAt: now,
	}), pki.NewBuiltIn(ca))
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		g.Expect(os.WriteFile(file, []byte(text), 0o600)).To(Succeed())
		return file
	}
	authority := write("ca.crt", string(ca.CertificatePEM()))
	status, out, errs := run("tests", "verify", write("report.jws", signed.JWS+"\n"), "--ca", authority)
	g.Expect(status).To(BeZero(), errs)
	g.Expect(out).To(And(ContainSubstring("The report is valid"), ContainSubstring("SIMULATED TEST"), ContainSubstring("Result:    Failed"), ContainSubstring(signed.Digest)))

	parts := strings.Split(signed.JWS, ".")
	status, _, errs = run("tests", "verify", write("forged.jws", parts[0]+"."+parts[1][:len(parts[1])-4]+"AAAA."+parts[2]), "--ca", authority)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("it was changed, or signed by another key"))
}
