// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// tagSuffixes tell the formats of one version apart: they are different bytes. What speaks of the version
// as a whole has none, but for metadata that change without a new version (metadataTag). A masked form has a further
// one, see maskedTag.
var tagSuffixes = map[string]string{store.ContentJSON: "-json", store.ContentXHTML: "-xhtml"}

// entityTag is the tag of a version in a format; of the version as a whole for any other media type.
func entityTag(version int, mediaType string) string {
	return `"` + strconv.Itoa(version) + tagSuffixes[mediaType] + `"`
}

// tag is one entity tag of a header.
type tag struct {
	weak   bool
	opaque string
}

// tagPattern is one entity tag (RFC 9110, 8.8.3) at the start of a list.
var tagPattern = regexp.MustCompile(`^(W/)?"([\x21\x23-\x7e]*)"[ \t]*(?:,[ \t]*|$)`)

// parseTags reads the list of an If-Match or If-None-Match header. star tells that it is *.
func parseTags(lines []string) (tags []tag, star, ok bool) {
	rest := strings.TrimSpace(strings.Join(lines, ","))
	if rest == "*" {
		return nil, true, true
	}
	for rest != "" {
		match := tagPattern.FindStringSubmatch(rest)
		if match == nil {
			return nil, false, false
		}
		tags = append(tags, tag{weak: match[1] != "", opaque: match[2]})
		rest = rest[len(match[0]):]
	}
	return tags, false, len(tags) > 0
}

var versionTagPattern = regexp.MustCompile(`^([1-9][0-9]{0,8})(?:-[0-9a-f]{8}|(?:-json|-xhtml)?(?:-masked-[0-9a-f]{16})?)$`)

// version is the version that a strong tag is of; 0 if it is none of the archive's.
func (t tag) version() int {
	match := versionTagPattern.FindStringSubmatch(t.opaque)
	if match == nil || t.weak {
		return 0
	}
	version, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return version
}

// expectedVersion picks, of the versions that an If-Match names, the one to hold against the current: the
// current one itself if it is among them, else the newest. 0 if it names none.
func expectedVersion(tags []tag, current int) (expected int) {
	for _, t := range tags {
		switch v := t.version(); {
		case v == current:
			return v
		case v > expected:
			expected = v
		}
	}
	return expected
}

// hasAlready tells whether an If-None-Match header names the entity tag. One that is malformed names nothing.
func hasAlready(lines []string, entityTag string) bool {
	if len(lines) == 0 {
		return false
	}
	tags, star, _ := parseTags(lines)
	for _, t := range tags {
		if `"`+t.opaque+`"` == entityTag {
			return true
		}
	}
	return star
}
