// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
)

func base64url(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func decodeBase64(text string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(text) }

// strictXML reads a page as XML.
func strictXML(page []byte) error {
	decoder := xml.NewDecoder(bytes.NewReader(page))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
