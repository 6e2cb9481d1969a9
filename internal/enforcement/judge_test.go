// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package enforcement

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	bound = 10 * time.Second
	skew  = 5 * time.Second
)

func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

func TestJudge(t *testing.T) {
	applied := func(seconds float64, revision uint64) Replica {
		return Replica{LastSeen: at(seconds), Applied: Revisions{"relationships": revision}}
	}
	ending := Ending{Kind: "relationships", Revision: 7, SeenAt: t0}
	for name, c := range map[string]struct {
		replicas []Replica
		now      float64
		want     Outcome
	}{
		"no replica, bound not passed":                       {nil, 15, Awaiting},
		"no replica, bound passed":                           {nil, 15.001, NoLiveReplica},
		"applied":                                            {[]Replica{applied(0, 7)}, 0, Applied},
		"applied past it":                                    {[]Replica{applied(0, 99)}, 0, Applied},
		"one revision behind":                                {[]Replica{applied(0, 6)}, 0, Awaiting},
		"of another kind":                                    {[]Replica{{LastSeen: t0, Applied: Revisions{"grants": 99}}}, 0, Awaiting},
		"nothing acknowledged":                               {[]Replica{{LastSeen: t0}}, 0, Awaiting},
		"live but behind, bound passed":                      {[]Replica{applied(100, 6)}, 101, Awaiting},
		"one of two behind":                                  {[]Replica{applied(0, 7), applied(0, 6)}, 1, Awaiting},
		"silent, lease not run out":                          {[]Replica{applied(0, 6)}, 20, Awaiting},
		"silent, lease run out and bound passed":             {[]Replica{applied(0, 6)}, 20.001, NoLiveReplica},
		"silent long ago, bound not passed":                  {[]Replica{applied(-60, 6)}, 15, Awaiting},
		"silent long ago, bound passed":                      {[]Replica{applied(-60, 6)}, 15.001, NoLiveReplica},
		"one live and applied, one silent":                   {[]Replica{applied(20, 7), applied(0, 6)}, 20.001, Applied},
		"one live and applied, one silent too new":           {[]Replica{applied(20, 7), applied(1, 6)}, 20.001, Awaiting},
		"applied and then silent, bound not passed":          {[]Replica{applied(-60, 7)}, 15, Awaiting},
		"one applied, one silent long ago, bound not passed": {[]Replica{applied(5, 7), applied(-60, 6)}, 15, Awaiting},
		"one applied, one silent long ago, bound passed":     {[]Replica{applied(5, 7), applied(-60, 6)}, 15.001, Applied},
		"one applied, one gone beyond any view":              {[]Replica{applied(0, 7), applied(-75.001, 6)}, 0, Applied},
		"one applied, one just not gone":                     {[]Replica{applied(0, 7), applied(-75, 6)}, 0, Awaiting},
		"one applied, one gone that held a longer bound":     {[]Replica{applied(0, 7), {LastSeen: at(-76), Bound: time.Minute}}, 0, Awaiting},
		"no sign of life at all":                             {[]Replica{{}}, 15.001, NoLiveReplica},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(Judge(c.replicas, ending, bound, skew, at(c.now))).To(Equal(c.want))
		})
	}
}

func drawReplicas(t *rapid.T, revision uint64) []Replica {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Replica {
		return Replica{
			LastSeen: at(float64(rapid.IntRange(-60, 60).Draw(t, "seen"))),
			Applied:  Revisions{"grants": rapid.Uint64Range(revision-2, revision+2).Draw(t, "applied")},
		}
	}), 0, 4).Draw(t, "replicas")
}

// What is enforced stays so while time passes and replicas apply more; and what waits is not decided by a replica more.
func TestJudgeIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		ending := Ending{Kind: "grants", Revision: 10, SeenAt: t0}
		replicas := drawReplicas(t, ending.Revision)
		now := at(float64(rapid.IntRange(0, 120).Draw(t, "now")))
		before := Judge(replicas, ending, bound, skew, now)
		if before == Awaiting {
			g.Expect(Judge(append(replicas, drawReplicas(t, 10)...), ending, bound, skew, now)).To(Or(Equal(Awaiting), Equal(Applied)))
			later := ending
			later.Revision++
			g.Expect(Judge(replicas, later, bound, skew, now)).To(Equal(Awaiting))
			return
		}
		for i := range replicas {
			replicas[i].Applied["grants"] += rapid.Uint64Range(0, 3).Draw(t, "more")
		}
		g.Expect(Judge(replicas, ending, bound, skew, now)).To(Equal(before))
		if before == NoLiveReplica {
			now = now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "later")) * time.Second)
			g.Expect(Judge(replicas, ending, bound, skew, now)).To(Equal(before))
		}
	})
}

// model is one replica as it really is, second by second, on a clock of its own.
type model struct {
	offset  time.Duration // of its clock, at most half the skew
	applies float64       // when its view takes in the ending
	dies    float64       // when it stops renewing its lease
	deaf    float64       // when the API server's proofs of freshness no longer reach it, though it may still renew
	renews  float64       // how often it renews
}

// lease is what its Lease says at an instant, all told by its own clock.
func (m model) lease(now float64) Replica {
	last := min(now, m.dies)
	last -= float64(int(last*1000)%int(m.renews*1000)) / 1000
	revision := uint64(6)
	if m.applies <= last {
		revision = 7
	}
	return Replica{LastSeen: at(last).Add(m.offset), Applied: Revisions{"grants": revision}}
}

// answers tells whether it could still serve what has ended: its view lacks the ending and its last proof is young
// enough by its own clock. The proof is of a view that the ending was not in, so it is no younger than the ending.
func (m model) answers(now float64) bool {
	if m.applies <= now {
		return false
	}
	proof := min(now, m.deaf)
	if proof > 0 {
		proof = 0 // the ending came at 0
	}
	return at(now).Sub(at(proof)) <= bound
}

// The word "enforced" is never given while a replica could still serve what has ended.
func TestEnforcedMeansThatNobodyServesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tenths := func(from, to int, name string) float64 {
			return float64(rapid.IntRange(from, to).Draw(t, name)) / 10
		}
		models := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) model {
			return model{
				offset:  time.Duration(rapid.IntRange(-2500, 2500).Draw(t, "offset")) * time.Millisecond,
				applies: float64(rapid.IntRange(0, 900).Draw(t, "applies")) / 10,
				dies:    float64(rapid.IntRange(-600, 900).Draw(t, "dies")) / 10,
				deaf:    float64(rapid.IntRange(-100, 900).Draw(t, "deaf")) / 10,
				renews:  5,
			}
		}), 0, 3).Draw(t, "models")
		ending := Ending{Kind: "grants", Revision: 7, SeenAt: at(tenths(0, 50, "seen"))} // never before it came
		now := ending.SeenAt.Sub(t0).Seconds() + rapid.OneOf(rapid.Float64Range(0, 15), rapid.Float64Range(0, 200)).Draw(t, "wait")
		replicas := make([]Replica, 0, len(models))
		serves := false
		for _, m := range models {
			replicas = append(replicas, m.lease(now))
			serves = serves || m.answers(now)
		}
		outcome := Judge(replicas, ending, bound, skew, at(now))
		if outcome != Awaiting && serves {
			t.Fatalf("%s after %.1f s, though a replica still serves it: %+v", outcome, now, models)
		}
		// And it is not withheld: once all have applied it and said so, or all have long been silent.
		if now > 130 && outcome == Awaiting {
			t.Fatalf("still waiting after %.1f s: %+v", now, models)
		}
	})
}

func TestRevisionsSurviveAnAnnotation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		r := Revisions(rapid.MapOf(rapid.StringMatching(`[a-z]{1,12}`), rapid.Uint64()).Draw(t, "revisions"))
		g.Expect(ParseRevisions(r.String())).To(Equal(r))
	})
	g := NewWithT(t)
	for _, text := range []string{"", "null", "[]", "{", `{"grants":-1}`, `{"grants":"7"}`, `{"grants":7}{}`, `{"grants":1e99}`} {
		g.Expect(ParseRevisions(text)["grants"]).To(BeZero(), text)
	}
	g.Expect(Revisions{"b": 2, "a": 1}.String()).To(Equal(`{"a":1,"b":2}`))
}
