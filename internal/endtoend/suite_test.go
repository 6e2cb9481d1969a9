// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
	"github.com/valtuus/valtuus/internal/testworld"
)

const (
	// patience is how long whatever no test is about may take. It takes milliseconds; the rest is for a busy machine.
	patience = 3 * time.Minute
	// soon is how long a change may take to reach the archive: as long as it may believe its view, and no more.
	soon = believedFor
	// believedFor is how old a view of the archive may be where a test says nothing else: as old as the API allows, since
	// a view grows old on a busy machine, too, and refuses with another reason than the one that a test is about.
	believedFor = enforcement.LongestBound
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !given("test.parallel") {
		// The tests wait more than they work.
		_ = flag.Set("test.parallel", "10")
	}
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	code := pgcluster.Main(m)
	for _, c := range []*cluster{shared, disturbed} {
		if err := c.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop a control plane:", err)
			code = max(code, 1)
		}
	}
	if err := removeProgram(); err != nil {
		fmt.Fprintln(os.Stderr, "remove the program:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func given(name string) (found bool) {
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

var (
	// shared is the control plane of the tests that leave it alone.
	shared = &cluster{}
	// disturbed is that of the tests that stop its servers or its controllers, one test at a time.
	disturbed = &cluster{}
)

// cluster is a control plane with the controllers of this product.
type cluster struct {
	*testenv.Env
	once  sync.Once
	err   error
	alone sync.Mutex
	log   records // of the manager

	stopManager func() error
}

// of starts the cluster at the first call.
func (c *cluster) of(t *testing.T) *cluster {
	t.Helper()
	testenv.Need(t)
	c.once.Do(func() {
		if c.Env, c.err = testworld.Start(context.Background(), testenv.Options{}); c.err == nil {
			c.err = c.startManager()
		}
	})
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c
}

// toItself gives the cluster to one test at a time, with its controllers running.
func (c *cluster) toItself(t *testing.T) *cluster {
	t.Helper()
	c.of(t).alone.Lock()
	t.Cleanup(c.alone.Unlock)
	if c.stopManager == nil {
		NewWithT(t).Expect(c.startManager()).To(Succeed())
	}
	return c
}

func (c *cluster) startManager() error {
	cfg, err := testworld.ManagerConfig(c.Env)
	if err != nil {
		return err
	}
	c.stopManager, err = testworld.StartManager(context.Background(), cfg, manager.Options{
		Log: c.log.logger(),
		// Longer than the archive and a client take to look at their files.
		Controllers: controllers.Options{}.WithSettling(nil, 25*time.Second),
	})
	return err
}

// withoutManager stops the controllers.
func (c *cluster) withoutManager() error {
	if c.stopManager == nil {
		return nil
	}
	err := c.stopManager()
	c.stopManager = nil
	return err
}

func (c *cluster) stop() error {
	if c.Env == nil {
		return nil
	}
	err := c.withoutManager()
	if stopped := c.Env.Stop(); err == nil {
		err = stopped
	}
	return err
}

// records is a log in memory, with all that is told at any verbosity.
type records struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

var _ io.Writer = (*records)(nil)

func (r *records) Write(line []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.Write(line)
}

func (r *records) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.String()
}

func (r *records) logger() logr.Logger {
	return zap.New(zap.WriteTo(r), zap.JSONEncoder(), zap.Level(zapcore.Level(-10)))
}
