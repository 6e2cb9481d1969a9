// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testenv_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/valtuus/valtuus/internal/testenv"
)

func TestControlPlane(t *testing.T) {
	started := time.Now()
	env := testenv.ForTest(t, testenv.Options{CRDs: []string{}, ControllerManager: true})
	t.Logf("started in %s", time.Since(started).Round(time.Millisecond))
	admin := clientFor(t, env.Config)

	t.Run("a stopped API server comes back on its port with its data", func(t *testing.T) {
		create(t, admin, "default", "kept")
		if err := env.APIServer.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := get(admin, "default", "kept"); err == nil {
			t.Fatal("a stopped API server answered")
		}
		startAPIServer(t, env)
		if err := get(admin, "default", "kept"); err != nil {
			t.Fatalf("after the restart: %v", err)
		}
	})

	t.Run("a killed API server comes back too", func(t *testing.T) {
		env.APIServer.Kill()
		if env.APIServer.Running() {
			t.Fatal("still running")
		}
		startAPIServer(t, env)
		if err := get(admin, "default", "kept"); err != nil {
			t.Fatalf("after the restart: %v", err)
		}
	})

	t.Run("a paused API server does not answer until it is resumed", func(t *testing.T) {
		if err := env.APIServer.Pause(); err != nil {
			t.Fatal(err)
		}
		impatient := rest.CopyConfig(env.Config)
		impatient.Timeout = 500 * time.Millisecond
		err := get(clientFor(t, impatient), "default", "kept")
		if resumed := env.APIServer.Resume(); resumed != nil {
			t.Fatal(resumed)
		}
		if err == nil {
			t.Fatal("a paused API server answered")
		}
		if err := get(admin, "default", "kept"); err != nil {
			t.Fatalf("after the resume: %v", err)
		}
	})

	t.Run("a user may do what is granted and no more", func(t *testing.T) {
		config, err := env.AddUser("reader")
		if err != nil {
			t.Fatal(err)
		}
		reader := clientFor(t, config)
		if err := get(reader, "default", "kept"); !apierrors.IsForbidden(err) {
			t.Fatalf("before the grant: %v, want forbidden", err)
		}
		rule := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get"}}
		if err := env.Grant(t.Context(), "reader", "default", rule); err != nil {
			t.Fatal(err)
		}
		if err := get(reader, "default", "kept"); err != nil {
			t.Fatalf("after the grant: %v", err)
		}
		if err := get(reader, "kube-system", "kept"); !apierrors.IsForbidden(err) {
			t.Fatalf("in another namespace: %v, want forbidden", err)
		}
	})

	t.Run("a namespace is deleted with what is in it", func(t *testing.T) {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ends"}}
		if _, err := admin.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		create(t, admin, "ends", "inside")
		if err := admin.CoreV1().Namespaces().Delete(t.Context(), "ends", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool {
			_, err := admin.CoreV1().Namespaces().Get(t.Context(), "ends", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	})
}

func TestKeptDirectory(t *testing.T) {
	testenv.Need(t)
	options := testenv.Options{Dir: t.TempDir(), CRDs: []string{}, Fsync: true}
	var kubeconfigs [][]byte
	for round := range 2 {
		env, err := testenv.Start(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		admin := clientFor(t, env.Config)
		if round == 0 {
			create(t, admin, "default", "kept")
		} else if err := get(admin, "default", "kept"); err != nil {
			t.Errorf("started again on the same directory: %v", err)
		}
		kubeconfig, err := testenv.Kubeconfig(env.Config)
		if err != nil {
			t.Error(err)
		}
		kubeconfigs = append(kubeconfigs, kubeconfig)
		if err := env.Stop(); err != nil {
			t.Fatal(err)
		}
		for _, process := range []*testenv.Process{env.Etcd, env.APIServer} {
			if process.Running() {
				t.Fatalf("left behind: process %d", process.PID())
			}
		}
	}
	if len(kubeconfigs[0]) == 0 {
		t.Error("empty kubeconfig")
	}
}

// Without the binaries the error must tell what to do.
func TestAssetsMissing(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", "")
	t.Setenv("VALTUUS_CACHE", t.TempDir())
	if dir, err := testenv.Assets(); err == nil {
		t.Fatalf("found in %s", dir)
	}
	dir := t.TempDir()
	t.Setenv("KUBEBUILDER_ASSETS", dir)
	for _, name := range []string{testenv.Etcd, testenv.APIServer} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := testenv.Assets(); err != nil || found != dir {
		t.Fatalf("got %q, %v; want %q", found, err, dir)
	}
	if _, err := testenv.Assets(testenv.ControllerManager); err == nil {
		t.Fatal("found a controller manager that is not there")
	}
}

func clientFor(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func create(t *testing.T, client kubernetes.Interface, namespace, name string) {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().ConfigMaps(namespace).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func get(client kubernetes.Interface, namespace, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	return err
}

func startAPIServer(t *testing.T, env *testenv.Env) {
	t.Helper()
	if err := env.APIServer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 3 minutes")
		}
	}
}
