// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// classify holds what the request says to the catalog in force on the day that the version was created.
func (x *exchange) classify(in *intake) *outcome {
	current := x.server.opts.Catalog()
	kind, known := current.Type(in.typeCode)
	if !known {
		return ended(failed(&problem.Problem{Source: problem.DocumentTypeUnknown, Parameter: "type"}))
	}
	in.kind = kind
	for _, task := range in.ServiceTasks {
		if !current.ServiceTask(task, in.Created) {
			return ended(failed(&problem.Problem{Source: problem.ServiceTaskUnknown, Parameter: "serviceTask"}))
		}
	}
	if reason := in.CorrectionReason; reason != "" && !current.CorrectionReason(reason, in.Created) {
		return ended(failed(&problem.Problem{Source: problem.ReasonUnknown, Parameter: "reason"}))
	}
	if stopped := in.takeOperation(); stopped != nil {
		return stopped
	}
	if stopped := in.checkFormats(); stopped != nil {
		return stopped
	}
	if stopped := in.checkOldData(); stopped != nil {
		return stopped
	}
	return in.takeSchema(in.Created)
}

// takeOperation makes the operation the type's own where storing it is more than storing a document.
func (in *intake) takeOperation() *outcome {
	name := in.kind.Operation()
	if name == "" {
		return nil
	}
	operation, known := operationNamed(name)
	if !known {
		return ended(failed(problem.Of(problem.InternalError)))
	}
	in.operation = operation
	return nil
}

func (in *intake) checkFormats() *outcome {
	refuse := func(hint string) *outcome {
		return ended(failed(&problem.Problem{Source: problem.FormatNotTaken, Hint: hint}))
	}
	for _, format := range in.formats {
		if !in.kind.Takes(format) {
			return refuse("the document type is not kept as " + format)
		}
	}
	if in.kind.IsRelationship() && !in.isJSON() {
		return refuse("a client relationship document needs " + store.ContentJSON)
	}
	return nil
}

// checkOldData keeps what old client data cannot be from being it.
func (in *intake) checkOldData() *outcome {
	if in.oldData && in.kind.IsRelationship() {
		return ended(invalidParameter("oldClientData", "does not go with a client relationship document"))
	}
	return nil
}

// checkClients holds a client relationship document to one client. In a shared matter it would be of several.
func (in *intake) checkClients() *outcome {
	if in.kind.IsRelationship() && len(in.clients) != 1 {
		return ended(invalidParameter("client", "must be one for a client relationship document, which does not go into a shared matter"))
	}
	return nil
}

func (in *intake) isJSON() bool { return slices.Contains(in.formats, store.ContentJSON) }

func (in *intake) takeSchema(created time.Time) *outcome {
	if !in.isJSON() {
		if in.SchemaVersion != "" {
			return ended(invalidParameter("schema", "goes with "+store.ContentJSON))
		}
		return nil
	}
	schema, err := in.kind.SchemaOn(in.SchemaVersion, created)
	switch {
	case errors.Is(err, catalog.ErrUnknownVersion):
		return ended(failed(&problem.Problem{Source: problem.SchemaUnknown, Parameter: "schema"}))
	case errors.Is(err, catalog.ErrNotInForce):
		return ended(failed(&problem.Problem{Source: problem.SchemaNotInForce, Parameter: "schema"}))
	case err != nil:
		return ended(failed(problem.Of(problem.InternalError)))
	}
	if in.schema = schema; schema != nil {
		in.SchemaVersion = schema.Version()
	}
	return nil
}
