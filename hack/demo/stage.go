// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/await"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/manifests"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testenv/child"
)

// patience is how long the demo waits for anything.
const patience = 5 * time.Minute

// stage is what the play is played on.
type stage struct {
	client.Client
	root    string // of this module
	dir     string // of everything that is made
	env     *testenv.Env
	cards   testcard.Authority
	clock   clock.PassiveClock
	running []*exec.Cmd
	address string        // of the archive's API
	admin   string        // of the archive's probes
	ports   []*child.Port // of both: kept, they stay reserved
}

// setStage builds the binary, starts the control plane, and installs what a cluster needs.
func setStage(ctx context.Context) (*stage, error) {
	s := &stage{clock: clock.RealClock{}}
	var err error
	if s.root, err = testenv.ModuleRoot(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "valtuus-demo-"); err != nil {
		return nil, err
	}
	heading("Setting the stage in " + s.dir)
	say("Building valtuus")
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(s.dir, "valtuus"), ".")
	build.Dir, build.Stderr = s.root, os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build valtuus: %w", err)
	}
	say("Starting etcd and kube-apiserver")
	if s.env, err = testenv.Start(ctx, testenv.Options{Dir: filepath.Join(s.dir, "control-plane"), Fsync: true}); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.clear(true))
	}
	return s, nil
}

func (s *stage) prepare(ctx context.Context) error {
	var err error
	if s.Client, err = client.New(s.env.Config, client.Options{Scheme: manager.Scheme()}); err != nil {
		return err
	}
	if s.cards, err = testcard.New(s.clock.Now(), 24*time.Hour); err != nil {
		return err
	}
	for _, address := range []*string{&s.address, &s.admin} {
		port, err := child.ReservePort() // until this process ends
		if err != nil {
			return err
		}
		*address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port.Number))
		s.ports = append(s.ports, port)
	}
	say("Installing the CRDs, the admission policy and the roles")
	if err := s.apply(ctx, nil, "config/admission"); err != nil {
		return err
	}
	if err := s.apply(ctx, nil, "config/samples/10-namespaces.yaml"); err != nil {
		return err
	}
	say("Starting the manager, as a user with the manager's role and no more")
	return s.startManager(ctx)
}

// clear ends every process; what failed leaves its logs behind.
func (s *stage) clear(failed bool) error {
	for i := len(s.running) - 1; i >= 0; i-- {
		_ = s.running[i].Process.Signal(os.Interrupt)
		_ = s.running[i].Wait()
	}
	err := s.env.Stop()
	if failed {
		fmt.Fprintln(os.Stderr, "The logs are in", s.dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// errSkip leaves an object out.
var errSkip = errors.New("not this one")

// apply applies sample files of this module, each object as change leaves it.
func (s *stage) apply(ctx context.Context, change func(*unstructured.Unstructured) error, files ...string) error {
	for _, file := range files {
		objects, err := manifests.Read(filepath.Join(s.root, file))
		if err != nil {
			return err
		}
		for _, object := range objects {
			if change != nil {
				if err := change(object); errors.Is(err, errSkip) {
					continue
				} else if err != nil {
					return err
				}
			}
			if err := manifests.Apply(ctx, s, "demo", object); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stage) startManager(ctx context.Context) error {
	kubeconfig, err := s.user(ctx, "valtuus-manager", map[string]string{"role.yaml": ""})
	if err != nil {
		return err
	}
	return s.start("manager", "manager", "--kubeconfig", kubeconfig, "--leader-elect=false", "--metrics-address", "0", "--probe-address", "0")
}

// startArchive starts the archive with the certificate that the manager made for it, as an operator would mount it.
func (s *stage) startArchive(ctx context.Context) error {
	kubeconfig, err := s.user(ctx, "valtuus-archive", map[string]string{"archive_role.yaml": "platform"})
	if err != nil {
		return err
	}
	secret := &corev1.Secret{}
	if err := s.Get(ctx, client.ObjectKey{Namespace: "platform", Name: "national-server"}, secret); err != nil {
		return err
	}
	tls, err := s.files("archive-tls", secret.Data)
	if err != nil {
		return err
	}
	return s.start("archive", "archive", "--kubeconfig", kubeconfig, "--archive", "platform/national", "--replica", "archive-0", "--drain-delay", "0s",
		"--data-dir", s.dataDir(), "--listen", s.address, "--admin-listen", s.admin,
		"--tls-cert", filepath.Join(tls, "tls.crt"), "--tls-key", filepath.Join(tls, "tls.key"), "--client-ca", filepath.Join(tls, "ca.crt"))
}

// user makes a kubeconfig for a user with the roles in files of config/rbac; a second role of a file holds in a namespace.
func (s *stage) user(ctx context.Context, name string, roles map[string]string) (string, error) {
	for file, namespace := range roles {
		objects, err := manifests.Read(filepath.Join(s.root, "config", "rbac", file))
		if err != nil {
			return "", err
		}
		for i, in := range []string{"", namespace} {
			if i > 0 && namespace == "" {
				break
			}
			var role rbacv1.ClusterRole
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[i].Object, &role); err != nil {
				return "", err
			}
			if err := s.env.Grant(ctx, name, in, role.Rules...); err != nil {
				return "", err
			}
		}
	}
	cfg, err := s.env.AddUser(name)
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.dir, name+".kubeconfig")
	return file, testenv.WriteKubeconfig(cfg, file)
}

// start starts valtuus with a log of its own.
func (s *stage) start(name string, args ...string) error {
	log, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(filepath.Join(s.dir, "valtuus"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	endWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	s.running = append(s.running, cmd)
	return nil
}

// files writes the entries of a Secret into a directory.
func (s *stage) files(name string, data map[string][]byte) (string, error) {
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for file, content := range data {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// endpoint is the base URL of the archive's API.
func (s *stage) endpoint() string { return "https://" + s.address }

// waitFor looks at an object until it is as it should be.
func waitFor[O client.Object](ctx context.Context, s *stage, what string, key client.ObjectKey, o O, done func(O) bool) error {
	return until(ctx, what, func() (bool, error) {
		err := s.Get(ctx, key, o)
		return err == nil && done(o), client.IgnoreNotFound(err)
	})
}

func (s *stage) dataDir() string { return filepath.Join(s.dir, "archive-data") }

func until(ctx context.Context, what string, done func() (bool, error)) error {
	return await.Until(ctx, what, patience, 20*time.Millisecond, done)
}

func organizerKey(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: "pirkanmaa", Name: name}
}
