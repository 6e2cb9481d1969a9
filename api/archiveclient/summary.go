// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// Summary is what there is of a client, in short, within what the caller finds by searching.
type Summary = openapi.Summary

// Summary tells in short what there is of a client.
func (c *Client) Summary(ctx context.Context, client uuid.UUID) (Summary, error) {
	return answer[Summary](c.requests.Summarize(ctx, c.registry,
		&openapi.SummarizeParams{Accept: optional(string(JSON))}, openapi.SummaryRequest{Client: client}))
}

// SummaryPage is the summary as people read it, in XHTML and in the language of [Config].
func (c *Client) SummaryPage(ctx context.Context, client uuid.UUID) ([]byte, error) {
	response, err := c.requests.Summarize(ctx, c.registry,
		&openapi.SummarizeParams{Accept: optional(string(XHTML))}, openapi.SummaryRequest{Client: client})
	if err != nil {
		return nil, err
	}
	return bytesOf(response)
}
