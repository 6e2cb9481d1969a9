// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/v1alpha1"
)

// relate records a relationship of each client: the first as the organizer's own system does, by a client
// relationship document, the second as a person at a keyboard does, by kubectl.
func (p *play) relate(ctx context.Context, start time.Time) error {
	say("Pirkanmaa's own system stores a client relationship document for the first client, from %s", start.UTC().Format(time.TimeOnly))
	var err error
	p.relationship, err = p.organizer.StoreDocument(ctx, archiveclient.NewDocument{
		Clients: []uuid.UUID{p.first}, Type: "client-relationship", Version: p.relationshipVersion(start, time.Time{}),
	})
	if err != nil {
		return err
	}
	relationship := &v1alpha1.ServiceRelationship{}
	err = waitFor(ctx, p.stage, "the archive to make the ServiceRelationship", organizerKey(p.relationshipName()), relationship,
		func(*v1alpha1.ServiceRelationship) bool { return true })
	if err != nil {
		return err
	}
	saw("the archive made ServiceRelationship %s for unit %s", relationship.Name, relationship.Spec.ProducerUnit)
	say("Someone at Pirkanmaa applies the second client's relationship with kubectl")
	err = p.apply(ctx, func(o *unstructured.Unstructured) error {
		if err := unstructured.SetNestedField(o.Object, p.second.String(), "spec", "clientID"); err != nil {
			return err
		}
		return unstructured.SetNestedField(o.Object, p.clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339), "spec", "start")
	}, "config/samples/60-relationships.yaml")
	if err != nil {
		return err
	}
	err = waitFor(ctx, p.stage, "the archive to make the document", organizerKey("asiakkuus-2"), relationship,
		func(o *v1alpha1.ServiceRelationship) bool { return o.Spec.Document != nil })
	if err != nil {
		return err
	}
	saw("the archive stored the client relationship document %s for it", relationship.Spec.Document.ID)
	return nil
}

// relationshipVersion is what a client relationship document says; end is zero while the relationship goes on.
func (p *play) relationshipVersion(start, end time.Time) archiveclient.Version {
	body := map[string]string{
		"producerUnit": northOID, "start": start.UTC().Format(time.RFC3339), "procurement": "outsourced-service", "origin": "client-system",
	}
	if !end.IsZero() {
		body["end"] = end.UTC().Format(time.RFC3339)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings marshal
	}
	return archiveclient.Version{JSON: raw, ServiceTasks: []string{"elderly"}, Created: p.clock.Now(), Language: "fi"}
}

func (p *play) relationshipName() string { return "document-" + p.relationship.ID.String() }

// endByDocument stores the end as a new version of the client relationship document, and returns how long after its
// acknowledgment the unit was first refused.
func (p *play) endByDocument(ctx context.Context) (time.Duration, error) {
	start := p.relationship.Relationship.Start
	// An end is later than the start, and both are whole seconds: one that began this very second can end in the next.
	time.Sleep(start.Add(time.Second).Sub(p.clock.Now()))
	end := p.clock.Now().Truncate(time.Second)
	var err error
	if p.relationship, err = p.organizer.AddVersion(ctx, p.relationship.ID, p.relationship.Version, p.relationshipVersion(start, end)); err != nil {
		return 0, err
	}
	return p.untilRefused(ctx, p.first)
}

// untilRefused asks for the client until the answer is that the relationship has ended.
func (p *play) untilRefused(ctx context.Context, clientID uuid.UUID) (time.Duration, error) {
	acknowledged := time.Now()
	for {
		_, err := p.north.SearchPage(ctx, archiveclient.Query{Client: clientID}, "")
		switch {
		case isRefusal(err, "relationship-ended"):
			return time.Since(acknowledged), nil
		case err != nil:
			return 0, err
		case time.Since(acknowledged) > patience:
			return 0, errors.New("the end took no effect")
		}
	}
}

// changeDocuments shows a new version, a lost update that is refused, and an annulment.
func (p *play) changeDocuments(ctx context.Context) error {
	heading("6. Documents change, and nothing is lost")
	say("The unit stores a new version of its note")
	version := p.document(p.first, "case-note", "elderly").Version
	changed, err := p.north.AddVersion(ctx, p.note, 1, version)
	if err != nil {
		return err
	}
	saw("version %d of document %s", changed.Version, changed.ID)
	say("A colleague who has seen version 1 only tries to store over it")
	p.north = p.north.In("en")
	version.Language = "sv"
	_, err = p.north.AddVersion(ctx, p.note, 1, version)
	if err := refusedFor("version-stale", err); err != nil {
		return err
	}
	say("The organizer annuls the client plan, which was stored for the wrong client")
	if _, err := p.organizer.Annul(ctx, p.plan, 1, "wrong-client"); err != nil {
		return err
	}
	_, err = p.north.Read(ctx, p.plan, archiveclient.ReadOptions{})
	if err := refusedFor("document-annulled", err); err != nil {
		return err
	}
	if _, err := p.organizer.Read(ctx, p.plan, archiveclient.ReadOptions{Annulled: true}); err != nil {
		return fmt.Errorf("the organizer must keep the evidence: %w", err)
	}
	saw("the organizer keeps it as evidence")
	return nil
}

// settled waits until a relationship's document and object agree.
func (p *play) settled(ctx context.Context, name string, relationship *v1alpha1.ServiceRelationship) error {
	return waitFor(ctx, p.stage, "document and object of "+name+" to agree", organizerKey(name), relationship, func(o *v1alpha1.ServiceRelationship) bool {
		return o.Status.Document != nil && o.Status.Document.State == v1alpha1.DocumentAgreed && o.Spec.End != nil
	})
}
