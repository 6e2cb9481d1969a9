// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// clientAnswer is what registering or finding a client tells: the random id, nothing else.
type clientAnswer struct {
	ID uuid.UUID `json:"id"`
}

// registerClient gives the client with the identifier an id in the registry, or tells the one it has.
func (x *exchange) registerClient() outcome {
	identifier, stopped := x.identifier()
	if stopped != nil {
		return *stopped
	}
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	id, created, err := x.server.opts.Store.RegisterClient(ctx, x.registry, x.registration(identifier), x.row.Time, x.row)
	if err != nil {
		return x.storeFailed(err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return done(jsonAnswer(status, clientAnswer{ID: id}))
}

// findClient tells the id of the client with the identifier. To a producer unit an unknown client is
// the same as one without a relationship in the unit: whether a person is a client is client data.
func (x *exchange) findClient() outcome {
	identifier, stopped := x.identifier()
	if stopped != nil {
		return *stopped
	}
	id, found, err := x.server.opts.Store.FindClient(x.context(), x.registry, x.server.hash(identifier))
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

// clientDetails are all that the organizer is told of a client.
type clientDetails struct {
	ID            uuid.UUID          `json:"id"`
	Identifiers   []identifierAnswer `json:"identifiers"`
	NonDisclosure bool               `json:"nonDisclosure"`
	BornOn        string             `json:"bornOn,omitempty"`
	DiedOn        string             `json:"diedOn,omitempty"`
}

type identifierAnswer struct {
	Kind     string     `json:"kind"`
	Value    string     `json:"value,omitempty"`
	Since    time.Time  `json:"since"`
	Replaced *time.Time `json:"replaced,omitempty"`
}

// readClient tells the organizer a client's identifiers and basic data.
func (x *exchange) readClient() outcome {
	id, stopped := x.addressClient()
	if stopped != nil {
		return *stopped
	}
	if _, stopped := x.query(nil); stopped != nil {
		return *stopped
	}
	x.about(id)
	if d := x.decideForOrganizer(access.FindClient); !d.Allowed {
		return refusedBy(d)
	}
	client, err := x.server.opts.Store.Client(x.context(), x.registry, id)
	if err != nil {
		return x.storeFailed(err)
	}
	sealed, key, err := x.server.opts.Store.ClientIdentifiers(x.context(), x.registry, id)
	if err != nil {
		return x.storeFailed(err)
	}
	texts, err := x.unseal(id, sealed, key)
	if err != nil {
		return x.storeFailed(err)
	}
	answer := clientDetails{ID: id, NonDisclosure: client.NonDisclosure, BornOn: client.BornOn, DiedOn: client.DiedOn}
	for i, one := range sealed {
		told := identifierAnswer{Kind: string(one.Kind), Value: texts[i], Since: one.Since}
		if !one.Replaced.IsZero() {
			told.Replaced = &sealed[i].Replaced
		}
		answer.Identifiers = append(answer.Identifiers, told)
	}
	if d := x.decideForOrganizer(access.FindClient); !d.Allowed { // the right may have ended meanwhile
		return refusedBy(d)
	}
	return allowed(jsonAnswer(http.StatusOK, answer))
}

// basicDataRequest are a client's basic data. Both are set by each request.
type basicDataRequest struct {
	NonDisclosure *bool  `json:"nonDisclosure"`
	DiedOn        string `json:"diedOn"`
}

// basicDataAnswer are a client's basic data as they are now.
type basicDataAnswer struct {
	NonDisclosure bool   `json:"nonDisclosure"`
	BornOn        string `json:"bornOn,omitempty"`
	DiedOn        string `json:"diedOn,omitempty"`
}

// updateClient sets a client's basic data.
func (x *exchange) updateClient() outcome {
	id, stopped := x.addressClient()
	if stopped != nil {
		return *stopped
	}
	x.about(id)
	var body basicDataRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return *stopped
	}
	f := fields{invalid: invalidField}
	f.clean(body.DiedOn)
	if body.NonDisclosure == nil {
		f.fail("nonDisclosure", "is missing")
	}
	if _, err := time.Parse(time.DateOnly, body.DiedOn); body.DiedOn != "" && err != nil {
		f.fail("diedOn", "must be a day such as 2026-03-01")
	}
	if catalog.Day(body.DiedOn) > catalog.DayOf(x.now()) {
		f.fail("diedOn", "must not be in the future")
	}
	if f.wrong != nil {
		return *f.wrong
	}
	if d := x.decideForOrganizer(access.RegisterClient); !d.Allowed {
		return refusedBy(d)
	}
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	client, err := x.server.opts.Store.UpdateClient(ctx, x.registry, id,
		store.BasicData{NonDisclosure: *body.NonDisclosure, DiedOn: body.DiedOn}, x.row)
	if invalid := (*store.InvalidError)(nil); errors.As(err, &invalid) && invalid.Field == "DiedOn" {
		return invalidField("diedOn", "must not be before the birth")
	}
	if err != nil {
		return x.storeFailed(err)
	}
	return done(jsonAnswer(http.StatusOK, basicDataAnswer{
		NonDisclosure: client.NonDisclosure, BornOn: client.BornOn, DiedOn: client.DiedOn,
	}))
}

// replacementAnswer tells what came of replacing an identifier.
type replacementAnswer struct {
	ID uuid.UUID `json:"id"`
	// Absorbed is the client whom the code belonged to before.
	Absorbed *uuid.UUID `json:"absorbed,omitempty"`
}

// replaceIdentity gives a client with a temporary identifier its personal identity code.
func (x *exchange) replaceIdentity() outcome {
	id, stopped := x.addressClient()
	if stopped != nil {
		return *stopped
	}
	x.about(id)
	var body identityCodeRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return *stopped
	}
	code, stopped := x.code(body.IdentityCode)
	if stopped != nil {
		return *stopped
	}
	if d := x.decideForOrganizer(access.RegisterClient); !d.Allowed {
		return refusedBy(d)
	}
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	replaced, err := x.server.opts.Store.ReplaceIdentity(ctx, x.registry, id, x.registration(code), x.row.Time, x.row)
	var invalid *store.InvalidError
	switch {
	case errors.Is(err, store.ErrIdentified):
		x.about(id)
		return failed(problem.Of(problem.ClientIdentified))
	case errors.Is(err, store.ErrMergeNeeded):
		x.about(id)
		return failed(problem.Of(problem.ClientMergeNeeded))
	case errors.As(err, &invalid) && invalid.Field == "BornOn":
		x.about(id)
		return invalidField("identityCode", "is of a person born after the client's death")
	case err != nil:
		return x.storeFailed(err)
	}
	answer := replacementAnswer{ID: id}
	if replaced.Absorbed != uuid.Nil {
		answer.Absorbed = &replaced.Absorbed
	}
	return done(jsonAnswer(http.StatusOK, answer))
}

// addressClient reads the client's id from the path.
func (x *exchange) addressClient() (uuid.UUID, *outcome) {
	f := fields{invalid: invalidParameter}
	id := f.uuid("id", x.request.PathValue("id"))
	return id, f.wrong
}

// decideForOrganizer decides on what no unit may do, however far its right reaches, under the user right of the
// operation. It is asked before a client is looked up: a refusal is the same whether there is one or not.
func (x *exchange) decideForOrganizer(op access.Operation) verdict {
	if !x.identity.Organizer() {
		op = access.RegisterClient
	}
	return x.decide(question{Request: access.Request{Operation: op}})
}
