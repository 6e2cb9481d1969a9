// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
)

var errFormerKey = errors.New("a checkpoint that the log's former key alone has signed")

// signers gives a verifier by all keys.
func (o *Options) signers() (all logproof.Verifier, err error) {
	all = o.Log
	for _, former := range o.Former {
		if all, err = all.Or(former); err != nil {
			return all, err
		}
	}
	return all, nil
}

// ofKeys says whether a row tells of keys that begin to sign the log: such rows are about no registry, and go into
// every copy.
func ofKeys(operation, registry string) bool {
	return operation == sequencer.OpNewLogKey && registry == ""
}

// keys gathers what the log says of its keys.
type keys struct {
	told []sequencer.KeyRecord
	text []string
	// former says that a checkpoint is signed by a former key alone.
	former bool
}

// add takes in a record that a leaf commits to.
func (k *keys) add(month logproof.Month, r *read) {
	if !ofKeys(r.Operation, r.Registry) {
		return
	}
	var one sequencer.KeyRecord
	if err := json.Unmarshal([]byte(r.Criteria), &one); err != nil {
		return
	}
	text := fmt.Sprintf("signed by %s since leaf %d of %s, on %s", strings.Join(one.Keys, " and "), r.index, month, r.Time.Format(time.DateOnly))
	if one.Lost != "" {
		text += ", in the place of a lost key: " + one.Lost
	}
	k.told, k.text = append(k.told, one), append(k.text, text)
}

// settle finds a change of keys of which the log does not tell. It may have told in rows that were destroyed.
func (k *keys) settle(report *Report, newest *logproof.Verifier, d *destruction) {
	report.Keys = k.text
	tells := slices.ContainsFunc(k.told, func(r sequencer.KeyRecord) bool { return slices.Contains(r.Keys, newest.String()) })
	gone := slices.ContainsFunc(d.told, func(one told) bool { return one.registry == "" })
	if k.former && !tells && !gone {
		report.find("", -1, "checkpoints are signed by a former key alone, and the log does not tell that another took its place")
	}
}
