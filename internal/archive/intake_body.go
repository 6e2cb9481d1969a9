// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// takeBody reads the body and holds it to its format, its schema and, for a client relationship document, to
// what can be understood of it.
func (x *exchange) takeBody(in *intake) *outcome {
	body, stopped := x.body(MaxDocument)
	if stopped != nil {
		return stopped
	}
	if !digestsHold(x.request.Header, body) {
		return ended(failed(problem.Of(problem.DigestMismatch)))
	}
	if stopped := in.split(body); stopped != nil {
		return stopped
	}
	for _, part := range in.Representations {
		if err := in.check(part); err != nil {
			return ended(failed(invalidDocument(err)))
		}
	}
	if stopped := x.takeSignatures(in); stopped != nil {
		return stopped
	}
	return x.takeRelationship(in)
}

func (in *intake) split(body []byte) *outcome {
	if in.boundary == "" {
		in.Representations = []store.Representation{{ContentType: in.formats[0], Body: body}}
		return nil
	}
	parts, err := splitRelated(body, in.boundary)
	if err != nil {
		return ended(failed(&problem.Problem{Source: problem.MultipartMalformed, Hint: err.Error()}))
	}
	in.Representations = parts
	return nil
}

func (in *intake) check(part store.Representation) error {
	switch {
	case part.ContentType == store.ContentXHTML:
		return wellformed.XHTML(part.Body)
	case in.schema != nil:
		return in.schema.Validate(part.Body) // which checks that it is well-formed
	default:
		return wellformed.JSON(part.Body)
	}
}

// invalidDocument tells what is wrong with a document, without anything of it.
func invalidDocument(err error) *problem.Problem {
	var broken *catalog.InvalidError
	if !errors.As(err, &broken) {
		return &problem.Problem{Source: problem.DocumentMalformed, Hint: err.Error()}
	}
	p := problem.Of(problem.DocumentInvalid)
	for _, v := range broken.Violations {
		p.Violations = append(p.Violations, problem.Violation{Pointer: v.Pointer, Rule: v.Rule, Detail: v.Hint})
	}
	return p
}
