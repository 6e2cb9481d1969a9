// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/valtuus/valtuus/internal/testenv"
)

// shared is the one cluster of a test binary.
var shared struct {
	mu      sync.Mutex
	allowed bool // Main runs, and will close it
	cluster *Cluster
	err     error
}

// Main runs the tests and then ends the shared cluster. A package that calls Shared or Database has
//
//	func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }
func Main(m *testing.M) int {
	shared.mu.Lock()
	shared.allowed = true
	shared.mu.Unlock()
	code := m.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.cluster == nil {
		return code
	}
	if code != 0 {
		if path, err := shared.cluster.KeepLog(); err == nil {
			fmt.Fprintf(os.Stderr, "log of the PostgreSQL server: %s; its end:\n%s\n", path, shared.cluster.LogTail(15))
		}
	}
	if err := shared.cluster.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "end the PostgreSQL server:", err)
		return max(code, 1)
	}
	return code
}

// Shared gives the test binary's own cluster, started at the first call. A test that stops it or changes its
// settings takes one of its own, from ForTest.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	need(t)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.allowed {
		t.Fatal("pgcluster.Shared needs a TestMain that calls pgcluster.Main")
	}
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = Start(context.Background(), Options{})
	}
	if shared.err != nil {
		skipOrFail(t, shared.err)
	}
	return shared.cluster
}

// ForTest starts a cluster that ends with the test.
func ForTest(t testing.TB, opts Options) *Cluster {
	t.Helper()
	need(t)
	c, err := Start(context.Background(), opts)
	if err != nil {
		skipOrFail(t, err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the PostgreSQL server's log:\n%s", c.LogTail(30))
		}
		if err := c.Close(); err != nil {
			t.Errorf("end the PostgreSQL server: %v", err)
		}
	})
	return c
}

// Database makes an empty database that ends with the test, and gives its URI.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name, err := c.NewDatabase(t.Context(), "")
	if err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() {
		if c.PID() == 0 {
			return // it ends with the cluster
		}
		if err := c.DropDatabase(context.Background(), name); err != nil {
			t.Errorf("drop a database: %v", err)
		}
	})
	return c.URI(name)
}

func need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		testenv.SkipOrFail(t, "needs a PostgreSQL server; not started under -short")
	}
	if _, err := findBinaries(t.Context()); err != nil {
		skipOrFail(t, err)
	}
}

// skipOrFail skips where no server is installed; a server that does not start is a failure.
func skipOrFail(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrNoServer) {
		testenv.SkipUninstalled(t, err.Error())
	}
	t.Fatal(err)
}

// PairForTest starts a cluster and its synchronous standby, which end with the test.
func PairForTest(t testing.TB, opts Options) (primary, standby *Cluster) {
	t.Helper()
	primary = ForTest(t, opts)
	standby, err := primary.StartStandby(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the standby's log:\n%s", standby.LogTail(30))
		}
		if err := standby.Close(); err != nil {
			t.Errorf("end the standby: %v", err)
		}
	})
	return primary, standby
}
