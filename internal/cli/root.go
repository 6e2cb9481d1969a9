// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of valtuus.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// Main runs the command and returns the exit status: 1 for a failure, 2 for a command line that cannot be understood.
func Main(version string, args []string, out, errs io.Writer) int {
	return MainAs(os.Args[0], version, args, out, errs)
}

// plugin is the name of the program that kubectl runs for 'kubectl valtuus'.
const plugin = "kubectl-valtuus"

// programOf gives what the program is called in texts, by the file that was run.
func programOf(file string) string {
	if strings.TrimSuffix(filepath.Base(file), ".exe") == plugin {
		return "kubectl valtuus"
	}
	return "valtuus"
}

// MainAs is Main of a program in the file.
func MainAs(file, version string, args []string, out, errs io.Writer) int {
	program := programOf(file)
	root := newRoot(version)
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: program}
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A person who interrupts a second time does not want to wait.
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(errs, program+":", err)
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// usageError is an error in what was typed.
type usageError struct{ error }

// common are the flags that every long-running command has.
type common struct {
	kubeconfig string
	logFormat  string
	verbosity  int
}

func newRoot(version string) *cobra.Command {
	flags := &common{}
	root := &cobra.Command{
		Use:   "valtuus",
		Short: "The register access right of Finnish social care, as Kubernetes resources, and the archive that honors it",
		Long: `Valtuus turns the register access right (rekisterinkäyttöoikeus) into Kubernetes resources.

The manager reconciles the resources and issues and revokes the credentials of
producer units. The archive keeps the client documents and enforces the rights.`,
		SilenceUsage: true, SilenceErrors: true, Version: version,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
	})
	root.PersistentFlags().StringVar(&flags.kubeconfig, "kubeconfig", "",
		"file that tells how to reach the API server (default: $KUBECONFIG, then the pod's own, then ~/.kube/config)")
	root.PersistentFlags().StringVar(&flags.logFormat, "log-format", "json", "format of the log: json or console")
	root.PersistentFlags().IntVarP(&flags.verbosity, "verbosity", "v", 0, "how much to log: 0 for what an operator needs, more for more")
	root.AddCommand(newManager(flags), newArchive(flags), newRevoke(flags), newAssertion(), newDocument(), newLog(flags), newTests(flags))
	return root
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q for %q; see '%s --help'", args[0], cmd.CommandPath(), cmd.CommandPath())}
	}
	return nil
}

// required makes flags of the command ones that must be given.
func required(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag of the command
		}
	}
}

// logger makes the log and gives it to the libraries that log by themselves.
func (c *common) logger(errs io.Writer) (logr.Logger, error) {
	options := []zap.Opts{zap.WriteTo(errs), zap.Level(zapcore.Level(-c.verbosity))}
	switch c.logFormat {
	case "json":
		options = append(options, zap.JSONEncoder())
	case "console":
		options = append(options, zap.ConsoleEncoder())
	default:
		return logr.Logger{}, usageError{fmt.Errorf("--log-format is %q, and must be json or console", c.logFormat)}
	}
	log := zap.New(options...)
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	return log, nil
}

// cluster tells how to reach the API server.
func (c *common) cluster() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("cannot tell how to reach the API server: %w; give --kubeconfig", err)
	}
	return cfg, nil
}
