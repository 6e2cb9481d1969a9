// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

func (a *archive) extract() *logaudit.Extract {
	a.t.Helper()
	e, err := logaudit.Take(a.t.Context(), a.store, registry, clients[0], 10_000, a.clock.Now())
	a.g.Expect(err).NotTo(HaveOccurred())
	return e
}

func (a *archive) verifyExtract(e *logaudit.Extract) *logaudit.ExtractReport {
	a.t.Helper()
	text, err := json.Marshal(e)
	a.g.Expect(err).NotTo(HaveOccurred())
	report, err := logaudit.VerifyExtract(text, logaudit.Options{Log: a.key.Verifier()})
	a.g.Expect(err).NotTo(HaveOccurred())
	return report
}

func TestAnExtractProvesItselfAndALeftOutRecordIsAGap(t *testing.T) {
	a := newArchive(t)
	a.log(12)
	e := a.extract()
	a.g.Expect(len(e.Records)).To(BeNumerically(">", 300))
	a.g.Expect(e.Checkpoints).To(HaveLen(2))
	a.g.Expect(e.Waiting).To(Equal(4))
	a.g.Expect(e.Before).To(BeNumerically(">", 0))
	whole := a.verifyExtract(e)
	a.g.Expect(said(&whole.Report)).To(BeEmpty())
	a.g.Expect(whole.Report.Records).To(BeEquivalentTo(len(e.Records)))

	for name, c := range map[string]struct {
		change func(*logaudit.Extract)
		want   string
	}{
		"a record left out":  {func(e *logaudit.Extract) { e.Records = slices.Delete(e.Records, 7, 8) }, "numbers 8 to 8 before it are left out"},
		"the first left out": {func(e *logaudit.Extract) { e.Records = e.Records[3:] }, "numbers 1 to 3 before it are left out"},
		"a record edited": {func(e *logaudit.Extract) {
			e.Records[7].Record = strings.Replace(e.Records[7].Record, "T-4711", "T-0815", 1)
		}, "is not proven to be in the log"},
		"a record twice":      {func(e *logaudit.Extract) { e.Records = slices.Insert(e.Records, 7, e.Records[7]) }, "comes after number 8"},
		"another's record":    {func(e *logaudit.Extract) { e.Client = clients[1] }, "is of another client or registry"},
		"another index":       {func(e *logaudit.Extract) { e.Records[7].Index++ }, "is not proven to be in the log"},
		"another salt":        {func(e *logaudit.Extract) { e.Records[7].Salt[0] ^= 1 }, "is not proven to be in the log"},
		"no checkpoint":       {func(e *logaudit.Extract) { delete(e.Checkpoints, "2026-03") }, "there is no checkpoint that holds for it"},
		"another checkpoint":  {func(e *logaudit.Extract) { e.Checkpoints["2026-03"] = e.Checkpoints["2026-04"] }, "its checkpoint: a checkpoint of another log"},
		"a record of nothing": {func(e *logaudit.Extract) { e.Records[7].Record = "{}" }, "its record cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			e := a.extract()
			c.change(e)
			report := a.verifyExtract(e)
			a.g.Expect(said(&report.Report)).To(ContainSubstring(c.want))
		})
	}
	_, err := logaudit.VerifyExtract([]byte(`{}`), logaudit.Options{Log: a.key.Verifier()})
	a.g.Expect(err).To(HaveOccurred())
	_, err = logaudit.Take(t.Context(), a.store, registry, clients[0], 3, a.clock.Now())
	a.g.Expect(err).To(MatchError(logaudit.ErrTooMany))
	nobody, err := logaudit.Take(t.Context(), a.store, registry, uuid.New(), 3, a.clock.Now())
	a.g.Expect(err).NotTo(HaveOccurred())
	a.g.Expect(nobody.Records).To(BeEmpty())
}

// A destroyed month leaves its leaves, which say nothing; the rest stays proven, and the log itself says what is gone.
func TestADestroyedMonthIsToldByTheLogItself(t *testing.T) {
	a := newArchive(t)
	a.close()
	a.sql(
		`DELETE FROM log_leaves WHERE (time_us, log_id) IN (SELECT time_us, log_id FROM access_log WHERE registry_oid = '`+registry+`' AND time_us < unixepoch('2026-04-01') * 1000000)`,
		`DELETE FROM access_log WHERE registry_oid = '`+registry+`' AND time_us < unixepoch('2026-04-01') * 1000000`,
	)
	a.open()
	a.g.Expect(said(a.verify(a.copied(""), nil))).To(ContainSubstring("its row is not there: it was deleted"))

	a.clock.SetTime(start.AddDate(12, 2, 0))
	row := storetest.Row("DestroyLog", a.clock.Now())
	row.Registry, row.Criteria = registry, []byte(`{"month":"2026-03","rows":414}`)
	a.g.Expect(a.store.AppendLog(t.Context(), row)).To(Succeed())
	a.sequence()
	for _, of := range []string{"", registry} {
		report := a.verify(a.copied(of), func(o *logaudit.Options) { o.Years = 12 })
		a.g.Expect(said(report)).To(BeEmpty())
		a.g.Expect(report.Destroyed).To(HaveLen(1))
		a.g.Expect(report.Leaves).To(BeEquivalentTo(4*perBatch + 1))
		a.g.Expect(report.Records).To(BeNumerically("<", report.Leaves))
	}
	early := a.verify(a.copied(""), func(o *logaudit.Options) { o.Years = 13 })
	a.g.Expect(said(early)).To(ContainSubstring("before they were 13 years old"))

	a.close() // more is gone than was told of
	a.sql(`DELETE FROM access_log WHERE registry_oid = '` + other + `' AND time_us < unixepoch('2026-04-01') * 1000000`)
	a.open()
	a.g.Expect(said(a.verify(a.copied(""), func(o *logaudit.Options) { o.Years = 12 }))).To(ContainSubstring("its row is not there: it was deleted"))
}
