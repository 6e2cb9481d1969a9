// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// grantCase changes an eligible grant; want is empty where it stays eligible.
type grantCase struct {
	name    string
	change  func(in *GrantInput)
	want    string
	recheck time.Time // zero = not said
	says    []string  // what the message must name
}

// With nothing changed, the agreement's end is the nearest instant.
var open = day(200)

// retest asks for a test of a version while the organizer's system has another.
func retest(policy Retest, tested, present string) func(*GrantInput) {
	return func(in *GrantInput) {
		in.Registry.Retest, in.OrganizerSystem.Version = policy, present
		in.Tests[0].OrganizerVersion, in.Tests[0].ProducerVersion, in.ProducerSystem.Version = tested, "5", "5"
	}
}

// trial makes the registry that of a deployment test for another one, and the unit accept the time but not the organizer.
func trial(change func(*GrantInput)) func(*GrantInput) {
	return func(in *GrantInput) {
		in.Registry.Trial = &Trial{Name: "pirha/t9", RegistryOID: registryOID, UnitOID: unitOID, StartsAt: day(-1), ClosesAt: day(2)}
		in.Registry.OID, in.Grant.OfTrial = "2.25.1", true
		in.Unit.AcceptFrom, in.Unit.AcceptTests = nil, []AcceptedTest{{
			RegistryOID: registryOID, TestRegistryOID: "2.25.1", StartsAt: day(-1), ClosesAt: day(2),
		}}
		change(in)
	}
}

var grantCases = []grantCase{
	{"nothing changed", func(*GrantInput) {}, "", open, nil},
	{"suspended", func(in *GrantInput) { in.Grant.Suspended = true }, ReasonSuspended, time.Time{}, []string{"spec.suspend"}},
	{"suspended comes before all else", func(in *GrantInput) { *in = GrantInput{Grant: Grant{Suspended: true}} }, ReasonSuspended, time.Time{}, nil},
	{"no registry", func(in *GrantInput) { in.Registry = nil }, ReasonRegistryNotFound, time.Time{}, []string{"Registry social", "organizer"}},
	{"registry not accepted", func(in *GrantInput) { in.Registry.Accepted = false; in.Registry.Detail = "Another claims the OID." },
		ReasonRegistryNotAccepted, time.Time{}, []string{"pirha/social", registryOID, "Another claims the OID."}},
	{"older grant", func(in *GrantInput) { in.OlderGrant = "pirha/first" }, ReasonGrantConflict, time.Time{}, []string{"pirha/first", unitOID}},

	{"organizer unknown", func(in *GrantInput) { in.Organizer = nil }, ReasonOrganizerNotJoined, time.Time{}, []string{organizerOID, "pirha/social", "platform team"}},
	{"organizer joins never", func(in *GrantInput) { in.Organizer.Joined = time.Time{} }, ReasonOrganizerNotJoined, time.Time{}, []string{organizerOID}},
	{"organizer joins later", func(in *GrantInput) { in.Organizer.Joined = day(3) }, ReasonOrganizerNotJoined, day(3), []string{organizerOID, "2026-09-04T12:00:00Z"}},
	{"organizer joins now", func(in *GrantInput) { in.Organizer.Joined = now }, "", open, nil},
	{"organizer ended", func(in *GrantInput) { in.Organizer.Ended = day(-1) }, ReasonOrganizerEnded, time.Time{}, []string{organizerOID}},
	{"organizer ends now", func(in *GrantInput) { in.Organizer.Ended = now }, ReasonOrganizerEnded, time.Time{}, nil},
	{"organizer ends later", func(in *GrantInput) { in.Organizer.Ended = day(5) }, "", day(5), nil},
	{"organizer not for social", func(in *GrantInput) { in.Organizer.Social, in.Organizer.Health = false, true }, ReasonOrganizerNotRegistered, time.Time{}, []string{"Pirkanmaa", organizerOID}},

	{"unit unknown", func(in *GrantInput) { in.Unit = nil }, ReasonUnitUnknown, time.Time{}, []string{unitOID, "overnight", "producer", "organizer"}},
	{"unit unknown, organizer ends later", func(in *GrantInput) { in.Unit = nil; in.Organizer.Ended = day(9) }, ReasonUnitUnknown, day(9), nil},
	{"unit contested", func(in *GrantInput) { in.Unit.Accepted = false }, ReasonUnitNotAccepted, time.Time{}, []string{"koivu/home", unitOID, "producer"}},
	{"unit out of reach", func(in *GrantInput) { in.Unit.NotManaged = true }, ReasonUnitNotManaged, time.Time{}, []string{"koivu/home", unitOID, "platform", "producer"}},

	{"producer unknown", func(in *GrantInput) { in.Producer = nil }, ReasonProducerNotJoined, time.Time{}, []string{producerOID, "koivu/home"}},
	{"producer joins later", func(in *GrantInput) { in.Producer.Joined = day(4) }, ReasonProducerNotJoined, day(4), []string{producerOID}},
	{"producer ended", func(in *GrantInput) { in.Producer.Ended = day(-1) }, ReasonProducerEnded, time.Time{}, []string{producerOID}},
	{"producer not for social", func(in *GrantInput) { in.Producer.Social, in.Producer.Health = false, true }, ReasonProducerNotRegistered, time.Time{}, []string{"Koivu Oy"}},

	{"producer joint, main stands", joint(producerSideOf, func(*Organization) {}), "", open, nil},
	{"producer joint, main unknown", func(in *GrantInput) { in.Producer.Joint, in.Producer.MainJoiner = true, mainOID },
		ReasonMainJoinerNotStanding, time.Time{}, []string{producerOID, mainOID, "platform team"}},
	{"producer joint, main ended", joint(producerSideOf, func(m *Organization) { m.Ended = day(-2) }), ReasonMainJoinerNotStanding, time.Time{}, []string{mainOID}},
	{"producer joint, main ends later", joint(producerSideOf, func(m *Organization) { m.Ended = day(2) }), "", day(2), nil},
	{"producer joint, main joins later", joint(producerSideOf, func(m *Organization) { m.Joined = day(2) }), ReasonMainJoinerNotStanding, day(2), []string{mainOID}},
	{"producer joint, main not direct", joint(producerSideOf, func(m *Organization) { m.Joint = true }), ReasonMainJoinerNotStanding, time.Time{}, []string{mainOID}},
	{"organizer joint, main stands", joint(organizerSideOf, func(*Organization) {}), "", open, nil},
	{"organizer joint, main ended", joint(organizerSideOf, func(m *Organization) { m.Ended = day(-2) }), ReasonMainJoinerNotStanding, time.Time{}, []string{organizerOID, mainOID}},
	{"organizer joint, main ends later", joint(organizerSideOf, func(m *Organization) { m.Ended = day(2) }), "", day(2), nil},
	{"a main joiner of a direct organization does not count", func(in *GrantInput) { in.ProducerMain = &Organization{Ended: day(-9)} }, "", open, nil},

	{"organizer system unknown", func(in *GrantInput) { in.OrganizerSystem = nil }, ReasonOrganizerSystemUnknown, time.Time{}, []string{"county-cis", "pirha/social"}},
	{"producer system unknown", func(in *GrantInput) { in.ProducerSystem = nil }, ReasonProducerSystemUnknown, time.Time{}, []string{"producer-cis", "koivu/home"}},
	{"organizer system class B", func(in *GrantInput) { in.OrganizerSystem.Class = "B" }, ReasonOrganizerSystemNotCertified, time.Time{}, []string{"county-cis", "vendor"}},
	{"producer system no class", func(in *GrantInput) { in.ProducerSystem.Class = "" }, ReasonProducerSystemNotCertified, time.Time{}, []string{"producer-cis", "(none)"}},
	{"organizer system certified later", func(in *GrantInput) { in.OrganizerSystem.ValidFrom = day(6) }, ReasonOrganizerSystemNotCertified, day(6), nil},
	{"producer system certified later", func(in *GrantInput) { in.ProducerSystem.ValidFrom = day(6) }, ReasonProducerSystemNotCertified, day(6), nil},
	{"organizer system expired", func(in *GrantInput) { in.OrganizerSystem.ValidUntil = now }, ReasonOrganizerSystemExpired, time.Time{}, []string{"county-cis", "vendor"}},
	{"producer system expired", func(in *GrantInput) { in.ProducerSystem.ValidUntil = now }, ReasonProducerSystemExpired, time.Time{}, []string{"producer-cis"}},
	{"producer system expires later", func(in *GrantInput) { in.ProducerSystem.ValidUntil = day(8) }, "", day(8), nil},
	{"systems without end", func(in *GrantInput) {
		in.ProducerSystem.ValidUntil, in.OrganizerSystem.ValidUntil = time.Time{}, time.Time{}
	}, "", open, nil},
	{"organizer system lacks feature", func(in *GrantInput) { in.OrganizerSystem.Features = nil }, ReasonOrganizerSystemLacksFeature, day(300), []string{"county-cis", FeatureRegisterAccess}},
	{"producer system lacks feature", func(in *GrantInput) { in.ProducerSystem.Features = []string{FeatureExtended} }, ReasonProducerSystemLacksFeature, day(300), []string{"producer-cis", FeatureRegisterAccess}},
	{"extended needs the feature of the organizer", func(in *GrantInput) {
		in.Grant.Extent, in.OrganizerSystem.Features = ExtentExtended, []string{FeatureRegisterAccess}
	}, ReasonOrganizerSystemLacksFeature, day(300), []string{FeatureExtended}},
	{"extended needs the feature of the producer", func(in *GrantInput) {
		in.Grant.Extent, in.ProducerSystem.Features = ExtentExtended, []string{FeatureRegisterAccess}
	}, ReasonProducerSystemLacksFeature, day(300), []string{FeatureExtended}},
	{"extended with the feature", func(in *GrantInput) { in.Grant.Extent = ExtentExtended }, "", open, nil},
	{"basic without the extended feature", func(in *GrantInput) { in.ProducerSystem.Features = []string{FeatureRegisterAccess} }, "", open, nil},
	{"formats apart", func(in *GrantInput) {
		in.OrganizerSystem.Formats, in.ProducerSystem.Formats = []string{"JSON"}, []string{"XHTML"}
	}, ReasonFormatsIncompatible, day(300), []string{"county-cis", "JSON", "producer-cis", "XHTML"}},
	{"one format in common", func(in *GrantInput) { in.OrganizerSystem.Formats = []string{"XHTML"} }, "", open, nil},
	{"no formats", func(in *GrantInput) { in.ProducerSystem.Formats = nil }, ReasonFormatsIncompatible, day(300), []string{"(none)"}},

	{"unit registered for nothing bought", func(in *GrantInput) { in.Grant.Agreement.Tasks = []string{"shelter", "meals"} },
		ReasonTaskNotRegistered, day(300), []string{unitOID, "shelter, meals", "D/1/2026"}},
	{"unit registered for one thing bought", func(in *GrantInput) { in.Grant.Agreement.Tasks = []string{"shelter", "housing"} }, "", open, nil},
	{"agreement lists no tasks", func(in *GrantInput) { in.Grant.Agreement.Tasks = nil; in.Unit.ServiceTasks = nil }, "", open, nil},
	{"no agreement", func(in *GrantInput) { in.Grant.Agreement = nil }, "", day(300), nil},
	{"agreement buys social care", func(in *GrantInput) { in.Grant.Agreement.Sectors = []string{"Social"} }, "", open, nil},
	{"agreement buys both", func(in *GrantInput) { in.Grant.Agreement.Sectors = []string{"Health", "Social"} }, "", open, nil},
	{"agreement buys health care only", func(in *GrantInput) { in.Grant.Agreement.Sectors = []string{"Health"} },
		ReasonSocialCareNotBought, day(300), []string{"D/1/2026", "pirha/social", "spec.agreement.buys"}},
	{"agreement later", func(in *GrantInput) { in.Grant.Agreement.ValidFrom = day(1) }, ReasonAgreementNotYetValid, day(1), []string{"D/1/2026"}},
	{"agreement from now", func(in *GrantInput) { in.Grant.Agreement.ValidFrom = now }, "", open, nil},
	{"agreement over", func(in *GrantInput) { in.Grant.Agreement.ValidUntil = now }, ReasonAgreementExpired, day(300), []string{"D/1/2026", "organizer"}},
	{"agreement without end", func(in *GrantInput) { in.Grant.Agreement.ValidUntil = time.Time{} }, "", day(300), nil},

	{"no deployment test", func(in *GrantInput) { in.Tests = nil }, ReasonDeploymentTestMissing, open, []string{"county-cis", "producer-cis", "organizer", "pirha/social"}},
	{"test of the reverse combination", func(in *GrantInput) {
		in.Tests[0].OrganizerSystem, in.Tests[0].ProducerSystem = "producer-cis", "county-cis"
	}, ReasonDeploymentTestMissing, open, nil},
	{"test of another producer system", func(in *GrantInput) { in.Tests[0].ProducerSystem = "other" }, ReasonDeploymentTestMissing, open, nil},
	{"test not passed", func(in *GrantInput) { in.Tests[0].PassedAt = time.Time{} }, ReasonDeploymentTestMissing, open, nil},
	{"test passes later", func(in *GrantInput) { in.Tests[0].PassedAt = day(2) }, ReasonDeploymentTestMissing, day(2), nil},
	{"test not passed, but scheduled", func(in *GrantInput) {
		in.Tests[0].PassedAt, in.Tests[0].OpensAt, in.Tests[0].ClosesAt = time.Time{}, day(2), day(3)
	}, ReasonDeploymentTestMissing, open, []string{"pirha/t1 is scheduled for 2026-09-03T12:00:00Z, until 2026-09-04T12:00:00Z"}},
	{"test failed", func(in *GrantInput) { in.Tests[0].PassedAt, in.Tests[0].Failed = time.Time{}, true }, ReasonDeploymentTestMissing, open, []string{"pirha/t1 has failed"}},
	{"test failed, and another scheduled", func(in *GrantInput) {
		in.Tests[0].PassedAt, in.Tests[0].Failed = time.Time{}, true
		in.Tests = append(in.Tests, DeploymentTest{Name: "pirha/t2", OrganizerSystem: "county-cis", ProducerSystem: "producer-cis", OpensAt: day(2), ClosesAt: day(3)})
	}, ReasonDeploymentTestMissing, open, []string{"pirha/t2 is scheduled"}},
	{"another combination scheduled", func(in *GrantInput) {
		in.Tests = []DeploymentTest{{Name: "pirha/t2", OrganizerSystem: "x", OpensAt: day(2)}}
	},
		ReasonDeploymentTestMissing, open, []string{"make a DeploymentTest"}},
	{"passed, not reported, and that is enough", func(in *GrantInput) { in.Registry.TestProof = ProofTested }, "", open, nil},
	{"passed, not reported", func(in *GrantInput) { in.Registry.TestProof = ProofReported }, ReasonDeploymentTestMissing, open, []string{"pirha/t1 has passed", "Kela", "spec.reporting"}},
	{"passed, not reported, with a proof that is not known", func(in *GrantInput) { in.Registry.TestProof = "Signed" }, ReasonDeploymentTestMissing, open, nil},
	{"passed and reported", func(in *GrantInput) { in.Registry.TestProof, in.Tests[0].ReportedAt = ProofReported, day(-1) }, "", open, nil},
	{"passed, to be reported", func(in *GrantInput) { in.Registry.TestProof, in.Tests[0].ReportedAt = ProofReported, day(1) }, ReasonDeploymentTestMissing, day(1), nil},
	{"a simulation", func(in *GrantInput) { in.Tests[0].Simulated = true }, ReasonDeploymentTestMissing, open, []string{"pirha/t1 has passed, but it was a simulation"}},
	{"a simulation that is scheduled", func(in *GrantInput) {
		in.Tests[0] = DeploymentTest{Name: "pirha/t1", OrganizerSystem: "county-cis", ProducerSystem: "producer-cis", Simulated: true, OpensAt: day(1)}
	}, ReasonDeploymentTestMissing, open, []string{"make a DeploymentTest"}},
	{"a simulation where they are accepted", func(in *GrantInput) { in.Tests[0].Simulated, in.Registry.SimulatedTests = true, SimulatedAccepted }, "", open, nil},
	{"a simulation where the word is not known", func(in *GrantInput) { in.Tests[0].Simulated, in.Registry.SimulatedTests = true, "accepted" }, ReasonDeploymentTestMissing, open, nil},
	{"a version that was not tested", retest(RetestAny, "2.1", "2.1.1"), ReasonDeploymentTestMissing, open, []string{"with version 2.1 of ClientSystem county-cis, which is now 2.1.1"}},
	{"a version that was tested", retest(RetestAny, "2.1", "2.1"), "", open, nil},
	{"a minor version that was not tested", retest(RetestMajor, "2.1", "2.9"), "", open, nil},
	{"a major version that was not tested", retest(RetestMajor, "2.1", "3.0"), ReasonDeploymentTestMissing, open, []string{"policy Major"}},
	{"the tenth major version", retest(RetestMajor, "1.0", "10.0"), ReasonDeploymentTestMissing, open, nil},
	{"a major version that is not known", retest(RetestMajor, "", "3.0"), ReasonDeploymentTestMissing, open, []string{"(none)"}},
	{"a version where none matters", retest(RetestNone, "2.1", "3.0"), "", open, nil},
	{"a version where nothing is said", retest("", "2.1", "3.0"), "", open, nil},
	{"a version where the policy is not known", retest("Patch", "2.1", "2.1.1"), ReasonDeploymentTestMissing, open, nil},
	{"the producer's version", func(in *GrantInput) {
		retest(RetestAny, "2.1", "2.1")(in)
		in.ProducerSystem.Version = "2"
	}, ReasonDeploymentTestMissing, open, []string{"ClientSystem producer-cis, which is now 2"}},

	{"a test's registry, its own grant", trial(func(*GrantInput) {}), "", day(2), nil},
	{"a test's registry, another grant", trial(func(in *GrantInput) { in.Grant.OfTrial = false }), ReasonNotOfTest, time.Time{}, []string{"pirha/t9"}},
	{"a test's registry, another unit", trial(func(in *GrantInput) { in.Registry.Trial.UnitOID = "1.2.3" }), ReasonNotOfTest, time.Time{}, nil},
	{"a test's registry, before", trial(func(in *GrantInput) { in.Registry.Trial.StartsAt = day(1) }), ReasonTestNotOpen, day(1), []string{"opens at 2026-09-02T12:00:00Z"}},
	{"a test's registry, after", trial(func(in *GrantInput) { in.Registry.Trial.ClosesAt = now }), ReasonTestClosed, time.Time{}, []string{"closed at"}},
	{"a test's registry, time not accepted", trial(func(in *GrantInput) { in.Unit.AcceptTests = nil }), ReasonNotAcceptedByUnit, day(2), []string{
		"spec.acceptTests", `{registryOID: ` + registryOID + `, testRegistryOID: 2.25.1, startsAt: "2026-08-31T12:00:00Z", closesAt: "2026-09-03T12:00:00Z"}`,
	}},
	{"a test's registry, another time accepted", trial(func(in *GrantInput) { in.Unit.AcceptTests[0].StartsAt = day(0) }), ReasonNotAcceptedByUnit, day(2), nil},
	{"a test's registry, another test accepted", trial(func(in *GrantInput) { in.Unit.AcceptTests[0].TestRegistryOID = "2.25.2" }), ReasonNotAcceptedByUnit, day(2), nil},
	{"a test's registry, for another registry accepted", trial(func(in *GrantInput) { in.Unit.AcceptTests[0].RegistryOID = "1.2.3" }), ReasonNotAcceptedByUnit, day(2), nil},
	{"a test's registry, a shorter time accepted", trial(func(in *GrantInput) { in.Unit.AcceptTests[0].ClosesAt = day(1) }), ReasonNotAcceptedByUnit, day(2), nil},
	{"a test's registry, a longer time accepted", trial(func(in *GrantInput) { in.Unit.AcceptTests[0].ClosesAt = day(3) }), "", day(2), nil},
	{"a test's registry, accepting the organizer is not accepting the time", trial(func(in *GrantInput) {
		in.Unit.AcceptTests, in.Unit.AcceptFrom = nil, []string{organizerOID}
	}), ReasonNotAcceptedByUnit, day(2), nil},
	{"a simulation's registry needs no acceptance", trial(func(in *GrantInput) { in.Unit.AcceptTests, in.Registry.Trial.Simulated = nil, true }), "", day(2), nil},
	{"a test's registry needs no test", trial(func(in *GrantInput) { in.Tests, in.Registry.DeploymentTest = nil, TestEnforce }), "", day(2), nil},
	{"the time of a test accepts no organizer", func(in *GrantInput) {
		in.Unit.AcceptFrom, in.Unit.AcceptTests = nil, []AcceptedTest{{RegistryOID: registryOID, TestRegistryOID: in.Registry.OID, StartsAt: day(-1), ClosesAt: day(2)}}
	}, ReasonNotAcceptedByUnit, open, []string{"spec.acceptFrom"}},
	{"test passed now", func(in *GrantInput) { in.Tests[0].PassedAt = now }, "", open, nil},
	{"same system on both sides, no test", func(in *GrantInput) {
		in.OrganizerSystem.Name = "producer-cis"
		in.Tests = nil
	}, ReasonDeploymentTestMissing, open, nil},
	{"same system on both sides, tested", func(in *GrantInput) {
		in.OrganizerSystem.Name = "producer-cis"
		in.Tests[0].OrganizerSystem = "producer-cis"
	}, "", open, nil},
	{"unknown policy enforces", func(in *GrantInput) { in.Registry.DeploymentTest = ""; in.Tests = nil }, ReasonDeploymentTestMissing, open, nil},
	{"policy report", func(in *GrantInput) { in.Registry.DeploymentTest = TestReport; in.Tests = nil }, "", open, nil},
	{"policy report, test passes later", func(in *GrantInput) { in.Registry.DeploymentTest = TestReport; in.Tests[0].PassedAt = day(7) }, "", day(7), nil},

	{"unit does not accept the organizer", func(in *GrantInput) { in.Unit.AcceptFrom = []string{"1.2.3"} },
		ReasonNotAcceptedByUnit, open, []string{"koivu/home", organizerOID, "spec.acceptFrom"}},
	{"accepting the controller OID is not accepting the organizer", func(in *GrantInput) { in.Unit.AcceptFrom = []string{registryOID} }, ReasonNotAcceptedByUnit, open, nil},
}

type sideOf func(in *GrantInput) (org *Organization, main **Organization)

func organizerSideOf(in *GrantInput) (*Organization, **Organization) {
	return in.Organizer, &in.OrganizerMain
}

func producerSideOf(in *GrantInput) (*Organization, **Organization) {
	return in.Producer, &in.ProducerMain
}

// joint makes a side a co-joiner of a main joiner that change has had its hand on.
func joint(of sideOf, change func(m *Organization)) func(in *GrantInput) {
	return func(in *GrantInput) {
		org, main := of(in)
		org.Joint, org.MainJoiner = true, mainOID
		*main = mainFixture()
		change(*main)
	}
}

func TestGrantChain(t *testing.T) {
	for _, c := range grantCases {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			in := eligible()
			c.change(in)
			v := EvaluateGrant(in)
			if c.want == "" {
				g.Expect(v.OK).To(BeTrue(), "%s: %s", v.Reason, v.Message)
				g.Expect(v.Reason).To(Equal(ReasonEligible))
			} else {
				g.Expect(v.OK).To(BeFalse())
				g.Expect(v.Reason).To(Equal(c.want))
				g.Expect(v.ValidFrom).To(BeZero())
				g.Expect(v.ValidUntil).To(BeZero())
			}
			for _, s := range c.says {
				g.Expect(v.Message).To(ContainSubstring(s))
			}
			// Where a case does not say, TestGrantRecheckIsSoundAndTight does.
			if c.want == "" || !c.recheck.IsZero() {
				g.Expect(v.RecheckAt).To(Equal(c.recheck))
			}
		})
	}
}

func TestGrantValidity(t *testing.T) {
	g := NewWithT(t)
	in := eligible()
	v := EvaluateGrant(in)
	g.Expect(v.ValidFrom).To(Equal(day(-20)), "the deployment test was the last to come")
	g.Expect(v.ValidUntil).To(Equal(day(200)), "the agreement is the first to go")
	g.Expect(v.Warning).To(BeEmpty())

	in.Registry.DeploymentTest = TestReport
	in.Tests[0].PassedAt = day(7)
	v = EvaluateGrant(in)
	g.Expect(v.Warning).To(And(ContainSubstring("county-cis"), ContainSubstring("producer-cis"), ContainSubstring("organizer")))
	g.Expect(v.ValidFrom).To(Equal(day(-50)))
	g.Expect(v.ValidUntil).To(Equal(day(200)), "a warning that lapses does not end the verdict")
	g.Expect(v.RecheckAt).To(Equal(day(7)), "but the verdict changes then")
}

func TestEachGrantCheckMatters(t *testing.T) {
	for i, name := range names(grantChain) {
		mutant := drop(grantChain, i)
		var killedBy string
		for _, c := range grantCases {
			in := eligible()
			c.change(in)
			if want := reasonOf(grantChain, in); reasonOf(mutant, in) != want {
				killedBy = c.name
				break
			}
		}
		if killedBy == "" {
			t.Errorf("no case notices that %s is gone", name)
		}
		t.Logf("without %-26s fails: %s", name, killedBy)
	}
}
