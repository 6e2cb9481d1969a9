// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/deploymenttest/report"
)

func newTestsVerify() *cobra.Command {
	var authority, key string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check the report of a deployment test, without the cluster and the archive",
		Long: `Check the report of a deployment test, without the cluster and the archive.

FILE is the entry report.jws of the ConfigMap that the DeploymentTest names.
--ca is the certificate of the archive's authority (ca.crt of any of its
credentials): the key that signed must have been certified by it for reports.
With --log-vkey the checkpoint must be one that the key of the access log signed,
and each step must rest on an event that is proven to be under it.`,
		Example: `  kubectl get configmap systems-report --output jsonpath='{.data.report\.jws}' >report.jws
  valtuus tests verify report.jws --ca ca.crt --log-vkey valtuus.io/log/...+b2e7c2f6+AT...`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("name the file of one report")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := report.Options{Authority: x509.NewCertPool()}
			certificates, err := readCertificates(authority)
			if err != nil {
				return err
			}
			for _, one := range certificates {
				opts.Authority.AddCert(one)
			}
			if key != "" {
				verifier, err := logproof.ParseVerifier(key)
				if err != nil {
					return usageError{err}
				}
				opts.Log = &verifier
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("read the report: %w", err)
			}
			// An editor or a shell ends a file with a line break.
			verified, err := report.Verify(strings.TrimRight(string(text), "\r\n"), opts)
			if err != nil {
				return err
			}
			return tellReport(cmd.OutOrStdout(), &verified, key != "")
		},
	}
	cmd.Flags().StringVar(&authority, "ca", "", "file of the certificate of the archive's authority")
	cmd.Flags().StringVar(&key, "log-vkey", "", "verifier key of the archive's access log, as 'valtuus log key' prints it")
	required(cmd, "ca")
	return cmd
}

// tellReport tells what a report that holds says.
func tellReport(out io.Writer, v *report.Verified, log bool) error {
	line := func(format string, arguments ...any) { _, _ = fmt.Fprintf(out, format+"\n", arguments...) }
	line("The report is valid: it was signed at %s, and has not been changed since.", v.Times.SignedAt.UTC().Format(time.RFC3339))
	if v.Notice != nil {
		line("%s", v.Notice.En)
	}
	line("Result:    %s", v.Result)
	if v.Message != "" {
		line("           %s", v.Message)
	}
	line("Test:      %s/%s, for registry %s", v.Test.Namespace, v.Test.Name, v.Test.Registry)
	if s := v.Systems; s != nil {
		line("Organizer: %s %s, %s %s", v.Parties.Organizer.OID, v.Parties.Organizer.Name.Fi, s.Organizer.Product, s.Organizer.Version)
		line("Producer:  %s %s, unit %s, %s %s", v.Parties.Producer.OID, v.Parties.Producer.Name.Fi, v.Parties.Unit, s.Producer.Product, s.Producer.Version)
	}
	for _, step := range v.Steps {
		line("  %-8s %s", step.State, step.Title.En)
	}
	proven := "under a checkpoint that the key of the log signed"
	if !log {
		proven = "under its checkpoint; give --log-vkey to check that this is the log's"
	}
	line("Evidence:  %d of %d events are proven %s", v.Proven, v.Proven+v.Unproven, proven)
	line("Digest:    %s", v.Digest)
	return nil
}
