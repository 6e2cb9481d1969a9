// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// recordVersion is the version of the canonical record. A change of what a record holds is a new one.
const recordVersion = 1

// domain keeps a commitment from being taken for the hash of anything else.
const domain = "valtuus.io/log/record/v1\n"

// SaltSize is the size of the salt of a record, in bytes.
const SaltSize = 32

// Commitment is an entry of the log: what it says of a record, and all that it says.
type Commitment [sha256.Size]byte

// String gives the commitment in hexadecimal.
func (c Commitment) String() string { return hex.EncodeToString(c[:]) }

// Commit gives the commitment to the canonical bytes of a record under its salt.
func Commit(salt, record []byte) (c Commitment) {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(salt)
	h.Write(record)
	h.Sum(c[:0])
	return c
}

// Link is what the log adds to a row when it gives it a leaf.
type Link struct {
	// Sequenced is when the row was given its leaf.
	Sequenced time.Time
	// ClientSequence numbers the records of one client from 1; 0 for a row about no client.
	ClientSequence int64
	// ClientPrevious is the commitment to the client's record before; zero for the first one.
	ClientPrevious Commitment
}

// ErrRecord says that the bytes are no canonical record.
var ErrRecord = errors.New("not a canonical record of the access log")

// record has the fields of the canonical bytes, in their order. Those that are empty are left out, so that a field
// can be added without a change to any record that lacks it.
type record struct {
	Version        int         `json:"v"`
	Sequenced      instant     `json:"sequenced"`
	ClientSequence int64       `json:"clientSequence,omitempty"`
	ClientPrevious *Commitment `json:"clientPrevious,omitempty"`

	ID        uuid.UUID     `json:"id"`
	Time      instant       `json:"time"`
	RequestID string        `json:"requestId,omitempty"`
	Registry  string        `json:"registry,omitempty"`
	Operation string        `json:"operation"`
	Outcome   store.Outcome `json:"outcome"`
	Reason    string        `json:"reason,omitempty"`
	ClientID  *uuid.UUID    `json:"client,omitempty"`

	Caller                string `json:"caller,omitempty"`
	Organization          string `json:"organization,omitempty"`
	Unit                  string `json:"unit,omitempty"`
	CertificateThumbprint string `json:"certificateThumbprint,omitempty"`

	Professional     string   `json:"professional,omitempty"`
	Role             string   `json:"role,omitempty"`
	CardThumbprint   string   `json:"cardThumbprint,omitempty"`
	AssertionKey     string   `json:"assertionKey,omitempty"`
	AssertionExpires *instant `json:"assertionExpires,omitempty"`

	// Criteria is text, not an object: its bytes are what was logged.
	Criteria      string      `json:"criteria,omitempty"`
	DocumentIDs   []uuid.UUID `json:"documents,omitempty"`
	DocumentCount int         `json:"documentCount,omitempty"`

	Relationship   *objectRef `json:"relationship,omitempty"`
	Grant          *objectRef `json:"grant,omitempty"`
	RegistryObject *objectRef `json:"registryObject,omitempty"`
	ViewAge        int64      `json:"viewAgeMs,omitempty"`
	CutAt          int64      `json:"cutAt,omitempty"`
}

type objectRef struct {
	UID      string `json:"uid,omitempty"`
	Revision string `json:"revision,omitempty"`
}

// instant is a moment to the microsecond, in UTC, always in the same words.
type instant time.Time

const instantLayout = "2006-01-02T15:04:05.000000Z"

func (i instant) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(i).UTC().Format(`"` + instantLayout + `"`)), nil
}

func (i *instant) UnmarshalJSON(text []byte) error {
	t, err := time.Parse(`"`+instantLayout+`"`, string(text))
	*i = instant(t)
	return err
}

// MarshalText gives the commitment in hexadecimal.
func (c Commitment) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is its inverse.
func (c *Commitment) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(c) {
		return fmt.Errorf("a commitment has %d bytes in hexadecimal", len(c))
	}
	copy(c[:], raw)
	return nil
}

// Encode gives the canonical bytes of a row with its link: the same for the same row, always. It fails for text that
// is not UTF-8, which the archive does not write.
func Encode(row *store.LogRow, link Link) ([]byte, error) {
	r := record{
		Version: recordVersion, Sequenced: instant(store.Instant(link.Sequenced)), ClientSequence: link.ClientSequence,
		ClientPrevious: unlessZero(link.ClientPrevious),
		ID:             row.ID, Time: instant(store.Instant(row.Time)), RequestID: row.RequestID, Registry: row.Registry,
		Operation: row.Operation, Outcome: row.Outcome, Reason: row.Reason, ClientID: unlessZero(row.ClientID),
		Caller: row.Caller, Organization: row.Organization, Unit: row.Unit, CertificateThumbprint: row.CertificateThumbprint,
		Professional: row.Professional, Role: row.Role, CardThumbprint: row.CardThumbprint, AssertionKey: row.AssertionKey,
		Criteria: string(row.Criteria), DocumentIDs: row.DocumentIDs, DocumentCount: row.DocumentCount,
		Relationship: ref(row.Relationship), Grant: ref(row.Grant), RegistryObject: ref(row.RegistryObject),
		ViewAge: row.ViewAge.Milliseconds(), CutAt: row.CutAt,
	}
	if !row.AssertionExpires.IsZero() {
		expires := instant(store.Instant(row.AssertionExpires))
		r.AssertionExpires = &expires
	}
	for _, text := range []string{
		row.RequestID, row.Registry, row.Operation, string(row.Outcome), row.Reason, row.Caller, row.Organization, row.Unit,
		row.CertificateThumbprint, row.Professional, row.Role, row.CardThumbprint, row.AssertionKey, string(row.Criteria),
		row.Relationship.UID, row.Relationship.Revision, row.Grant.UID, row.Grant.Revision,
		row.RegistryObject.UID, row.RegistryObject.Revision,
	} {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("%w: it holds text that is not UTF-8", ErrRecord)
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(&r); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads canonical bytes, and only those. ErrRecord.
func Decode(text []byte) (store.LogRow, Link, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return store.LogRow{}, Link{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	link := Link{Sequenced: time.Time(r.Sequenced), ClientSequence: r.ClientSequence, ClientPrevious: orZero(r.ClientPrevious)}
	row := store.LogRow{
		ID: r.ID, Time: time.Time(r.Time), RequestID: r.RequestID, Registry: r.Registry,
		Operation: r.Operation, Outcome: r.Outcome, Reason: r.Reason, ClientID: orZero(r.ClientID),
		Caller: r.Caller, Organization: r.Organization, Unit: r.Unit, CertificateThumbprint: r.CertificateThumbprint,
		Professional: r.Professional, Role: r.Role, CardThumbprint: r.CardThumbprint, AssertionKey: r.AssertionKey,
		AssertionExpires: time.Time(orZero(r.AssertionExpires)),
		DocumentIDs:      r.DocumentIDs, DocumentCount: r.DocumentCount,
		Relationship: store.ObjectRef(orZero(r.Relationship)), Grant: store.ObjectRef(orZero(r.Grant)),
		RegistryObject: store.ObjectRef(orZero(r.RegistryObject)),
		ViewAge:        time.Duration(r.ViewAge) * time.Millisecond, CutAt: r.CutAt,
	}
	if r.Criteria != "" {
		row.Criteria = json.RawMessage(r.Criteria)
	}
	if again, err := Encode(&row, link); err != nil || !bytes.Equal(again, text) {
		return store.LogRow{}, Link{}, ErrRecord
	}
	return row, link, nil
}

func ref(o store.ObjectRef) *objectRef { return unlessZero(objectRef(o)) }

func unlessZero[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

func orZero[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}
