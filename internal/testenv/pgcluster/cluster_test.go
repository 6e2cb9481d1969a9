// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childEnv makes this test binary a program that starts a cluster and waits to be killed.
const childEnv = "VALTUUS_TEST_PGCLUSTER_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		c, err := Start(context.Background(), Options{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(c.PID(), c.dir.path)
		select {}
	}
	os.Exit(Main(m))
}

func connect(t *testing.T, uri string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func setting(t *testing.T, conn *pgx.Conn, name string) (value string) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestIsDurable(t *testing.T) {
	conn := connect(t, Shared(t).Database(t))
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if got := setting(t, conn, name); got != "on" {
			t.Errorf("%s is %s", name, got)
		}
	}
}

func TestSettingsAreTaken(t *testing.T) {
	c := ForTest(t, Options{Settings: map[string]string{"work_mem": "5MB", "application_name": "it's"}})
	conn := connect(t, c.URI("postgres"))
	if got := setting(t, conn, "work_mem"); got != "5MB" {
		t.Errorf("work_mem is %s", got)
	}
	if got := setting(t, conn, "application_name"); got != "it's" {
		t.Errorf("application_name is %s", got)
	}
}

func TestOnlyThePasswordOpensIt(t *testing.T) {
	c := Shared(t)
	for _, uri := range []string{c.URI("postgres"), c.socketURI("postgres")} {
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(superuser, "guess")
		if conn, err := pgx.Connect(t.Context(), u.String()); err == nil {
			_ = conn.Close(t.Context())
			t.Error("a wrong password opens it")
		}
		connect(t, uri)
	}
	for _, dir := range []string{c.dir.run(), c.dir.data()} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
}

func TestThePasswordIsNowhereToBeRead(t *testing.T) {
	c := Shared(t)
	connect(t, c.Database(t))
	children, err := childrenOf(c.PID())
	if err != nil || len(children) == 0 {
		t.Fatal(children, err)
	}
	for _, pid := range append(children, c.PID()) {
		for _, file := range []string{"cmdline", "environ"} {
			content, _ := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), file)) // it may have ended
			if strings.Contains(string(content), c.password) {
				t.Errorf("the password is in a process's %s", file)
			}
		}
	}
	if strings.Contains(c.LogTail(100_000), c.password) {
		t.Error("the password is in the log")
	}
	if _, err := os.Stat(filepath.Join(c.dir.run(), "password")); !os.IsNotExist(err) {
		t.Errorf("the password file is still there: %v", err)
	}
}

func TestItComesBack(t *testing.T) {
	c := ForTest(t, Options{})
	uri := c.Database(t)
	if _, err := connect(t, uri).Exec(t.Context(), "CREATE TABLE kept (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, way := range []struct {
		name string
		end  func() error
	}{{"killed", c.Kill}, {"stopped", c.Stop}, {"killed again", c.Kill}, {"running", func() error { return nil }}} {
		conn := connect(t, uri)
		if _, err := conn.Exec(t.Context(), "INSERT INTO kept VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		rows++
		pid := c.PID()
		children, err := childrenOf(pid)
		if err != nil || len(children) < 2 {
			t.Fatal(children, err)
		}
		if err := way.end(); err != nil {
			t.Fatalf("%s: %v", way.name, err)
		}
		if way.name != "running" && (c.PID() != 0 || !allGone(append(children, pid))) {
			t.Errorf("%s: processes are left", way.name)
		}
		if err := c.Restart(t.Context()); err != nil {
			t.Fatalf("%s: %v", way.name, err)
		}
		if err := conn.Ping(t.Context()); err == nil {
			t.Errorf("%s: an old connection lives", way.name)
		}
		var got int
		if err := connect(t, uri).QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&got); err != nil || got != rows {
			t.Errorf("%s: %d rows of %d, %v", way.name, got, rows, err)
		}
	}
}

func TestItEndsWithTheProgramAndIsClearedAway(t *testing.T) {
	need(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), exe)
	child.Env = append(os.Environ(), childEnv+"=1")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid, &dir); err != nil {
		t.Fatal(err)
	}
	servers, err := childrenOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	removeLeftovers(os.TempDir())
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the directory of a living program was removed: %v", err)
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	for deadline := time.Now().Add(endTimeout); !allGone(append(servers, pid)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server outlives its program")
		}
	}
	// Whoever starts a cluster clears away, too, and may be at this one.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		removeLeftovers(os.TempDir())
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("the directory is left: %v", err)
		}
	}
}
