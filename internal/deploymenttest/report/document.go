// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Format names the form of a report.
const Format = "valtuus.io/deployment-test-report/v1"

// Text is a text in each language.
type Text struct {
	Fi string `json:"fi"`
	Sv string `json:"sv"`
	En string `json:"en"`
}

// Document is a report.
type Document struct {
	Format string `json:"format"`
	Title  Text   `json:"title"`
	// Simulated tells that a program played both parties; Notice says so in words.
	Simulated bool  `json:"simulated"`
	Notice    *Text `json:"notice,omitempty"`
	// Result is the result, ResultText the same in words.
	Result     v1alpha1.DeploymentTestResult `json:"result"`
	ResultText Text                          `json:"resultText"`
	// Message tells what took the test its ground before its window closed, in English.
	Message string `json:"message,omitempty"`

	Test    Test                    `json:"test"`
	Parties Parties                 `json:"parties"`
	Systems *v1alpha1.TestedSystems `json:"systems"`
	Times   Times                   `json:"times"`
	Steps   []Step                  `json:"steps"`
	// Observation is what the archive saw, with what proves it.
	Observation *v1alpha1.TestObservation `json:"observation"`
}

// Test says which test it was.
type Test struct {
	Namespace string                      `json:"namespace"`
	Name      string                      `json:"name"`
	UID       string                      `json:"uid"`
	Mode      v1alpha1.DeploymentTestMode `json:"mode"`
	// Registry is the OID of the registry that the combination is wanted for, ServiceTask the code of the service task.
	Registry    v1alpha1.OID             `json:"registry"`
	ServiceTask v1alpha1.ServiceTaskCode `json:"serviceTask"`
}

// Parties are who tested.
type Parties struct {
	Organizer Party `json:"organizer"`
	Producer  Party `json:"producer"`
	// Unit is the OID of the producer unit.
	Unit v1alpha1.OID `json:"unit"`
}

// Party is one of them.
type Party struct {
	OID  v1alpha1.OID           `json:"oid"`
	Name v1alpha1.LocalizedName `json:"name"`
}

// Times are when it was.
type Times struct {
	// StartsAt is the agreed time.
	StartsAt metav1.Time  `json:"startsAt"`
	OpenedAt *metav1.Time `json:"openedAt,omitempty"`
	ClosedAt *metav1.Time `json:"closedAt,omitempty"`
	PassedAt *metav1.Time `json:"passedAt,omitempty"`
	// Extensions are how the window was lengthened, and why.
	Extensions []v1alpha1.TestExtension `json:"extensions,omitempty"`
	// SignedAt is when the report was signed.
	SignedAt metav1.Time `json:"signedAt"`
}

// Step is one step.
type Step struct {
	Name  v1alpha1.TestStepName  `json:"name"`
	Title Text                   `json:"title"`
	Party v1alpha1.TestParty     `json:"party"`
	State v1alpha1.TestStepState `json:"state"`
	// SeenAt is when it was seen, Event the number of the event in the observation that it rests on.
	SeenAt  *metav1.Time `json:"seenAt,omitempty"`
	Event   *int32       `json:"event,omitempty"`
	Message string       `json:"message,omitempty"`
}

// Input is what a report is made of.
type Input struct {
	// Test is the DeploymentTest, Registry the one that the combination is wanted for.
	Test     *v1alpha1.DeploymentTest
	Registry *v1alpha1.Registry
	// Organizer and Producer are the parties.
	Organizer, Producer *v1alpha1.Organization
	SignedAt            time.Time
}

// Compose makes the report.
func Compose(in Input) Document {
	test, status := in.Test, &in.Test.Status
	d := Document{
		Format: Format, Title: title, Simulated: test.Spec.Mode == v1alpha1.ModeSimulated, Result: status.Result,
		ResultText: results[status.Result],
		Test: Test{
			Namespace: test.Namespace, Name: test.Name, UID: string(test.UID), Mode: test.Spec.Mode, Registry: in.Registry.Spec.OID,
		},
		Parties:     Parties{Organizer: partyOf(in.Organizer), Producer: partyOf(in.Producer)},
		Systems:     status.Systems.DeepCopy(),
		Times:       Times{PassedAt: utc(status.PassedAt), SignedAt: metav1.NewTime(in.SignedAt.UTC().Truncate(time.Second))},
		Steps:       []Step{},
		Observation: status.Observation.DeepCopy(),
	}
	if d.Simulated {
		notice := simulated
		d.Notice = &notice
	}
	if run := test.Spec.Run; run != nil {
		d.Test.ServiceTask, d.Parties.Unit = run.ServiceTask, run.ProducerUnit
	}
	if w := status.Window; w != nil { // the spec may say anything by now
		d.Message, d.Times.StartsAt = w.Message, *utc(&w.OpensAt)
		d.Times.OpenedAt, d.Times.ClosedAt = utc(w.OpenedAt), utc(w.ClosedAt)
		for _, e := range w.Extensions {
			d.Times.Extensions = append(d.Times.Extensions, v1alpha1.TestExtension{Until: *utc(&e.Until), Reason: e.Reason})
		}
	}
	for _, s := range status.Steps {
		d.Steps = append(d.Steps, Step{
			Name: s.Name, Title: stepTitles[s.Name], Party: s.Party, State: s.State, SeenAt: utc(s.SeenAt), Event: s.Event, Message: s.Message,
		})
	}
	if d.Observation != nil { // times in one form
		for i := range d.Observation.Events {
			at := metav1.NewMicroTime(d.Observation.Events[i].At.UTC())
			d.Observation.Events[i].At = &at
		}
		through := metav1.NewMicroTime(d.Observation.Through.UTC())
		d.Observation.Through = &through
	}
	return d
}

func partyOf(o *v1alpha1.Organization) Party {
	if o == nil {
		return Party{}
	}
	return Party{OID: o.Spec.OID, Name: o.Spec.DisplayName}
}

func utc(t *metav1.Time) *metav1.Time {
	if t == nil {
		return nil
	}
	in := metav1.NewTime(t.UTC())
	return &in
}

// encode gives the one form of a document.
func (d *Document) encode() ([]byte, error) { return json.Marshal(d) }
