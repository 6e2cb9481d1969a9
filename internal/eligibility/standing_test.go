// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestStanding(t *testing.T) {
	co := func(change func(o *Organization)) *Organization {
		o := producerFixture()
		o.Joint, o.MainJoiner = true, mainOID
		change(o)
		return o
	}
	direct := func(change func(o *Organization)) *Organization {
		o := producerFixture()
		change(o)
		return o
	}
	mainJoiner := func(change func(o *Organization)) *Organization {
		o := mainFixture()
		change(o)
		return o
	}
	same := func(*Organization) {}
	for _, c := range []struct {
		name      string
		org, main *Organization
		want      string
		recheck   time.Time
	}{
		{"direct", direct(same), nil, ReasonStanding, time.Time{}},
		{"direct, ends later", direct(func(o *Organization) { o.Ended = day(1) }), nil, ReasonStanding, day(1)},
		{"never joined", direct(func(o *Organization) { o.Joined = time.Time{} }), nil, ReasonNotYetJoined, time.Time{}},
		{"joins later", direct(func(o *Organization) { o.Joined = day(1) }), nil, ReasonNotYetJoined, day(1)},
		{"ended", direct(func(o *Organization) { o.Ended = now }), nil, ReasonEnded, time.Time{}},
		{"co-joiner", co(same), mainFixture(), ReasonStanding, time.Time{}},
		{"co-joiner, main ends first", co(func(o *Organization) { o.Ended = day(9) }), mainJoiner(func(o *Organization) { o.Ended = day(2) }), ReasonStanding, day(2)},
		{"co-joiner, itself ended", co(func(o *Organization) { o.Ended = day(-1) }), mainFixture(), ReasonEnded, time.Time{}},
		{"co-joiner without main", co(same), nil, ReasonMainJoinerMissing, time.Time{}},
		{"main not joined", co(same), mainJoiner(func(o *Organization) { o.Joined = time.Time{} }), ReasonMainJoinerNotYetJoined, time.Time{}},
		{"main joins later", co(same), mainJoiner(func(o *Organization) { o.Joined = day(3) }), ReasonMainJoinerNotYetJoined, day(3)},
		{"main ended", co(same), mainJoiner(func(o *Organization) { o.Ended = day(-3) }), ReasonMainJoinerEnded, time.Time{}},
		{"main not direct", co(same), mainJoiner(func(o *Organization) { o.Joint = true; o.Ended = day(4) }), ReasonMainJoinerNotDirect, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			v := Standing(c.org, c.main, now)
			g.Expect(v.Reason).To(Equal(c.want))
			g.Expect(v.OK).To(Equal(c.want == ReasonStanding))
			g.Expect(v.RecheckAt).To(Equal(c.recheck))
			if !v.OK {
				g.Expect(v.Message).To(ContainSubstring(c.org.OID))
			}
			if c.main != nil && c.want != ReasonEnded && !v.OK {
				g.Expect(v.Message).To(ContainSubstring(mainOID))
			}
		})
	}
}

func TestWaits(t *testing.T) {
	g := NewWithT(t)
	for _, r := range []string{ReasonUnitUnknown, ReasonGrantMissing, ReasonDeploymentTestMissing, ReasonAgreementNotYetValid, ReasonNotYetJoined, ReasonNotAcceptedByUnit} {
		g.Expect(Waits(r)).To(BeTrue(), r)
	}
	for _, r := range []string{"", ReasonEligible, ReasonAccepted, ReasonStanding, ReasonOverlap, ReasonGrantConflict, ReasonSuspended, ReasonEndBeforeStart, ReasonTaskNotBought, ReasonAgreementExpired, ReasonSocialCareNotBought} {
		g.Expect(Waits(r)).To(BeFalse(), r)
	}
}
