// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
	"github.com/valtuus/valtuus/internal/workload"
)

// said reads what a command told in its termination message.
func said[T any](g Gomega, file string) (out T) {
	text, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(text, &out)).To(Succeed(), "%s", text)
	g.Expect(os.Remove(file)).To(Succeed())
	return out
}

// TestASeriesAndAStartFromIt goes as the containers of an archive do: backups into a volume, and an archive that starts
// from one of them, once.
func TestASeriesAndAStartFromIt(t *testing.T) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			data, into, log := filepath.Join(dir, "data"), filepath.Join(dir, "backups"), filepath.Join(dir, "log")
			seedArchive(t, data)
			status, _, errs := run("archive", "backup", "--data-dir", data, "--into", into, "--keep", "3", "--termination-log", log)
			g.Expect(status).To(Equal(0), errs)
			done := said[workload.BackupDone](g, log)
			g.Expect(done.Name).To(MatchRegexp(`^\d{8}T\d{6}Z$`))
			g.Expect(done.CompletedAt).To(BeTemporally("~", time.Now(), time.Minute))
			g.Expect(done.Size).To(BeNumerically(">", 1000))

			place := []string{"--data-dir", filepath.Join(dir, "restored")}
			if engine == "PostgreSQL" {
				uri := filepath.Join(dir, "uri")
				g.Expect(os.WriteFile(uri, []byte(pgcluster.Shared(t).Database(t)), 0o600)).To(Succeed())
				place = []string{"--postgres-uri-file", uri}
			}
			start := func(name string) (int, string) {
				status, out, errs := run(append([]string{"archive", "restore", "--start", "--from", filepath.Join(into, name), "--termination-log", log}, place...)...)
				return status, out + errs
			}
			status, told := start("20010101T000000Z")
			g.Expect(status).To(Equal(1), told)
			g.Expect(said[failure.Report](g, log)).To(And(HaveField("Reason", failure.BackupMissing), HaveField("Message", ContainSubstring(done.Name))))

			if engine == "PostgreSQL" { // pods start at once
				var group sync.WaitGroup
				for range 3 {
					group.Go(func() {
						status, told := start(done.Name)
						if status != 0 {
							t.Errorf("%s", told)
						}
					})
				}
				group.Wait()
			} else {
				status, told = start(done.Name)
				g.Expect(status).To(Equal(0), told)
			}
			g.Expect(said[workload.RestoreDone](g, log).RestoredFrom).To(Equal(done.Name))
			status, told = start(done.Name)
			g.Expect(status).To(Equal(0), told)
			g.Expect(told).To(ContainSubstring("nothing is restored"))
			g.Expect(log).NotTo(BeAnExistingFile(), "nothing was restored this time")

			other := filepath.Join(dir, "other")
			seedArchive(t, other)
			status, _, errs = run("archive", "restore", "--start", "--from", filepath.Join(into, done.Name), "--data-dir", other, "--termination-log", log)
			g.Expect(status).To(Equal(1), errs)
			g.Expect(said[failure.Report](g, log).Reason).To(Equal(failure.StoreNotEmpty))

			g.Expect(os.Truncate(filepath.Join(into, done.Name, "archive.db"), 8192)).To(Succeed())
			status, _, errs = run("archive", "restore", "--start", "--from", filepath.Join(into, done.Name), "--data-dir", filepath.Join(dir, "fresh"), "--termination-log", log)
			g.Expect(status).To(Equal(1), errs)
			g.Expect(said[failure.Report](g, log).Reason).To(Equal(failure.BackupDamaged))
		})
	}
}
