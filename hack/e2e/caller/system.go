// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/hack/e2e/wire"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
)

// system does what it is told to.
type system struct {
	source        archiveclient.CredentialSource
	patient, once *archiveclient.Client

	mutex sync.Mutex
	loads map[string]*load
}

func (s *system) do(ctx context.Context, order wire.Order) wire.Answer {
	switch order.Do {
	case wire.StartLoad, wire.MarkLoad, wire.TellLoad, wire.StopLoad, wire.CheckLoad:
		return s.doLoad(ctx, order)
	case wire.Dial:
		return outcome(dial(ctx, order.Address))
	case wire.Identity:
		credential, err := s.source.Current()
		answer := outcome(err)
		if err == nil {
			sum := credential.Thumbprint()
			answer.Fingerprint = base64.RawURLEncoding.EncodeToString(sum[:])
		}
		return answer
	}
	return request(ctx, s.patient, order)
}

// request makes one request of the archive.
func request(ctx context.Context, c *archiveclient.Client, order wire.Order) (answer wire.Answer) {
	var err error
	var document archiveclient.Document
	switch order.Do {
	case wire.Register:
		answer.Client, err = c.RegisterClient(ctx, order.Code)
	case wire.Find:
		answer.Client, err = c.FindClient(ctx, order.Code)
	case wire.Search:
		var page archiveclient.Page
		page, err = c.SearchPage(ctx, archiveclient.Query{Client: order.Client}, "")
		answer.Total = page.Total
	case wire.Read:
		var content archiveclient.Content
		content, err = c.Read(ctx, order.Document, archiveclient.ReadOptions{})
		answer.Document, answer.Version = order.Document, content.Version
	case wire.Store:
		document, err = c.StoreDocument(ctx, archiveclient.NewDocument{
			Clients: []uuid.UUID{order.Client}, Type: order.Type, Version: archiveclient.Version{
				JSON: examples.JSON(order.Type), ServiceTasks: []string{order.Task}, Created: time.Now(), Language: "fi",
			},
		})
		answer.Document, answer.Version = document.ID, document.Version
	case wire.Relate:
		document, err = relate(ctx, c, order)
		answer.Document, answer.Version = document.ID, document.Version
	default:
		err = errors.New("caller: unknown order " + order.Do)
	}
	told := outcome(err)
	answer.Outcome, answer.Refused, answer.Detail = told.Outcome, told.Refused, told.Detail
	return answer
}

// relate stores a client relationship document, or a new version of one.
func relate(ctx context.Context, c *archiveclient.Client, order wire.Order) (archiveclient.Document, error) {
	body := map[string]string{
		"producerUnit": order.Unit, "start": order.Start.UTC().Format(time.RFC3339),
		"procurement": "outsourced-service", "origin": "client-system",
	}
	if !order.End.IsZero() {
		body["end"] = order.End.UTC().Format(time.RFC3339)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return archiveclient.Document{}, err
	}
	version := archiveclient.Version{JSON: raw, ServiceTasks: []string{order.Task}, Created: time.Now(), Language: "fi"}
	if order.Seen > 0 {
		return c.AddVersion(ctx, order.Document, order.Seen, version)
	}
	return c.StoreDocument(ctx, archiveclient.NewDocument{Clients: []uuid.UUID{order.Client}, Type: "client-relationship", Version: version})
}

func outcome(err error) wire.Answer {
	var problem *archiveclient.Problem
	switch {
	case err == nil:
		return wire.Answer{Outcome: wire.Allowed}
	case errors.As(err, &problem) && problem.Status == http.StatusServiceUnavailable:
		return wire.Answer{Outcome: wire.Unavailable, Detail: problem.Reason + ": " + problem.Title}
	case errors.As(err, &problem):
		return wire.Answer{Outcome: problem.Reason, Refused: true, Detail: problem.Title + ": " + problem.Detail}
	default:
		return wire.Answer{Outcome: wire.NoAnswer, Detail: err.Error()}
	}
}

func dial(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}
