// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// MaxWithheld is the most log entries that one withholding names.
const MaxWithheld = 200

// Withholding keeps log entries from the client whom they are about, by a written decision.
type Withholding struct {
	// ID is given by the store.
	ID       uuid.UUID
	Registry string
	ClientID uuid.UUID
	// Entries are the ids of the rows; without any, all rows from From (inclusive) until Until (exclusive).
	Entries     []uuid.UUID
	From, Until time.Time
	// Reason is a code, Decision the reference of the written decision.
	Reason, Decision string
	Made             time.Time
	By               Author
	// Lifting tells of its end; nil while it stands.
	Lifting *Lifting
}

// Lifting ends a withholding.
type Lifting struct {
	At time.Time
	// Decision is the reference of the decision that ends it.
	Decision string
	By       Author
}

// Covers tells whether the withholding stands and keeps the row from its client.
func (w *Withholding) Covers(row LogRow) bool {
	switch {
	case w.Lifting != nil || row.Registry != w.Registry || row.ClientID != w.ClientID:
		return false
	case len(w.Entries) > 0:
		return slices.Contains(w.Entries, row.ID)
	default:
		return within(Instant(row.Time), w.From, w.Until)
	}
}

// Validate gives *InvalidError for the first field outside its bounds.
func (w *Withholding) Validate() error {
	if w.ClientID == uuid.Nil {
		return &InvalidError{"ClientID", "is missing"}
	}
	if len(w.Entries) > 0 {
		if err := checkSet("Entries", w.Entries, MaxWithheld, func(uuid.UUID) error { return nil }); err != nil {
			return err
		}
	} else if w.From.IsZero() || !w.From.Before(w.Until) {
		return &InvalidError{"Until", "is not after From, and there are no Entries"}
	}
	return firstError(
		checkCode("Registry", w.Registry, false), checkCode("Reason", w.Reason, false),
		checkCode("Decision", w.Decision, false), checkTime("Made", w.Made), w.By.validate(),
	)
}

// Digest is the same for withholdings that say the same, whoever made them and when.
func (w *Withholding) Digest() [sha256.Size]byte {
	raw, err := json.Marshal([]any{
		w.Registry, w.ClientID, w.SortedEntries(), boundMicros(w.From), boundMicros(w.Until), w.Reason, w.Decision,
	})
	if err != nil {
		panic("store: strings and numbers always marshal: " + err.Error())
	}
	return sha256.Sum256(raw)
}

// SortedEntries gives the entries in the order of their ids.
func (w *Withholding) SortedEntries() []uuid.UUID {
	return slices.SortedFunc(slices.Values(w.Entries), func(a, b uuid.UUID) int { return cmp.Compare(string(a[:]), string(b[:])) })
}

// Validate gives *InvalidError for the first field outside its bounds.
func (l *Lifting) Validate() error {
	return firstError(checkTime("At", l.At), checkCode("Decision", l.Decision, false), l.By.validate())
}

// WithholdingStore keeps what is withheld of the log.
type WithholdingStore interface {
	// Withhold records a withholding and writes the log row, in one transaction. Where one that stands says the
	// same, it gives that one, and created is false.
	Withhold(ctx context.Context, w Withholding, row LogRow) (kept Withholding, created bool, err error)

	// LiftWithholding ends a withholding and writes the log row, in one transaction. ErrNotFound if the registry has
	// none with the id, ErrStale if it was lifted by another decision; lifting it again by the same one changes
	// nothing. The row is completed with the client.
	LiftWithholding(ctx context.Context, registry string, id uuid.UUID, lifting Lifting, row LogRow) (Withholding, error)

	// Withholdings gives all of a client, lifted ones too, oldest first.
	Withholdings(ctx context.Context, registry string, client uuid.UUID) ([]Withholding, error)
}
