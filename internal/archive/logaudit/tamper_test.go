// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

const (
	registry = "1.2.246.10.99999991.19.0"
	other    = "1.2.246.10.99999992.19.0"
	perBatch = 300
)

var (
	start   = time.Date(2026, 3, 31, 23, 50, 0, 0, time.UTC)
	storeID = uuid.MustParse("7d1f0003-0000-4000-8000-000000000003")
	clients = []uuid.UUID{
		uuid.MustParse("7d1f0001-0000-4000-8000-000000000001"), uuid.MustParse("7d1f0002-0000-4000-8000-000000000002"),
	}
)

// archive is a log on real data: two months, several checkpoints, rows of clients of two registries and of none.
type archive struct {
	t     testing.TB
	g     *WithT
	dir   string
	store *sqlstore.Store
	clock *clocktesting.FakeClock
	key   logproof.Key
	rows  int
	// before are rows from before the log began.
	before int
}

func newArchive(t testing.TB) *archive {
	t.Helper()
	a := &archive{t: t, g: NewWithT(t), dir: t.TempDir(), clock: clocktesting.NewFakeClock(start)}
	a.key = keyOf(t, storeID)
	a.open()
	a.log(20)
	a.close()
	a.sql(`DELETE FROM log_pending`) // as a former program left them
	a.before = a.rows
	a.open()
	for range 4 { // over midnight, into April
		a.clock.Step(4 * time.Minute)
		a.log(perBatch)
		a.sequence()
	}
	return a
}

// keyText holds the files of the keys that were made.
var keyText = map[string]string{}

func keyOf(t testing.TB, id uuid.UUID) logproof.Key {
	t.Helper()
	text, err := logproof.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := logproof.ParseKey(text, id)
	if err != nil {
		t.Fatal(err)
	}
	keyText[key.Verifier().String()] = text
	return key
}

func (a *archive) open() {
	a.t.Helper()
	var err error
	a.store, err = sqlite.Open(a.t.Context(), sqlite.Options{Dir: a.dir, CursorKey: bytes.Repeat([]byte{7}, 32)})
	a.g.Expect(err).NotTo(HaveOccurred())
	a.t.Cleanup(func() { _ = a.store.Close() })
}

func (a *archive) close() {
	a.t.Helper()
	a.g.Expect(a.store.Close()).To(Succeed())
}

// log logs rows, some milliseconds from one to the next.
func (a *archive) log(n int) {
	a.t.Helper()
	var rows []store.LogRow
	for range n {
		a.clock.Step(time.Millisecond)
		row := storetest.Row("document.read", a.clock.Now())
		row.Registry = []string{registry, registry, other}[a.rows%3]
		row.ClientID = []uuid.UUID{clients[0], clients[1], uuid.Nil, clients[0]}[a.rows%4]
		row.Professional, row.Caller = "T-4711", "spiffe://example.test/registry/"+row.Registry+"/unit/1.2.3"
		rows = append(rows, row)
		a.rows++
	}
	a.g.Expect(a.store.AppendLog(a.t.Context(), rows...)).To(Succeed())
}

func (a *archive) sequencer(witnesses ...sequencer.Witness) *sequencer.Sequencer {
	return sequencer.New(sequencer.Options{Store: a.store, Key: a.key, Clock: a.clock, Log: logr.Discard(), Witnesses: witnesses})
}

func (a *archive) sequence() {
	a.t.Helper()
	s := a.sequencer()
	a.g.Expect(s.CatchUp(a.t.Context())).To(Succeed())
	a.g.Expect(s.Checkpoint(a.t.Context())).To(Succeed())
}

// sql changes the data behind the archive's back.
func (a *archive) sql(statements ...string) {
	a.t.Helper()
	db, err := sqlite.OpenFile(a.t.Context(), a.dir)
	a.g.Expect(err).NotTo(HaveOccurred())
	for _, statement := range statements {
		result, err := db.ExecContext(a.t.Context(), statement)
		a.g.Expect(err).NotTo(HaveOccurred(), statement)
		changed, err := result.RowsAffected()
		a.g.Expect(err).NotTo(HaveOccurred())
		a.g.Expect(changed).NotTo(BeZero(), "%s changed nothing", statement)
	}
	a.g.Expect(db.Close()).To(Succeed())
}

// copied gives a copy of the log.
func (a *archive) copied(of string) string {
	a.t.Helper()
	dir := filepath.Join(a.t.TempDir(), "copy")
	_, err := logaudit.Copy(a.t.Context(), a.store, dir, of, a.clock.Now(), func(string, int64, int64) {})
	a.g.Expect(err).NotTo(HaveOccurred())
	return dir
}

func (a *archive) verify(dir string, change func(*logaudit.Options)) *logaudit.Report {
	a.t.Helper()
	opts := logaudit.Options{Log: a.key.Verifier(), Progress: func(string, int64, int64) {}}
	if change != nil {
		change(&opts)
	}
	report, err := logaudit.Verify(a.t.Context(), dir, opts)
	a.g.Expect(err).NotTo(HaveOccurred())
	return report
}

func said(r *logaudit.Report) string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, f.String())
	}
	return strings.Join(all, "\n")
}

func TestAnUntouchedLogIsSound(t *testing.T) {
	a := newArchive(t)
	a.log(5) // they wait
	report := a.verify(a.copied(""), nil)
	a.g.Expect(said(report)).To(BeEmpty())
	a.g.Expect(report.Leaves).To(BeEquivalentTo(4 * perBatch))
	a.g.Expect(report.Records).To(Equal(report.Leaves))
	a.g.Expect(report.Waiting).To(BeEquivalentTo(5))
	a.g.Expect(report.Before).To(BeEquivalentTo(a.before))
	a.g.Expect(report.Checkpoints).To(BeNumerically(">=", 4))

	mine := a.verify(a.copied(registry), nil)
	a.g.Expect(said(mine)).To(BeEmpty())
	a.g.Expect(mine.Leaves).To(Equal(report.Leaves))
	a.g.Expect(mine.Records).To(BeNumerically("<", report.Records))
}

// At the leaf of the fourth client row or so, which is neither first nor last.
const victim = `(SELECT log_id FROM log_leaves WHERE month = '2026-03' AND leaf_index = 44)`

func TestWhatIsDoneToTheDatabaseIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		statements []string
		// want is what must be said.
		want []string
	}{
		"a row edited": {
			[]string{`UPDATE access_log SET professional = 'T-0815' WHERE log_id = ` + victim},
			[]string{"2026-03: leaf 44: row", "it was edited"},
		},
		"a row's time edited": {
			[]string{`UPDATE log_leaves SET time_us = time_us + 1 WHERE month = '2026-03' AND leaf_index = 44`,
				`UPDATE access_log SET time_us = time_us + 1 WHERE log_id = ` + victim},
			[]string{"2026-03: leaf 44: row", "it was edited"},
		},
		"a row deleted": {
			[]string{`DELETE FROM access_log WHERE log_id = ` + victim},
			[]string{"2026-03: leaf 44: its row is not there"},
		},
		"a row deleted with what is known of its leaf": {
			[]string{`DELETE FROM access_log WHERE log_id = ` + victim, `DELETE FROM log_leaves WHERE month = '2026-03' AND leaf_index = 44`},
			[]string{"2026-03: leaf 44: its row is not there", "left out"},
		},
		"a row inserted": {
			[]string{inserted("2026-04-01 00:01:00")},
			[]string{"has no leaf: it was inserted"},
		},
		"a row inserted, to get a leaf by the archive itself": {
			[]string{inserted("2026-03-31 23:55:00"), `INSERT INTO log_pending SELECT time_us, log_id FROM access_log WHERE request_id = 'inserted'`},
			[]string{"it was inserted"},
		},
		"two rows in each other's place": {
			[]string{
				`UPDATE log_leaves SET leaf_index = -1 WHERE month = '2026-03' AND leaf_index = 44`,
				`UPDATE log_leaves SET leaf_index = 44 WHERE month = '2026-03' AND leaf_index = 45`,
				`UPDATE log_leaves SET leaf_index = 45 WHERE month = '2026-03' AND leaf_index = -1`,
			},
			[]string{"leaf 44: row", "it belongs to leaf 45", "it belongs to leaf 44"},
		},
		"the contents of two rows in each other's place": {
			[]string{
				`UPDATE access_log SET request_id = 'x' WHERE log_id = ` + victim,
				`UPDATE access_log SET request_id = 'y' WHERE log_id = (SELECT log_id FROM log_leaves WHERE month = '2026-03' AND leaf_index = 45)`,
			},
			[]string{"leaf 44: row", "leaf 45: row", "it was edited"},
		},
		"a client's number changed": {
			[]string{`UPDATE log_leaves SET client_sequence = client_sequence - 1 WHERE month = '2026-03' AND leaf_index = 44`},
			[]string{"leaf 44: row"},
		},
		"a salt changed": {
			[]string{`UPDATE log_leaves SET salt = zeroblob(32) WHERE month = '2026-03' AND leaf_index = 44`},
			[]string{"leaf 44: row"},
		},
		"a tile cut short": {
			[]string{`UPDATE log_tiles SET hashes = substr(hashes, 1, 4096) WHERE month = '2026-03' AND level = 0 AND tile_index = 0`},
			[]string{"tile 0/0 is missing, cut short"},
		},
		"the entries cut short": {
			[]string{`UPDATE log_tiles SET hashes = substr(hashes, 1, 4096) WHERE month = '2026-03' AND level = -1 AND tile_index = 1`},
			[]string{"2026-03: leaf 256: the bundle of entries", "and 256 are there"},
		},
		"a tile deleted": {
			[]string{`DELETE FROM log_tiles WHERE month = '2026-03' AND level = 1`},
			[]string{"tile 1/0 is missing"},
		},
		"an entry replaced": {
			[]string{`UPDATE log_tiles SET hashes = replace(hashes, substr(hashes, 33, 32), zeroblob(32)) WHERE month = '2026-03' AND level = -1 AND tile_index = 0`},
			[]string{"is of another tree: the log was rewritten or forked", "leaf 1: row"},
		},
		"the newest checkpoint rolled back": {
			[]string{`DELETE FROM log_checkpoints WHERE month = '2026-04' AND size = (SELECT max(size) FROM log_checkpoints WHERE month = '2026-04')`},
			nil, // rows wait then, in plain sight; who has seen the checkpoint finds it: see below
		},
		"a checkpoint of another tree put in": {
			[]string{`UPDATE log_checkpoints SET note = (SELECT note FROM log_checkpoints WHERE month = '2026-03' AND size = 600) WHERE month = '2026-04'`},
			[]string{"2026-04: the newest checkpoint: a checkpoint of another log"},
		},
		"a checkpoint edited": {
			[]string{`UPDATE log_checkpoints SET note = CAST(replace(CAST(note AS TEXT), char(10) || '600' || char(10), char(10) || '599' || char(10)) AS BLOB) WHERE month = '2026-03' AND size = 600`},
			[]string{"2026-03: the newest checkpoint: not a checkpoint"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t)
			a.close()
			a.sql(c.statements...)
			a.open()
			if strings.Contains(name, "by the archive itself") {
				a.clock.Step(time.Minute)
				a.log(1)
				a.sequence()
			}
			report := a.verify(a.copied(""), nil)
			if len(c.want) == 0 {
				a.g.Expect(said(report)).To(BeEmpty())
				a.g.Expect(report.Waiting).NotTo(BeZero())
				return
			}
			a.g.Expect(report.Sound()).To(BeFalse())
			for _, want := range c.want {
				a.g.Expect(said(report)).To(ContainSubstring(want))
			}
		})
	}
}

// inserted gives the statement that puts a row in.
func inserted(at string) string {
	return fmt.Sprintf(`INSERT INTO access_log (time_us, log_id, request_id, registry_oid, operation, outcome, reason, client_id, caller,
	 organization, unit, certificate_thumbprint, professional, professional_role, card_thumbprint, document_count,
	 relationship_uid, relationship_revision, grant_uid, grant_revision, registry_uid, registry_revision, view_age_ms)
	 VALUES (unixepoch('%s') * 1000000, randomblob(16), 'inserted', '%s', 'document.read', 'allowed', '', NULL, '', '', '', '', '', '', '', 0,
	 '', '', '', '', '', '', 0)`, at, registry)
}

// A row that is deleted while it waits for its leaf leaves what waits behind.
func TestARowDeletedBeforeItHasALeafIsFound(t *testing.T) {
	a := newArchive(t)
	a.log(3)
	a.close()
	a.sql(`DELETE FROM access_log WHERE log_id = (SELECT log_id FROM log_pending ORDER BY time_us LIMIT 1)`)
	a.open()
	a.sequence()
	a.g.Expect(said(a.verify(a.copied(""), nil))).To(ContainSubstring("waits for a leaf and is not there: it was deleted"))
}

// Who deletes all that the store knows of the last leaves is found by whoever has seen them signed.
func TestARollbackIsFoundByWhoeverHasSeenACheckpoint(t *testing.T) {
	a := newArchive(t)
	seen, err := a.store.LogCheckpoint(t.Context(), "2026-04")
	a.g.Expect(err).NotTo(HaveOccurred())
	backup := t.TempDir()
	a.close()
	a.g.Expect(os.CopyFS(filepath.Join(backup, "data"), os.DirFS(a.dir))).To(Succeed())
	a.open()
	a.log(50)
	a.sequence()
	newer, err := a.store.LogCheckpoint(t.Context(), "2026-04")
	a.g.Expect(err).NotTo(HaveOccurred())
	a.close()
	a.dir = filepath.Join(backup, "data") // the archive as it was before
	a.open()
	with := func(text []byte) func(*logaudit.Options) {
		return func(o *logaudit.Options) { o.Seen = [][]byte{text} }
	}
	a.g.Expect(said(a.verify(a.copied(""), with(seen.Note)))).To(BeEmpty())
	a.g.Expect(said(a.verify(a.copied(""), with(newer.Note)))).To(ContainSubstring("the log was rolled back"))

	a.log(60) // and goes on in another way
	a.sequence()
	a.g.Expect(said(a.verify(a.copied(""), with(newer.Note)))).To(ContainSubstring("is of another tree: the log was rewritten or forked"))
}

// Two readers that are shown two logs find it out as soon as they compare what was signed for them.
func TestALogForkedForTwoReadersIsFound(t *testing.T) {
	a := newArchive(t)
	a.close()
	fork := &archive{t: t, g: a.g, dir: filepath.Join(t.TempDir(), "data"), clock: clocktesting.NewFakeClock(a.clock.Now()), key: a.key, rows: a.rows + 1}
	a.g.Expect(os.CopyFS(fork.dir, os.DirFS(a.dir))).To(Succeed())
	a.open()
	fork.open()
	for _, one := range []*archive{a, fork} {
		one.log(10)
		one.sequence()
		a.g.Expect(said(one.verify(one.copied(""), nil))).To(BeEmpty(), "each is sound alone")
	}
	shown, err := fork.store.LogCheckpoint(t.Context(), "2026-04")
	a.g.Expect(err).NotTo(HaveOccurred())
	a.g.Expect(said(a.verify(a.copied(""), func(o *logaudit.Options) { o.Seen = [][]byte{shown.Note} }))).
		To(ContainSubstring("seen elsewhere, of 610 leaves, is of another tree"))
}

func TestAReplacedSigningKeyIsFound(t *testing.T) {
	a := newArchive(t)
	former := a.key
	a.key = keyOf(t, uuid.Nil)
	a.log(1)
	s := a.sequencer()
	a.g.Expect(s.CatchUp(t.Context())).To(Succeed())
	a.g.Expect(s.Checkpoint(t.Context())).NotTo(Succeed(), "the archive does not sign what another key has signed")
	a.close()
	a.sql(`DELETE FROM log_checkpoints`)
	a.open()
	a.sequence() // it is made to
	a.key = former
	a.g.Expect(said(a.verify(a.copied(""), nil))).To(ContainSubstring("a checkpoint of another log"))
}

// A key of the same name that nobody was told of is found by who knows the former one, and by who is told the new one
// behind the log's back.
func TestASigningKeyReplacedSilentlyIsFound(t *testing.T) {
	a := newArchive(t)
	former := a.key
	a.key = keyOf(t, storeID)
	a.close()
	a.sql(`UPDATE log_checkpoints SET kept = 1`)
	a.open()
	for _, month := range []string{"2026-03", "2026-04"} { // what an archive does not do by itself
		trees, err := a.store.LogTrees(t.Context())
		a.g.Expect(err).NotTo(HaveOccurred())
		size := trees[map[string]int{"2026-03": 0, "2026-04": 1}[month]].Size
		root, err := sequencer.TreeOf(t.Context(), a.store, month).Root(size)
		a.g.Expect(err).NotTo(HaveOccurred())
		text, err := a.key.Sign(logproof.Month(month), tlog.Tree{N: size, Hash: root})
		a.g.Expect(err).NotTo(HaveOccurred())
		a.g.Expect(a.store.AddLogCheckpoint(t.Context(), store.LogCheckpoint{Month: month, Size: size, Made: a.clock.Now(), Note: text}, start)).To(Succeed())
	}
	with := func(key logproof.Key, formers ...logproof.Verifier) func(*logaudit.Options) {
		return func(o *logaudit.Options) { o.Log, o.Former = key.Verifier(), formers }
	}
	dir := a.copied("")
	a.g.Expect(said(a.verify(dir, with(former)))).To(ContainSubstring("the newest checkpoint: a checkpoint that the log's key has not signed"))
	a.g.Expect(said(a.verify(dir, with(a.key)))).To(ContainSubstring("a checkpoint that the log's key has not signed"))
	a.g.Expect(said(a.verify(dir, with(a.key, former.Verifier())))).To(ContainSubstring("the log does not tell that another took its place"))
	a.g.Expect(said(a.verify(dir, with(former, a.key.Verifier())))).To(ContainSubstring("the newest checkpoint: a checkpoint that the log's former key alone has signed"))
	_, err := logaudit.Verify(t.Context(), dir, logaudit.Options{
		Log: former.Verifier(), Former: []logproof.Verifier{keyOf(t, uuid.Nil).Verifier()}, Progress: func(string, int64, int64) {},
	})
	a.g.Expect(err).To(HaveOccurred(), "a key of another log")
}

// A key that was replaced in plain sight is taken by whoever is told of it; the log says since when.
func TestAKeyThatWasReplacedIsTakenByWhoIsToldOfIt(t *testing.T) {
	for _, lost := range []bool{true, false} {
		t.Run(fmt.Sprintf("lost=%v", lost), func(t *testing.T) {
			a := newArchive(t)
			former := a.key
			a.key = keyOf(t, storeID)
			a.clock.Step(time.Minute)
			if lost {
				a.g.Expect(sequencer.Replace(t.Context(), sequencer.Replacement{
					Store: a.store, Key: a.key, Reason: "the disk is gone", Clock: a.clock, Log: logr.Discard(),
				})).To(Succeed())
			} else {
				text, err := logproof.AddKey(rand.Reader, keyText[former.Verifier().String()])
				a.g.Expect(err).NotTo(HaveOccurred())
				a.key, err = logproof.ParseKey(text, storeID)
				a.g.Expect(err).NotTo(HaveOccurred())
				a.g.Expect(sequencer.TellOfKeys(t.Context(), a.store, a.key, a.clock.Now())).To(Succeed())
				a.sequence()
				a.g.Expect(said(a.verify(a.copied(""), func(o *logaudit.Options) { o.Log = former.Verifier() }))).To(BeEmpty(), "both sign")
				alone, err := logproof.ParseKey(strings.SplitAfter(text, "\n")[0], storeID)
				a.g.Expect(err).NotTo(HaveOccurred())
				a.key = alone
			}
			a.log(10)
			a.sequence()
			for _, of := range []string{"", registry} {
				dir := a.copied(of)
				report := a.verify(dir, func(o *logaudit.Options) { o.Former = []logproof.Verifier{former.Verifier()} })
				a.g.Expect(said(report)).To(BeEmpty())
				a.g.Expect(report.Keys).To(HaveLen(1))
				a.g.Expect(report.Keys[0]).To(And(ContainSubstring(a.key.Verifier().String()), ContainSubstring("since leaf 600 of 2026-04, on 2026-04-01")))
				a.g.Expect(strings.Contains(report.Keys[0], "a lost key: the disk is gone")).To(Equal(lost))
				a.g.Expect(said(a.verify(dir, nil))).To(ContainSubstring("a checkpoint that the log's key has not signed"), "the kept ones are of the former key")
				a.g.Expect(said(a.verify(dir, func(o *logaudit.Options) { o.Log = former.Verifier() }))).
					To(ContainSubstring("2026-04: the newest checkpoint: a checkpoint that the log's key has not signed"))
			}
		})
	}
}

func TestAClockSetBackIsFound(t *testing.T) {
	a := newArchive(t)
	a.clock.SetTime(start.Add(-48 * time.Hour))
	a.log(10)
	a.sequence()
	a.g.Expect(said(a.verify(a.copied(""), nil))).To(ContainSubstring("the clock was set back"))
	months, err := a.store.LogTrees(t.Context())
	a.g.Expect(err).NotTo(HaveOccurred())
	a.g.Expect(months[0].Size).To(BeEquivalentTo(600), "no row goes into a month that is over")
}

// What anybody may read holds commitments and nothing else.
func TestNothingOfAPersonIsInTilesAndCheckpoints(t *testing.T) {
	a := newArchive(t)
	row := storetest.Row("client.find", a.clock.Now())
	row.ClientID, row.Registry, row.Caller, row.Professional = clients[0], registry, "caller-caller", "Virtanen Matti"
	row.Criteria = []byte(`{"name":"Meikäläinen Maija","code":"131052-308T"}`)
	a.g.Expect(a.store.AppendLog(t.Context(), row)).To(Succeed())
	a.sequence()
	dir := a.copied("")
	id, rowID := clients[0], row.RequestID
	secrets := [][]byte{
		[]byte("131052"), []byte("308T"), []byte("Meik"), []byte("Virtanen"), []byte("T-4711"), []byte("caller"), []byte(id.String()), id[:],
		[]byte(registry), []byte("1.2.3"), []byte(rowID), []byte("client.find"),
	}
	files := 0
	a.g.Expect(filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		open := strings.Contains(path, "/tile/") || strings.Contains(filepath.Base(path), "checkpoint")
		for _, secret := range secrets {
			if open && bytes.Contains(text, secret) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		if open {
			files++
		}
		return err
	})).To(Succeed())
	a.g.Expect(files).To(BeNumerically(">", 10))
	records, err := os.ReadFile(filepath.Join(dir, "2026-04", "records"))
	a.g.Expect(err).NotTo(HaveOccurred())
	a.g.Expect(string(records)).To(ContainSubstring("131052-308T"), "what looks for it would have found it")
}

func TestAWitnessThatIsAskedForMustHaveCosigned(t *testing.T) {
	a := newArchive(t)
	_, vkey, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	a.g.Expect(err).NotTo(HaveOccurred())
	verifier, err := note.NewVerifier(vkey)
	a.g.Expect(err).NotTo(HaveOccurred())
	report := a.verify(a.copied(""), func(o *logaudit.Options) { o.Witnesses = []note.Verifier{verifier} })
	a.g.Expect(said(report)).To(ContainSubstring("is not cosigned by witness.example/w1"))
}
