// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

type (
	// HistoryQuestion asks about the service relationships of one client: those that held at an instant, or all states.
	HistoryQuestion = openapi.RelationshipHistoryRequest
	// History is what was recorded of a client's service relationships.
	History = openapi.RelationshipHistory
	// ReviewQuestion asks for ends that were recorded after they had taken effect.
	ReviewQuestion = openapi.RelationshipReviewRequest
	// Review is one page of such ends, with what the units did meanwhile.
	Review = openapi.RelationshipReview
)

// RelationshipHistory tells through which service relationships a client could be seen at some time, or, without a
// time, gives one page of all that was recorded. Only the organizer may ask.
func (c *Client) RelationshipHistory(ctx context.Context, question HistoryQuestion) (History, error) {
	return answer[History](c.requests.RelationshipHistory(ctx, c.registry, question))
}

// ReviewRelationships gives one page of the ends that were recorded after they had taken effect. Only the organizer may
// ask.
func (c *Client) ReviewRelationships(ctx context.Context, question ReviewQuestion) (Review, error) {
	return answer[Review](c.requests.ReviewRelationships(ctx, c.registry, question))
}
