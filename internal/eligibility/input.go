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
	AutomaticGrants bool
}

// TestPolicy is a registry's policy on missing deployment tests.
type TestPolicy string

// The policies on missing deployment tests. Anything else counts as TestEnforce.
const (
	TestEnforce TestPolicy = "Enforce"
	TestReport  TestPolicy = "Report"
)

// Unit is what the chains need of a ProducerUnit.
type Unit struct {
	Name            string // namespace/name, for messages
	OID             string
	OrganizationOID string // the producer
	ClientSystem    string // name of the producer unit's client system

	Accepted bool   // its claim on the OID is believed and not contested
	Detail   string // why not, when not Accepted; a full sentence or empty

	ServiceTasks []string // what the unit is registered for
	AcceptFrom   []string // OIDs of the organizations it is ready to start with
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

// DeploymentTest is a test that was run for a combination of client systems.
type DeploymentTest struct {
	Name            string // namespace/name
	OrganizerSystem string
	ProducerSystem  string
	PassedAt        time.Time // zero = has not passed
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
