// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"strings"
	"time"

	"github.com/valtuus/valtuus/internal/oid"
)

// TestRegistryArc begins the OID of every test registry: that of a UUID (ITU-T X.667). An ordinary registry may have
// such an OID too; only one that has been opened as a test registry is one.
const TestRegistryArc = "2.25."

// TestRegistry is the registry of one deployment test, with synthetic clients only. Its data is destroyed when the
// test is over; that it has been there is remembered for good, so that nothing is taken into it again.
type TestRegistry struct {
	// OID is the registry's.
	OID string
	// TestUID, Namespace and Name are the DeploymentTest's.
	TestUID, Namespace, Name string
	// Salt is that of the hashes by which observers tell the test's professionals apart.
	Salt [32]byte
	// Opened is when it was opened, Closed when it was closed; zero while it is open.
	Opened, Closed time.Time
	// Observed is when all had been told that was seen in it: only then is anything destroyed. Zero until then.
	Observed time.Time
	// Destroyed is when nothing of it was left; zero until then. Documents and Clients are how many have been destroyed.
	Destroyed          time.Time
	Documents, Clients int
}

// Validate gives *InvalidError for the first field outside its bounds.
func (r *TestRegistry) Validate() error {
	if !strings.HasPrefix(r.OID, TestRegistryArc) || !oid.Valid(r.OID) {
		return &InvalidError{"OID", "is not that of a test registry"}
	}
	return firstError(
		checkCode("TestUID", r.TestUID, false), checkCode("Namespace", r.Namespace, false), checkCode("Name", r.Name, false),
		checkTime("Opened", r.Opened),
	)
}

// TestRegistryStore keeps which registries are those of deployment tests, and destroys what is in them.
type TestRegistryStore interface {
	// TestRegistries gives all of them, those that are destroyed included, by their OIDs.
	TestRegistries(ctx context.Context) ([]TestRegistry, error)

	// OpenTestRegistry makes a registry a test registry, unless it is one, and gives what is kept of it. ErrExists if the
	// registry was written to before the instant, at which the test did not exist yet: it is something else then.
	OpenTestRegistry(ctx context.Context, registry TestRegistry, since time.Time) (TestRegistry, error)

	// CloseTestRegistry sees to it that nothing is written to the registry any more, by whichever replica: ErrOver. What
	// is closed stays as it is. ErrNotFound if it is no test registry.
	CloseTestRegistry(ctx context.Context, registry string, at time.Time) error

	// NoteObserved notes that all has been told that was seen in a closed registry. ErrNotFound if it is no closed test
	// registry.
	NoteObserved(ctx context.Context, registry string, at time.Time) error

	// DestroyTestRegistry destroys up to limit documents of an observed test registry, or once there is none up to limit
	// clients, or once there is none all the rest, in one transaction with a record and a log row for each; the row is
	// completed as in Destroy. Nothing is left once Destroyed is set. ErrNotFound if it is no observed test registry.
	DestroyTestRegistry(ctx context.Context, registry string, limit int, at time.Time, row LogRow) (TestRegistry, error)
}

// TestOver is why what is in a test registry is destroyed: the test was over on the day.
func TestOver(on time.Time) Due {
	day := on.UTC().Format(time.DateOnly)
	return Due{Rule: "deployment-test", CountedFrom: "testOver", StartedOn: day, DueOn: day}
}
