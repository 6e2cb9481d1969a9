// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/valtuus/valtuus/internal/await"
	"github.com/valtuus/valtuus/internal/testenv/child"
)

// RequireAll tells that nothing may be skipped (VALTUUS_REQUIRE_ALL=1, set by make
// test): a suite that silently does not run looks like one that passes.
func RequireAll() bool { return os.Getenv("VALTUUS_REQUIRE_ALL") == "1" }

// Need skips a test that cannot have the servers: under go test -short, or where
// the binaries are missing. With RequireAll it fails instead. Call it in the Test
// function of a Ginkgo suite, before RunSpecs.
func Need(t testing.TB, binaries ...string) {
	t.Helper()
	if testing.Short() {
		SkipOrFail(t, "needs an API server; not started under -short")
		return
	}
	if _, err := Assets(binaries...); errors.Is(err, ErrNoAssets) {
		SkipOrFail(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
}

// SkipOrFail skips the test, or fails it when nothing may be skipped.
func SkipOrFail(t testing.TB, reason string) {
	t.Helper()
	if RequireAll() {
		t.Fatalf("VALTUUS_REQUIRE_ALL=1, but: %s", reason)
	}
	t.Skip(reason)
}

// RequireInstalled tells that what cannot be built from Go modules has to be installed (VALTUUS_REQUIRE_INSTALLED=1,
// set by .ci/run).
func RequireInstalled() bool { return os.Getenv("VALTUUS_REQUIRE_INSTALLED") == "1" }

// SkipUninstalled skips a test for lack of a program that is not built from Go modules, or fails it where that has to be
// installed.
func SkipUninstalled(t testing.TB, reason string) {
	t.Helper()
	if RequireInstalled() {
		t.Fatalf("VALTUUS_REQUIRE_INSTALLED=1, but: %s", reason)
	}
	t.Skip(reason)
}

// ForTest starts a control plane that ends with the test. When the test failed,
// the servers' logs are kept and their directory is logged.
func ForTest(t testing.TB, opts Options) *Env {
	t.Helper()
	binaries := []string{Etcd, APIServer}
	if opts.ControllerManager {
		binaries = append(binaries, ControllerManager)
	}
	Need(t, binaries...)
	e, err := Start(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs of the servers: %s", e.LogDir())
		}
		if err := e.stop(t.Failed()); err != nil {
			t.Errorf("stop the control plane: %v", err)
		}
	})
	return e
}

// PortForTest reserves a port on the loopback interface that stays the test's, also while nothing listens on it.
func PortForTest(t testing.TB) int {
	t.Helper()
	p, err := child.ReservePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return p.Number
}

// Grant allows the user to do what the rules say: in one namespace, or everywhere
// when the namespace is empty. Granting again replaces what was granted there. It
// returns when the API server, which learns of roles by watching them, goes by it.
func (e *Env) Grant(ctx context.Context, user, namespace string, rules ...rbacv1.PolicyRule) error {
	client, err := kubernetes.NewForConfig(e.Config)
	if err != nil {
		return err
	}
	rbac := client.RbacV1()
	meta := metav1.ObjectMeta{Name: "testenv:" + user, Namespace: namespace}
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}
	if namespace == "" {
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name}
		role := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}
		binding := &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
		if err := createOrUpdate(ctx, role, rbac.ClusterRoles().Create, rbac.ClusterRoles().Update); err != nil {
			return err
		}
		if err := createOrUpdate(ctx, binding, rbac.ClusterRoleBindings().Create, rbac.ClusterRoleBindings().Update); err != nil {
			return err
		}
		return e.waitGranted(ctx, user, metav1.NamespaceDefault, rules)
	}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name}
	role := &rbacv1.Role{ObjectMeta: meta, Rules: rules}
	binding := &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
	if err := createOrUpdate(ctx, role, rbac.Roles(namespace).Create, rbac.Roles(namespace).Update); err != nil {
		return err
	}
	if err := createOrUpdate(ctx, binding, rbac.RoleBindings(namespace).Create, rbac.RoleBindings(namespace).Update); err != nil {
		return err
	}
	return e.waitGranted(ctx, user, namespace, rules)
}

// waitGranted waits until the API server counts the rules among those of the user in the namespace.
func (e *Env) waitGranted(ctx context.Context, user, namespace string, rules []rbacv1.PolicyRule) error {
	config, err := e.AddUser(user)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	reviews := client.AuthorizationV1().SelfSubjectRulesReviews()
	question := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	return await.Until(ctx, "the API server to know the rights of "+user, time.Minute, 10*time.Millisecond, func() (bool, error) {
		known, err := reviews.Create(ctx, question, metav1.CreateOptions{})
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(rules, func(rule rbacv1.PolicyRule) bool {
			return len(rule.Resources) > 0 && !slices.ContainsFunc(known.Status.ResourceRules, func(k authorizationv1.ResourceRule) bool {
				return slices.Equal(k.Verbs, rule.Verbs) && slices.Equal(k.APIGroups, rule.APIGroups) &&
					slices.Equal(k.Resources, rule.Resources) && slices.Equal(k.ResourceNames, rule.ResourceNames)
			})
		}), nil
	})
}

func createOrUpdate[T any](
	ctx context.Context, object T,
	create func(context.Context, T, metav1.CreateOptions) (T, error),
	update func(context.Context, T, metav1.UpdateOptions) (T, error),
) error {
	_, err := create(ctx, object, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = update(ctx, object, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	return nil
}
