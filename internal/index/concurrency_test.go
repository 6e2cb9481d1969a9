// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"sync"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// Decisions run beside events, and each sees one state: the unit moves to and fro between two
// companies and is never seen without either.
func TestDecisionsBesideEvents(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Others = append(w.Others, indextest.Organization("other", 20, "1.2.20"))
	x := w.Index()
	var stop atomic.Bool
	var readers sync.WaitGroup
	var odd atomic.Value
	for range 3 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for !stop.Load() {
				req := w.Request
				d := x.Decide(&req, now)
				if d.Reason != access.ReasonAllowed && d.Reason != access.ReasonRelationshipEnded && d.Reason != access.ReasonNoRelationship {
					odd.Store(d.Reason.Code())
				}
				d.Tasks.Codes()
				x.RevisionString()
			}
		}()
	}
	for i := range uint64(3000) {
		unit := indextest.Unit()
		unit.Revision = 1000 + i
		if i%2 == 0 {
			unit.Organization = "1.2.20"
		}
		upserted(x.UpsertUnit(unit))
		r := relationship(3, 1000+i)
		if i%3 == 0 {
			r.End = now
		}
		if i%5 == 0 {
			r.Tasks = append(r.Tasks, string(rune('a'+i%20)))
		}
		upserted(x.UpsertRelationship(r))
		if i%500 == 0 {
			relist := x.BeginRelist(index.Relationships)
			upserted(x.UpsertRelationship(r))
			x.EndRelist(relist, 1000+i)
		}
		x.SetFreshness(now)
	}
	stop.Store(true)
	readers.Wait()
	g.Expect(odd.Load()).To(BeNil())
}
