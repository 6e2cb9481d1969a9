// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"fmt"
	"strings"
	"time"
)

// deploymentTested asks for a test of the combination of systems that counts. A system with itself is a combination like
// any other. What a deployment test is run in needs none.
func deploymentTested(in *GrantInput) Result {
	if in.Registry.Trial != nil {
		return holds()
	}
	enforced := in.Registry.DeploymentTest != TestReport
	first := firstProof(in)
	if !first.IsZero() && !in.Now.Before(first) {
		if !enforced {
			return Result{Note: simulationNote(in)}
		}
		return Result{From: first, Note: simulationNote(in)}
	}
	message := fmt.Sprintf("No DeploymentTest that counts covers the organizer's ClientSystem %s with the producer's ClientSystem %s. %s",
		in.OrganizerSystem.Name, in.ProducerSystem.Name, whatToDo(in))
	if !enforced {
		return Result{Warning: message, WarnUntil: first}
	}
	return Result{Reason: ReasonDeploymentTestMissing, Message: message, Until: first}
}

// firstProof returns since when the combination of systems has a test that counts, be it in the future. Zero = it has none.
func firstProof(in *GrantInput) time.Time {
	var first time.Time
	for i := range in.Tests {
		if from, missing := counts(in, &in.Tests[i]); missing == "" {
			first = earliest(first, from)
		}
	}
	return first
}

// covers tells whether a test is of the two systems.
func covers(in *GrantInput, t *DeploymentTest) bool {
	return t.OrganizerSystem == in.OrganizerSystem.Name && t.ProducerSystem == in.ProducerSystem.Name
}

// counts tells from when a test counts for the registry, or what it lacks: a sentence, and "-" where there is nothing to tell.
func counts(in *GrantInput, t *DeploymentTest) (from time.Time, missing string) {
	r := in.Registry
	switch {
	case !covers(in, t) || t.PassedAt.IsZero():
		return time.Time{}, "-"
	case t.Simulated && r.SimulatedTests != SimulatedAccepted:
		return time.Time{}, fmt.Sprintf("DeploymentTest %s has passed, but it was a simulation: %s takes none for a test of the parties' own systems. "+
			"The organizer must see that an observed test is run.", t.Name, r.label())
	case !sameVersion(r.Retest, t.OrganizerVersion, in.OrganizerSystem.Version):
		return time.Time{}, retestMessage(r, t, in.OrganizerSystem, t.OrganizerVersion)
	case !sameVersion(r.Retest, t.ProducerVersion, in.ProducerSystem.Version):
		return time.Time{}, retestMessage(r, t, in.ProducerSystem, t.ProducerVersion)
	case r.TestProof == "" || r.TestProof == ProofTested:
		return t.PassedAt, ""
	case t.ReportedAt.IsZero():
		return time.Time{}, fmt.Sprintf("DeploymentTest %s%s has passed, but %s asks that Kela has its report. "+
			"The organizer and the producer must give the report to Kela, and the organizer must set spec.reporting of the test.", t.Name, simulated(t), r.label())
	}
	return latest(t.PassedAt, t.ReportedAt), ""
}

func retestMessage(r *Registry, t *DeploymentTest, system *ClientSystem, tested string) string {
	return fmt.Sprintf("DeploymentTest %s%s has passed with version %s of ClientSystem %s, which is now %s: %s asks for a new test (policy %s). "+
		"The organizer must see that it is run.", t.Name, simulated(t), orNone(tested), system.Name, orNone(system.Version), r.label(), r.Retest)
}

// sameVersion tells whether a test with one version of a system counts for another.
func sameVersion(policy Retest, tested, present string) bool {
	switch policy {
	case "", RetestNone:
		return true
	case RetestMajor:
		return tested != "" && major(tested) == major(present)
	default:
		return tested != "" && tested == present
	}
}

// major is what comes before the first dot of a version, without a leading v.
func major(version string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(version, "vV"), ".")
	return first
}

// simulationNote marks access that rests on simulations alone.
func simulationNote(in *GrantInput) string {
	name := ""
	for i := range in.Tests {
		t := &in.Tests[i]
		if _, missing := counts(in, t); missing != "" {
			continue
		}
		if !t.Simulated {
			return ""
		}
		if name == "" || t.Name < name {
			name = t.Name
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf("The combination of systems was tested by a simulation only, DeploymentTest %s: no party's own system took part.", name)
}

// whatToDo tells of the test that has come furthest, or that there is none.
func whatToDo(in *GrantInput) string {
	best, rank, name := "", 0, ""
	for i := range in.Tests {
		t := &in.Tests[i]
		text, r := standing(in, t)
		if r > rank || r == rank && r > 0 && t.Name < name {
			best, rank, name = text, r, t.Name
		}
	}
	if rank > 0 {
		return best
	}
	return fmt.Sprintf("The organizer must see that the test is run, and make a DeploymentTest of these two systems in the namespace of Registry %s.", in.Registry.Name)
}

// standing tells how a test of the combination that does not count stands; the higher the rank, the nearer it is to counting.
func standing(in *GrantInput, t *DeploymentTest) (text string, rank int) {
	if !covers(in, t) {
		return "", 0
	}
	switch _, missing := counts(in, t); {
	case missing == "":
		return "", 0 // it will count when its time comes, and nothing needs to be done
	case missing != "-":
		return missing, 3
	case t.Simulated && in.Registry.SimulatedTests != SimulatedAccepted:
		return "", 0 // whatever becomes of it, it does not count
	case !t.OpensAt.IsZero():
		return fmt.Sprintf("DeploymentTest %s%s is scheduled for %s, until %s: each party must then do its part.", t.Name, simulated(t), instant(t.OpensAt), instant(t.ClosesAt)), 2
	case t.Failed:
		return fmt.Sprintf("DeploymentTest %s%s has failed: its steps tell why. The organizer must see that another test is run when that is mended.", t.Name, simulated(t)), 1
	}
	return "", 0
}

func simulated(t *DeploymentTest) string {
	if t.Simulated {
		return " (a simulation)"
	}
	return ""
}
