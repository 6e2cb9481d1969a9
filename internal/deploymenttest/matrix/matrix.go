// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package matrix tells of each combination of client systems how far its deployment test has come, and how many grants wait
// for it. It is pure.
package matrix

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// State is how far a combination has come.
type State string

// The states, from the one that is furthest from opening anything.
const (
	// Missing: there is no test, or it was called off.
	Missing State = "missing"
	// Failed: the test failed.
	Failed State = "failed"
	// Scheduled: a test is planned, or its window is open.
	Scheduled State = "scheduled"
	// Tested: the test has passed.
	Tested State = "tested"
	// Reported: and Kela has its report.
	Reported State = "reported"
)

var ranks = []State{Missing, Failed, Scheduled, Tested, Reported}

// Row is one combination in one namespace of an organizer.
type Row struct {
	Namespace string `json:"namespace"`
	Organizer string `json:"organizer"`
	Producer  string `json:"producer"`
	State     State  `json:"state"`
	// Simulated tells that a program played both parties.
	Simulated bool `json:"simulated,omitempty"`
	// Test is the name of the DeploymentTest that the state is that of, OrganizerVersion and ProducerVersion what it tested.
	Test             string `json:"test,omitempty"`
	OrganizerVersion string `json:"organizerVersion,omitempty"`
	ProducerVersion  string `json:"producerVersion,omitempty"`
	// Blocked is how many grants wait for a test of the combination.
	Blocked int `json:"blocked"`
}

type key struct{ namespace, organizer, producer string }

// Build makes the rows, by namespace and systems.
func Build(tests []v1alpha1.DeploymentTest, grants []v1alpha1.RegistryAccessGrant) []Row {
	rows := map[key]*Row{}
	row := func(namespace, organizer, producer string) *Row {
		k := key{namespace, organizer, producer}
		if rows[k] == nil {
			rows[k] = &Row{Namespace: namespace, Organizer: organizer, Producer: producer, State: Missing}
		}
		return rows[k]
	}
	for i := range tests {
		t := &tests[i]
		r := row(t.Namespace, string(t.Spec.Systems.Organizer), string(t.Spec.Systems.Producer))
		r.take(t)
	}
	for i := range grants {
		if organizer, producer, waits := Waits(&grants[i]); waits {
			row(grants[i].Namespace, organizer, producer).Blocked++
		}
	}
	out := make([]Row, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Organizer, b.Organizer), strings.Compare(a.Producer, b.Producer))
	})
	return out
}

// take makes the row tell of the test, if that has come further than what it tells of.
func (r *Row) take(t *v1alpha1.DeploymentTest) {
	state, simulated := stateOf(t), t.Spec.Mode == v1alpha1.ModeSimulated
	further := cmp.Compare(slices.Index(ranks, state), slices.Index(ranks, r.State))
	if further == 0 && r.Simulated != simulated { // a test of the parties' own systems comes first
		further = map[bool]int{true: -1, false: 1}[simulated]
	}
	if further < 0 || further == 0 && r.Test != "" && r.Test <= t.Name || state == Missing {
		return
	}
	r.State, r.Simulated, r.Test = state, simulated, t.Name
	r.OrganizerVersion, r.ProducerVersion = "", ""
	if s := t.Status.Systems; s != nil {
		r.OrganizerVersion, r.ProducerVersion = string(s.Organizer.Version), string(s.Producer.Version)
	}
}

func stateOf(t *v1alpha1.DeploymentTest) State {
	switch s := &t.Status; {
	case s.Result == v1alpha1.ResultPassed && s.Reported != nil:
		return Reported
	case s.Result == v1alpha1.ResultPassed:
		return Tested
	case s.Result == v1alpha1.ResultFailed:
		return Failed
	case s.State == v1alpha1.TestCanceled:
		return Missing
	case s.State == v1alpha1.TestScheduled, s.State == v1alpha1.TestOpen, s.State == v1alpha1.TestClosing:
		return Scheduled
	default:
		return Missing
	}
}

// combination is how a grant names the systems that no test covers. The unit itself may be out of the reader's sight.
var combination = regexp.MustCompile(`organizer's ClientSystem (\S+) with the producer's ClientSystem (\S+)\.(?: |$)`)

// missing is the reason of a grant that waits for a test.
const missing = "DeploymentTestMissing"

// Waits tells whether a grant waits for a test, and of which systems.
func Waits(grant *v1alpha1.RegistryAccessGrant) (organizer, producer string, waits bool) {
	ready := meta.FindStatusCondition(grant.Status.Conditions, v1alpha1.ReadyCondition)
	if ready == nil || ready.Status == metav1.ConditionTrue || ready.Reason != missing {
		return "", "", false
	}
	m := combination.FindStringSubmatch(ready.Message)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}
