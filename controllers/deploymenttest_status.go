// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

func (r *DeploymentTestReconciler) updateStatus(test *v1alpha1.DeploymentTest, unknownSystem string, now time.Time) {
	set := conditions.For(test, now)
	test.Status.Result = ""
	switch recorded := test.Spec.Recorded; {
	case unknownSystem != "":
		set.Waiting(v1alpha1.TestSystemUnknownReason, "There is no ClientSystem named "+unknownSystem+": the platform must record it.")
	case recorded.TestedAt.After(now):
		set.Waiting(v1alpha1.TestInFutureReason, "The recorded time of the test has not come yet.")
	case recorded.Result == v1alpha1.ResultFailed:
		test.Status.Result = v1alpha1.ResultFailed
		set.Ready(v1alpha1.TestFailedReason, "The test failed: it opens nothing. Record another test when the systems work together.")
	default:
		test.Status.Result = v1alpha1.ResultPassed
		set.Ready(v1alpha1.TestPassedReason, "The combination of systems has been tested, report "+string(recorded.ReportReference)+".")
	}
}
