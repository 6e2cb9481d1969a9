// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// A producer unit stores a case note, writes a new version of it, and reads what there is.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	card, err := archiveclient.ReadCard("1001", "social-worker", cardCert, cardKey)
	if err != nil {
		panic(err)
	}
	archive, err := archiveclient.New(archiveclient.Config{
		Endpoint:     endpoint,                                // https://archive.example:8443
		Registry:     registry,                                // 1.2.246.10.32213086.19.0
		Credential:   archiveclient.CredentialDir(unitSecret), // where the Secret is mounted
		Professional: card,
		Language:     "en",
	})
	if err != nil {
		panic(err)
	}
	defer archive.Close()

	client, err := archive.FindClient(ctx, "020516C903K")
	if err != nil {
		panic(err)
	}
	note := archiveclient.Version{
		JSON:         []byte(`{"occurredAt": "2026-11-21T09:30:00Z", "contact": "home-visit", "text": "We agreed on meals."}`),
		ServiceTasks: []string{"older-people"},
		Created:      time.Now(),
	}
	stored, err := archive.StoreDocument(ctx, archiveclient.NewDocument{
		Clients: []uuid.UUID{client}, Type: "case-note", Version: note,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("stored version", stored.Version)

	note.JSON = []byte(`{"occurredAt": "2026-11-21T09:30:00Z", "contact": "home-visit", "text": "We agreed on meals twice a day."}`)
	if stored, err = archive.AddVersion(ctx, stored.ID, stored.Version, note); err != nil {
		panic(err)
	}
	fmt.Println("stored version", stored.Version)

	// Somebody who has seen version 1 only is told.
	_, err = archive.AddVersion(ctx, stored.ID, 1, archiveclient.Version{
		JSON: []byte(`{"occurredAt": "2026-11-21T09:30:00Z", "contact": "other", "text": "?"}`), ServiceTasks: note.ServiceTasks, Created: time.Now(),
	})
	var problem *archiveclient.Problem
	if errors.As(err, &problem) {
		fmt.Println(problem.Reason, "the current version is", problem.CurrentVersion)
	}

	for document, err := range archive.Search(ctx, archiveclient.Query{Client: client, Type: "case-note", PageSize: 10}) {
		if err != nil {
			panic(err)
		}
		if document.ID == stored.ID {
			fmt.Println("found", document.Type, document.Version)
		}
	}
	content, err := archive.Read(ctx, stored.ID, archiveclient.ReadOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(content.JSON))

	// Output:
	// stored version 1
	// stored version 2
	// version-stale the current version is 2
	// found case-note 2
	// {"occurredAt": "2026-11-21T09:30:00Z", "contact": "home-visit", "text": "We agreed on meals twice a day."}
}
