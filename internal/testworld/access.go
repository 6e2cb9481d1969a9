// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import (
	"context"
	"errors"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// ManagerUser is the service account of managers, as an installation by config/default has it.
const ManagerUser = "system:serviceaccount:valtuus-system:valtuus-manager"

// ManagerConfig returns a configuration of a user who may do what the manager's role says, and no more: in the whole
// cluster or, where namespaces are named, what a manager may that works in those only.
func ManagerConfig(env *testenv.Env, namespaces ...string) (*rest.Config, error) {
	if len(namespaces) == 0 {
		if err := grantRole(env, ManagerUser, "", "rbac/role.yaml", 0); err != nil {
			return nil, err
		}
		return env.AddUser(ManagerUser)
	}
	if err := grantRole(env, ManagerUser, "", "namespaces/manager_cluster_role.yaml", 0); err != nil {
		return nil, err
	}
	for _, namespace := range namespaces {
		if err := grantRole(env, ManagerUser, namespace, "rbac/role.yaml", 0); err != nil {
			return nil, err
		}
	}
	return env.AddUser(ManagerUser)
}

// LeaderConfig is ManagerConfig of one that may also lead others, by a Lease in the namespace.
func LeaderConfig(env *testenv.Env, namespace string) (*rest.Config, error) {
	cfg, err := ManagerConfig(env)
	if err != nil {
		return nil, err
	}
	return cfg, grantRole(env, ManagerUser, namespace, "rbac/archive_role.yaml", 2)
}

// ArchiveConfig returns a configuration of a user who may do what the archive's roles say, with its Lease in the namespace.
func ArchiveConfig(env *testenv.Env, namespace string) (*rest.Config, error) {
	user := "test-archive"
	if err := grantRole(env, user, "", "rbac/archive_role.yaml", 0); err != nil {
		return nil, err
	}
	if err := grantRole(env, user, namespace, "rbac/archive_role.yaml", 1); err != nil {
		return nil, err
	}
	return env.AddUser(user)
}

// grantRole grants a user one of the roles in a file of config, in a namespace or everywhere.
func grantRole(env *testenv.Env, user, namespace, file string, which int) error {
	root, err := testenv.ModuleRoot()
	if err != nil {
		return err
	}
	objects, err := manifests.Read(filepath.Join(root, "config", filepath.FromSlash(file)))
	if err != nil {
		return err
	}
	var role rbacv1.ClusterRole
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[which].Object, &role); err != nil {
		return err
	}
	return env.Grant(context.Background(), user, namespace, role.Rules...)
}
