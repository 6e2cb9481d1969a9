// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package destruction

import (
	"cmp"
	"slices"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/retention"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Report tells what a run found and did. It holds nothing of a person: only counts.
type Report struct {
	// Run is the request id of the run's rows in the access log; empty for a dry run.
	Run string `json:"run,omitempty"`
	// AsOf is the day that everything was judged by, in Finland; Catalog the edition whose rules were used.
	AsOf    catalog.Day `json:"asOf"`
	Catalog string      `json:"catalog"`
	DryRun  bool        `json:"dryRun"`
	// Documents and Clients tell how many there were; a client's matters go with it.
	Documents Counts `json:"documents"`
	Clients   Counts `json:"clients"`
	// Due is what was due, by rule and type; Kept what was not, by what it waits for.
	Due  []DueGroup  `json:"due"`
	Kept []KeptGroup `json:"kept"`
	// Stopped tells that the limit was reached, so that there may be more.
	Stopped bool `json:"stopped"`
}

// Counts are of documents or clients.
type Counts struct {
	Examined int `json:"examined"`
	Due      int `json:"due"`
	// Destroyed are fewer than those due in a dry run, or where something changed meanwhile.
	Destroyed int `json:"destroyed"`
}

// DueGroup is how many were due by one rule.
type DueGroup struct {
	Kind store.DestroyedKind `json:"kind"`
	Rule string              `json:"rule"`
	// Type is that of the documents; empty for clients.
	Type  string `json:"documentType,omitempty"`
	Count int    `json:"count"`
}

// WaitsForTime tells of what has a day on which it will be destroyed.
const WaitsForTime retention.Waiting = "time"

// KeptGroup is how many were kept for one reason.
type KeptGroup struct {
	Kind store.DestroyedKind `json:"kind"`
	// WaitsFor is what has to come before it is destroyed; WaitsForTime where only time has to pass.
	WaitsFor retention.Waiting `json:"waitsFor"`
	Count    int               `json:"count"`
}

func (r *Report) counts(kind store.DestroyedKind) *Counts {
	if kind == store.KindClient {
		return &r.Clients
	}
	return &r.Documents
}

// examined counts something by its clock.
func (r *Report) examined(kind store.DestroyedKind, documentType string, clock retention.Clock) {
	counts := r.counts(kind)
	counts.Examined++
	if clock.Due(r.AsOf) {
		counts.Due++
		group := DueGroup{Kind: kind, Rule: clock.Rule, Type: documentType}
		for i := range r.Due {
			if one := &r.Due[i]; one.Kind == group.Kind && one.Rule == group.Rule && one.Type == group.Type {
				one.Count++
				return
			}
		}
		group.Count = 1
		r.Due = append(r.Due, group)
		return
	}
	group := KeptGroup{Kind: kind, WaitsFor: cmp.Or(clock.WaitsFor, WaitsForTime)}
	for i := range r.Kept {
		if one := &r.Kept[i]; one.Kind == group.Kind && one.WaitsFor == group.WaitsFor {
			one.Count++
			return
		}
	}
	group.Count = 1
	r.Kept = append(r.Kept, group)
}

// sort puts the groups in an order that does not depend on the ids.
func (r *Report) sort() {
	slices.SortFunc(r.Due, func(a, b DueGroup) int {
		return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Type, b.Type))
	})
	slices.SortFunc(r.Kept, func(a, b KeptGroup) int {
		return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.WaitsFor, b.WaitsFor))
	})
}
