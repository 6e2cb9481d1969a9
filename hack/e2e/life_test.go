// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// life is one installation from its beginning to its end, and who and what takes part in it.
type life struct {
	*suite
	installed time.Time // when the installation began

	national, county *registry
	rotation         *rotation
}

// TestTheLifeOfAnInstallation follows docs/install.md from the first command to the last. Each step stands on those
// before it, so the first that fails is the last.
func TestTheLifeOfAnInstallation(t *testing.T) {
	l := &life{suite: shared}
	for _, one := range []struct {
		name string
		play func(*testing.T)
	}{
		{"it is installed as the page says, and a value of the wrong type is not", l.install},
		{"three people onboard with kubectl, each with one role", func(t *testing.T) { l.onboard(t, onboarding{database: "county", lifetime: lifetime}) }},
		{"the archives serve, on a volume and on a database", l.archivesServe},
		{"a client system in a pod gets its credential and does its work", l.firstGrant},
		{"so it does with the other archive", l.secondGrant},
		{"what is not one's role is refused", l.othersAreRefused},
		{"a credential begins to be renewed", l.beginRotation},
		{"a replica is killed under load", l.killReplicas},
		{"a new version is rolled out under load", l.rollOut},
		{"a node is drained", l.drain},
		{"the leading manager is killed while it issues and while it ends", l.killLeaders},
		{"the status says what is wrong, and that it is well again", l.failures},
		{"network policies separate what they should", l.networkPolicies},
		{"the pod has taken its new credential into use", l.endRotation},
		{"what pods take at rest", l.atRest},
		{"an archive is backed up and restored as the page says", l.backUpAndRestore},
		{"two client systems play a deployment test, and its report is verified", l.playDeploymentTest},
		{"a program plays a deployment test in a Job, and one that fails says why", l.simulate},
		{"an end takes effect and is confirmed", l.end},
		{"an uninstall ends every credential first", l.uninstall},
		{"what was there comes back after another install", l.comeBack},
		{"kubectl uninstalls what kustomize installed, and nothing is left", l.leaveNothing},
	} {
		step(t, one.name, one.play)
	}
}
