// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
)

const (
	registryOID = "1.2.246.10.32213086.19.0"
	northOID    = "1.2.246.10.99999999.10.1"
	northGrant  = "clients-" + northOID

	// Identity codes of the 900 series, which no person has.
	firstCode  = "020516C903K"
	secondCode = "010190-999W"
	thirdCode  = "010190-998V"
)

// play is the story and what it has come to.
type play struct {
	*stage
	repeats int

	organizer, north, south *archiveclient.Client
	card                    testcard.Card
	first, second           uuid.UUID // clients
	decision, plan, other   uuid.UUID // documents of the organizer
	note                    uuid.UUID // document of the northern unit
	relationship            archiveclient.Document
	shared                  uuid.UUID // document of both clients
	before                  time.Time // the end of the first client's relationship
}

// introduce brings the parties on stage.
func (p *play) introduce(ctx context.Context) error {
	heading("1. The parties")
	say("The platform records the organizations, the client systems and the archive")
	if err := p.apply(ctx, p.placeArchive, "config/samples/20-platform.yaml", "config/samples/30-archive.yaml"); err != nil {
		return err
	}
	err := waitFor(ctx, p.stage, "the archive's certificates", client.ObjectKey{Namespace: "platform", Name: "national"}, &v1alpha1.Archive{},
		func(o *v1alpha1.Archive) bool { return isTrue(o.Status.Conditions, v1alpha1.ReadyCondition) })
	if err != nil {
		return err
	}
	say("The archive starts with the certificate that was made for it")
	if err := p.startArchive(ctx); err != nil {
		return err
	}
	say("Pirkanmaa applies its registry, the company its two units")
	if err := p.apply(ctx, nil, "config/samples/40-organizer.yaml", "config/samples/50-producer.yaml"); err != nil {
		return err
	}
	if p.card, err = p.cards.Issue("1001", p.clock.Now().Add(-time.Hour), p.clock.Now().Add(24*time.Hour)); err != nil {
		return err
	}
	registry := &v1alpha1.Registry{}
	err = waitFor(ctx, p.stage, "the organizer's credential", organizerKey("clients"), registry,
		func(o *v1alpha1.Registry) bool { return isTrue(o.Status.Conditions, v1alpha1.ReadyCondition) })
	if err != nil {
		return err
	}
	saw("registry %s of controller %s is ready; the organizer's credential is in Secret %s", registry.Name, registry.Spec.ControllerOID, registry.Status.SecretRef.Name)
	if p.organizer, err = p.caller(ctx, organizerKey(string(registry.Status.SecretRef.Name)), "organizer"); err != nil {
		return err
	}
	return p.fillRegistry(ctx)
}

// placeArchive gives the sample archive the address and the cards of this demo.
func (p *play) placeArchive(o *unstructured.Unstructured) error {
	if o.GetKind() != "Archive" {
		return nil
	}
	if err := unstructured.SetNestedField(o.Object, p.endpoint(), "spec", "external", "endpoint"); err != nil {
		return err
	}
	return unstructured.SetNestedField(o.Object, string(p.cards.AnchorsPEM()), "spec", "professionals", "trustAnchors")
}

// fillRegistry registers two clients and stores documents of the first.
func (p *play) fillRegistry(ctx context.Context) error {
	say("The organizer registers two clients under their identity codes and gets random ids")
	err := until(ctx, "the archive to answer", func() (bool, error) {
		response, err := http.Get("http://" + p.admin + "/readyz")
		if err != nil {
			return false, err
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
	if err != nil {
		return err
	}
	if p.first, err = p.organizer.RegisterClient(ctx, firstCode); err != nil {
		return err
	}
	if p.second, err = p.organizer.RegisterClient(ctx, secondCode); err != nil {
		return err
	}
	saw("%s → %s", firstCode, p.first)
	say("It stores the first client's service decision and client plan, and a decision of another service task")
	for _, d := range []struct {
		id         *uuid.UUID
		kind, task string
	}{
		{&p.decision, "service-decision", "elderly"},
		{&p.plan, "client-plan", "elderly"},
		{&p.other, "service-decision", "substance-abuse"},
	} {
		stored, err := p.organizer.StoreDocument(ctx, p.document(p.first, d.kind, d.task))
		if err != nil {
			return err
		}
		*d.id = stored.ID
		saw("%s, held to version %s of its schema", stored.Type, stored.Schema)
	}
	say("A document that its schema does not allow is refused, and told where")
	wrong := p.document(p.first, "case-note", "elderly")
	wrong.JSON = []byte(`{"occurredAt": "yesterday", "contact": "home-visit"}`)
	_, err = p.organizer.In("en").StoreDocument(ctx, wrong)
	return refusedFor("document-invalid", err)
}

// document gives an example of the document type as a document of the client.
func (p *play) document(clientID uuid.UUID, kind, task string) archiveclient.NewDocument {
	return archiveclient.NewDocument{
		Clients: []uuid.UUID{clientID}, Type: kind, Version: archiveclient.Version{
			JSON: examples.JSON(kind), ServiceTasks: []string{task}, Created: p.clock.Now(), Language: "fi",
		},
	}
}

// waitForTest applies relationships before the systems have been tested together.
func (p *play) waitForTest(ctx context.Context) error {
	heading("2. A relationship before the deployment test")
	if err := p.relate(ctx, p.clock.Now().Add(12*time.Second).Truncate(time.Second)); err != nil {
		return err
	}
	grant := &v1alpha1.RegistryAccessGrant{}
	err := waitFor(ctx, p.stage, "the grant to say what is missing", organizerKey(northGrant), grant, func(o *v1alpha1.RegistryAccessGrant) bool {
		c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ReadyCondition)
		return c != nil && c.Reason == "DeploymentTestMissing"
	})
	if err != nil {
		return err
	}
	saw("grant %s was made by itself, and waits: %s", grant.Name, meta.FindStatusCondition(grant.Status.Conditions, v1alpha1.ReadyCondition).Message)
	err = p.Get(ctx, client.ObjectKey{Namespace: "hoivakoti", Name: "pohjoinen-" + registryOID}, &corev1.Secret{})
	if client.IgnoreNotFound(err) != nil || err == nil {
		return fmt.Errorf("a credential was delivered before the deployment test: %w", err)
	}
	saw("no credential has been delivered")
	return nil
}

// openAccess records the test; the credential comes, and the start is waited for.
func (p *play) openAccess(ctx context.Context) error {
	heading("3. The test is recorded and access opens at its time")
	say("Pirkanmaa records that the northern unit's system was tested with its own before")
	northern := func(o *unstructured.Unstructured) error {
		if o.GetName() == trialName {
			return errSkip
		}
		return nil
	}
	if err := p.apply(ctx, northern, "config/samples/70-deployment-tests.yaml"); err != nil {
		return err
	}
	var err error
	if p.north, err = p.caller(ctx, client.ObjectKey{Namespace: "hoivakoti", Name: "pohjoinen-" + registryOID}, "north"); err != nil {
		return err
	}
	saw("its credential is in the company's namespace")
	if err := p.granted(ctx, p.relationshipName()); err != nil {
		return err
	}
	say("The northern unit reads too early")
	p.north = p.north.In("en")
	err = until(ctx, "the archive to know the new credential", func() (bool, error) {
		_, err := p.north.FindClient(ctx, firstCode)
		return !isRefusal(err, "credential-not-listed", "grant-not-ready"), err
	})
	if err != nil {
		return err
	}
	_, err = p.north.FindClient(ctx, firstCode)
	if start := p.relationship.Relationship.Start; err == nil && !p.clock.Now().Before(start) {
		saw("it came too late for that: this machine is slow, and the relationship has started")
		return nil
	}
	if err := refusedFor("relationship-not-started", err); err != nil {
		return err
	}
	say("The start comes")
	return until(ctx, "the start", func() (bool, error) {
		_, err := p.north.FindClient(ctx, firstCode)
		return err == nil, err
	})
}

// granted waits until a relationship opens access.
func (p *play) granted(ctx context.Context, name string) error {
	return waitFor(ctx, p.stage, "access to be granted", organizerKey(name), &v1alpha1.ServiceRelationship{},
		func(o *v1alpha1.ServiceRelationship) bool { return o.Status.Access == v1alpha1.AccessGranted })
}

// useAccess plays the daily work: find, search, read, store, and read at the organizer.
func (p *play) useAccess(ctx context.Context) error {
	heading("5. The unit does its work")
	id, err := p.north.FindClient(ctx, firstCode)
	if err != nil {
		return err
	}
	if id != p.first {
		return fmt.Errorf("the unit found client %s instead of %s", id, p.first)
	}
	say("The northern unit finds its client by identity code")
	saw("%s → %s", firstCode, id)
	page, err := p.north.SearchPage(ctx, archiveclient.Query{Client: id}, "")
	if err != nil {
		return err
	}
	if page.Total != 3 {
		return fmt.Errorf("the unit sees %d documents instead of 3", page.Total)
	}
	say("It searches: %d documents of its service task, and no word of the fourth", page.Total)
	for _, document := range page.Items {
		content, err := p.north.Read(ctx, document.ID, archiveclient.ReadOptions{})
		if err != nil {
			return err
		}
		saw("%s, %d bytes", document.Type, len(content.JSON))
	}
	say("It stores a case note, in the form for systems and in the form for people, each signed with the card")
	note := p.document(id, "case-note", "elderly")
	note.XHTML = examples.CaseNoteXHTML()
	if err := p.professional().Sign(&note.Version); err != nil {
		return err
	}
	stored, err := p.north.StoreDocument(ctx, note)
	if err != nil {
		return err
	}
	p.note = stored.ID
	for format, want := range map[archiveclient.Format][]byte{archiveclient.JSON: note.JSON, archiveclient.XHTML: note.XHTML} {
		content, err := p.organizer.Read(ctx, p.note, archiveclient.ReadOptions{Format: format})
		if err != nil {
			return err
		}
		if !bytes.Equal(append(content.JSON, content.XHTML...), want) {
			return fmt.Errorf("the organizer read other bytes of %s than the unit stored", format)
		}
	}
	say("The organizer reads both, byte for byte")
	return p.verifyOffline(ctx)
}

// refuseOthers shows who is refused.
func (p *play) refuseOthers(ctx context.Context) error {
	heading("7. Others are refused, in the language they ask in")
	say("The company's southern unit asks for the same client, in Swedish")
	p.south = p.south.In("sv")
	_, err := p.south.FindClient(ctx, firstCode)
	if err := refusedFor("no-relationship", err); err != nil {
		return err
	}
	say("The northern unit asks for the document of another service task, in Finnish")
	p.north = p.north.In("fi")
	_, err = p.north.Read(ctx, p.other, archiveclient.ReadOptions{})
	if err := refusedFor("task-not-covered", err); err != nil {
		return err
	}
	say("It tries to store into another service task")
	_, err = p.north.StoreDocument(ctx, p.document(p.first, "case-note", "substance-abuse"))
	if err := refusedFor("task-not-covered", err); err != nil {
		return err
	}
	return p.refuseOtherRole(ctx)
}

// caller makes a client of the archive from the Secret that a credential was delivered to.
func (p *play) caller(ctx context.Context, key client.ObjectKey, name string) (*archiveclient.Client, error) {
	secret := &corev1.Secret{}
	err := waitFor(ctx, p.stage, "Secret "+key.String(), key, secret, func(o *corev1.Secret) bool { return len(o.Data) > 0 })
	if err != nil {
		return nil, err
	}
	if _, err := p.files(name, secret.Data); err != nil {
		return nil, err
	}
	credential, err := archiveclient.ReadCredential(secret.Data["tls.crt"], secret.Data["tls.key"], secret.Data["ca.crt"])
	if err != nil {
		return nil, err
	}
	return archiveclient.New(archiveclient.Config{
		Endpoint: p.endpoint(), Registry: registryOID, Credential: credential,
		Professional: p.professional(),
	})
}

func isTrue(conditions []metav1.Condition, conditionType string) bool {
	return meta.IsStatusConditionTrue(conditions, conditionType)
}
