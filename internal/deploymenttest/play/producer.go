// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package play

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// opening are the refusals that a party waits out at the beginning: the other's part, or the archive's view, is not there yet.
var opening = []string{
	"no-relationship", "relationship-not-accepted", "relationship-not-started", "grant-missing", "grant-not-ready", "grant-suspended",
	"grant-not-yet-valid", "unit-withdrawn", "registry-unknown", "registry-not-accepted", "credential-not-listed", "view-stale", "view-incomplete",
}

// ended are the refusals that show that the right has ended.
var ended = []string{"relationship-ended", "no-relationship"}

// Producer plays the producer's part until ctx ends.
func (p *Party) Producer(ctx context.Context) error {
	if err := p.Check(); err != nil {
		return err
	}
	var client uuid.UUID
	err := until(ctx, "find the client", opening, func() (_ bool, err error) {
		client, err = p.Archive.FindClient(ctx, p.Code)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	p.say("found client %s: the right is open", client)
	var decision uuid.UUID
	err = until(ctx, "find what the organizer stored", nil, func() (found bool, err error) {
		decision, found, err = p.found(ctx, client, typeDecision, func(d archiveclient.Document) bool { return d.Author.Unit == "" })
		return found, err
	})
	if err != nil {
		return err
	}
	p.say("searched, and found what the organizer stored (%s)", decision)
	format, err := p.read(ctx, decision)
	if err != nil {
		return fmt.Errorf("read what the organizer stored: %w", err)
	}
	p.say("read it in %s", format)
	note, err := p.Archive.StoreDocument(ctx, p.document(client, typeNote))
	if err != nil {
		return fmt.Errorf("store a document for the organizer to read: %w", err)
	}
	p.say("stored a document for the organizer to read (%s)", note.ID)
	var refused *archiveclient.Problem
	err = until(ctx, "wait for the organizer to end the relationship", ended, func() (bool, error) {
		_, err := p.Archive.SearchPage(ctx, archiveclient.Query{Client: client}, "")
		if errors.As(err, &refused) && slices.Contains(ended, refused.Reason) {
			return true, nil
		}
		return false, err
	})
	if err != nil {
		return err
	}
	p.say("is refused: %d %s", refused.Status, refused.Reason)
	return nil
}
