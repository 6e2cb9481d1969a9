// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
)

// Format is a format that documents are stored in.
type Format string

// The formats, and both together.
const (
	JSON  Format = "application/json"
	XHTML Format = "application/xhtml+xml"
	Both  Format = "multipart/related"
)

// ErrDigest means that the bytes are not those that the archive says it sent.
var ErrDigest = errors.New("the document's bytes do not have the digest that the archive gives")

// encoded is a version's bytes on their way to the archive.
type encoded struct {
	contentType, contentDigest, reprDigest string
	bytes                                  []byte
}

func (v *Version) encode() (encoded, error) {
	switch {
	case v.JSON != nil && v.XHTML != nil:
		return together(v.JSON, v.XHTML)
	case v.XHTML != nil:
		return encoded{string(XHTML), "", digestOf(v.XHTML), v.XHTML}, nil
	case v.JSON != nil:
		return encoded{string(JSON), "", digestOf(v.JSON), v.JSON}, nil
	default:
		return encoded{}, errors.New("a version needs a document in JSON or XHTML")
	}
}

// together puts both formats into one body.
func together(json, xhtml []byte) (encoded, error) {
	body := &bytes.Buffer{}
	parts := multipart.NewWriter(body)
	for _, part := range []struct {
		format Format
		bytes  []byte
	}{{JSON, json}, {XHTML, xhtml}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {string(part.format)}})
		if err != nil {
			return encoded{}, err
		}
		if _, err := w.Write(part.bytes); err != nil {
			return encoded{}, err
		}
	}
	if err := parts.Close(); err != nil {
		return encoded{}, err
	}
	contentType := mime.FormatMediaType(string(Both), map[string]string{"boundary": parts.Boundary()})
	return encoded{contentType, digestOf(body.Bytes()), "", body.Bytes()}, nil
}

// decode takes a body apart into its formats.
func decode(contentType string, body []byte) (json, xhtml []byte, err error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, nil, err
	}
	switch Format(kind) {
	case JSON:
		return body, nil, nil
	case XHTML:
		return nil, body, nil
	case Both:
	default:
		return nil, nil, fmt.Errorf("the archive answered with the format %s", kind)
	}
	parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return json, xhtml, nil
		}
		if err != nil {
			return nil, nil, err
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, err
		}
		partJSON, partXHTML, err := decode(part.Header.Get("Content-Type"), text)
		if err != nil {
			return nil, nil, err
		}
		if partJSON != nil {
			json = partJSON
		} else {
			xhtml = partXHTML
		}
	}
}

const algorithm = "sha-256"

// digestOf gives the digest of the bytes as RFC 9530 writes it.
func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return algorithm + "=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// hasDigest tells whether a digest header names the bytes.
func hasDigest(header string, body []byte) bool {
	want := digestOf(body)
	for member := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(member) == want {
			return true
		}
	}
	return false
}
