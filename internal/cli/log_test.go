// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// seedLog makes an archive whose log is signed.
func seedLog(t *testing.T, dir string) {
	t.Helper()
	g := NewWithT(t)
	seedArchive(t, dir)
	status, _, errs := run("log", "key", "--new", filepath.Join(dir, "log.key"))
	g.Expect(status).To(Equal(0), errs)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: copyKey})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(s.Close()).To(Succeed()) }()
	text, err := os.ReadFile(filepath.Join(dir, "log.key"))
	g.Expect(err).NotTo(HaveOccurred())
	id, err := s.ID(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	key, err := logproof.ParseKey(string(text), id)
	g.Expect(err).NotTo(HaveOccurred())
	sequencer := storetest.Sequencer(s, key, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	g.Expect(sequencer.CatchUp(t.Context())).To(Succeed())
	g.Expect(sequencer.Checkpoint(t.Context())).To(Succeed())
	client, _, err := s.FindClient(t.Context(), copied, storetest.Hash(1))
	g.Expect(err).NotTo(HaveOccurred())
	extract, err := logaudit.Take(t.Context(), s, copied, client, 100, time.Now())
	g.Expect(err).NotTo(HaveOccurred())
	raw, err := json.Marshal(extract)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(dir, "extract.json"), raw, 0o600)).To(Succeed())
}

func TestALogIsCheckedWithItsKeyAlone(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	data, to := filepath.Join(dir, "data"), filepath.Join(dir, "log")
	seedLog(t, data)
	status, key, errs := run("log", "key", "--data-dir", data)
	g.Expect(status).To(Equal(0), errs)
	key = strings.TrimSpace(key)
	g.Expect(key).To(HavePrefix("valtuus.io/log/"))
	status, month, errs := run("log", "key", "--data-dir", data, "--month", "2026-03")
	g.Expect(status).To(Equal(0), errs)
	g.Expect(month).To(ContainSubstring("/2026-03+"))

	status, out, errs := run("log", "export", "--data-dir", data, "--to", to)
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(MatchRegexp(`1 months, \d leaves`))
	g.Expect(errs).To(ContainSubstring("copy the records of 2026-03"), "progress is told")
	status, out, errs = run("log", "verify", to, "--key", key)
	g.Expect(status).To(Equal(0), out+errs)
	g.Expect(out).To(HaveSuffix("sound\n"))
	checkpoint := filepath.Join(to, "2026-03", "checkpoint")
	status, out, errs = run("log", "verify", to, "--key", key, "--seen", checkpoint)
	g.Expect(status).To(Equal(0), out+errs)

	status, out, errs = run("log", "verify-extract", filepath.Join(data, "extract.json"), "--key", key)
	g.Expect(status).To(Equal(0), out+errs)
	g.Expect(out).To(MatchRegexp(`(\d) of (\d) records are proven`))

	status, witness, errs := run("log", "witness", "new", "--dir", filepath.Join(dir, "witness"), "--name", "witness.example/w1")
	g.Expect(status).To(Equal(0), errs)
	status, out, errs = run("log", "verify", to, "--key", key, "--witness", strings.TrimSpace(witness))
	g.Expect(status).To(Equal(1))
	g.Expect(out + errs).To(And(ContainSubstring("is not cosigned by witness.example/w1"), ContainSubstring("not sound")))

	records := filepath.Join(to, "2026-03", "records")
	text, err := os.ReadFile(records)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(records, []byte(strings.Replace(string(text), `"outcome":"allowed"`, `"outcome":"refused"`, 1)), 0o600)).To(Succeed())
	status, out, _ = run("log", "verify", to, "--key", key)
	g.Expect(status).To(Equal(1))
	g.Expect(out).To(ContainSubstring("FOUND 2026-03: leaf 0: row"))

	status, out, _ = run("log", "verify", to, "--key", "valtuus.io/log/another+"+key[strings.Index(key, "+")+1:])
	g.Expect(status).To(Equal(2), out)
}

// The key of a log is changed with an overlap, and replaced in plain sight when it is lost.
func TestTheKeyOfALogIsChanged(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	file := filepath.Join(data, "log.key")
	seedLog(t, data)
	keys := func() []string {
		t.Helper()
		status, out, errs := run("log", "key", "--data-dir", data)
		g.Expect(status).To(Equal(0), errs)
		return strings.Fields(out)
	}
	first := keys()
	g.Expect(first).To(HaveLen(1))
	status, _, errs := run("log", "key", "--rotate", file)
	g.Expect(status).To(Equal(0), errs)
	both := keys()
	g.Expect(both).To(HaveLen(2))
	g.Expect(both[1]).To(Equal(first[0]))
	info, err := os.Stat(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))
	status, _, _ = run("log", "key", "--rotate", filepath.Join(data, "missing"))
	g.Expect(status).NotTo(Equal(0))

	g.Expect(os.Remove(file)).To(Succeed()) // both are lost
	status, _, errs = run("log", "key", "--new", file)
	g.Expect(status).To(Equal(0), errs)
	replace := func(more ...string) (int, string, string) {
		return run(append([]string{"log", "replace-key", "--data-dir", data, "--reason", "the disk is gone"}, more...)...)
	}
	status, _, errs = replace()
	g.Expect(status).To(Equal(2), errs)
	status, _, errs = replace("--yes=false")
	g.Expect(status).To(Equal(2), errs)
	status, _, errs = replace("--yes", "--former", both[0])
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("has not signed"), "that one has signed nothing yet")
	status, out, errs := replace("--yes", "--former", first[0])
	g.Expect(status).To(Equal(0), errs)
	g.Expect(strings.Fields(out)).To(Equal(keys()))
	status, _, errs = replace("--yes")
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("nothing to replace"))

	to := filepath.Join(dir, "log")
	status, _, errs = run("log", "export", "--data-dir", data, "--to", to)
	g.Expect(status).To(Equal(0), errs)
	status, out, errs = run("log", "verify", to, "--key", keys()[0], "--former-key", first[0])
	g.Expect(status).To(Equal(0), out+errs)
	g.Expect(out).To(And(ContainSubstring("the log itself says: signed by "+keys()[0]), ContainSubstring("in the place of a lost key: the disk is gone")))
	status, out, _ = run("log", "verify", to, "--key", first[0])
	g.Expect(status).To(Equal(1))
	g.Expect(out).To(ContainSubstring("FOUND"))
}

func TestWhatALogCommandNeedsHasToBeSaid(t *testing.T) {
	for _, line := range []string{
		"log key", "log key --postgres-uri-file u", "log export --to x", "log verify", "log verify x", "log verify x y --key k",
		"log verify x --key k", "log verify-extract --key k", "log witness --dir d", "log witness --dir d --log x", "log witness new --dir d",
		"log witness new --dir d --name a+b", "log key --new x --rotate x", "log replace-key --data-dir x --yes",
		"log replace-key --data-dir x --yes --reason x --former x", "log replace-key --postgres-uri-file x --yes --reason x",
		"log verify x --key k --former-key x",
	} {
		t.Run(line, func(t *testing.T) {
			g := NewWithT(t)
			status, _, _ := run(strings.Fields(line)...)
			g.Expect(status).NotTo(Equal(0))
		})
	}
}
