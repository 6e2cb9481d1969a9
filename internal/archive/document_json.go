// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/hex"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// documentJSON is what is told of a version of a document besides its bytes.
type documentJSON struct {
	ID                 uuid.UUID         `json:"id"`
	Registry           string            `json:"registry"`
	RegistryController string            `json:"registryController,omitempty"`
	Organizer          string            `json:"organizer"`
	Clients            []uuid.UUID       `json:"clients"`
	Type               string            `json:"type"`
	Version            int               `json:"version"`
	Current            int               `json:"current"`
	State              store.State       `json:"state"`
	Matter             string            `json:"matter,omitempty"`
	OldClientData      bool              `json:"oldClientData,omitempty"`
	ServiceTasks       []string          `json:"serviceTasks"`
	Author             authorJSON        `json:"author"`
	Created            time.Time         `json:"created"`
	FirstStored        time.Time         `json:"firstStored"`
	Stored             time.Time         `json:"stored"`
	Language           string            `json:"language,omitempty"`
	Schema             string            `json:"schema,omitempty"`
	Labels             labelsJSON        `json:"labels"`
	Masked             bool              `json:"masked,omitempty"`
	Formats            []formatJSON      `json:"formats"`
	Signatures         []signatureJSON   `json:"signatures,omitempty"`
	CorrectionReason   string            `json:"correctionReason,omitempty"`
	Annulment          *annulmentJSON    `json:"annulment,omitempty"`
	Relationship       *relationshipJSON `json:"relationship,omitempty"`
	Retention          *retentionJSON    `json:"retention,omitempty"`
}

type authorJSON struct {
	Organization string `json:"organization"`
	Unit         string `json:"unit,omitempty"`
	Professional string `json:"professional,omitempty"`
	Role         string `json:"role,omitempty"`
}

type labelsJSON struct {
	NonDisclosure bool          `json:"nonDisclosure"`
	Display       store.Display `json:"display"`
	DisplayFrom   *time.Time    `json:"displayFrom,omitempty"`
}

type formatJSON struct {
	ContentType string `json:"contentType"`
	Size        int64  `json:"size,omitempty"`
	SHA256      string `json:"sha256,omitempty"`
}

type annulmentJSON struct {
	At     time.Time  `json:"at"`
	Reason string     `json:"reason"`
	By     authorJSON `json:"by"`
}

// relationshipJSON is what a client relationship document says, and how it stands.
type relationshipJSON struct {
	Unit      string          `json:"unit"`
	Start     time.Time       `json:"start"`
	End       *time.Time      `json:"end,omitempty"`
	Agreement store.Agreement `json:"agreement,omitempty"`
	Detail    string          `json:"detail,omitempty"`
}

// describe tells of a version, of its clients those given.
func (x *exchange) describe(f store.Facts, clients []uuid.UUID, relationship *relationshipJSON) documentJSON {
	view := x.server.opts.View
	d := documentJSON{
		ID: f.ID, Registry: f.Registry,
		RegistryController: view.ControllerOf(f.Registry), Organizer: view.OrganizationOf(f.Registry, ""),
		Clients: clients, Type: f.Type, Version: f.Version, Current: f.Current, State: f.State, Matter: f.Matter,
		OldClientData: f.OldData, ServiceTasks: f.ServiceTasks, Author: toAuthorJSON(f.Author),
		Created: f.Created, FirstStored: f.FirstStored, Stored: f.Stored, Language: f.Language, Schema: f.SchemaVersion,
		Labels:           labelsJSON{f.Labels.NonDisclosure, f.Labels.Display, given(f.Labels.DisplayFrom)},
		CorrectionReason: f.CorrectionReason, Relationship: relationship, Signatures: signaturesOf(f),
	}
	for _, r := range f.Representations {
		d.Formats = append(d.Formats, formatJSON{r.ContentType, r.Size, hex.EncodeToString(r.Digest[:])})
	}
	if a := f.Annulment; a != nil {
		d.Annulment = &annulmentJSON{At: a.At, Reason: a.Reason, By: toAuthorJSON(a.By)}
	}
	d.hide(x.masks(f))
	return d
}

// hide tells that the caller gets the version masked, if so, and leaves out what is of the bytes as they were stored:
// by a digest of them the few masked characters could be guessed.
func (d *documentJSON) hide(masked bool) {
	if !masked {
		return
	}
	d.Masked = true
	for i := range d.Formats {
		d.Formats[i].Size, d.Formats[i].SHA256 = 0, ""
	}
}

func toAuthorJSON(a store.Author) authorJSON {
	return authorJSON{a.Organization, a.Unit, a.Professional, a.Role}
}

// relationshipOf gives what a version says of a service relationship; nil for other documents. What cannot be
// read now is left out: it only adds to an answer.
func (x *exchange) relationshipOf(f store.Facts) *relationshipJSON {
	if kind, known := x.server.opts.Catalog().Type(f.Type); !known || !kind.IsRelationship() {
		return nil
	}
	said, err := x.server.opts.Store.RelationshipVersion(x.context(), f.ID, f.Version)
	if err != nil {
		x.leftOut(err, "an answer lacks the service relationship")
		return nil
	}
	out := &relationshipJSON{Unit: said.Unit, Start: said.Start, End: given(said.End)}
	if f.Version != f.Current {
		return out
	}
	record, err := x.server.opts.Store.RelationshipRecord(x.context(), f.ID)
	if err != nil {
		x.leftOut(err, "an answer lacks the service relationship")
		return out
	}
	out.Agreement, out.Detail = record.Agreement, record.Detail
	return out
}

func (x *exchange) leftOut(err error, what string) {
	if !errors.Is(err, store.ErrNotFound) {
		x.server.opts.Log.Error(err, what, "requestID", x.id)
	}
}
