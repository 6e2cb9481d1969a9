// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// contentRelated is the media type of both formats of a version together (RFC 2387).
const contentRelated = "multipart/related"

// Errors of splitRelated. They carry nothing of the body.
var (
	errRelatedFrame  = errors.New("must begin with the boundary, end with the closing boundary, and hold nothing else outside the parts")
	errRelatedParts  = errors.New("must have exactly two parts, one application/json and one application/xhtml+xml")
	errRelatedHeader = errors.New("each part must have the header Content-Type and no other")
)

// splitRelated gives the two parts of a multipart/related body. It is stricter than MIME: what is not one of
// the two parts would be thrown away unseen, so there may be nothing else.
func splitRelated(body []byte, boundary string) ([]store.Representation, error) {
	opening, closing := []byte("--"+boundary+"\r\n"), []byte("\r\n--"+boundary+"--")
	framed := bytes.TrimSuffix(body, []byte("\r\n"))
	if !bytes.HasPrefix(framed, opening) || bytes.Index(framed, closing) != len(framed)-len(closing) {
		return nil, errRelatedFrame
	}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	var parts []store.Representation
	for {
		part, err := reader.NextRawPart()
		if err == io.EOF { //nolint:errorlint // a wrapped io.EOF is a body that was cut off
			break
		}
		if err != nil {
			return nil, errRelatedFrame
		}
		if len(parts) == 2 {
			return nil, errRelatedParts
		}
		contentType := mediaType(part.Header["Content-Type"])
		if len(part.Header) != 1 || contentType == "" {
			return nil, errRelatedHeader
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, errRelatedFrame
		}
		parts = append(parts, store.Representation{ContentType: contentType, Body: content})
	}
	if len(parts) != 2 || !isFormat(parts[0].ContentType) || !isFormat(parts[1].ContentType) ||
		parts[0].ContentType == parts[1].ContentType {
		return nil, errRelatedParts
	}
	return parts, nil
}

// isFormat tells whether documents are kept in the media type.
func isFormat(mediaType string) bool {
	return mediaType == store.ContentJSON || mediaType == store.ContentXHTML
}

// joinRelated makes a multipart/related body of the parts, the same bytes each time, and its media type.
func joinRelated(parts []store.Representation) (body []byte, contentType string) {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write(part.Body)
	}
	// No part can hold the boundary by chance, nor on purpose: it is a digest of the parts.
	boundary := hex.EncodeToString(sum.Sum(nil)[:16])
	for _, part := range parts {
		body = append(body, "--"+boundary+"\r\nContent-Type: "+part.ContentType+"\r\n\r\n"...)
		body = append(append(body, part.Body...), "\r\n"...)
	}
	body = append(body, "--"+boundary+"--\r\n"...)
	return body, mime.FormatMediaType(contentRelated, map[string]string{"boundary": boundary, "type": parts[0].ContentType})
}
