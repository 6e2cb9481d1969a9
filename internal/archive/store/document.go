// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Content types that a representation may have.
const (
	ContentJSON  = "application/json"
	ContentXHTML = "application/xhtml+xml"
)

// State is where a version of a document is in its life.
type State string

// The states.
const (
	// StateStored: the current version.
	StateStored State = "stored"
	// StateSuperseded: a newer version has taken its place.
	StateSuperseded State = "superseded"
	// StateAnnulled: the document, with all its versions, has been annulled. It is kept as evidence.
	StateAnnulled State = "annulled"
)

// Display tells when a document may be shown to the client.
type Display string

// The displays.
const (
	// DisplayShown: at once.
	DisplayShown Display = "shown"
	// DisplayDelayed: from Labels.DisplayFrom on.
	DisplayDelayed Display = "delayed"
	// DisplayLimited: not at all.
	DisplayLimited Display = "limited"
)

// Labels limit what may be done with a document.
type Labels struct {
	// NonDisclosure marks the non-disclosure for personal safety (turvakielto).
	NonDisclosure bool
	// Display tells when the document may be shown to the client; empty means DisplayShown.
	Display Display
	// DisplayFrom is set for DisplayDelayed only.
	DisplayFrom time.Time
}

// Author is who made a version of a document.
type Author struct {
	// Organization is the OID of the maker's organization.
	Organization string
	// Unit is the OID of the producer's unit; empty for the organizer's own system.
	Unit string
	// Professional is the id of the professional, as the card says it; empty for what the archive made itself.
	Professional string
	// Role is the role that the professional acted in.
	Role string
}

// Representation is one form of a version, JSON for systems or XHTML for people.
type Representation struct {
	// ContentType is ContentJSON or ContentXHTML.
	ContentType string
	// Body is kept verbatim; not empty.
	Body []byte
	// Signature is a professional's signature over it; nil for none.
	Signature *Signature
}

// Content is one version of a document. All strings are codes, OIDs or ids, never free text.
type Content struct {
	// Matter is the identifier of the matter; empty for none.
	Matter string
	// ServiceTasks are 1 to 8 distinct service-task codes.
	ServiceTasks []string
	// Author says who made it.
	Author Author
	// Created is when it was authored, by its maker's word.
	Created time.Time
	// Stored is when the archive took it.
	Stored time.Time
	// Language is a BCP 47 tag; empty when nothing is said.
	Language string
	// SchemaVersion is the version of the schema that the JSON was held to; empty without one.
	SchemaVersion string
	// Labels limit what may be done with it.
	Labels Labels
	// Representations are one or two, of different content types.
	Representations []Representation
	// CorrectionReason is the reason code of a correction; empty for a plain version.
	CorrectionReason string
	// Relationship is what a client relationship document says; nil for other documents.
	Relationship *Relationship
	// ViewRevision is the revision of the index that allowed the store.
	ViewRevision string
}

// NewDocument is a document to store.
type NewDocument struct {
	// ID is chosen by the caller, at random.
	ID uuid.UUID
	// Registry is the registry's OID.
	Registry string
	// ClientIDs are 1 to 8 distinct random ids of clients, registered in that registry before.
	ClientIDs []uuid.UUID
	// Type is the code of the document type.
	Type string
	// OldData marks old client data: born before the organizer joined, in no matter and of no relationship.
	OldData bool
	// Content is the first version.
	Content
}

// NewVersion is a further version of a document.
type NewVersion struct {
	// Registry and ID name the document.
	Registry string
	ID       uuid.UUID
	// Expected is the version that this one takes the place of.
	Expected int
	// Content is the new version.
	Content
}

// NewAnnulment annuls a document.
type NewAnnulment struct {
	// Registry and ID name the document.
	Registry string
	ID       uuid.UUID
	// Expected is the version that the annuller has seen last.
	Expected int
	Annulment
}

// Annulment is who annulled a document, when and why.
type Annulment struct {
	// At is when the archive took the annulment.
	At time.Time
	// Reason is a reason code.
	Reason string
	// By is who annulled it.
	By Author
}

// RepresentationFacts are what is known of a representation besides its bytes.
type RepresentationFacts struct {
	ContentType string
	// Size is in bytes.
	Size int64
	// Digest is SHA-256 of the stored bytes.
	Digest [sha256.Size]byte
	// Signature is what is known of the signature over it; nil for none.
	Signature *SignatureFacts
}

// Facts are what is known of one version of a stored document besides its bytes.
// Times are in UTC with microseconds.
type Facts struct {
	ID        uuid.UUID
	Registry  string
	ClientIDs []uuid.UUID
	Type      string
	// OldData tells that the document is old client data.
	OldData bool
	// FirstStored is when the document's first version was stored; searches are in its order.
	FirstStored time.Time

	// Version is this version's number, from 1; Current is the document's newest.
	Version, Current int
	State            State
	// Annulment is set once the document is annulled.
	Annulment *Annulment

	Matter           string
	ServiceTasks     []string
	Author           Author
	Created, Stored  time.Time
	Language         string
	SchemaVersion    string
	Labels           Labels
	Representations  []RepresentationFacts
	CorrectionReason string
	ViewRevision     string

	// ClientNonDisclosure tells that one of the clients at least is under a non-disclosure for personal safety
	// (turvakielto) now, whatever the version's label says.
	ClientNonDisclosure bool
}

// NonDisclosure tells whether the version is under a non-disclosure for personal safety, by its label or by a client.
func (f *Facts) NonDisclosure() bool { return f.Labels.NonDisclosure || f.ClientNonDisclosure }

// Document is a version with the bytes of one of its representations, verbatim.
type Document struct {
	Facts
	// ContentType tells which representation Body is.
	ContentType string
	Body        []byte
}

// Facts gives what the store will say of the first version once it is stored.
func (d *NewDocument) Facts() Facts {
	f := d.facts()
	f.ID, f.Registry, f.Type, f.OldData = d.ID, d.Registry, d.Type, d.OldData
	f.ClientIDs = slices.Clone(d.ClientIDs)
	f.FirstStored, f.Version, f.Current, f.State = f.Stored, 1, 1, StateStored
	return f
}

// facts gives what the content says, without what belongs to the document.
func (c *Content) facts() Facts {
	f := Facts{
		Matter: c.Matter, ServiceTasks: slices.Clone(c.ServiceTasks), Author: c.Author,
		Created: Instant(c.Created), Stored: Instant(c.Stored),
		Language: c.Language, SchemaVersion: c.SchemaVersion, Labels: c.Labels.normal(),
		CorrectionReason: c.CorrectionReason, ViewRevision: c.ViewRevision,
	}
	for _, r := range c.Representations {
		f.Representations = append(f.Representations, RepresentationFacts{
			ContentType: r.ContentType, Size: int64(len(r.Body)), Digest: sha256.Sum256(r.Body), Signature: r.Signature.facts(),
		})
	}
	slices.SortFunc(f.Representations, func(a, b RepresentationFacts) int {
		return strings.Compare(a.ContentType, b.ContentType)
	})
	return f
}

// Replaces gives what the store will say of the new version once it has taken the place of the former.
func (v *NewVersion) Replaces(former Facts) Facts {
	f := v.facts()
	f.ID, f.Registry, f.ClientIDs, f.Type, f.OldData = former.ID, former.Registry, former.ClientIDs, former.Type, former.OldData
	f.FirstStored, f.Version, f.Current, f.State = former.FirstStored, former.Current+1, former.Current+1, StateStored
	f.ClientNonDisclosure = former.ClientNonDisclosure
	return f
}

func (l Labels) normal() Labels {
	if l.Display == "" {
		l.Display = DisplayShown
	}
	if !l.DisplayFrom.IsZero() {
		l.DisplayFrom = Instant(l.DisplayFrom)
	}
	return l
}

// RequestDigest digests what a caller asked to have stored as one version, so that a repeated request can
// be told from another one. Who acted, when it was stored and by which schema are not part of it.
func (f *Facts) RequestDigest() [sha256.Size]byte {
	// JSON of strings and numbers is an injective encoding; []byte goes as base64.
	type form struct {
		ContentType string
		Digest      []byte
		Signature   []byte
	}
	forms := make([]form, len(f.Representations))
	for i := range f.Representations {
		r := &f.Representations[i]
		forms[i] = form{ContentType: r.ContentType, Digest: r.Digest[:]}
		if r.Signature != nil {
			forms[i].Signature = r.Signature.Digest[:]
		}
	}
	raw, err := json.Marshal([]any{
		f.Registry, f.ClientIDs, f.Type, f.Matter, f.ServiceTasks, f.Author.Organization, f.Author.Unit,
		Micros(f.Created), f.Language, f.Labels.NonDisclosure, f.Labels.Display, boundMicros(f.Labels.DisplayFrom),
		f.CorrectionReason, forms, f.OldData,
	})
	if err != nil {
		panic("store: strings and numbers always marshal: " + err.Error())
	}
	return sha256.Sum256(raw)
}

// Representation gives the facts of the representation with the content type.
func (f *Facts) Representation(contentType string) (RepresentationFacts, bool) {
	for _, r := range f.Representations {
		if r.ContentType == contentType {
			return r, true
		}
	}
	return RepresentationFacts{}, false
}

// Verify gives ErrCorrupt unless the bytes match their digest.
func (d *Document) Verify() error {
	if r, ok := d.Representation(d.ContentType); !ok || sha256.Sum256(d.Body) != r.Digest {
		return ErrCorrupt
	}
	return nil
}
