// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package play

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// relationship is the structured form of a client relationship document.
type relationship struct {
	ProducerUnit string     `json:"producerUnit"`
	Start        time.Time  `json:"start"`
	End          *time.Time `json:"end,omitempty"`
	Procurement  string     `json:"procurement"`
}

// Organizer plays the organizer's part until ctx ends.
func (p *Party) Organizer(ctx context.Context) error {
	if err := p.Check(); err != nil {
		return err
	}
	client, err := p.register(ctx)
	if err != nil {
		return err
	}
	decision, err := p.Archive.StoreDocument(ctx, p.document(client, typeDecision))
	if err != nil {
		return fmt.Errorf("store a document for the producer to read: %w", err)
	}
	p.say("stored a document for the producer to read (%s)", decision.ID)
	// The start and the end are whole seconds, and the end comes after the start.
	said := relationship{ProducerUnit: p.Unit, Start: time.Now().UTC().Add(-2 * time.Second).Truncate(time.Second), Procurement: "outsourced-service"}
	paper, err := p.Archive.StoreDocument(ctx, archiveclient.NewDocument{
		Clients: []uuid.UUID{client}, Type: typeRelationship, Version: p.paper(said),
	})
	if err != nil {
		return fmt.Errorf("store the client relationship document: %w", err)
	}
	p.say("stored the client relationship document that names unit %s (%s)", p.Unit, paper.ID)

	var note uuid.UUID
	err = until(ctx, "find what the producer stored", nil, func() (found bool, err error) {
		note, found, err = p.found(ctx, client, typeNote, func(d archiveclient.Document) bool { return d.Author.Unit == p.Unit })
		return found, err
	})
	if err != nil {
		return err
	}
	p.say("searched, and found what the producer stored (%s)", note)
	format, err := p.read(ctx, note)
	if err != nil {
		return fmt.Errorf("read what the producer stored: %w", err)
	}
	p.say("read it in %s", format)
	return p.end(ctx, paper.ID, said)
}

// register waits until the registry is open to the organizer.
func (p *Party) register(ctx context.Context) (client uuid.UUID, err error) {
	err = until(ctx, "register the client", opening, func() (bool, error) {
		client, err = p.Archive.RegisterClient(ctx, p.Code)
		return err == nil, err
	})
	if err == nil {
		p.say("registered client %s", client)
	}
	return client, err
}

// end ends the relationship. The archive may have stored a version of its own meanwhile.
func (p *Party) end(ctx context.Context, paper uuid.UUID, said relationship) error {
	now := time.Now().UTC().Truncate(time.Second)
	said.End = &now
	for {
		seen, err := p.Archive.Metadata(ctx, paper, archiveclient.MetadataOptions{})
		if err != nil {
			return fmt.Errorf("end the relationship: %w", err)
		}
		_, err = p.Archive.AddVersion(ctx, paper, seen.Version, p.paper(said))
		if archiveclient.ReasonOf(err) == "version-stale" {
			continue
		}
		if err != nil {
			return fmt.Errorf("end the relationship: %w", err)
		}
		p.say("stored a version of the client relationship document that ends the relationship")
		return nil
	}
}

func (p *Party) paper(said relationship) archiveclient.Version {
	body, err := json.Marshal(said)
	if err != nil {
		panic(err) // times and strings always marshal
	}
	return archiveclient.Version{JSON: body, ServiceTasks: []string{p.ServiceTask}, Created: time.Now()}
}
