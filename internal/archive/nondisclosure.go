// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/masking"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// maskedHeader tells that the bytes of an answer are not those that were stored.
	maskedHeader = "Document-Masked"
	// maskedNonDisclosure is its one value: for a non-disclosure for personal safety.
	maskedNonDisclosure = "non-disclosure"
)

// masks tells whether the caller gets a document masked: one of the versions is under a non-disclosure for personal
// safety, and the decision that was made last does not show those.
func (x *exchange) masks(versions ...store.Facts) bool {
	if x.showsNonDisclosure {
		return false
	}
	for i := range versions {
		if versions[i].NonDisclosure() {
			return true
		}
	}
	return false
}

// mask gives a representation of a version as a producer unit gets it, or withholds it.
func (x *exchange) mask(documentType string, part store.Representation) ([]byte, *outcome) {
	if part.ContentType == store.ContentXHTML {
		masked, err := masking.XHTML(part.Body)
		if errors.Is(err, masking.ErrUnmarked) {
			return nil, ended(refused(problem.MaskedXHTMLWithheld))
		}
		return masked, withheld(problem.MaskedXHTMLWithheld, err)
	}
	paths, known := maskedPaths(x.server.opts.Catalog(), documentType)
	if !known {
		return nil, ended(refused(problem.MaskedJSONWithheld))
	}
	masked, err := paths.JSON(part.Body)
	return masked, withheld(problem.MaskedJSONWithheld, err)
}

// withheld ends a request for what cannot be masked although it should.
func withheld(kind problem.Kind, err error) *outcome {
	if err == nil {
		return nil
	}
	out := refused(kind)
	out.problem.Hint = "the document is not well-formed"
	return &out
}

func maskedPaths(c *catalog.Catalog, documentType string) (masking.Paths, bool) {
	kind, known := c.Type(documentType)
	if !known {
		return masking.Paths{}, false
	}
	return kind.NonDisclosure()
}

// maskedTag is the tag of the masked form. It tells the catalog's edition, for that says what is masked.
func (x *exchange) maskedTag(version int, mediaType string) string {
	plain := entityTag(version, mediaType)
	return plain[:len(plain)-1] + `-masked-` + x.server.opts.Catalog().Edition() + `"`
}

// tag is the entity tag of what the caller gets of the version in a format.
func (x *exchange) tag(r reading, mediaType string) string {
	if r.masked {
		return x.maskedTag(r.wanted.Version, mediaType)
	}
	return entityTag(r.wanted.Version, mediaType)
}

// tellMasked marks the answer to a masked reading.
func (r reading) tellMasked(header http.Header) {
	if r.masked {
		header.Set(maskedHeader, maskedNonDisclosure)
	}
}

// keepsNonDisclosure checks that a unit's version leaves alone what protects the client: the label, and the data that
// the unit got masked. A unit may have read masked what is not under a non-disclosure any more, so the mask is looked
// for in all that it stores.
func (x *exchange) keepsNonDisclosure(in *intake, former *store.Facts) *outcome {
	if x.identity.Organizer() {
		return nil
	}
	if former != nil && former.Labels.NonDisclosure && !in.Labels.NonDisclosure {
		return ended(failed(&problem.Problem{Source: problem.NonDisclosureDropped, Parameter: "nonDisclosure"}))
	}
	for _, part := range in.Representations {
		if holdsMask(in.kind, part) {
			return ended(failed(problem.Of(problem.MaskStored)))
		}
	}
	return nil
}

// holdsMask tells whether the mask stands where the archive puts it. The representation has been found well-formed.
func holdsMask(kind *catalog.DocumentType, part store.Representation) bool {
	if part.ContentType == store.ContentXHTML {
		found, err := masking.MaskInXHTML(part.Body)
		return found || err != nil
	}
	// Only an escape could hide the mask.
	if !bytes.Contains(part.Body, []byte(masking.Mask)) && bytes.IndexByte(part.Body, '\\') < 0 {
		return false
	}
	paths, known := kind.NonDisclosure()
	if !known {
		return false
	}
	found, err := paths.MaskIn(part.Body)
	return found || err != nil
}
