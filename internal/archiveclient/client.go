// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archiveclient is the client of the suites and the benchmarks. What a client system does it does with the
// public client (api/archiveclient), but repeats nothing, so that each answer is seen. Beside that it sends what the
// public client would not: any request, with any assertion, at any time.
package archiveclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"

	public "github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/archiveclient/openapi"
	"github.com/valtuus/valtuus/internal/archive/assertion"
)

// What is the same in both clients.
type (
	// Problem is a refusal or another error that the archive answered with.
	Problem = public.Problem
	// Credential is a client certificate with its key, and the authority that the archive is verified against.
	Credential = public.Credential
	// Professional is who acts: a card, and what the client system says of its holder.
	Professional = public.Card
	// Answer is what the archive answered to one request, in short.
	Answer = public.Answer
	// Page is one page of found documents.
	Page = public.Page
	// Explanation tells how a request would be decided.
	Explanation = public.Explanation
)

// ReadCredential reads a credential as its Secret holds it: tls.crt, tls.key and ca.crt, all PEM.
func ReadCredential(cert, key, ca []byte) (Credential, error) {
	read, err := public.ReadCredential(cert, key, ca)
	if err != nil {
		return Credential{}, err
	}
	return *read, nil
}

// Client is one caller of one registry. It is safe for concurrent use.
type Client struct {
	base         string
	professional Professional
	binding      public.Binding
	raw          *http.Client
	typed        *public.Client
	// again makes this caller anew with another professional.
	again func(Professional) *Client
	// Clock tells the time that assertions are made at.
	Clock clock.PassiveClock
	// OnAnswer, when set, is told of every answer, so that the use log can be held against it.
	OnAnswer func(Answer)
}

// patience bounds a request. It is for what hangs: a busy machine may take its time over a suite.
const patience = 2 * time.Minute

// New returns a client of the archive at an https endpoint.
func New(endpoint, registryOID string, credential Credential, professional Professional) *Client {
	c := &Client{
		again: func(p Professional) *Client { return New(endpoint, registryOID, credential, p) },
		base:  endpoint + "/v1/registries/" + registryOID, professional: professional, Clock: clock.RealClock{},
		binding: public.Binding{Audience: assertion.AudienceOf(registryOID), Thumbprint: credential.Thumbprint()},
		raw: &http.Client{Timeout: patience, Transport: &http.Transport{
			ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS13, RootCAs: credential.Authority, Certificates: []tls.Certificate{credential.Certificate},
			},
		}},
	}
	typed, err := public.New(public.Config{
		Endpoint: endpoint, Registry: registryOID, Credential: &credential, Professional: c,
		Backoff: &wait.Backoff{Steps: 1}, OnAnswer: c.answered, Timeout: patience,
	})
	if err != nil {
		panic(err) // of the caller's making
	}
	c.typed = typed
	return c
}

// In makes a caller whose professional acts in another role.
func (c *Client) In(role string) *Client {
	professional := c.professional
	professional.Role = role
	other := c.again(professional)
	other.Clock, other.OnAnswer = c.Clock, c.OnAnswer
	return other
}

// Close closes the idle connections.
func (c *Client) Close() {
	c.raw.CloseIdleConnections()
	c.typed.Close()
}

func (c *Client) answered(a Answer) {
	if c.OnAnswer != nil {
		c.OnAnswer(a)
	}
}

// Assert implements the public client's Professional by this client's clock.
func (c *Client) Assert(ctx context.Context, binding public.Binding) (string, error) {
	card := c.professional
	card.Clock = c.Clock.Now
	return card.Assert(ctx, binding)
}

// Assertion makes an assertion for one request.
func (c *Client) Assertion() (string, error) { return c.Assert(context.Background(), c.binding) }

// Do sends one request as it is; path is below the registry's own. A refusal is a *Problem, and is given with its bytes.
func (c *Client) Do(ctx context.Context, method, path, contentType string, body []byte) (http.Header, []byte, error) {
	token, err := c.Assertion()
	if err != nil {
		return nil, nil, err
	}
	return c.DoWith(ctx, token, method, path, contentType, body)
}

// DoIf is Do on the condition that the document has the entity tag.
func (c *Client) DoIf(ctx context.Context, tag, method, path, contentType string, body []byte) (http.Header, []byte, error) {
	token, err := c.Assertion()
	if err != nil {
		return nil, nil, err
	}
	return c.send(ctx, token, tag, method, path, contentType, body)
}

// DoWith is Do with an assertion made before, or with something else in its place.
func (c *Client) DoWith(ctx context.Context, token, method, path, contentType string, body []byte) (http.Header, []byte, error) {
	return c.send(ctx, token, "", method, path, contentType, body)
}

func (c *Client) send(ctx context.Context, token, tag, method, path, contentType string, body []byte) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set(assertion.Header, token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if tag != "" {
		request.Header.Set("If-Match", tag)
	}
	response, err := c.raw.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	c.answered(Answer{RequestID: response.Header.Get("X-Request-Id"), Status: response.StatusCode, Method: method, Path: path})
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		problem := &Problem{}
		if err := json.Unmarshal(answer, &problem.Problem); err != nil {
			return nil, nil, fmt.Errorf("the archive answered %s", response.Status)
		}
		return response.Header, answer, problem
	}
	return response.Header, answer, nil
}

// RegisterClient registers a person and returns the random id; the same id when repeated.
func (c *Client) RegisterClient(ctx context.Context, identityCode string) (string, error) {
	return idOf(c.typed.RegisterClient(ctx, identityCode))
}

// FindClient returns the id of a client.
func (c *Client) FindClient(ctx context.Context, identityCode string) (string, error) {
	return idOf(c.typed.FindClient(ctx, identityCode))
}

func idOf(id uuid.UUID, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return id.String(), nil
}

// NewDocument is a document in JSON to store.
type NewDocument struct {
	Client, Type string
	ServiceTasks []string
	Created      time.Time
	ContentType  string
	Body         []byte
}

// Store stores a document and returns its id.
func (c *Client) Store(ctx context.Context, d NewDocument) (string, error) {
	client, err := uuid.Parse(d.Client)
	if err != nil {
		return "", err
	}
	stored, err := c.typed.StoreDocument(ctx, public.NewDocument{
		Clients: []uuid.UUID{client}, Type: d.Type,
		Version: public.Version{JSON: d.Body, ServiceTasks: d.ServiceTasks, Created: d.Created},
	})
	return idOf(stored.ID, err)
}

// Read returns a document's bytes.
func (c *Client) Read(ctx context.Context, id string) ([]byte, error) {
	document, err := uuid.Parse(id)
	if err != nil {
		return nil, err
	}
	content, err := c.typed.Read(ctx, document, public.ReadOptions{Format: public.JSON})
	return content.JSON, err
}

// Query selects documents of a client.
type Query struct{ Client string }

// Search finds the first page of documents.
func (c *Client) Search(ctx context.Context, q Query) (Page, error) {
	client, err := uuid.Parse(q.Client)
	if err != nil {
		return Page{}, err
	}
	return c.typed.SearchPage(ctx, public.Query{Client: client}, "")
}

// Question is what to explain.
type Question struct{ Client, Operation, ServiceTask, Unit string }

// Explain asks how a request would be decided.
func (c *Client) Explain(ctx context.Context, q Question) (Explanation, error) {
	client, err := uuid.Parse(q.Client)
	if err != nil {
		return Explanation{}, err
	}
	return c.typed.Explain(ctx, public.Question{
		Client: client, Operation: openapi.ExplainRequestOperation(q.Operation), ServiceTask: q.ServiceTask, Unit: q.Unit,
	})
}
