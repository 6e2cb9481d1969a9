// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime/types"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// The types of the API's description that concern clients.
type (
	// TemporaryIdentifier names a client who has no personal identity code yet: by the OID, or by the 11 characters
	// that people see.
	TemporaryIdentifier = openapi.TemporaryIdentifier
	// ClientDetails are a client's identifiers and basic data.
	ClientDetails = openapi.ClientDetails
	// ClientData are a client's basic data.
	ClientData = openapi.BasicData
)

// RegisterClient registers a person under a personal identity code and returns the random id: the same one for
// the same code. Only the organizer registers clients.
func (c *Client) RegisterClient(ctx context.Context, identityCode string) (uuid.UUID, error) {
	return c.register(ctx, openapi.IdentityRequest{IdentityCode: identityCode})
}

// RegisterTemporary registers a person under a temporary identifier, as RegisterClient does under a code.
func (c *Client) RegisterTemporary(ctx context.Context, temporary TemporaryIdentifier) (uuid.UUID, error) {
	return c.register(ctx, openapi.IdentityRequest{Temporary: temporary})
}

func (c *Client) register(ctx context.Context, identity openapi.IdentityRequest) (uuid.UUID, error) {
	client, err := answer[openapi.Client](c.requests.RegisterClient(ctx, c.registry, identity))
	return client.ID, err
}

// FindClient returns the id of the client with the personal identity code.
func (c *Client) FindClient(ctx context.Context, identityCode string) (uuid.UUID, error) {
	return c.find(ctx, openapi.IdentityRequest{IdentityCode: identityCode})
}

// FindTemporary returns the id of the client that has or had the temporary identifier.
func (c *Client) FindTemporary(ctx context.Context, temporary TemporaryIdentifier) (uuid.UUID, error) {
	return c.find(ctx, openapi.IdentityRequest{Temporary: temporary})
}

func (c *Client) find(ctx context.Context, identity openapi.IdentityRequest) (uuid.UUID, error) {
	client, err := answer[openapi.Client](c.requests.FindClient(ctx, c.registry, identity))
	return client.ID, err
}

// ReadClient returns a client's identifiers and basic data. Only the organizer reads them.
func (c *Client) ReadClient(ctx context.Context, client uuid.UUID) (ClientDetails, error) {
	return answer[ClientDetails](c.requests.ReadClient(ctx, c.registry, client))
}

// UpdateClient sets a client's basic data, all of them: whether a non-disclosure for personal safety is in force, and
// the day of death, the zero time while there is none.
func (c *Client) UpdateClient(ctx context.Context, client uuid.UUID, nonDisclosure bool, diedOn time.Time) (ClientData, error) {
	data := openapi.BasicDataRequest{NonDisclosure: nonDisclosure, DiedOn: types.Date{Time: diedOn}}
	return answer[ClientData](c.requests.UpdateClient(ctx, c.registry, client, data))
}

// ReplaceIdentity gives a client with a temporary identifier its personal identity code. The client keeps its id.
// absorbed is another client that had nothing but the code and is no more; the nil UUID when there was none.
func (c *Client) ReplaceIdentity(ctx context.Context, client uuid.UUID, identityCode string) (absorbed uuid.UUID, err error) {
	replaced, err := answer[openapi.IdentityReplaced](c.requests.ReplaceIdentity(ctx, c.registry, client, openapi.IdentityCodeRequest{IdentityCode: identityCode}))
	return replaced.Absorbed, err
}
