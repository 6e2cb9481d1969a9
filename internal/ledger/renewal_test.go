// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestRenewalPointIsWithin60And80PercentOfLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		life := time.Duration(rapid.Int64Range(5, 400*24*3600).Draw(t, "life")) * time.Second
		owner := rapid.StringMatching(`[0-9a-f]{8}`).Draw(t, "owner")
		at := RenewAt(owner, "id", t0, t0.Add(life)).Sub(t0)
		g.Expect(at * 10).To(BeNumerically(">=", life*6))
		g.Expect(at * 10).To(BeNumerically("<=", life*8))
		g.Expect(at % time.Second).To(BeZero())
	})
}

func TestRenewalPointOfTheShortestLives(t *testing.T) {
	g := NewWithT(t)
	for s := -2; s <= 5; s++ {
		end := t0.Add(time.Duration(s) * time.Second)
		at := RenewAt(uid, "id", t0, end)
		g.Expect(at.After(end)).To(BeFalse(), "renewed by the end at the latest")
		if s > 0 {
			g.Expect(at.After(t0)).To(BeTrue(), "and not at once")
		}
	}
}

func TestRenewalPointDoesNotCountTheBackdatedPart(t *testing.T) {
	g := NewWithT(t)
	p := Policy{Lifetime: 5 * time.Minute, Backdate: time.Hour}
	step := Next(nil, Observed{}, p, uid, t0)
	e := step.Add(Issued{Fingerprint: "f", NotBefore: step.NotBefore, NotAfter: step.NotAfter})[0]
	g.Expect(e.RenewAt).To(BeTemporally(">=", t0.Add(3*time.Minute)))
	g.Expect(e.RenewAt).To(BeTemporally("<=", t0.Add(4*time.Minute)))
}

// 1,000 credentials issued in one burst must not come back in one.
func TestRenewalPointsSpreadOverOwners(t *testing.T) {
	g := NewWithT(t)
	const owners, buckets = 10000, 20
	var count [buckets]int
	life := 24 * time.Hour
	for i := range owners {
		at := RenewAt(fmt.Sprintf("uid-%d", i), "id", t0, t0.Add(life)).Sub(t0)
		b := int((at - life*6/10) * buckets / (life*2/10 + 1))
		count[b]++
	}
	// Chi-squared with 19 degrees of freedom exceeds 43.8 once in a thousand.
	var chi float64
	for _, n := range count {
		d := float64(n) - owners/buckets
		chi += d * d / (owners / buckets)
	}
	g.Expect(chi).To(BeNumerically("<", 43.8), "%v", count)
}
