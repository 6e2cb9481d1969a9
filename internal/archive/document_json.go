// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// documentJSON is what is told of a document besides its bytes.
type documentJSON struct {
	ID           uuid.UUID  `json:"id"`
	Client       uuid.UUID  `json:"client"`
	Type         string     `json:"type"`
	ServiceTasks []string   `json:"serviceTasks"`
	Author       authorJSON `json:"author"`
	Created      time.Time  `json:"created"`
	Stored       time.Time  `json:"stored"`
	ContentType  string     `json:"contentType"`
	Size         int64      `json:"size"`
	SHA256       string     `json:"sha256"`
}

type authorJSON struct {
	Organization string `json:"organization"`
	Unit         string `json:"unit,omitempty"`
	Professional string `json:"professional"`
}

func toDocumentJSON(f store.Facts) documentJSON {
	return documentJSON{
		ID: f.ID, Client: f.ClientID, Type: f.Type, ServiceTasks: f.ServiceTasks,
		Author:  authorJSON{f.Author.Organization, f.Author.Unit, f.Author.Professional},
		Created: f.Created, Stored: f.Stored, ContentType: f.ContentType, Size: f.Size,
		SHA256: hex.EncodeToString(f.Digest[:]),
	}
}
