// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"errors"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/strictjson"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// identityRequest names a client by one identifier. Bodies like it are the only place for one.
type identityRequest struct {
	IdentityCode string          `json:"identityCode"`
	Temporary    json.RawMessage `json:"temporary"`
}

// temporaryRequest is a temporary identifier in one of its forms.
type temporaryRequest struct {
	OID  string `json:"oid"`
	Code string `json:"code"`
}

// identityCodeRequest names a client by a code.
type identityCodeRequest struct {
	IdentityCode string `json:"identityCode"`
}

// identifier reads the identifier that the body names.
func (x *exchange) identifier() (identitycode.Identifier, *outcome) {
	var body identityRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return identitycode.Identifier{}, stopped
	}
	switch {
	case body.Temporary == nil:
		return x.code(body.IdentityCode)
	case body.IdentityCode != "":
		return identitycode.Identifier{}, ended(invalidField("temporary", "is given beside identityCode: a client is named by one of them"))
	default:
		return temporary(body.Temporary)
	}
}

// code checks a personal identity code.
func (x *exchange) code(text string) (identitycode.Identifier, *outcome) {
	if text == "" {
		return identitycode.Identifier{}, ended(invalidField("identityCode", "is missing"))
	}
	code, err := identitycode.Parse(text)
	if err != nil {
		return identitycode.Identifier{}, ended(failed(&problem.Problem{
			Source: problem.IdentityCodeInvalid, Field: "identityCode", Hint: identityHint(err),
		}))
	}
	if x.isTestRegistry() && !code.Test() {
		return identitycode.Identifier{}, ended(failed(&problem.Problem{
			Source: problem.IdentityCodeNotTest, Field: "identityCode",
		}))
	}
	return code.Identifier(), nil
}

// temporary checks a temporary identifier.
func temporary(raw json.RawMessage) (identitycode.Identifier, *outcome) {
	var body temporaryRequest
	var unknown *strictjson.UnknownFieldError
	switch err := strictjson.Object(raw, &body); {
	case errors.As(err, &unknown):
		return identitycode.Identifier{}, ended(failed(&problem.Problem{Source: problem.UnknownField, Field: quotable("temporary." + unknown.Name)}))
	case err != nil:
		return identitycode.Identifier{}, ended(invalidField("temporary", "must be an object with an oid or a code"))
	case (body.OID == "") == (body.Code == ""):
		return identitycode.Identifier{}, ended(invalidField("temporary", "must have either an oid or a code"))
	}
	identifier, err := identitycode.ParseTemporaryOID(body.OID)
	field, hint := "temporary.oid", "must be 1.2.246.10.<organization>.22.<year>.<number>, or with .10.<unit> before the .22"
	if body.OID == "" {
		identifier, err = identitycode.ParseTemporaryCode(body.Code)
		field, hint = "temporary.code", "must be DDMMYY, a century sign, R, two digits and a check character"
	}
	if err != nil {
		return identitycode.Identifier{}, ended(failed(&problem.Problem{Source: problem.TemporaryInvalid, Field: field, Hint: hint}))
	}
	return identifier, nil
}

// identityHint tells which part of a code does not hold, without the code.
func identityHint(err error) string {
	switch {
	case errors.Is(err, identitycode.ErrDate):
		return "there is no such date"
	case errors.Is(err, identitycode.ErrCheckCharacter):
		return "the check character does not fit"
	default:
		return "must be DDMMYY, a century sign, an individual number and a check character"
	}
}

func (x *exchange) isTestRegistry() (test bool) {
	x.server.opts.View.Read(func(view access.View) {
		registry, known := view.Registry(x.registry)
		test = known && registry.Purpose == access.PurposeTest
	})
	return test
}
