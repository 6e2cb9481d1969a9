// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// identityRequest is the body of both client operations: the only place for an identity code.
type identityRequest struct {
	IdentityCode string `json:"identityCode"`
}

// clientAnswer is what is told of a client: the random id, nothing else.
type clientAnswer struct {
	ID uuid.UUID `json:"id"`
}

// registerClient gives the client with the identity code an id in the registry, or tells the one it has.
func (x *exchange) registerClient() outcome {
	hash, stopped := x.identityHash()
	if stopped != nil {
		return *stopped
	}
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	id, created, err := x.server.opts.Store.RegisterClient(ctx, x.registry, hash, x.row.Time, x.row)
	if err != nil {
		return x.storeFailed(err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	out := allowed(jsonAnswer(status, clientAnswer{ID: id}))
	out.logged = true
	return out
}

// findClient tells the id of the client with the identity code. To a producer unit an unknown client is
// the same as one without a relationship in the unit: whether a person is a client is client data.
func (x *exchange) findClient() outcome {
	hash, stopped := x.identityHash()
	if stopped != nil {
		return *stopped
	}
	id, found, err := x.server.opts.Store.FindClient(x.context(), x.registry, hash)
	if err != nil {
		return x.storeFailed(err)
	}
	x.about(id)
	if d := x.decide(question{Request: access.Request{Client: access.ClientID(id)}}); !d.Allowed {
		return refusedBy(d)
	}
	if !found {
		return failed(problem.Of(problem.ClientUnknown))
	}
	return allowed(jsonAnswer(http.StatusOK, clientAnswer{ID: id}))
}

// identityHash reads the identity code and gives its hash. The code goes no further.
func (x *exchange) identityHash() (store.IdentityHash, *outcome) {
	var body identityRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return store.IdentityHash{}, stopped
	}
	if body.IdentityCode == "" {
		return store.IdentityHash{}, ended(invalidField("identityCode", "is missing"))
	}
	code, err := identitycode.Parse(body.IdentityCode)
	if err != nil {
		return store.IdentityHash{}, ended(failed(&problem.Problem{
			Source: problem.IdentityCodeInvalid, Field: "identityCode", Hint: identityHint(err),
		}))
	}
	if x.isTestRegistry() && !code.Test() {
		return store.IdentityHash{}, ended(failed(&problem.Problem{
			Source: problem.IdentityCodeNotTest, Field: "identityCode",
		}))
	}
	return x.server.hash(code), nil
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
