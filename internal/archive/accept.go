// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"mime"
	"strconv"
	"strings"
)

// preferred gives the media type that an Accept header wants most of those offered; "" if it takes none. The
// order of the offer settles ties.
func preferred(header []string, offered ...string) (best string) {
	most := 0.0
	for _, mediaType := range offered {
		if q, _ := wanted(header, mediaType); q > most {
			best, most = mediaType, q
		}
	}
	return best
}

// wanted tells how much an Accept header wants a media type, and whether it names it. The most exact range
// that fits decides (RFC 9110, 12.5.1); no header takes everything.
func wanted(header []string, mediaType string) (quality float64, named bool) {
	joined := strings.TrimSpace(strings.Join(header, ","))
	if joined == "" {
		return 1, false
	}
	main, _, _ := strings.Cut(mediaType, "/")
	exactness := 0
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
	return quality, exactness == 3
}

func qualityOf(parameters map[string]string) float64 {
	text, given := parameters["q"]
	if !given {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
