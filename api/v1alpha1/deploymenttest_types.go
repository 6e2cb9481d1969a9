// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeploymentTestMode tells how a deployment test comes to its result.
//
// +kubebuilder:validation:Enum=Recorded;Observed;Simulated
type DeploymentTestMode string

const (
	// ModeRecorded is a test that was done elsewhere, and recorded here by the organizer.
	ModeRecorded DeploymentTestMode = "Recorded"
	// ModeObserved is a test in which the parties' own systems do their parts while the archive observes.
	ModeObserved DeploymentTestMode = "Observed"
	// ModeSimulated is a test in which a program plays both parties.
	ModeSimulated DeploymentTestMode = "Simulated"
)

// DeploymentTestResult is the result of a deployment test.
//
// +kubebuilder:validation:Enum=Passed;Failed
type DeploymentTestResult string

const (
	// ResultPassed says that each system could read what the other stored.
	ResultPassed DeploymentTestResult = "Passed"
	// ResultFailed says that the systems do not work together yet.
	ResultFailed DeploymentTestResult = "Failed"
)

// SystemCombination is the pair of client systems that a test covers.
type SystemCombination struct {
	// organizer is the name of the ClientSystem that the organizer uses.
	// +required
	Organizer ObjectName `json:"organizer,omitempty"`

	// producer is the name of the ClientSystem that the producer uses.
	// +required
	Producer ObjectName `json:"producer,omitempty"`
}

// RecordedTest is what the organizer recorded of a test.
//
// +kubebuilder:validation:XValidation:rule="self.testedAt == oldSelf.testedAt",message="testedAt is immutable: record another test"
type RecordedTest struct {
	// testedAt is the instant at which the test was run.
	// +required
	TestedAt metav1.Time `json:"testedAt,omitempty,omitzero"`

	// result is the test's result.
	// +required
	Result DeploymentTestResult `json:"result,omitempty"`

	// reportReference is the reference of the joint report of the test.
	// +required
	ReportReference Reference `json:"reportReference,omitempty"`
}

// TestExtension lengthens the window of a test.
type TestExtension struct {
	// until is the instant at which the window closes instead.
	// +required
	Until metav1.Time `json:"until,omitempty,omitzero"`

	// reason tells why; it goes into the report.
	// +required
	Reason Reference `json:"reason,omitempty"`
}

// TestRun says between whom and when a test is run. The producer unit accepts the test and its time in its own
// ProducerUnit. Once the window has opened, startsAt and windowSeconds stay as they are.
//
// +kubebuilder:validation:XValidation:rule="self.registry == oldSelf.registry",message="registry is immutable: make another test"
// +kubebuilder:validation:XValidation:rule="self.producerUnit == oldSelf.producerUnit",message="producerUnit is immutable: make another test"
// +kubebuilder:validation:XValidation:rule="self.serviceTask == oldSelf.serviceTask",message="serviceTask is immutable: make another test"
type TestRun struct {
	// registry names the Registry, in this namespace, that the combination is wanted for. The test itself is run in a
	// registry of its own, with synthetic clients only.
	// +required
	Registry RegistryReference `json:"registry,omitempty,omitzero"`

	// producerUnit is the OID of the producer unit that takes part.
	// +required
	ProducerUnit OID `json:"producerUnit,omitempty"`

	// serviceTask is the service task that the test relationship is for.
	// +required
	ServiceTask ServiceTaskCode `json:"serviceTask,omitempty"`

	// startsAt is the instant at which the window opens, if both parties have accepted it.
	// +required
	StartsAt metav1.Time `json:"startsAt,omitempty,omitzero"`

	// windowSeconds is how long the window is open; 3600 when left out.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=86400
	WindowSeconds *int32 `json:"windowSeconds,omitempty"`

	// extension lengthens the window, which must still be open, if the unit accepts that too.
	// +optional
	Extension *TestExtension `json:"extension,omitempty"`
}

// TestSimulation says with what a program plays both parties.
type TestSimulation struct {
	// organizerCardSecretName names the Secret (kubernetes.io/tls), in this namespace, with the card of the organizer's professional.
	// +required
	OrganizerCardSecretName ObjectName `json:"organizerCardSecretName,omitempty"`

	// producerCardSecretName names the Secret (kubernetes.io/tls), in this namespace, with the card of the producer's professional.
	// +required
	ProducerCardSecretName ObjectName `json:"producerCardSecretName,omitempty"`
}

// TestCancellation calls a test off.
type TestCancellation struct {
	// reason tells why.
	// +required
	Reason Reference `json:"reason,omitempty"`
}

// TestReporting tells that Kela has the report of a test.
type TestReporting struct {
	// reportedAt is the instant at which the report was given to Kela.
	// +required
	ReportedAt metav1.Time `json:"reportedAt,omitempty,omitzero"`

	// reference is Kela's or the parties' reference of the report.
	// +required
	Reference Reference `json:"reference,omitempty"`
}

// DeploymentTestSpec describes the test of a combination of client systems.
//
// +kubebuilder:validation:XValidation:rule="self.systems == oldSelf.systems",message="systems is immutable: record another test"
// +kubebuilder:validation:XValidation:rule="self.mode == oldSelf.mode",message="mode is immutable: make another test"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Recorded' || has(self.recorded)",message="recorded is required when mode is Recorded"
// +kubebuilder:validation:XValidation:rule="self.mode == 'Recorded' || !has(self.recorded)",message="recorded is for mode Recorded only"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'Recorded') != has(self.run)",message="run is given exactly when mode is Observed or Simulated"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'Simulated') == has(self.simulation)",message="simulation is given exactly when mode is Simulated"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.cancellation) || has(self.cancellation)",message="a test that was called off stays so: make another test"
type DeploymentTestSpec struct {
	// systems is the combination of client systems.
	// +required
	Systems SystemCombination `json:"systems,omitempty,omitzero"`

	// mode tells how the test comes to its result.
	// +required
	Mode DeploymentTestMode `json:"mode,omitempty"`

	// recorded is what the organizer recorded of the test.
	// +optional
	Recorded *RecordedTest `json:"recorded,omitempty"`

	// run says between whom and when the test is run.
	// +optional
	Run *TestRun `json:"run,omitempty"`

	// simulation says with what a program plays both parties.
	// +optional
	Simulation *TestSimulation `json:"simulation,omitempty"`

	// cancellation calls the test off.
	// +optional
	Cancellation *TestCancellation `json:"cancellation,omitempty"`

	// reporting tells that Kela has the report.
	// +optional
	Reporting *TestReporting `json:"reporting,omitempty"`
}

// Reasons of DeploymentTest's Ready condition.
const (
	// TestPassedReason surfaces when the test passed and counts for its combination.
	TestPassedReason = "TestPassed"
	// TestFailedReason surfaces when the test failed.
	TestFailedReason = "TestFailed"
	// TestCanceledReason surfaces when the test was called off.
	TestCanceledReason = "TestCanceled"
	// TestInFutureReason surfaces when testedAt has not come yet.
	TestInFutureReason = "TestInFuture"
	// TestSystemUnknownReason surfaces when one of the systems is not known.
	TestSystemUnknownReason = "ClientSystemUnknown"
	// TestSystemDiffersReason surfaces when the registry or the unit uses another system than the one to be tested.
	TestSystemDiffersReason = "ClientSystemDiffers"
	// TestSystemUnfitReason surfaces when a system lacks what the test needs, or is not certified for all of the window.
	TestSystemUnfitReason = "ClientSystemUnfit"
	// TestRegistryUnfitReason surfaces when the registry is not there, not accepted, or a test registry itself.
	TestRegistryUnfitReason = "RegistryUnfit"
	// TestUnitUnfitReason surfaces when the unit is not known, not accepted, or not registered for the service task.
	TestUnitUnfitReason = "UnitUnfit"
	// TestOverlapReason surfaces when another test of the same registry and unit has the time.
	TestOverlapReason = "Overlap"
	// TestImageUnknownReason surfaces when the manager was not told with which image to simulate.
	TestImageUnknownReason = "ImageUnknown"
	// TestNotAcceptedReason surfaces when the unit has not accepted the time.
	TestNotAcceptedReason = "NotAcceptedByUnit"
	// TestWindowPastReason surfaces when the time has passed and the test has not been run.
	TestWindowPastReason = "WindowPast"
	// TestChildConflictReason surfaces when an object with the name of one that the test needs is not the test's.
	TestChildConflictReason = "ChildConflict"
	// TestScheduledReason surfaces when the time has been accepted and has not come.
	TestScheduledReason = "Scheduled"
	// TestOpenReason surfaces when the window is open.
	TestOpenReason = "Open"
	// TestClosingReason surfaces when credentials are being revoked and the test registry's data destroyed.
	TestClosingReason = "Closing"
	// TestDestructionUnprovenReason surfaces, as an event, when a test ends and no archive has told of the destruction of its data.
	TestDestructionUnprovenReason = "DestructionUnproven"
)

// DeploymentTestState tells how far a test has come.
//
// +kubebuilder:validation:Enum=Waiting;Scheduled;Open;Closing;Passed;Failed;Canceled
type DeploymentTestState string

const (
	// TestWaiting says that something is missing before the test can be scheduled.
	TestWaiting DeploymentTestState = "Waiting"
	// TestScheduled says that both parties have accepted the time, which has not come yet.
	TestScheduled DeploymentTestState = "Scheduled"
	// TestOpen says that the window is open.
	TestOpen DeploymentTestState = "Open"
	// TestClosing says that credentials are being revoked and the test registry's data destroyed.
	TestClosing DeploymentTestState = "Closing"
	// TestPassed says that all steps were seen.
	TestPassed DeploymentTestState = "Passed"
	// TestFailed says that the test has ended without that.
	TestFailed DeploymentTestState = "Failed"
	// TestCanceled says that the test was called off.
	TestCanceled DeploymentTestState = "Canceled"
)

// TestParty is one of the two parties of a test.
//
// +kubebuilder:validation:Enum=Organizer;Producer
type TestParty string

const (
	// PartyOrganizer is the organizer with its client system.
	PartyOrganizer TestParty = "Organizer"
	// PartyProducer is the producer with its client system.
	PartyProducer TestParty = "Producer"
)

// TestStepName names a step of a test.
//
// +kubebuilder:validation:Enum=RelationshipStored;ProducerSearched;ProducerRead;ProducerStored;OrganizerSearched;OrganizerRead;RelationshipEnded;ProducerRefused
type TestStepName string

// The steps of a test, in their order.
const (
	// StepRelationshipStored says that the organizer stored a relationship that names the unit, and a document for it to read.
	StepRelationshipStored TestStepName = "RelationshipStored"
	// StepProducerSearched says that the producer searched the client's documents.
	StepProducerSearched TestStepName = "ProducerSearched"
	// StepProducerRead says that the producer read a document that the organizer stored.
	StepProducerRead TestStepName = "ProducerRead"
	// StepProducerStored says that the producer stored a document.
	StepProducerStored TestStepName = "ProducerStored"
	// StepOrganizerSearched says that the organizer searched the client's documents after that.
	StepOrganizerSearched TestStepName = "OrganizerSearched"
	// StepOrganizerRead says that the organizer read the document that the producer stored.
	StepOrganizerRead TestStepName = "OrganizerRead"
	// StepRelationshipEnded says that the organizer ended the relationship.
	StepRelationshipEnded TestStepName = "RelationshipEnded"
	// StepProducerRefused says that the producer's next request was refused.
	StepProducerRefused TestStepName = "ProducerRefused"
)

// TestStepState tells how a step stands.
//
// +kubebuilder:validation:Enum=Pending;Seen;Failed
type TestStepState string

const (
	// StepPending says that the step has not been seen.
	StepPending TestStepState = "Pending"
	// StepSeen says that the archive saw the step.
	StepSeen TestStepState = "Seen"
	// StepFailed says that what was seen breaks the test.
	StepFailed TestStepState = "Failed"
)

// TestStep is one step of a test as it stands.
type TestStep struct {
	// name names the step.
	// +required
	Name TestStepName `json:"name,omitempty"`

	// party is who does the step.
	// +required
	Party TestParty `json:"party,omitempty"`

	// state tells how the step stands.
	// +required
	State TestStepState `json:"state,omitempty"`

	// seenAt is the instant at which the archive saw it.
	// +optional
	SeenAt *metav1.Time `json:"seenAt,omitempty"`

	// message tells who should do what, or what was wrong.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// event is the number of the observed event that the step rests on.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Event *int32 `json:"event,omitempty"`
}

// TestOperation is what a request in a test registry did.
//
// +kubebuilder:validation:Enum=StoreRelationship;EndRelationship;Store;Search;Read;Other
type TestOperation string

const (
	// OperationStoreRelationship stored a client relationship document that is in force.
	OperationStoreRelationship TestOperation = "StoreRelationship"
	// OperationEndRelationship stored a client relationship document that ends the relationship.
	OperationEndRelationship TestOperation = "EndRelationship"
	// OperationStore stored a client document.
	OperationStore TestOperation = "Store"
	// OperationSearch searched client documents.
	OperationSearch TestOperation = "Search"
	// OperationRead read a client document.
	OperationRead TestOperation = "Read"
	// OperationOther is any other request.
	OperationOther TestOperation = "Other"
)

// TestEvidence proves that an event is in the archive's access log. It tells nothing of the event itself.
type TestEvidence struct {
	// leafIndex is the number of the event's leaf in the log.
	// +required
	// +kubebuilder:validation:Minimum=0
	LeafIndex *int64 `json:"leafIndex,omitempty"`

	// leafHash is the leaf's hash in base64.
	// +required
	// +kubebuilder:validation:MinLength=44
	// +kubebuilder:validation:MaxLength=44
	LeafHash string `json:"leafHash,omitempty"`

	// proof is the inclusion proof under the observation's checkpoint: hashes in base64, from the leaf up.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=44
	// +kubebuilder:validation:items:MaxLength=44
	Proof []string `json:"proof,omitempty"`
}

// TestEvent is one request to the test registry as the archive saw it. It holds no personal data.
type TestEvent struct {
	// number counts the events of a test from 1.
	// +required
	// +kubebuilder:validation:Minimum=1
	Number int32 `json:"number,omitempty"`

	// at is the instant at which the archive decided.
	// +required
	At *metav1.MicroTime `json:"at,omitempty"`

	// party is whose certificate the request came with; empty for one that is not of this test.
	// +optional
	Party TestParty `json:"party,omitempty"`

	// certificate is the fingerprint of the client certificate.
	// +optional
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Certificate string `json:"certificate,omitempty"`

	// professional is a hash, with a salt of the test, of the card that the professional acted with: equal for equal cards.
	// +optional
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Professional string `json:"professional,omitempty"`

	// operation is what the request was for.
	// +required
	Operation TestOperation `json:"operation,omitempty"`

	// reason is empty where the request was allowed, and else the reason code of the refusal.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`

	// client is the opaque id of the client.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Client string `json:"client,omitempty"`

	// unit is the OID of the producer unit that a relationship names.
	// +optional
	Unit OID `json:"unit,omitempty"`

	// serviceTasks are the service tasks that a relationship is for.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	ServiceTasks []ServiceTaskCode `json:"serviceTasks,omitempty"`

	// document is the id of the document.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Document string `json:"document,omitempty"`

	// storedBy is the party that stored the document.
	// +optional
	StoredBy TestParty `json:"storedBy,omitempty"`

	// format is the format of the document.
	// +optional
	Format DocumentFormat `json:"format,omitempty"`

	// count is how many documents a search found.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Count *int32 `json:"count,omitempty"`

	// evidence proves that the event is in the access log.
	// +optional
	Evidence *TestEvidence `json:"evidence,omitempty"`
}

// TestObservation is what the archive saw in the test registry. The archive writes it; it is facts, not a judgement.
type TestObservation struct {
	// registryOID is the OID of the test registry that was observed.
	// +required
	RegistryOID OID `json:"registryOID,omitempty"`

	// through is the instant up to which everything was observed.
	// +required
	Through *metav1.MicroTime `json:"through,omitempty"`

	// events are requests in their order, at most 64. One that says what the same certificate said before is listed again
	// only if something was stored or ended in between, or for a reading if its party searched. At most 8 are of
	// certificates that are not of the test; from 40 on only the first of each kind is listed after each change.
	// +optional
	// +listType=map
	// +listMapKey=number
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Events []TestEvent `json:"events,omitempty"`

	// unlisted is how many requests are not listed: repeated ones, and those that there was no room for.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unlisted *int32 `json:"unlisted,omitempty"`

	// checkpoint is the signed checkpoint of the access log that the evidence is under.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	Checkpoint string `json:"checkpoint,omitempty"`

	// destruction tells of the destruction of the test registry's data.
	// +optional
	Destruction *TestDestruction `json:"destruction,omitempty"`
}

// TestDestruction tells of the destruction of the test registry's data.
type TestDestruction struct {
	// destroyedAt is the instant at which nothing was left.
	// +required
	DestroyedAt metav1.Time `json:"destroyedAt,omitempty,omitzero"`

	// documents is how many documents were destroyed.
	// +required
	// +kubebuilder:validation:Minimum=0
	Documents *int32 `json:"documents,omitempty"`

	// clients is how many clients were destroyed.
	// +required
	// +kubebuilder:validation:Minimum=0
	Clients *int32 `json:"clients,omitempty"`
}

// TestWindow tells of the window of a test.
type TestWindow struct {
	// opensAt is the instant at which it opens.
	// +required
	OpensAt metav1.Time `json:"opensAt,omitempty,omitzero"`

	// closesAt is the instant at which it closes.
	// +required
	ClosesAt metav1.Time `json:"closesAt,omitempty,omitzero"`

	// openedAt is the instant at which it opened. The test registry is there, and nobody has had a credential for it before.
	// +optional
	OpenedAt *metav1.Time `json:"openedAt,omitempty"`

	// closedAt is the instant at which it closed, by success or not. Nothing is observed after it.
	// +optional
	ClosedAt *metav1.Time `json:"closedAt,omitempty"`

	// extensions are the extensions that were taken into account, the newest last.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Extensions []TestExtension `json:"extensions,omitempty"`

	// message tells what took the test its ground before the window closed. Such a test does not pass.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// remindedFor is the instant at which the newest reminder that was told was due.
	// +optional
	RemindedFor *metav1.Time `json:"remindedFor,omitempty"`
}

// TestedSystem is a system as it was when it was tested.
type TestedSystem struct {
	// name is the name of the ClientSystem.
	// +required
	Name ObjectName `json:"name,omitempty"`

	// vendor is the maker of the system.
	// +required
	Vendor Reference `json:"vendor,omitempty"`

	// product is the product's name.
	// +required
	Product Reference `json:"product,omitempty"`

	// version is the version that was tested.
	// +required
	Version Reference `json:"version,omitempty"`

	// formats are the document formats that the system declared: the steps are judged by them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Formats []DocumentFormat `json:"formats,omitempty"`
}

// TestedSystems are the systems as they were when they were tested.
type TestedSystems struct {
	// organizer is the organizer's system.
	// +required
	Organizer TestedSystem `json:"organizer,omitempty,omitzero"`

	// producer is the producer's system.
	// +required
	Producer TestedSystem `json:"producer,omitempty,omitzero"`
}

// TestReport names the report of a test.
type TestReport struct {
	// configMapName is the name of the ConfigMap, in the test's namespace, that holds the report.
	// +required
	ConfigMapName ObjectName `json:"configMapName,omitempty"`

	// digest is the SHA-256 of the signed report in base64url without padding.
	// +required
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Digest string `json:"digest,omitempty"`

	// signedAt is the instant at which it was signed.
	// +required
	SignedAt metav1.Time `json:"signedAt,omitempty,omitzero"`
}

// DeploymentTestStatus is the test's result as it counts.
type DeploymentTestStatus struct {
	// observedGeneration is the generation that the status speaks of, -1 before the first.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions tell the state of the object in words.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// result is the result that counts for the combination of systems.
	// +optional
	Result DeploymentTestResult `json:"result,omitempty"`

	// state tells how far the test has come.
	// +optional
	State DeploymentTestState `json:"state,omitempty"`

	// passedAt is the instant at which the test passed.
	// +optional
	PassedAt *metav1.Time `json:"passedAt,omitempty"`

	// systems are the systems as they were when they were tested.
	// +optional
	Systems *TestedSystems `json:"systems,omitempty"`

	// registryOID is the OID of the test registry: 2.25 and the test's UID as a number (ITU-T X.667).
	// +optional
	RegistryOID OID `json:"registryOID,omitempty"`

	// archiveName is the name of the Archive that the test is run in, from the time when the window opened.
	// +optional
	ArchiveName ObjectName `json:"archiveName,omitempty"`

	// window tells of the window.
	// +optional
	Window *TestWindow `json:"window,omitempty"`

	// steps are the steps as they stand.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Steps []TestStep `json:"steps,omitempty"`

	// observation is what the archive saw; the archive writes it.
	// +optional
	Observation *TestObservation `json:"observation,omitempty"`

	// report names the report.
	// +optional
	Report *TestReport `json:"report,omitempty"`

	// reported tells that Kela has the report.
	// +optional
	Reported *TestReporting `json:"reported,omitempty"`
}

// DeploymentTest is the deployment test (käyttöönottokoe) of a combination of client systems. It counts for the registries in its namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=dtest,categories=valtuus
// +kubebuilder:printcolumn:name="Organizer System",type=string,JSONPath=`.spec.systems.organizer`
// +kubebuilder:printcolumn:name="Producer System",type=string,JSONPath=`.spec.systems.producer`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result`
// +kubebuilder:printcolumn:name="Opens",type=string,JSONPath=`.status.window.opensAt`,priority=1
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.window) || !has(oldSelf.status.window.openedAt) || !has(self.spec.run) || (self.spec.run.startsAt == oldSelf.spec.run.startsAt && (has(self.spec.run.windowSeconds) ? self.spec.run.windowSeconds : 3600) == (has(oldSelf.spec.run.windowSeconds) ? oldSelf.spec.run.windowSeconds : 3600))",message="startsAt and windowSeconds are immutable once the window has opened: extend it, or make another test"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.run) || size(self.metadata.name) <= 52",message="the name of a test that is run must have at most 52 characters: names of other objects are made of it"
type DeploymentTest struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec DeploymentTestSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status DeploymentTestStatus `json:"status,omitempty,omitzero"`
}

// DeploymentTestList is a list of DeploymentTests.
//
// +kubebuilder:object:root=true
type DeploymentTestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []DeploymentTest `json:"items"`
}
