// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"slices"
	"time"
)

// Action is what a controller does next.
type Action string

// The actions.
const (
	// None: nothing to do before Step.WakeAt.
	None Action = "None"
	// Make: make an authority in the Secret that Step.Spare names.
	Make Action = "Make"
	// Write: persist Step.State.
	Write Action = "Write"
	// Move: write what the spare Secret holds to the main one.
	Move Action = "Move"
	// Drop: delete the spare Secret, if it holds what the main one holds.
	Drop Action = "Drop"
	// Conflict: the Secret that Step.Spare names is another's. Write nothing but a condition.
	Conflict Action = "Conflict"
	// Lost: the Secret that Step.Spare names lacks an authority that is needed. A person must act.
	Lost Action = "Lost"
)

// What a replacement waits for.
const (
	WaitSecrets  = "the Secrets of all credentials to hold the new authority"
	WaitOwnKeys  = "the units with keys of their own to have their certificates renewed"
	WaitReplicas = "every replica of the archive to trust the new authority"
	WaitSettle   = "mounted Secrets to be updated"
	WaitServer   = "every replica of the archive to serve the certificate of the new authority"
	WaitLedgers  = "the credentials of the former authority to be renewed"
	WaitRetired  = "the former authority to be taken from all Secrets"
)

// What a person can do for an authority that is lost.
const (
	RemedyRotate = "restore it from a backup, or raise spec.authority.rotation to have another authority take its place"
	RemedyWait   = "restore it from a backup, or wait for the one that takes its place"
	RemedyDelete = "restore it from a backup, or delete it to have another authority made, by which every credential is issued anew"
)

// Step is what to do next.
type Step struct {
	Action Action
	// State is what to persist; of Write.
	State State
	// Spare tells which of the Secrets is meant: of Make, Conflict and Lost.
	Spare bool
	// Waits tells what a replacement waits for; of None and Lost.
	Waits string
	// Remedy tells what a person can do; of Lost.
	Remedy string
	// WakeAt is when to ask again; of None and Lost. Zero = never.
	WakeAt time.Time
}

// Next decides the single next step.
func Next(s State, o Observed, now time.Time) Step {
	issuing := s.certificate(s.Issuing)
	switch {
	case s.Stage == "":
		return first(o, now)
	case s.Stage == Publishing:
		return publish(s, o, now)
	case issuing.expired(now):
		return begin(s, o, now)
	case !o.Main.holds(s.Issuing) && !o.Spare.holds(s.Issuing):
		if o.Asked > s.Rotation {
			return begin(s, o, now)
		}
		return Step{Action: Lost, Remedy: RemedyRotate, Spare: s.Stage == Replacing, WakeAt: issuing.NotAfter}
	case s.Stage == Replacing:
		return replace(s, o, now)
	case s.Stage == Retiring:
		return retire(s, o, now)
	case o.Asked > s.Rotation || !now.Before(issuing.DueAt()):
		return begin(s, o, now)
	default:
		return Step{Action: None, WakeAt: issuing.DueAt()}
	}
}

// first makes the first authority, or takes up one that was made before a crash.
func first(o Observed, now time.Time) Step {
	switch {
	case o.Main.Foreign:
		return Step{Action: Conflict}
	case !o.Main.Present:
		return Step{Action: Make}
	case o.Main.Holds.Fingerprint == "":
		return Step{Action: Lost, Remedy: RemedyDelete} // nothing is on record that another could take the place of
	}
	return Step{Action: Write, State: State{
		Stage: Stable, Rotation: o.Asked, Issuing: o.Main.Holds.Fingerprint, Bundle: []Certificate{o.Main.Holds}, Since: now,
	}}
}

// begin begins a replacement by a new authority in the spare Secret.
func begin(s State, o Observed, now time.Time) Step {
	known := func(c Certificate) bool { return s.certificate(c.Fingerprint) != Certificate{} }
	switch next := o.Spare.Holds; {
	case o.Main.Foreign:
		return Step{Action: Conflict}
	case o.Spare.Foreign:
		return Step{Action: Conflict, Spare: true}
	// Restored where the next one goes.
	case o.Spare.holds(s.Issuing) && !o.Main.holds(s.Issuing) && !s.certificate(s.Issuing).expired(now):
		return Step{Action: Move}
	// One that is there and not known was made before a crash.
	case !o.Spare.Present, next.Fingerprint == "", known(next), !now.Before(next.DueAt()):
		return Step{Action: Make, Spare: true}
	default:
		expired := s.certificate(s.Issuing).expired(now)
		s.Bundle = append(unexpired(s.Bundle, now), next)
		s.Stage, s.Next, s.Rotation = Publishing, next.Fingerprint, max(o.Asked, s.Rotation)
		s.Since, s.PublishedAt = now, time.Time{}
		if expired { // there is nobody to wait for
			return promote(s, now)
		}
		return Step{Action: Write, State: s}
	}
}

// publish waits until everybody knows the authority that is to issue next.
func publish(s State, o Observed, now time.Time) Step {
	if !o.Spare.holds(s.Next) || s.certificate(s.Next).expired(now) {
		if o.Asked <= s.Rotation && !s.certificate(s.Next).expired(now) {
			return Step{Action: Lost, Remedy: RemedyRotate, Spare: true, WakeAt: s.certificate(s.Next).NotAfter}
		}
		// It has issued nothing.
		s.Bundle = slices.DeleteFunc(slices.Clone(s.Bundle), func(c Certificate) bool { return c.Fingerprint == s.Next })
		return begin(s, o, now)
	}
	lost := !o.Main.holds(s.Issuing) && !s.certificate(s.Issuing).expired(now)
	waiting := Step{Action: None, WakeAt: now.Add(Poll)}
	if lost {
		waiting.Action, waiting.Remedy = Lost, RemedyWait
	}
	switch {
	case s.certificate(s.Issuing).expired(now):
		return promote(s, now)
	case !o.SecretsCarry:
		waiting.Waits = WaitSecrets
	case !o.OwnKeysKnow && !lost: // without its key nothing is renewed
		waiting.Waits = WaitOwnKeys
	case !o.ReplicasTrust && !(lost && o.ServerGone): // nor is the Secret made by which they would learn of it
		waiting.Waits = WaitReplicas
	case s.PublishedAt.IsZero(), s.PublishedAt.After(now):
		s.PublishedAt = now
		return Step{Action: Write, State: s}
	case now.Before(s.PublishedAt.Add(o.Settle)):
		waiting.Waits, waiting.WakeAt = WaitSettle, s.PublishedAt.Add(o.Settle)
		return waiting
	default:
		return promote(s, now)
	}
	if !s.PublishedAt.IsZero() {
		s.PublishedAt = time.Time{}
		return Step{Action: Write, State: s}
	}
	return waiting
}

// promote lets the next authority issue.
func promote(s State, now time.Time) Step {
	s.Stage, s.Issuing, s.Next, s.Since, s.PublishedAt = Replacing, s.Next, "", now, time.Time{}
	s.Bundle = unexpired(s.Bundle, now)
	return Step{Action: Write, State: s}
}

// replace waits until nothing of the former authorities is in use.
func replace(s State, o Observed, now time.Time) Step {
	switch {
	case !o.Served:
		return Step{Action: None, Waits: WaitServer, WakeAt: now.Add(Poll)}
	case o.FormerInUse:
		return Step{Action: None, Waits: WaitLedgers, WakeAt: now.Add(Poll)}
	}
	s.Stage, s.Since, s.Bundle = Retiring, now, []Certificate{s.certificate(s.Issuing)}
	return Step{Action: Write, State: s}
}

// retire waits until the former authorities are trusted nowhere, and takes their key away.
func retire(s State, o Observed, now time.Time) Step {
	switch {
	case !o.SecretsCarry:
		return Step{Action: None, Waits: WaitRetired, WakeAt: now.Add(Poll)}
	case o.Main.Foreign:
		return Step{Action: Conflict}
	case !o.Main.holds(s.Issuing):
		return Step{Action: Move}
	case o.Spare.holds(s.Issuing):
		return Step{Action: Drop}
	}
	s.Stage, s.Since = Stable, now
	return Step{Action: Write, State: s}
}

func unexpired(bundle []Certificate, now time.Time) []Certificate {
	return slices.DeleteFunc(slices.Clone(bundle), func(c Certificate) bool { return c.expired(now) })
}
