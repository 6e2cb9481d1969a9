// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// opDestroyLog is the operation of the row that tells of the destroyed rows of one registry in one month.
const opDestroyLog = "DestroyLog"

// told is what such a row tells.
type told struct {
	id       uuid.UUID
	registry string
	at       time.Time
	Month    logproof.Month `json:"month"`
	Rows     int64          `json:"rows"`
}

// lacking is a leaf without its row.
type lacking struct {
	month logproof.Month
	index int64
}

// destruction gathers what is not there, and what the log says was destroyed.
type destruction struct {
	told []told
	lack []lacking
	gaps []gap
}

// add takes in a record that a leaf commits to.
func (d *destruction) add(r *read) {
	if r.Operation != opDestroyLog {
		return
	}
	one := told{id: r.ID, registry: r.Registry, at: r.Time}
	if err := json.Unmarshal([]byte(r.Criteria), &one); err == nil {
		d.told = append(d.told, one)
	}
}

// lacks takes in a leaf without its row.
func (d *destruction) lacks(month logproof.Month, index int64) {
	d.lack = append(d.lack, lacking{month, index})
}

// settle finds what is not there and was not destroyed, and what was destroyed before its time.
func (d *destruction) settle(report *Report, years int) {
	slices.SortFunc(d.told, func(a, b told) int { return strings.Compare(string(a.Month), string(b.Month)) })
	for _, one := range d.told {
		report.Destroyed = append(report.Destroyed, fmt.Sprintf("%d rows of %s in registry %q, on %s (row %s)",
			one.Rows, one.Month, one.registry, one.at.Format(time.DateOnly), one.id))
		if first, err := time.Parse("2006-01", string(one.Month)); err != nil || first.AddDate(years, 1, 0).After(one.at) {
			report.find("", -1, "rows of %s in registry %q were destroyed on %s, before they were %d years old (row %s)",
				one.Month, one.registry, one.at.Format(time.DateOnly), years, one.id)
		}
	}
	for _, one := range d.lack {
		if !d.accounts(one.month) {
			report.find(string(one.month), one.index, "its row is not there: it was deleted")
		}
	}
	for _, one := range d.gaps {
		if !d.covers(&one) {
			report.find(string(one.month), one.index, "%s", one.text)
		}
	}
}

// accounts takes one destroyed row whose leaf may be in the tree of the month, which is that of the row or, where the
// row waited over the end of a month, the next one.
func (d *destruction) accounts(tree logproof.Month) bool {
	for i := range d.told {
		one := &d.told[i]
		if one.Rows > 0 && (one.Month == tree || next(one.Month) == tree) {
			one.Rows--
			return true
		}
	}
	return false
}

// covers says whether rows of the gap's registry and time were destroyed.
func (d *destruction) covers(g *gap) bool {
	return slices.ContainsFunc(d.told, func(one told) bool {
		return one.registry == g.registry && one.Month <= logproof.MonthOf(g.until) &&
			(g.from.IsZero() || one.Month >= logproof.MonthOf(g.from))
	})
}

func next(month logproof.Month) logproof.Month {
	first, err := time.Parse("2006-01", string(month))
	if err != nil {
		return ""
	}
	return logproof.MonthOf(first.AddDate(0, 1, 0))
}
