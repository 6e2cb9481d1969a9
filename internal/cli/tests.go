// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest/matrix"
	"github.com/valtuus/valtuus/internal/manager"
)

func newTests(flags *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tests",
		Short: "Deployment tests of client systems: what was tested, what is missing, and the reports",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTestsMatrix(flags), newTestsSimulate(), newTestsVerify())
	return cmd
}

// matrixFlags say what to look at.
type matrixFlags struct {
	namespace string
	all       bool
	output    string
}

func newTestsMatrix(flags *common) *cobra.Command {
	m := matrixFlags{}
	cmd := &cobra.Command{
		Use:   "matrix",
		Short: "Print each combination of client systems, whether it is tested, and how many grants wait for that",
		Long: `Print each combination of client systems, whether it is tested, and how many
grants wait for that.

The state of a combination is that of the test that has come furthest:
  reported   passed, and Kela has the report
  tested     passed
  scheduled  planned, or under way
  failed     failed
  missing    not tested

What is read is what you may read: the DeploymentTests and RegistryAccessGrants of
the namespace, or of all.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(matrix.Formats, m.output) {
				return usageError{fmt.Errorf("--output is %q, and must be one of %s", m.output, strings.Join(matrix.Formats, ", "))}
			}
			if m.all && m.namespace != "" {
				return usageError{errors.New("give --namespace or --all-namespaces, not both")}
			}
			if _, err := flags.logger(cmd.ErrOrStderr()); err != nil {
				return err
			}
			return m.print(cmd, flags)
		},
	}
	cmd.Flags().StringVarP(&m.namespace, "namespace", "n", "", "namespace of the organizer (default: that of the kubeconfig's context)")
	cmd.Flags().BoolVarP(&m.all, "all-namespaces", "A", false, "all namespaces")
	cmd.Flags().StringVarP(&m.output, "output", "o", "table", "table, json or html")
	return cmd
}

func (m *matrixFlags) print(cmd *cobra.Command, flags *common) error {
	cfg, err := flags.cluster()
	if err != nil {
		return err
	}
	c, err := client.New(cfg, client.Options{Scheme: manager.Scheme()})
	if err != nil {
		return err
	}
	var in []client.ListOption
	if !m.all {
		namespace := m.namespace
		if namespace == "" {
			if namespace, err = flags.namespace(); err != nil {
				return err
			}
		}
		in = append(in, client.InNamespace(namespace))
	}
	var tests v1alpha1.DeploymentTestList
	if err := c.List(cmd.Context(), &tests, in...); err != nil {
		return fmt.Errorf("read the deployment tests: %w", err)
	}
	var grants v1alpha1.RegistryAccessGrantList
	if err := c.List(cmd.Context(), &grants, in...); err != nil {
		return fmt.Errorf("read the grants: %w", err)
	}
	return matrix.Print(cmd.OutOrStdout(), m.output, matrix.Build(tests.Items, grants.Items))
}

// namespace is that of the kubeconfig's context.
func (c *common) namespace() (string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	namespace, _, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).Namespace()
	return namespace, err
}
