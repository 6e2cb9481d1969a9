// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"mime"
	"strconv"
	"strings"
)

// accepts tells whether an Accept header takes the media type. The most exact range that fits decides
// (RFC 9110, 12.5.1); no header takes everything.
func accepts(header []string, mediaType string) bool {
	joined := strings.TrimSpace(strings.Join(header, ","))
	if joined == "" {
		return true
	}
	main, _, _ := strings.Cut(mediaType, "/")
	exactness, quality := 0, 0.0
	for part := range strings.SplitSeq(joined, ",") {
		kind, parameters, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		fit := 0
		switch kind {
		case mediaType:
			fit = 3
		case main + "/*":
			fit = 2
		case "*/*":
			fit = 1
		}
		if fit > exactness {
			exactness, quality = fit, qualityOf(parameters)
		}
	}
	return exactness > 0 && quality > 0
}

func qualityOf(parameters map[string]string) float64 {
	text, given := parameters["q"]
	if !given {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return q
}
