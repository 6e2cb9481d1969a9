// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// The types of the API's description that this package gives and takes as they are.
type (
	// Document is what is known of one version of a document besides its bytes.
	Document = openapi.Document
	// Catalog lists the codes, document types and schema versions.
	Catalog = openapi.Catalog
	// Question is a request whose decision is to be explained.
	Question = openapi.ExplainRequest
	// Explanation tells how a request would be decided, and on what ground.
	Explanation = openapi.Explanation
	// Violation is a place where a schema does not allow a document.
	Violation = openapi.Violation
)

// Catalog returns the codes, document types and schema versions. It needs no professional.
func (c *Client) Catalog(ctx context.Context) (Catalog, error) {
	return answer[Catalog](c.requests.ReadCatalog(ctx, c.registry))
}

// Schema returns a JSON Schema of a document type. It needs no professional.
func (c *Client) Schema(ctx context.Context, documentType, version string) (json.RawMessage, error) {
	return answer[json.RawMessage](c.requests.ReadSchema(ctx, c.registry, documentType, version))
}

// Explain tells how a request would be decided now. The organizer may ask for any unit, a unit for itself.
func (c *Client) Explain(ctx context.Context, question Question) (Explanation, error) {
	return answer[Explanation](c.requests.Explain(ctx, c.registry, question))
}

// ErrNotModified means that the caller has the present version already; see [ReadOptions].
var ErrNotModified = errors.New("the document has not changed")

// answer decodes an answer in JSON.
func answer[T any](response *http.Response, err error) (T, error) {
	var value T
	if err != nil {
		return value, err
	}
	body, err := bytesOf(response)
	if err == nil {
		err = json.Unmarshal(body, &value)
	}
	return value, err
}

func bytesOf(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		return nil, ErrNotModified
	}
	return io.ReadAll(response.Body)
}
