// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// binary is the archive as a process of its own, which can be killed.
type binary struct {
	command []string
	log     string
	running *exec.Cmd

	testworld.Replica // where it is
}

// TestInvariant4_AKilledArchiveHasForgottenNothing kills the archive while units store notes: every note that it
// acknowledged is there with its row, clients keep their ids, and assertions that were used stay used.
func TestInvariant4_AKilledArchiveHasForgottenNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := shared.of(t)
	s := c.begin(t, settings{})
	b := s.binary(g)
	g.Expect(b.start(t)).To(Succeed())
	organizer, unit := s.caller(&b.Replica, s.OrganizerSecret()), (*archiveclient.Client)(nil)
	s.organizer, s.archive = organizer, &b.Replica
	person := s.open(s.North, nil)
	unit = person.caller

	const workers = 4
	var mutex sync.Mutex
	acknowledged, ids := map[string][]byte{}, map[string]string{person.code: person.id}
	var used []string
	var load sync.WaitGroup
	for w := range workers {
		load.Go(func() {
			for i := 0; ; i++ {
				d := person.document("case-note", testworld.Task, fmt.Sprintf("note %d of %d", i, w))
				id, err := unit.Store(background, d)
				if err != nil {
					return // it is dead
				}
				code := newCode()
				client, err := organizer.RegisterClient(background, code)
				mutex.Lock()
				acknowledged[id] = d.Body
				if err == nil {
					ids[code] = client
				}
				mutex.Unlock()
			}
		})
	}
	load.Go(func() {
		for {
			token, err := unit.Assertion()
			if err != nil {
				return
			}
			if _, _, err := unit.DoWith(background, token, http.MethodGet, "/documents/"+person.decision, "", nil); err != nil {
				return
			}
			mutex.Lock()
			used = append(used, token)
			mutex.Unlock()
		}
	})
	g.Eventually(func() int { mutex.Lock(); defer mutex.Unlock(); return min(len(acknowledged), len(used)) }).Should(BeNumerically(">=", 100))
	s.journal.unanswered = true // what it was at when it died
	g.Expect(b.running.Process.Kill()).To(Succeed())
	_ = b.running.Wait()
	load.Wait()
	t.Logf("%d notes, %d clients and %d assertions before the kill", len(acknowledged), len(ids), len(used))

	g.Expect(b.start(t)).To(Succeed())
	for _, token := range used {
		_, _, err := unit.DoWith(background, token, http.MethodGet, "/documents/"+person.decision, "", nil)
		g.Expect(reasonOf(err)).To(Equal("assertion-replayed"))
	}
	for id, body := range acknowledged {
		g.Expect(organizer.Read(background, id)).To(Equal(body))
	}
	for code, id := range ids {
		g.Expect(organizer.FindClient(background, code)).To(Equal(id))
		g.Expect(organizer.RegisterClient(background, code)).To(Equal(id))
	}
	g.Expect(person.access()).To(Equal(allowed))

	g.Expect(b.running.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(b.running.Wait()).To(Succeed(), "it ends well when asked to")
	s.journal.holdAgainst(t, useLog(t, b.DataDir), s.journal.at(b.Endpoint))
	stored := map[string]bool{}
	for _, row := range useLog(t, b.DataDir) {
		if row.Operation == "Store" && row.Outcome == store.OutcomeAllowed {
			stored[row.DocumentIDs[0].String()] = true
		}
	}
	for id := range acknowledged {
		g.Expect(stored).To(HaveKey(id), "an acknowledged note without its row")
	}
}

// binary builds valtuus and lays out what its archive needs.
func (s *scene) binary(g Gomega) *binary {
	root, err := testenv.ModuleRoot()
	g.Expect(err).NotTo(HaveOccurred())
	dir := s.t.TempDir()
	path := filepath.Join(dir, "valtuus")
	build := exec.CommandContext(background, "go", "build", "-o", path, ".")
	build.Dir, build.Stderr = root, os.Stderr
	g.Expect(build.Run()).To(Succeed())

	cfg, err := testworld.ArchiveConfig(s.cluster.Env, s.Platform)
	g.Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(dir, "kubeconfig")
	g.Expect(testenv.WriteKubeconfig(cfg, kubeconfig)).To(Succeed())
	files, err := s.ServerFiles(background, filepath.Join(dir, "tls"))
	g.Expect(err).NotTo(HaveOccurred())
	api, admin := fmt.Sprintf("127.0.0.1:%d", testenv.PortForTest(s.t)), fmt.Sprintf("127.0.0.1:%d", testenv.PortForTest(s.t))
	return &binary{
		log: filepath.Join(dir, "log"),
		Replica: testworld.Replica{
			Name: "binary-0", DataDir: filepath.Join(dir, "data"), Endpoint: "https://" + api, Admin: "http://" + admin,
		},
		command: []string{
			path, "archive", "--kubeconfig", kubeconfig, "--archive", s.Platform + "/" + s.Archive.Name, "--replica", "binary-0",
			"--data-dir", filepath.Join(dir, "data"), "--listen", api, "--admin-listen", admin,
			"--tls-cert", files.Cert, "--tls-key", files.Key, "--client-ca", files.CA,
		},
	}
}

// start starts the process, which ends with the test at the latest.
func (b *binary) start(t *testing.T) error {
	log, err := os.OpenFile(b.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	b.running = exec.CommandContext(background, b.command[0], b.command[1:]...)
	b.running.Stdout, b.running.Stderr = log, log
	if err := b.running.Start(); err != nil {
		return err
	}
	process := b.running.Process
	t.Cleanup(func() { _ = process.Kill() })
	if err := b.WaitReady(background); err != nil {
		text, _ := os.ReadFile(b.log)
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(text))
	}
	return nil
}
