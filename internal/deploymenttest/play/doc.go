// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package play plays the parts of a deployment test (käyttöönottokoe) through the archive's HTTP API, each with its own
// credential, card and document format, as a client system does: the organizer's part and the producer's are apart, and
// know of each other only what the archive tells them and the synthetic identity code that both have agreed on.
package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// pollEvery is how often a party looks whether the other has done its part.
const pollEvery = 250 * time.Millisecond

// Party is one party of a test.
type Party struct {
	// Archive is the party's client of the test registry.
	Archive *archiveclient.Client
	// Code is the synthetic identity code of the client that both agreed on, of the 900 series.
	Code string
	// Unit is the OID of the producer unit, ServiceTask the code of the service task.
	Unit, ServiceTask string
	// Format is that of the documents that the party stores: archiveclient.JSON or archiveclient.XHTML.
	Format archiveclient.Format
	// Say is told of each step that was done, in words; may be nil.
	Say func(format string, arguments ...any)
}

// Errors of a party's settings.
var (
	ErrFormat = errors.New("a party stores its documents in application/json or in application/xhtml+xml")
	ErrCode   = errors.New("the client of a test has an identity code of the 900 series")
)

// Check tells what is wrong with the settings before anything is sent.
func (p *Party) Check() error {
	code, err := identitycode.Parse(p.Code)
	switch {
	case p.Format != archiveclient.JSON && p.Format != archiveclient.XHTML:
		return ErrFormat
	case err != nil || !code.Test():
		return ErrCode
	}
	return nil
}

func (p *Party) say(format string, arguments ...any) {
	if p.Say != nil {
		p.Say(format, arguments...)
	}
}

// until asks again and again until done, or until an error that is not among the reasons that one waits out.
func until(ctx context.Context, what string, waitFor []string, ask func() (done bool, err error)) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		done, err := ask()
		if err != nil && !slices.Contains(waitFor, archiveclient.ReasonOf(err)) {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err == nil && done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(context.Cause(ctx), err))
		case <-ticker.C:
		}
	}
}

// document makes a short document of the type in the party's format.
func (p *Party) document(client uuid.UUID, documentType string) archiveclient.NewDocument {
	d := archiveclient.NewDocument{
		Clients: []uuid.UUID{client}, Type: documentType,
		Version: archiveclient.Version{ServiceTasks: []string{p.ServiceTask}, Created: time.Now(), Language: "fi"},
	}
	if p.Format == archiveclient.XHTML {
		d.XHTML = fmt.Appendf(nil, page, titles[documentType])
	} else {
		d.JSON = []byte(bodies[documentType])
	}
	return d
}

const (
	typeDecision     = "service-decision"
	typeNote         = "case-note"
	typeRelationship = "client-relationship"
)

const page = `<html xmlns="http://www.w3.org/1999/xhtml" lang="fi"><head><title>%[1]s</title></head><body><h1>%[1]s</h1><p>Käyttöönottokokeen asiakirja. Henkilö on keksitty.</p></body></html>`

var titles = map[string]string{typeDecision: "Palvelupäätös", typeNote: "Asiakaskertomus"}

var bodies = map[string]string{
	typeDecision: `{"decisionNumber": "1/2026", "decidedOn": "2026-11-02",
  "decisions": [{"service": {"name": "Kotihoito"}, "outcome": "granted"}],
  "reasons": "Käyttöönottokokeen asiakirja. Henkilö on keksitty.", "decidedBy": {"name": "Maija Mallinen", "title": "sosiaalityöntekijä"}}`,
	typeNote: `{"occurredAt": "2026-11-02T09:00:00Z", "contact": "home-visit", "text": "Käyttöönottokokeen asiakirja. Henkilö on keksitty."}`,
}

// found gives the newest document of the type that the party finds.
func (p *Party) found(ctx context.Context, client uuid.UUID, documentType string, fits func(archiveclient.Document) bool) (uuid.UUID, bool, error) {
	for d, err := range p.Archive.Search(ctx, archiveclient.Query{Client: client}) {
		if err != nil {
			return uuid.Nil, false, err
		}
		if d.Type == documentType && fits(d) {
			return d.ID, true, nil
		}
	}
	return uuid.Nil, false, nil
}

// read reads a document in a format that the archive has of it, and tells which.
func (p *Party) read(ctx context.Context, id uuid.UUID) (string, error) {
	content, err := p.Archive.Read(ctx, id, archiveclient.ReadOptions{})
	switch {
	case err != nil:
		return "", err
	case content.JSON != nil:
		return "JSON", nil
	default:
		return "XHTML", nil
	}
}
