// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// binary is the archive as a process of its own, which can be killed.
type binary struct {
	command []string
	log     string
	process *os.Process
	ended   chan struct{} // closed when the process has ended
	err     error         // how it ended; valid after ended

	testworld.Replica // where it is
}

// TestInvariant4_AKilledArchiveHasForgottenNothing kills the archive while units store notes: every note that it
// acknowledged is there with its row, clients keep their ids, and assertions that were used stay used.
func TestInvariant4_AKilledArchiveHasForgottenNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := shared.of(t)
	s := c.begin(t, settings{})
	b := s.binary("binary-0", nil)
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
	lasting := s.lasting(g, person.unit)
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
			token, err := lasting()
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
	g.Expect(b.kill()).To(Succeed())
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

	g.Expect(b.stop()).To(Succeed(), "it ends well when asked to")
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

// lasting makes assertions of a unit that are good for as long as one may be: a busy machine takes its time until they are
// sent again.
func (s *scene) lasting(g Gomega, unit *v1alpha1.ProducerUnit) func() (string, error) {
	credential, err := s.Credential(background, s.UnitSecret(unit))
	g.Expect(err).NotTo(HaveOccurred())
	card, err := s.Card()
	g.Expect(err).NotTo(HaveOccurred())
	return func() (string, error) {
		now := time.Now()
		return assertion.Sign(assertion.Claims{
			Subject: "1001", Role: "social-worker", Audience: assertion.AudienceOf(string(s.Registry.Spec.OID)), TokenID: assertion.NewTokenID(),
			IssuedAt: now, ExpiresAt: now.Add(assertion.MaxLifetime), ClientCertificate: pki.FingerprintOf(credential.Certificate.Leaf),
		}, card.Key, card.Chain)
	}
}

// built is the program, built once.
var built struct {
	once sync.Once
	path string
	err  error
}

// program builds valtuus.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "valtuus-endtoend-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "valtuus")
		root, err := testenv.ModuleRoot()
		if err != nil {
			built.err = err
			return
		}
		build := exec.CommandContext(background, "go", "build", "-o", built.path, ".")
		build.Dir, build.Stderr = root, os.Stderr
		built.err = build.Run()
	})
	NewWithT(t).Expect(built.err).NotTo(HaveOccurred())
	return built.path
}

// removeProgram removes what program made.
func removeProgram() error {
	if built.path == "" {
		return nil
	}
	return os.RemoveAll(filepath.Dir(built.path))
}

// binary lays out what a replica of the scene's archive needs as a process of its own: on the database, or with a store
// of its own where that is nil.
func (s *scene) binary(name string, shares *database, flags ...string) *binary {
	s.t.Helper()
	g := NewWithT(s.t)
	dir := s.t.TempDir()
	cfg, err := testworld.ArchiveConfig(s.cluster.Env, s.Platform)
	g.Expect(err).NotTo(HaveOccurred())
	if s.reach != nil {
		s.reach(cfg)
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	g.Expect(testenv.WriteKubeconfig(cfg, kubeconfig)).To(Succeed())
	files, err := s.ServerFiles(background, filepath.Join(dir, "tls"))
	g.Expect(err).NotTo(HaveOccurred())
	api, admin := fmt.Sprintf("127.0.0.1:%d", testenv.PortForTest(s.t)), fmt.Sprintf("127.0.0.1:%d", testenv.PortForTest(s.t))
	b := &binary{
		log: filepath.Join(dir, "log"),
		Replica: testworld.Replica{
			Name: name, DataDir: filepath.Join(dir, "data"), Endpoint: "https://" + api, Admin: "http://" + admin,
		},
		command: []string{
			program(s.t), "archive", "--kubeconfig", kubeconfig, "--archive", s.Platform + "/" + s.Archive.Name, "--replica", name,
			"--listen", api, "--admin-listen", admin, "--drain-delay", "0s",
			"--tls-cert", files.Cert, "--tls-key", files.Key, "--client-ca", files.CA,
		},
	}
	if shares == nil {
		b.command = append(b.command, "--data-dir", b.DataDir)
	} else {
		uri := filepath.Join(dir, "uri")
		g.Expect(os.WriteFile(uri, []byte(shares.uri), 0o600)).To(Succeed())
		b.command = append(b.command, "--postgres-uri-file", uri, "--identity-key-file", shares.keyFile,
			"--client-key-file", shares.clientKeyFile, "--log-key-file", shares.logKeyFile)
	}
	b.command = append(b.command, flags...)
	return b
}

// start starts the process, which ends with the test at the latest, and waits until it is ready.
func (b *binary) start(t *testing.T) error {
	if err := b.launch(t); err != nil {
		return err
	}
	if err := b.WaitReady(background); err != nil {
		text, _ := os.ReadFile(b.log)
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(text))
	}
	return nil
}

// launch starts the process, which ends with the test at the latest.
func (b *binary) launch(t *testing.T) error {
	log, err := os.OpenFile(b.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	running := exec.CommandContext(background, b.command[0], b.command[1:]...)
	running.Stdout, running.Stderr = log, log
	if err := running.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	b.process, b.ended = running.Process, ended
	go func() {
		defer close(ended)
		b.err = running.Wait()
	}()
	t.Cleanup(func() {
		_ = running.Process.Kill()
		<-ended // it writes no more into directories that are removed
	})
	return nil
}

// kill ends the process at once, and waits until it has ended.
func (b *binary) kill() error {
	if err := b.process.Kill(); err != nil {
		return err
	}
	<-b.ended
	return nil
}

// ask gives what the process's probe answers.
func (b *binary) ask(path string) string {
	response, err := http.Get(b.Admin + path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// stop asks the process to end, and waits until it has.
func (b *binary) stop() error {
	if err := b.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-b.ended
	return b.err
}

// runProgram runs valtuus to its end and gives what it printed.
func runProgram(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(background, program(t), args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return string(out), err
}
