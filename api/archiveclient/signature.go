// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
	"github.com/valtuus/valtuus/internal/archive/signature"
)

// Sign signs the version's documents, each by itself, with the card. The bytes must not change afterwards. The
// holder of the card has to be the professional who stores the version.
func (c Card) Sign(v *Version) error {
	now := time.Now
	if c.Clock != nil {
		now = c.Clock
	}
	for _, part := range []struct {
		format    Format
		body      []byte
		signature *string
	}{{JSON, v.JSON, &v.JSONSignature}, {XHTML, v.XHTML, &v.XHTMLSignature}} {
		if part.body == nil {
			continue
		}
		jws, err := signature.Sign(part.body, string(part.format), c.Key, c.Chain, now())
		if err != nil {
			return fmt.Errorf("the signature over the %s: %w", part.format, err)
		}
		*part.signature = jws
	}
	return nil
}

// signatures puts the version's signatures into a request, one line for each.
func (v *Version) signatures() openapi.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		for _, jws := range []string{v.JSONSignature, v.XHTMLSignature} {
			if jws != "" {
				request.Header.Add(signatureHeader, jws)
			}
		}
		return nil
	}
}

const signatureHeader = "Document-Signature"

// SignatureOptions say which signature to read. The zero value is that over the only format that is signed.
type SignatureOptions struct {
	// Format is the format that was signed, [JSON] or [XHTML].
	Format Format
	// Annulled reads that of an annulled document, too; the organizer only.
	Annulled bool
}

// Signature reads the signature over a version, a JWS in its compact form. With the bytes of [Client.Read] and the
// authorities of the cards it can be verified without the archive: see `valtuus document verify`.
func (c *Client) Signature(ctx context.Context, id uuid.UUID, version int, o SignatureOptions) (string, error) {
	params := &openapi.ReadSignatureParams{Annulled: optional(o.Annulled)}
	switch o.Format {
	case "":
	case JSON:
		params.Format = new(openapi.ReadSignatureParamsFormatJSON)
	case XHTML:
		params.Format = new(openapi.ReadSignatureParamsFormatXhtml)
	default:
		return "", fmt.Errorf("there are no signatures over the format %s", o.Format)
	}
	response, err := c.requests.ReadSignature(ctx, c.registry, id, version, params)
	if err != nil {
		return "", err
	}
	jws, err := bytesOf(response)
	return string(jws), err
}
