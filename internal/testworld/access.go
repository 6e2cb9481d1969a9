// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/manifests"
	"github.com/valtuus/valtuus/internal/testenv"
)

// Start starts an API server with the CRDs and the admission policy of this product.
func Start(ctx context.Context, options testenv.Options) (*testenv.Env, error) {
	env, err := testenv.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := admit(ctx, env); err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	return env, nil
}

func admit(ctx context.Context, env *testenv.Env) error {
	root, err := testenv.ModuleRoot()
	if err != nil {
		return err
	}
	objects, err := manifests.Read(filepath.Join(root, "config", "admission"))
	if err != nil {
		return err
	}
	c, err := client.New(env.Config, client.Options{Scheme: manager.Scheme()})
	if err != nil {
		return err
	}
	return manifests.Apply(ctx, c, "testworld", objects...)
}

// ManagerConfig returns a configuration of a user who may do what the manager's role says, and no more.
func ManagerConfig(env *testenv.Env) (*rest.Config, error) {
	return withRole(env, "test-manager", "role.yaml")
}

// withRole grants a user the first role in a file of config/rbac, everywhere.
func withRole(env *testenv.Env, user, file string) (*rest.Config, error) {
	root, err := testenv.ModuleRoot()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "config", "rbac", file))
	if err != nil {
		return nil, err
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal(text, &role); err != nil {
		return nil, err
	}
	if err := env.Grant(context.Background(), user, "", role.Rules...); err != nil {
		return nil, err
	}
	return env.AddUser(user)
}
