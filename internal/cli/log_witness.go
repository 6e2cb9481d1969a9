// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/serving"
	"github.com/valtuus/valtuus/internal/archive/witness"
)

// Files of a witness in its directory.
const (
	witnessKey   = "witness.key"
	witnessState = "witness.json"
)

func newLogWitness(flags *common) *cobra.Command {
	var dir, listen, certFile, keyFile string
	var logs []string
	cmd := &cobra.Command{
		Use:   "witness",
		Short: "Run a witness of logs",
		Long: `Run a witness of logs.

A witness cosigns a checkpoint only if the tree begins with the one that it
cosigned before. So a log that it follows can neither be rolled back nor shown
in two forms without the witness's refusal. It speaks c2sp.org/tlog-witness, and
remembers what it has cosigned in its directory: keep that.

A log whose key changes is followed by the new key from its operator on. Give
both keys while both sign, or start with the new one: the tree still has to
begin with the one that was cosigned under the former.`,
		Example: `  valtuus log witness new --dir witness --name witness.example.fi/w1
  valtuus log witness --dir witness --log valtuus.io/log/...+b2e7c2f6+AT... --listen :8090
  valtuus archive ... --log-witness https://witness.example.fi:8090=witness.example.fi/w1+...`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts := witness.Options{}
			for _, one := range logs {
				verifier, err := logproof.ParseVerifier(one)
				if err != nil {
					return usageError{err}
				}
				if opts.Logs, err = following(opts.Logs, verifier); err != nil {
					return err
				}
			}
			text, err := os.ReadFile(filepath.Join(dir, witnessKey))
			if err != nil {
				return fmt.Errorf("read the key of the witness: %w", err)
			}
			if opts.Signer, err = cosign.NewSignerForCosignatureV1(strings.TrimSpace(string(text))); err != nil {
				return fmt.Errorf("%s holds no key of a witness", filepath.Join(dir, witnessKey))
			}
			if opts.State, err = witness.OpenState(filepath.Join(dir, witnessState)); err != nil {
				return err
			}
			if opts.Log, err = flags.logger(cmd.ErrOrStderr()); err != nil {
				return err
			}
			server := &http.Server{
				Handler: witness.Handler(opts), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
				WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
				TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13}, ErrorLog: serving.ConnectionLog(opts.Log),
			}
			listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return err
			}
			opts.Log.Info("Witnessing", "address", listener.Addr().String())
			return serving.Until(cmd.Context(), server, func() error {
				if certFile == "" {
					return server.Serve(listener)
				}
				return server.ServeTLS(listener, certFile, keyFile)
			})
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory of the witness, as 'witness new' makes it")
	cmd.Flags().StringArrayVar(&logs, "log", nil, "verifier key of a log to follow (repeatable, also for one log)")
	cmd.Flags().StringVar(&listen, "listen", ":8090", "where to take checkpoints")
	cmd.Flags().StringVar(&certFile, "tls-cert", "", "file of the server certificate (default: no TLS; what is said is signed)")
	cmd.Flags().StringVar(&keyFile, "tls-key", "", "file of the server certificate's key")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	required(cmd, "dir", "log")
	cmd.AddCommand(newLogWitnessNew())
	return cmd
}

// following adds a verifier to those of the logs that are followed. Two of one log are two keys of it.
func following(logs []logproof.Verifier, verifier logproof.Verifier) ([]logproof.Verifier, error) {
	for i, there := range logs {
		if there.Name() == verifier.Name() {
			both, err := there.Or(verifier)
			logs[i] = both
			return logs, err
		}
	}
	return append(logs, verifier), nil
}

func newLogWitnessNew() *cobra.Command {
	var dir, name string
	cmd := &cobra.Command{
		Use:     "new",
		Short:   "Make a witness, and print its verifier key",
		Example: `  valtuus log witness new --dir witness --name witness.example.fi/w1`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signer, verifier, err := note.GenerateKey(rand.Reader, name)
			if err == nil {
				verifier, err = cosign.VKeyToCosignatureV1(verifier)
			}
			if err != nil {
				return usageError{errors.New("--name must be a name without spaces and plus signs, such as witness.example.fi/w1")}
			}
			if err := os.Mkdir(dir, 0o700); err != nil {
				return fmt.Errorf("make the witness: %w", err)
			}
			if err := os.WriteFile(filepath.Join(dir, witnessKey), []byte(signer+"\n"), 0o600); err != nil {
				return err
			}
			if err := witness.NewState(filepath.Join(dir, witnessState)); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), verifier)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory to make")
	cmd.Flags().StringVar(&name, "name", "", "name of the witness, such as witness.example.fi/w1")
	required(cmd, "dir", "name")
	return cmd
}
