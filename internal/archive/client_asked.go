// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
)

// clientRequest is the body of a request about one client, who is not in the address.
type clientRequest struct {
	Client string `json:"client"`
}

// clientAsked reads whom the request is about, and notes it in the row.
func (x *exchange) clientAsked() (uuid.UUID, *outcome) {
	var body clientRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return uuid.Nil, stopped
	}
	f := fields{invalid: invalidField}
	client := f.uuid("client", body.Client)
	if f.wrong == nil {
		x.about(client)
	}
	return client, f.wrong
}

// knownClient ends a request that found nothing if the registry has no such client: nothing would look like a client
// of whom there is nothing.
func (x *exchange) knownClient(client uuid.UUID) *outcome {
	exists, err := x.server.opts.Store.ClientExists(x.context(), x.registry, client)
	switch {
	case err != nil:
		return ended(x.storeFailed(err))
	case !exists:
		return ended(failed(problem.Of(problem.ClientUnknown)))
	}
	return nil
}
