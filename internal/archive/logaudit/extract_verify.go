// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// ExtractReport says what a check of an extract has found.
type ExtractReport struct {
	Extract
	Report
}

// VerifyExtract checks an extract against the keys of the log and of the witnesses that are believed. What is wrong
// is in the report; an error says that the text is no extract.
func VerifyExtract(text []byte, opts Options) (*ExtractReport, error) {
	r := &ExtractReport{Report: Report{Log: opts.Log.Name(), Cosigned: map[string]int{}}}
	if err := json.Unmarshal(text, &r.Extract); err != nil || r.Format != formatExtract {
		return nil, fmt.Errorf("this is no extract of a log")
	}
	r.Report.Registry = r.Extract.Registry
	v := &verifier{opts: opts, report: &r.Report, chains: chains{}}
	checkpoints := map[logproof.Month]logproof.Checkpoint{}
	for _, month := range slices.Sorted(maps.Keys(r.Extract.Checkpoints)) {
		checkpoint, err := opts.Log.Open([]byte(r.Extract.Checkpoints[month]), opts.Witnesses...)
		if err == nil && checkpoint.Month != month {
			err = logproof.ErrOrigin
		}
		if err != nil {
			r.find(string(month), -1, "its checkpoint: %v", err)
			continue
		}
		v.cosigned(month, checkpoint)
		checkpoints[month] = checkpoint
		r.Report.Checkpoints++
	}
	for i := range r.Extract.Records {
		v.extracted(&r.Extract, &r.Extract.Records[i], checkpoints)
	}
	for _, missing := range v.destroyed.gaps {
		r.find(string(missing.month), missing.index, "%s: they were withheld, or destroyed when their time was over", missing.text)
	}
	return r, nil
}

func (v *verifier) extracted(e *Extract, one *ExtractRecord, checkpoints map[logproof.Month]logproof.Checkpoint) {
	month := string(one.Month)
	row, link, err := logproof.Decode([]byte(one.Record))
	if err != nil {
		v.report.find(month, one.Index, "its record cannot be read")
		return
	}
	entry := logproof.Commit(one.Salt, []byte(one.Record))
	if checkpoint, ok := checkpoints[one.Month]; !ok {
		v.report.find(month, one.Index, "row %s: there is no checkpoint that holds for it", row.ID)
	} else if err := logproof.CheckInclusion(one.Proof, checkpoint.Tree, one.Index, entry); err != nil {
		v.report.find(month, one.Index, "row %s is not proven to be in the log: it was edited, or is not there", row.ID)
	} else {
		v.report.Records++
	}
	if row.ClientID != e.Client || row.Registry != e.Registry {
		v.report.find(month, one.Index, "row %s is of another client or registry", row.ID)
		return
	}
	missing, problem := v.chains.add(one.Month, &read{index: one.Index, entry: entry, header: header{
		Sequenced: link.Sequenced, ClientSequence: link.ClientSequence, ClientPrevious: &link.ClientPrevious,
		ID: row.ID, Time: row.Time, Registry: row.Registry, ClientID: row.ClientID,
	}})
	if missing != nil {
		v.destroyed.gaps = append(v.destroyed.gaps, *missing)
	}
	if problem != "" {
		v.report.find(month, one.Index, "row %s: %s", row.ID, problem)
	}
}
