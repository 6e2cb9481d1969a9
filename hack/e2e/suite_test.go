// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/testenv"
)

// patience is how long the suite waits for anything: much longer than it takes, for a machine that is busy, and longer than
// the five minutes that a node may wait before it starts a failing container again.
const patience = 10 * time.Minute

// inTime is how long kubectl and helm wait.
var inTime = "--timeout=" + patience.String()

// suite is the cluster, and the commands that people type.
type suite struct {
	client.Client // as an administrator, to look
	api           kubernetes.Interface

	root       string // of the repository
	dir        string // of what is made on the way
	kubeconfig string
	kubectlBin string
	helmBin    string
	image      string // of this tree, as make images built it
	node       *node  // nil where the node is not ours

	cards    testcard.Authority
	database *database
	report   *report
}

var shared *suite

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	ctx := context.Background()
	var err error
	if shared, err = open(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code = m.Run()
	if code != 0 {
		shared.dump(ctx)
	}
	if err := errors.Join(shared.leave(ctx), shared.report.write(shared.root)); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = max(code, 1)
	}
	return code
}

// open finds the cluster, gives it images, and makes the namespaces.
func open(ctx context.Context) (*suite, error) {
	s := &suite{report: newReport()}
	for name, to := range map[string]*string{"KUBECONFIG": &s.kubeconfig, "KUBECTL": &s.kubectlBin, "HELM": &s.helmBin, "IMAGE": &s.image} {
		if *to = os.Getenv(name); *to == "" {
			return nil, fmt.Errorf("%s is not set: run make e2e", name)
		}
	}
	var err error
	if s.root, err = testenv.ModuleRoot(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "valtuus-e2e-"); err != nil {
		return nil, err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1
	if s.Client, err = client.New(cfg, client.Options{Scheme: manager.Scheme()}); err != nil {
		return nil, err
	}
	if s.api, err = kubernetes.NewForConfig(cfg); err != nil {
		return nil, err
	}
	s.node = findNode(s.kubeconfig)
	if s.cards, err = testcard.New(time.Now(), 24*time.Hour); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx)
}

func (s *suite) prepare(ctx context.Context) error {
	began := time.Now()
	if err := s.sweep(ctx); err != nil {
		return fmt.Errorf("clearing away what an earlier run left: %w", err)
	}
	fmt.Printf("e2e: looking for what an earlier run left: %.1f s\n", time.Since(began).Seconds())
	began = time.Now()
	if err := s.makeImages(ctx); err != nil {
		return err
	}
	fmt.Printf("e2e: images: %.1f s\n", time.Since(began).Seconds())
	if err := s.wrapHelm(); err != nil {
		return err
	}
	var err error
	if s.database, err = s.startDatabase(ctx, "county", "broken", "upgraded"); err != nil {
		return err
	}
	return s.makeNamespaces(ctx)
}

// kept says that what was made is to be left for a look (KEEP=1).
func kept() bool { return os.Getenv("KEEP") == "1" }

// leave leaves the cluster as it was found.
func (s *suite) leave(ctx context.Context) error {
	if kept() {
		fmt.Println("KEEP=1: everything is left; the next run clears it away")
		return s.database.stop()
	}
	return errors.Join(s.sweep(ctx), s.database.stop(), os.RemoveAll(s.dir))
}

// file is the path of a file among what is made on the way.
func (s *suite) file(name string) string { return filepath.Join(s.dir, name) }

// step runs a part of a story that cannot go on without it.
func step(t *testing.T, name string, play func(t *testing.T)) {
	t.Helper()
	began := time.Now()
	if !t.Run(name, play) {
		t.FailNow()
	}
	fmt.Printf("e2e: %s: %.1f s\n", name, time.Since(began).Seconds())
}
