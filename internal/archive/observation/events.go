// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// endTolerance is how far ahead of the archive's clock the end may lie by which a relationship counts as ended: client
// systems have clocks of their own.
const endTolerance = time.Minute

// documents is what the events need of the store.
type documents interface {
	Versions(ctx context.Context, registry string, id uuid.UUID) ([]store.Facts, error)
	RelationshipVersion(ctx context.Context, document uuid.UUID, version int) (store.Relationship, error)
}

// teller makes events of the rows of one test.
type teller struct {
	store    documents
	registry string
	// unit is the OID of the unit that takes part.
	unit string
	salt [32]byte
	// party tells whose certificate a row came with.
	party func(row *store.LogRow) v1alpha1.TestParty
}

// event gives the event of a row, without its number and evidence; false for a row that is no request.
func (t *teller) event(ctx context.Context, row *store.LogRow) (e v1alpha1.TestEvent, ok bool, err error) {
	if row.CertificateThumbprint == "" { // the archive's own doing
		return e, false, nil
	}
	e = v1alpha1.TestEvent{
		At: ptr.To(metav1.NewMicroTime(row.Time.UTC())), Party: t.party(row), Certificate: row.CertificateThumbprint,
		Professional: t.hash(row.CardThumbprint), Operation: v1alpha1.OperationOther,
	}
	if row.Outcome != store.OutcomeAllowed {
		e.Reason = row.Reason
	}
	if row.ClientID != uuid.Nil {
		e.Client = row.ClientID.String()
	}
	switch row.Operation {
	case "Search":
		e.Operation = v1alpha1.OperationSearch
		if e.Reason == "" {
			e.Count = ptr.To(int32(row.DocumentCount))
		}
		return e, true, nil
	case "Store", "NewVersion", "Correct":
		e.Operation = v1alpha1.OperationStore
	case "Read":
		e.Operation = v1alpha1.OperationRead
	}
	if len(row.DocumentIDs) == 1 {
		e.Document = row.DocumentIDs[0].String()
		err = t.describe(ctx, &e, row)
	}
	return e, true, err
}

// hash tells equal cards of one test, and nothing else.
func (t *teller) hash(card string) string {
	if card == "" {
		return ""
	}
	mac := hmac.New(sha256.New, t.salt[:])
	mac.Write([]byte(card))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// describe adds what the document's own facts tell.
func (t *teller) describe(ctx context.Context, e *v1alpha1.TestEvent, row *store.LogRow) error {
	versions, err := t.store.Versions(ctx, t.registry, row.DocumentIDs[0])
	if errors.Is(err, store.ErrNotFound) {
		return nil // nothing was stored, or it is destroyed
	}
	if err != nil || len(versions) == 0 {
		return err
	}
	asked := criteriaOf(row)
	version := handled(e.Operation, versions, asked, row)
	if version == nil {
		return nil
	}
	e.StoredBy = t.storedBy(version)
	e.Format = formatOf(version, asked.Format)
	if e.Operation != v1alpha1.OperationStore && row.Operation != "Annul" {
		return nil
	}
	said, err := t.store.RelationshipVersion(ctx, version.ID, version.Version)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	e.Unit = v1alpha1.OID(said.Unit)
	switch ends := !said.End.IsZero() && !said.End.After(row.Time.Add(endTolerance)); {
	case row.Operation == "Annul" || ends:
		e.Operation = v1alpha1.OperationEndRelationship
	default:
		e.Operation = v1alpha1.OperationStoreRelationship
		for _, task := range version.ServiceTasks {
			e.ServiceTasks = append(e.ServiceTasks, v1alpha1.ServiceTaskCode(task))
		}
	}
	return nil
}

// handled gives the version that a row is about: the one that was asked for, the one that was stored at the row's instant,
// or else the one that was the newest then. Versions are the newest first. Nil where there was none yet.
func handled(operation v1alpha1.TestOperation, versions []store.Facts, asked criteria, row *store.LogRow) *store.Facts {
	at := store.Instant(row.Time)
	var newest *store.Facts
	for i := range versions {
		v := &versions[i]
		switch {
		case operation == v1alpha1.OperationRead && asked.Version > 0:
			if v.Version == asked.Version {
				return v
			}
		case operation == v1alpha1.OperationStore && v.Stored.Equal(at):
			return v
		case newest == nil && !v.Stored.After(at):
			newest = v
		}
	}
	return newest
}

// storedBy tells who stored a version; nobody for one that the archive itself stored for an applied ServiceRelationship.
func (t *teller) storedBy(version *store.Facts) v1alpha1.TestParty {
	switch {
	case version.Author.Professional == "":
		return ""
	case version.Author.Unit == "":
		return v1alpha1.PartyOrganizer
	case version.Author.Unit == t.unit:
		return v1alpha1.PartyProducer
	default:
		return ""
	}
}

// formatOf gives the format that was handled: that of a version with one, and of one with both the one that was read, the
// structured one where both were.
func formatOf(version *store.Facts, read string) v1alpha1.DocumentFormat {
	of := map[string]v1alpha1.DocumentFormat{store.ContentJSON: v1alpha1.FormatJSON, store.ContentXHTML: v1alpha1.FormatXHTML}
	if read == "" && len(version.Representations) > 0 {
		read = version.Representations[0].ContentType // JSON comes first
	}
	if format, known := of[read]; known {
		return format
	}
	return v1alpha1.FormatJSON
}

// criteria are what a row tells of what was asked for of a document.
type criteria struct {
	Version int    `json:"version"`
	Format  string `json:"format"`
}

func criteriaOf(row *store.LogRow) (c criteria) {
	_ = json.Unmarshal(row.Criteria, &c) // without them it was the current version
	return c
}
