// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/testworld"
)

// pair is a scene whose archive has two replicas, each on a wire of its own. They share a database.
type pair struct {
	*scene
	wires      [2]*wire
	replicas   [2]*testworld.Replica
	organizers [2]*archiveclient.Client
	units      [2]*archiveclient.Client // the northern unit, as a caller of each replica
}

func beginPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{}
	c := shared.of(t)
	for i := range p.wires {
		p.wires[i] = newWire(t, c.Config.Host)
	}
	shares := newDatabase(t)
	on := func(i int) settings {
		return settings{
			database: shares,
			world:    producersBound(int32(shortBound/time.Second), 3600),
			cluster:  func(cfg *rest.Config) { p.wires[i].through(cfg) },
		}
	}
	p.scene = c.begin(t, on(0))
	p.replicas[0], p.replicas[1] = p.archive, p.replica("archive-1", t.TempDir(), on(1))
	p.open(p.North, nil)
	for i := range p.units {
		p.organizers[i] = p.caller(p.replicas[i], p.OrganizerSecret())
		p.units[i] = p.caller(p.replicas[i], p.UnitSecret(p.North))
	}
	return p
}

// TestEnforcedMeansEveryReplica: an end counts as enforced when both replicas have applied it; with one of them cut
// off, when that one has no life left by which it could serve.
func TestEnforcedMeansEveryReplica(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := beginPair(t)
	both, cut := p.related(), p.related()
	g.Expect(both.end(time.Now())).To(Succeed())
	began := time.Now()
	g.Eventually(p.enforced(both)).Should(Equal(v1alpha1.AppliedReason))
	t.Logf("enforced by both after %s", time.Since(began).Round(time.Millisecond))
	for i := range p.replicas {
		g.Eventually(func() string { // a view that has grown stale meanwhile, on a busy machine, refuses too
			reason := p.searches(i, both)
			g.Expect(reason).To(BeElementOf("relationship-ended", "view-stale"), "it is enforced")
			return reason
		}, soon).Should(Equal("relationship-ended"))
	}

	p.wires[1].freeze()
	defer p.wires[1].thaw()
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: p.Platform, Name: enforcement.LeaseName(p.Archive.Name, p.replicas[1].Name)}
	g.Expect(p.Get(background, key, lease)).To(Succeed())
	g.Expect(cut.end(time.Now())).To(Succeed())
	began = time.Now()
	g.Eventually(func() string { return believed(g, func() string { return p.searches(0, cut) }) }, soon).Should(Equal("relationship-ended"))
	g.Eventually(p.enforced(cut)).ShouldNot(BeEmpty(), "it is never enforced")
	now := time.Now()
	g.Expect(p.searches(1, cut)).To(Equal("view-stale"))
	t.Logf("enforced without the one that was cut off after %s", now.Sub(began).Round(time.Millisecond))
	g.Expect(now).To(BeTemporally(">", lease.Spec.RenewTime.Add(enforcement.LeaseDuration)), "as long as its lease holds, it is waited for")
}

// TestEnforcedNeverLies freezes two replicas at random while relationships end at random. Whenever a relationship is
// seen to be enforced, neither replica serves it.
func TestEnforcedNeverLies(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := beginPair(t)
	const several = 50
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	p.bite(g)

	cares, order, ended := map[string]*care{}, []*care{}, sync.Map{}
	for range several {
		c := p.related()
		cares[c.relationship.Name] = c
		order = append(order, c)
	}
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	w, err := p.Watch(ctx, &v1alpha1.ServiceRelationshipList{}, client.InNamespace(p.Organizer))
	g.Expect(err).NotTo(HaveOccurred())
	defer w.Stop()

	var disturbance sync.WaitGroup
	defer disturbance.Wait()
	for i, line := range p.wires {
		plan := freezes(random, i)
		disturbance.Go(func() {
			for _, f := range plan {
				time.Sleep(f.after)
				line.freeze()
				time.Sleep(f.length)
				line.thaw()
			}
		})
	}
	ends := make([]time.Duration, several)
	for i := range ends {
		ends[i] = time.Duration(random.IntN(200)) * time.Millisecond
	}
	disturbance.Go(func() {
		for i, c := range order {
			time.Sleep(ends[i])
			if err := c.end(time.Now()); err != nil {
				t.Errorf("end: %v", err)
			}
			ended.Store(c.relationship.Name, c)
		}
	})
	served := p.lingering(&ended)
	deadline := time.After(2 * patience)
	for done := 0; done < several; {
		var event watch.Event
		select {
		case event = <-w.ResultChan():
		case <-deadline:
			t.Fatalf("only %d of %d were ever enforced", done, several)
		}
		r, ok := event.Object.(*v1alpha1.ServiceRelationship)
		if !ok || enforced(r) == "" || cares[r.Name] == nil {
			continue
		}
		done++
		c := cares[r.Name]
		for i := range p.replicas {
			if reason := p.searches(i, c); reason != "relationship-ended" && reason != "view-stale" {
				t.Errorf("%s is enforced (%s), and %s answers %s", r.Name, enforced(r), p.replicas[i].Name, reason)
			}
		}
		delete(cares, r.Name)
		ended.Delete(r.Name)
	}
	t.Logf("answers of a cut-off replica for what had ended and was not called enforced: %d", served())
}

// bite shows that a freeze bites: a replica that is cut off serves what has ended. Otherwise freezes prove nothing. On a busy
// machine a view may be too old for that when the end comes; then the next one is tried.
func (p *pair) bite(g Gomega) {
	g.Eventually(func() string {
		c := p.related()
		p.wires[1].freeze()
		defer p.wires[1].thaw()
		g.Expect(c.end(time.Now())).To(Succeed())
		return p.searches(1, c)
	}).Should(Equal(allowed))
}

// freeze is one freeze of a wire.
type freeze struct{ after, length time.Duration }

// freezes plans freezes: short ones that nobody should notice, longer ones past the bound, and one past the lease.
func freezes(random *rand.Rand, replica int) (plan []freeze) {
	lengths := []time.Duration{300 * time.Millisecond, 2500 * time.Millisecond, 7 * time.Second}
	if replica == 1 {
		lengths = []time.Duration{time.Second, 26 * time.Second}
	}
	random.Shuffle(len(lengths), func(a, b int) { lengths[a], lengths[b] = lengths[b], lengths[a] })
	for _, length := range lengths {
		plan = append(plan, freeze{
			after:  time.Duration(500+random.IntN(1500)) * time.Millisecond,
			length: length + time.Duration(random.IntN(300))*time.Millisecond,
		})
	}
	return plan
}

// lingering counts, asking all the time, how often a replica still served what had ended.
func (p *pair) lingering(ended *sync.Map) (stop func() int) {
	over, result := make(chan struct{}), make(chan int, 1)
	go func() {
		count := 0
		for {
			ended.Range(func(_, c any) bool {
				if p.searches(1, c.(*care)) == allowed {
					count++
				}
				return true
			})
			select {
			case <-over:
				result <- count
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	stop = sync.OnceValue(func() int { close(over); return <-result })
	p.t.Cleanup(func() { stop() })
	return stop
}

// related records a relationship of a client, and waits until both replicas serve it.
func (p *pair) related() *care {
	p.t.Helper()
	g := NewWithT(p.t)
	c := &care{s: p.scene, unit: p.North, relationship: p.Relationship(p.North.Spec.OID)}
	var err error
	c.id, err = p.organizers[0].RegisterClient(background, newCode())
	g.Expect(err).NotTo(HaveOccurred())
	c.relationship.Spec.ClientID = c.id
	g.Expect(p.Create(background, c.relationship)).To(Succeed())
	for i := range p.replicas {
		g.Eventually(func() string { return p.searches(i, c) }).Should(Equal(allowed))
	}
	return c
}

// searches is how the unit fares at a replica when it searches for the client's documents.
func (p *pair) searches(replica int, c *care) string {
	_, err := p.units[replica].Search(background, archiveQuery(c.id))
	return reasonOf(err)
}

func (p *pair) enforced(c *care) func() string {
	return func() string {
		r, err := seen(p.scene, c.relationship)()
		if err != nil {
			return err.Error()
		}
		return enforced(r)
	}
}
