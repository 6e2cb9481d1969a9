// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"strconv"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// objectRef gives a reference as the use log keeps it; empty for a zero one.
func objectRef(r access.Ref) store.ObjectRef {
	if r.IsZero() {
		return store.ObjectRef{}
	}
	return store.ObjectRef{UID: uuid.UUID(r.UID).String(), Revision: strconv.FormatUint(r.Revision, 10)}
}

// documentFacts gives what the decision has to know about a stored document, as one of its clients' documents.
func documentFacts(f store.Facts, client uuid.UUID) *access.DocumentFacts {
	return &access.DocumentFacts{
		Registry: f.Registry, Client: access.ClientID(client),
		ServiceTasks: f.ServiceTasks, AuthorUnit: f.Author.Unit, Old: f.OldData,
	}
}
