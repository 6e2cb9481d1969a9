// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

const (
	// defaultWindow is how long a window is open where nothing is said.
	defaultWindow = time.Hour
	// longestWindow bounds a window with its extensions: an archive may be down over a weekend, no longer.
	longestWindow = 7 * 24 * time.Hour
	// mostExtensions is how many the status keeps.
	mostExtensions = 16
)

// Proposed is the window that the organizer proposes.
func Proposed(run *v1alpha1.TestRun) v1alpha1.TestWindow {
	length := defaultWindow
	if run.WindowSeconds != nil {
		length = time.Duration(*run.WindowSeconds) * time.Second
	}
	return v1alpha1.TestWindow{OpensAt: run.StartsAt, ClosesAt: metav1.NewTime(run.StartsAt.Add(length))}
}

// Replan returns the window of a test that has not opened. What was told of another time is forgotten.
func Replan(present *v1alpha1.TestWindow, run *v1alpha1.TestRun) *v1alpha1.TestWindow {
	window := Proposed(run)
	if present != nil && present.OpensAt.Equal(&window.OpensAt) {
		window.RemindedFor = present.RemindedFor
	}
	return &window
}

// Extend lengthens an open window as the organizer asks. Where it does not, the words tell why; they are empty where
// nothing is asked or the extension has been taken into account. Accepted tells that the unit accepts it; certifiedUntil is
// when the first of the two systems' certificates ends.
func Extend(window *v1alpha1.TestWindow, asked *v1alpha1.TestExtension, accepted bool, certifiedUntil, now time.Time) (out *v1alpha1.TestWindow, message string) {
	if asked == nil {
		return window, ""
	}
	if n := len(window.Extensions); n > 0 && window.Extensions[n-1].Until.Equal(&asked.Until) && window.Extensions[n-1].Reason == asked.Reason {
		return window, ""
	}
	refuse := func(format string, args ...any) (*v1alpha1.TestWindow, string) {
		return window, fmt.Sprintf("The extension until %s is not taken into account: ", instant(asked.Until.Time)) + fmt.Sprintf(format, args...)
	}
	switch {
	case window.ClosedAt != nil || !now.Before(window.ClosesAt.Time):
		return refuse("the window had closed. The organizer must make another test.")
	case !asked.Until.After(window.ClosesAt.Time):
		return refuse("the window closes at %s, which is not earlier.", instant(window.ClosesAt.Time))
	case asked.Until.After(window.OpensAt.Add(longestWindow)):
		return refuse("a window is open for at most seven days. The organizer must choose an earlier end, or make another test.")
	case !certifiedUntil.IsZero() && asked.Until.After(certifiedUntil):
		return refuse("the certificate of one of the systems ends at %s.", instant(certifiedUntil))
	case len(window.Extensions) == mostExtensions:
		return refuse("it would be the %dth.", mostExtensions+1)
	case !accepted:
		return refuse("the unit has not accepted it. The producer must set closesAt %s in spec.acceptTests of its ProducerUnit.", instant(asked.Until.Time))
	}
	out = window.DeepCopy()
	out.ClosesAt, out.Extensions = asked.Until, append(out.Extensions, *asked)
	return out, ""
}

// Asked is when a test's window closes, or is to close by what the organizer asks for: what its unit is to accept.
func Asked(test *v1alpha1.DeploymentTest) metav1.Time {
	window, asked := test.Status.Window, test.Spec.Run.Extension
	if asked != nil && window.OpenedAt != nil && window.ClosedAt == nil && asked.Until.After(window.ClosesAt.Time) {
		return asked.Until
	}
	return window.ClosesAt
}

// remindBefore is how long before the window opens its parties are reminded, the longest first.
var remindBefore = []time.Duration{24 * time.Hour, time.Hour}

// Reminder returns the instant at which the newest reminder that is due was due, unless it has been told. Of several that
// are due at once only the last is worth telling.
func Reminder(window *v1alpha1.TestWindow, now time.Time) (due time.Time, ok bool) {
	if !now.Before(window.OpensAt.Time) {
		return time.Time{}, false
	}
	for _, before := range remindBefore {
		if at := window.OpensAt.Add(-before); !at.After(now) && (window.RemindedFor == nil || at.After(window.RemindedFor.Time)) {
			due, ok = at, true
		}
	}
	return due, ok
}

// Instants are the instants at which time alone changes something in the window.
func Instants(window *v1alpha1.TestWindow) []time.Time {
	out := []time.Time{window.OpensAt.Time, window.ClosesAt.Time}
	for _, before := range remindBefore {
		out = append(out, window.OpensAt.Add(-before))
	}
	return out
}

// Closed returns the window as it is from its end on.
func Closed(window *v1alpha1.TestWindow, now time.Time) *v1alpha1.TestWindow {
	out := window.DeepCopy()
	out.ClosedAt = ptr.To(metav1.NewTime(now))
	return out
}

// overlap tells whether two windows have an instant in common.
func overlap(a, b *v1alpha1.TestWindow) bool {
	return a.OpensAt.Before(&b.ClosesAt) && b.OpensAt.Before(&a.ClosesAt)
}

// instant writes an instant for a message.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
