// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

// Errors that every engine gives. Compare with errors.Is.
var (
	// ErrNotFound: the registry has no such client or document.
	ErrNotFound = errors.New("not found")
	// ErrExists: the document id is taken by another document.
	ErrExists = errors.New("already exists")
	// ErrStale: another version than the expected one is the current one.
	ErrStale = errors.New("not the current version")
	// ErrAnnulled: the document has been annulled.
	ErrAnnulled = errors.New("annulled")
	// ErrMatterUnknown: the registry has no such matter.
	ErrMatterUnknown = errors.New("no such matter")
	// ErrMatterClosed: the matter is closed.
	ErrMatterClosed = errors.New("the matter is closed")
	// ErrClientOutsideMatter: the document's clients are not those of the matter.
	ErrClientOutsideMatter = errors.New("the clients are not those of the matter")
	// ErrTaskOutsideMatter: the document has a service task that the matter lacks.
	ErrTaskOutsideMatter = errors.New("a service task is outside the matter")
	// ErrIdentified: the client has a personal identity code already, and it is another one.
	ErrIdentified = errors.New("the client has another identity code")
	// ErrMergeNeeded: the identifier is another client's, of whom more is kept than that.
	ErrMergeNeeded = errors.New("the identifier belongs to another client")
	// ErrDestroyed: the document was destroyed when its retention time had ended.
	ErrDestroyed = errors.New("destroyed")
	// ErrKept: its retention time has not ended.
	ErrKept = errors.New("is to be kept")
	// ErrOver: the registry was that of a deployment test, which is over.
	ErrOver = errors.New("the deployment test of the registry is over")
	// ErrCursor: the cursor was forged, damaged, or made for another caller or query.
	ErrCursor = errors.New("cursor does not belong to this caller and query")
	// ErrUnavailable: the storage cannot do it now (full, I/O error, locked); nothing was
	// acknowledged, and the same call may succeed later.
	ErrUnavailable = errors.New("storage unavailable")
	// ErrCorrupt: stored bytes do not match their digest.
	ErrCorrupt = errors.New("stored bytes do not match their digest")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store closed")
	// ErrSchemaTooNew: the tables were changed by a newer program, and this one may write no more. Nothing was written.
	ErrSchemaTooNew = failure.New(failure.SchemaTooNew, "the data has a newer schema than this program may write to")
	// ErrSchemaTooOld: the tables have not been brought up to date for this program.
	ErrSchemaTooOld = failure.New(failure.SchemaTooOld, "the data has an older schema than this program needs")
)

// InvalidError names the field of a document, row or query that is outside its bounds. It never
// carries the value.
type InvalidError struct {
	// Field is the Go field name, Problem what is wrong with it in English.
	Field, Problem string
}

// Error names the field and the problem.
func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }

// Unavailable wraps an engine's failure so that errors.Is finds ErrUnavailable and the cause stays
// readable for the operator. The cause must hold no data of a person.
func Unavailable(doing string, cause error) error {
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, cause)
}
