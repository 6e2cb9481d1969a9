// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// large is an index with n relationships in a country's shape: 22 registries, 1,000 units, a grant where they meet.
func large(n int) (*index.Index, []visit) {
	const registries, units = 22, 1000
	w := indextest.New()
	x := index.New()
	visits := make([]visit, 0, n)
	for i := range registries {
		r := w.Registry
		r.Key.Namespace, r.UID, r.OID = fmt.Sprintf("county-%d", i), uid(1, i), oid(1, i)
		upserted(x.UpsertRegistry(r))
	}
	for i := range units {
		u := indextest.Unit()
		u.Key.Name, u.UID, u.OID = fmt.Sprintf("unit-%d", i), uid(2, i), oid(2, i)
		upserted(x.UpsertUnit(u))
	}
	upserted(x.UpsertOrganization(w.Organizer))
	upserted(x.UpsertOrganization(w.Producer))
	upserted(x.UpsertClientSystem(w.OrganizerSystem))
	upserted(x.UpsertClientSystem(w.UnitSystem))
	var registryOIDs, unitOIDs []string
	for i := range registries {
		registryOIDs = append(registryOIDs, oid(1, i))
	}
	for i := range units {
		unitOIDs = append(unitOIDs, oid(2, i))
	}
	taskSets := [][]string{{indextest.Task}, {indextest.Task, indextest.OtherTask}, {indextest.Task, indextest.BoughtTask}}
	granted := map[[2]int]bool{}
	for i := range n {
		pair := [2]int{i % registries, i % units}
		namespace, fingerprint := fmt.Sprintf("county-%d", pair[0]), access.Fingerprint{0: 1, 1: byte(i % units), 2: byte(i % units >> 8)}
		if !granted[pair] {
			granted[pair] = true
			g := indextest.Grant()
			g.Key = index.Key{Namespace: namespace, Name: fmt.Sprintf("unit-%d", pair[1])}
			g.UID, g.Unit = uid(3, pair[0]*units+pair[1]), unitOIDs[pair[1]]
			g.Credentials = []index.Credential{{Fingerprint: fingerprint, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}}
			upserted(x.UpsertGrant(g))
		}
		r := indextest.Relationship()
		r.Key = index.Key{Namespace: namespace, Name: fmt.Sprintf("relationship-%d", i)}
		r.UID, r.Unit, r.Tasks = uid(4, i), unitOIDs[pair[1]], taskSets[i%3]
		r.Client, r.Document = access.ClientID(uid(5, i)), index.DocumentID(uid(6, i))
		upserted(x.UpsertRelationship(r))
		visits = append(visits, visit{registryOIDs[pair[0]], r.Unit, r.Client, fingerprint})
	}
	for _, kind := range index.Kinds() {
		x.SetComplete(kind)
	}
	x.SetFreshness(now)
	rand.Shuffle(n, func(i, j int) { visits[i], visits[j] = visits[j], visits[i] })
	return x, visits
}

// visit is what differs between the requests of a benchmark.
type visit struct {
	registry, unit string
	client         access.ClientID
	fingerprint    access.Fingerprint
}

// fill makes a request one of this visit. The request itself is warm, as one just read from a connection is.
func (v *visit) fill(req *access.Request) {
	req.Caller = access.Caller{TrustedRegistry: v.registry, Unit: v.unit, Fingerprint: v.fingerprint}
	req.Registry, req.Document.Registry = v.registry, v.registry
	req.Client, req.Document.Client = v.client, v.client
}

func oid(kind, i int) string { return fmt.Sprintf("1.2.246.10.3221%d.10.%d", kind, i) }

// uid scatters, as random UIDs do.
func uid(kind, i int) access.UID {
	var u access.UID
	r := rand.New(rand.NewPCG(uint64(kind), uint64(i)))
	binary.BigEndian.PutUint64(u[:8], r.Uint64())
	binary.BigEndian.PutUint64(u[8:], r.Uint64())
	return u
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// bytesEach measures what n relationships and all that goes with them take.
func bytesEach(n int) float64 {
	before := heap()
	x, _ := large(n)
	after := heap()
	runtime.KeepAlive(x)
	return float64(after-before) / float64(n)
}

func TestHeapOf100000Relationships(t *testing.T) {
	g := NewWithT(t)
	each := bytesEach(100_000)
	t.Logf("%.0f bytes for each of 100,000 relationships, %.1f MiB in all", each, each*100_000/(1<<20))
	g.Expect(each*100_000).To(BeNumerically("<", 30<<20), "of 64 MiB that the archive may have")
}

func TestDecideAllocatesNothing(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	g.Expect(testing.AllocsPerRun(100, func() { x.Decide(&w.Request, now) })).To(BeZero())
	w.Relationships[0].End = now
	x = w.Index()
	g.Expect(testing.AllocsPerRun(100, func() { x.Decide(&w.Request, now) })).To(BeZero())
	w.AsOrganizer()
	g.Expect(testing.AllocsPerRun(100, func() { x.Decide(&w.Request, now) })).To(BeZero())
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		x, visits := large(n)
		b.Run(fmt.Sprintf("relationships=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			req := indextest.New().Request
			for i := 0; b.Loop(); i++ {
				visits[i%n].fill(&req)
				if d := x.Decide(&req, now); !d.Allowed {
					b.Fatalf("refused: %s", d.Reason)
				}
			}
		})
		b.Run(fmt.Sprintf("relationships=%d/parallel", n), func(b *testing.B) {
			b.ReportAllocs()
			var next atomic.Uint32
			b.RunParallel(func(pb *testing.PB) {
				req := indextest.New().Request
				for i := int(next.Add(1)) * 7919; pb.Next(); i++ {
					visits[i%n].fill(&req)
					x.Decide(&req, now)
				}
			})
		})
	}
}

// BenchmarkFloor is one look-up in a Go map of as many clients: what memory alone costs.
func BenchmarkFloor(b *testing.B) {
	const n = 1_000_000
	held := make(map[access.ClientID]uint64, n)
	clients := make([]access.ClientID, n)
	for i := range clients {
		clients[i] = access.ClientID(uid(5, i))
		held[clients[i]] = uint64(i)
	}
	rand.Shuffle(n, func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
	for i := 0; b.Loop(); i++ {
		if _, ok := held[clients[i%n]]; !ok {
			b.Fatal("lost")
		}
	}
}

func BenchmarkUpsertRelationship(b *testing.B) {
	x, _ := large(100_000)
	r := indextest.Relationship()
	r.Key.Namespace = "county-1"
	var uids []access.UID
	for i := range 100_000 {
		uids = append(uids, uid(4, i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.UID, r.Revision = uids[i%100_000], uint64(i)+1000
		r.Client = access.ClientID(r.UID)
		r.End = now.Add(time.Duration(i))
		upserted(x.UpsertRelationship(r))
	}
}

// BenchmarkMemory reports the heap per 1,000 relationships, grants and units included.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("relationships=%d", n), func(b *testing.B) {
			var each float64
			for range b.N {
				each = bytesEach(n)
			}
			b.ReportMetric(each, "B/relationship")
			b.ReportMetric(each*1000/1024, "KiB/1000")
		})
	}
}
