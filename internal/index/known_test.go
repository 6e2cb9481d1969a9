// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

func TestAKnownRelationshipIsToldAsItCame(t *testing.T) {
	g := NewWithT(t)
	x := indextest.New().Index()
	want := indextest.Relationship()
	got, ok := x.KnownRelationship(want.UID)
	g.Expect(ok).To(BeTrue())
	g.Expect(got.Tasks).To(ConsistOf(want.Tasks))
	got.Tasks = nil
	g.Expect(got.Start).To(BeTemporally("==", want.Start))
	g.Expect(got.End).To(BeTemporally("==", want.End))
	got.Start, got.End = time.Time{}, time.Time{}
	g.Expect(got).To(Equal(index.Known{
		UID: want.UID, Revision: want.Revision, RegistryKey: index.Key{Namespace: "pirkanmaa", Name: "clients"}, Registry: indextest.RegistryOID,
		Unit: want.Unit, Client: want.Client, Accepted: true,
	}))
	x.SetDocumentEnd(want.Document, indextest.Now.Add(-time.Hour))
	got, _ = x.KnownRelationship(want.UID)
	g.Expect(got.End).To(BeTemporally("==", want.End), "its own end")

	registry := indextest.New().Registry
	registry.Accepted, registry.Revision = false, 1000
	_, err := x.UpsertRegistry(registry)
	g.Expect(err).NotTo(HaveOccurred())
	got, _ = x.KnownRelationship(want.UID)
	g.Expect(got.Registry).To(BeEmpty())
	x.Delete(index.Relationships, want.UID, 2000)
	_, ok = x.KnownRelationship(want.UID)
	g.Expect(ok).To(BeFalse())
}

func TestAllKnownRelationshipsAreToldOnce(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Relationships = nil
	want := map[access.UID]bool{}
	for n := range 2000 {
		r := indextest.Relationship()
		r.UID, r.Revision = access.UID{9, byte(n >> 8), byte(n)}, uint64(1000+n)
		w.Relationships = append(w.Relationships, r)
		want[r.UID] = true
	}
	x := w.Index()
	for n := 0; n < 2000; n += 3 {
		uid := w.Relationships[n].UID
		x.Delete(index.Relationships, uid, 5000)
		delete(want, uid)
	}
	got, steps := map[access.UID]bool{}, 0
	for from := uint32(0); ; steps++ {
		some, next := x.KnownRelationships(from)
		for _, k := range some {
			g.Expect(got).NotTo(HaveKey(k.UID))
			got[k.UID] = true
		}
		if from = next; next == 0 {
			break
		}
	}
	g.Expect(got).To(Equal(want))
	g.Expect(steps).To(BeNumerically(">", 2), "events pass between steps")
	some, next := index.New().KnownRelationships(0)
	g.Expect(some).To(BeEmpty())
	g.Expect(next).To(BeZero())
}
