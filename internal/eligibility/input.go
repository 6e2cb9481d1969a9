// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "time"

// Organization is what the chains need of an Organization.
type Organization struct {
	OID  string
	Name string // for messages; may be empty

	Joined time.Time // zero = has not joined
	Ended  time.Time // zero = has not ended

	Social bool // registered for social care
	Health bool // registered for health care; never enough by itself

	Joint      bool   // joined through a main joiner
	MainJoiner string // OID of the main joiner, when Joint
}

// ClientSystem is what the chains need of a ClientSystem and its certificate.
type ClientSystem struct {
	Name string

	Class      string    // certification class, such as A2; empty = not certified
	ValidFrom  time.Time // zero = open
	ValidUntil time.Time // zero = open

	Version string

	Features []string // see FeatureRegisterAccess, FeatureExtended
	Formats  []string // what the system both writes and reads
}

// The features of a client system that the chains look for.
const (
	FeatureRegisterAccess = "RegisterAccess"
	FeatureExtended       = "ExtendedRegisterAccess"
)

// Registry is what the chains need of a Registry.
type Registry struct {
	Name            string // namespace/name, for messages
	OID             string
	OrganizationOID string // the organizer
	ClientSystem    string // name of the organizer's client system

	Accepted bool   // accepted by its controller for its current generation
	Detail   string // why not, when not Accepted; a full sentence or empty

	DeploymentTest  TestPolicy
	TestProof       TestProof
	SimulatedTests  SimulatedTests
	Retest          Retest
	AutomaticGrants bool

	Trial *Trial // what it was made for; nil = not for a deployment test
}

// Trial is the deployment test that a registry was made for, while its window is open.
type Trial struct {
	Name        string // namespace/name
	RegistryOID string // of the registry that the combination of systems is wanted for
	UnitOID     string // the one unit that takes part
	Simulated   bool   // a program plays both parties: the unit need not accept the time
	StartsAt    time.Time
	ClosesAt    time.Time
}

// TestPolicy is a registry's policy on missing deployment tests.
type TestPolicy string

// The policies on missing deployment tests. Anything else counts as TestEnforce.
const (
	TestEnforce TestPolicy = "Enforce"
	TestReport  TestPolicy = "Report"
)

// TestProof is a registry's policy on what state of a deployment test counts.
type TestProof string

// The proofs. An empty one counts as ProofTested, anything else as ProofReported.
const (
	ProofTested   TestProof = "Tested"
	ProofReported TestProof = "Reported"
)

// SimulatedTests is a registry's policy on tests that no party's own system took part in.
type SimulatedTests string

// SimulatedAccepted lets them count. Anything else does not.
const SimulatedAccepted SimulatedTests = "Accepted"

// Retest is a registry's policy on changes of a system's version.
type Retest string

// The policies on changes of a version. An empty one counts as RetestNone, an unknown one as RetestAny.
const (
	RetestNone  Retest = "None"
	RetestMajor Retest = "Major"
	RetestAny   Retest = "Any"
)

// Unit is what the chains need of a ProducerUnit.
type Unit struct {
	Name            string // namespace/name, for messages
	OID             string
	OrganizationOID string // the producer
	ClientSystem    string // name of the producer unit's client system

	Accepted bool   // its claim on the OID is believed and not contested
	Detail   string // why not, when not Accepted; a full sentence or empty
	// NotManaged says that the unit's namespace is out of the manager's reach, whatever it was before.
	NotManaged bool

	ServiceTasks []string // what the unit is registered for
	AcceptFrom   []string // OIDs of the organizations it is ready to start with
	AcceptTests  []AcceptedTest
}

// AcceptedTest is a deployment test that a unit takes part in.
type AcceptedTest struct {
	RegistryOID     string // of the registry that the combination of systems is wanted for
	TestRegistryOID string // of the registry that the test is run in
	StartsAt        time.Time
	ClosesAt        time.Time // the last instant at which the window may close
}

// Extent is the extent of a grant.
type Extent string

// The extents of a grant.
const (
	ExtentBasic    Extent = "Basic"
	ExtentExtended Extent = "Extended"
)

// Grant is what the chains need of a RegistryAccessGrant.
type Grant struct {
	Name     string // namespace/name, for messages
	Registry string // the registry as the grant refers to it (name or OID)
	UnitOID  string
	Extent   Extent

	Suspended bool
	Agreement *Agreement // nil = no agreement given
	OfTrial   bool       // was made for the deployment test that its registry was made for
}

// Agreement is the agreement that a grant rests on.
type Agreement struct {
	Reference  string
	ValidFrom  time.Time // zero = open
	ValidUntil time.Time // zero = open
	Tasks      []string  // service tasks bought; empty = not listed, no limit
	Sectors    []string  // branches of care bought; empty = not said, social care
}

// SectorSocial is the branch of care that an agreement has to buy.
const SectorSocial = "Social"

// DeploymentTest is a test of a combination of client systems.
type DeploymentTest struct {
	Name            string // namespace/name
	OrganizerSystem string
	ProducerSystem  string
	PassedAt        time.Time // zero = has not passed
	ReportedAt      time.Time // zero = Kela does not have the report
	Simulated       bool      // a program played both parties

	// The systems' versions when it was run; empty = not known.
	OrganizerVersion, ProducerVersion string

	Failed            bool      // has ended without passing
	OpensAt, ClosesAt time.Time // of the window that both parties have accepted; zero = none to come
}

// Relationship is what the chain needs of a ServiceRelationship.
type Relationship struct {
	Name     string // namespace/name; identifies the relationship
	Created  time.Time
	Accepted bool // accepted by its controller for its current generation

	Registry     string // the registry as the relationship refers to it (name or OID)
	UnitOID      string
	ClientID     string // opaque; never appears in a message
	ServiceTasks []string
	Start        time.Time
	End          time.Time // zero = open
}

// GrantInput is all that a grant's eligibility depends on. A nil pointer means
// that the object was looked for and not found.
type GrantInput struct {
	Now   time.Time
	Grant Grant

	OlderGrant string // namespace/name of an older grant for the same pair; empty = none

	Registry        *Registry
	Organizer       *Organization // of Registry.OrganizationOID
	OrganizerMain   *Organization // of Organizer.MainJoiner
	OrganizerSystem *ClientSystem // of Registry.ClientSystem

	Unit           *Unit         // of Grant.UnitOID
	Producer       *Organization // of Unit.OrganizationOID
	ProducerMain   *Organization // of Producer.MainJoiner
	ProducerSystem *ClientSystem // of Unit.ClientSystem

	Tests []DeploymentTest // those that may count for the registry, in any order
}

// RelationshipInput is all that the acceptance of a relationship depends on. It
// holds no now: a relationship is accepted with a start in the future, and the
// archive judges start and end when it decides.
type RelationshipInput struct {
	Relationship Relationship
	Registry     *Registry
	Unit         *Unit
	Grant        *Grant         // the grant for (registry, unit); nil = none
	Others       []Relationship // of the same registry; may hold Relationship itself
}
