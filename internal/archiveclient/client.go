// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archiveclient talks to an archive's HTTP API as a client information
// system does: with the credential that was issued to it, and for each request an
// assertion of the professional who acts. The demo, the suites and the benchmarks use it.
package archiveclient

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/pki"
)

// assertionLife is how long an assertion is good for. It serves one request.
const assertionLife = time.Minute

// Professional is who acts: a card, and what the client system says of its holder.
type Professional struct {
	ID, Role string
	Key      crypto.Signer
	Chain    []*x509.Certificate
}

// Credential is a client certificate with its key, and the authority that the archive is verified against.
type Credential struct {
	Certificate tls.Certificate
	Authority   *x509.CertPool
}

// ReadCredential reads a credential as its Secret holds it: tls.crt, tls.key and ca.crt, all PEM.
func ReadCredential(cert, key, ca []byte) (Credential, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return Credential{}, errors.New("the credential's certificate and key do not belong together")
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return Credential{}, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return Credential{}, errors.New("the credential holds no authority")
	}
	return Credential{Certificate: pair, Authority: pool}, nil
}

// Client is one caller of one registry. It is safe for concurrent use.
type Client struct {
	endpoint     string
	registry     string
	professional Professional
	fingerprint  pki.Fingerprint
	http         *http.Client
	// Clock tells the time that assertions are made at.
	Clock clock.PassiveClock
	// OnAnswer, when set, is told of every answer, so that the use log can be held against it.
	OnAnswer func(Answer)
	// Language is sent as Accept-Language when not empty.
	Language string
}

// Answer is what the archive answered to one request, in short.
type Answer struct {
	RequestID string
	Status    int
	// Method and Path are the request's, below the registry's own.
	Method, Path string
}

// New returns a client.
func New(endpoint, registryOID string, credential Credential, professional Professional) *Client {
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		MaxIdleConns:      64, MaxIdleConnsPerHost: 64,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: credential.Authority, Certificates: []tls.Certificate{credential.Certificate},
		},
	}
	return &Client{
		endpoint: endpoint, registry: registryOID, professional: professional, Clock: clock.RealClock{},
		fingerprint: pki.FingerprintOf(credential.Certificate.Leaf),
		http:        &http.Client{Transport: transport, Timeout: 30 * time.Second},
	}
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Problem is a refusal or another error that the archive answered with (RFC 9457).
type Problem struct {
	Type      string    `json:"type"`
	Title     string    `json:"title"`
	Detail    string    `json:"detail"`
	Status    int       `json:"status"`
	Reason    string    `json:"reason"`
	RequestID string    `json:"requestId"`
	StartsAt  time.Time `json:"startsAt"`
	EndedAt   time.Time `json:"endedAt"`
}

// Error tells the status, the reason and the detail.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Reason, p.Detail) }

// Assertion makes an assertion for one request.
func (c *Client) Assertion() (string, error) {
	now := c.Clock.Now()
	return assertion.Sign(assertion.Claims{
		Subject: c.professional.ID, Role: c.professional.Role, Audience: assertion.AudienceOf(c.registry),
		IssuedAt: now, ExpiresAt: now.Add(assertionLife), TokenID: assertion.NewTokenID(), ClientCertificate: c.fingerprint,
	}, c.professional.Key, c.professional.Chain)
}

// Do sends one request; path is below the registry's own. A refusal is a *Problem. The caller reads all of the answer at once.
func (c *Client) Do(ctx context.Context, method, path, contentType string, body []byte) (http.Header, []byte, error) {
	token, err := c.Assertion()
	if err != nil {
		return nil, nil, err
	}
	return c.DoWith(ctx, token, method, path, contentType, body)
}

// DoWith is Do with an assertion made before.
func (c *Client) DoWith(ctx context.Context, token, method, path, contentType string, body []byte) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint+"/v1/registries/"+c.registry+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set(assertion.Header, token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if c.Language != "" {
		request.Header.Set("Accept-Language", c.Language)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if c.OnAnswer != nil {
		c.OnAnswer(Answer{response.Header.Get("X-Request-Id"), response.StatusCode, method, path})
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		problem := &Problem{}
		if err := json.Unmarshal(answer, problem); err != nil {
			return nil, nil, fmt.Errorf("the archive answered %s", response.Status)
		}
		return response.Header, answer, problem
	}
	return response.Header, answer, nil
}

func (c *Client) call(ctx context.Context, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	_, text, err := c.Do(ctx, http.MethodPost, path, "application/json", body)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, answer)
}

type identified struct {
	ID string `json:"id"`
}

// RegisterClient registers a person and returns the random id; the same id when repeated.
func (c *Client) RegisterClient(ctx context.Context, identityCode string) (string, error) {
	var out identified
	err := c.call(ctx, "/clients", map[string]string{"identityCode": identityCode}, &out)
	return out.ID, err
}

// FindClient returns the id of a client.
func (c *Client) FindClient(ctx context.Context, identityCode string) (string, error) {
	var out identified
	err := c.call(ctx, "/clients/_search", map[string]string{"identityCode": identityCode}, &out)
	return out.ID, err
}

// NewDocument is a document to store.
type NewDocument struct {
	Client, Type string
	ServiceTasks []string
	Created      time.Time
	ContentType  string
	Body         []byte
}

// Store stores a document and returns its id.
func (c *Client) Store(ctx context.Context, d NewDocument) (string, error) {
	query := url.Values{
		"client": {d.Client}, "type": {d.Type}, "serviceTask": d.ServiceTasks, "created": {d.Created.UTC().Format(time.RFC3339)},
	}
	_, text, err := c.Do(ctx, http.MethodPost, "/documents?"+query.Encode(), d.ContentType, d.Body)
	if err != nil {
		return "", err
	}
	var out identified
	err = json.Unmarshal(text, &out)
	return out.ID, err
}

// Read returns a document's bytes.
func (c *Client) Read(ctx context.Context, id string) ([]byte, error) {
	_, body, err := c.Do(ctx, http.MethodGet, "/documents/"+url.PathEscape(id), "", nil)
	if err != nil {
		return nil, err
	}
	return body, nil
}

// Query selects documents of a client.
type Query struct {
	Client      string `json:"client"`
	Type        string `json:"type,omitempty"`
	ServiceTask string `json:"serviceTask,omitempty"`
	Limit       int    `json:"limit,omitempty"`
	Cursor      string `json:"cursor,omitempty"`
}

// Page is one page of found documents.
type Page struct {
	Items []Document `json:"items"`
	Total int        `json:"total"`
	Next  string     `json:"next"`
}

// Document is what a search tells of a document.
type Document struct {
	ID           string   `json:"id"`
	Type         string   `json:"type"`
	ServiceTasks []string `json:"serviceTasks"`
	ContentType  string   `json:"contentType"`
}

// Search finds documents.
func (c *Client) Search(ctx context.Context, q Query) (Page, error) {
	var out Page
	err := c.call(ctx, "/documents/_search", q, &out)
	return out, err
}

// Explanation tells how a request would be decided.
type Explanation struct {
	Allowed        bool    `json:"allowed"`
	Reason         string  `json:"reason"`
	Title          string  `json:"title"`
	Detail         string  `json:"detail"`
	Prerequisite   string  `json:"prerequisite"`
	ViewAgeSeconds float64 `json:"viewAgeSeconds"`
}

// Question is what to explain.
type Question struct {
	Client      string `json:"client"`
	Operation   string `json:"operation"`
	ServiceTask string `json:"serviceTask,omitempty"`
	Unit        string `json:"unit,omitempty"`
}

// Explain asks how a request would be decided.
func (c *Client) Explain(ctx context.Context, q Question) (Explanation, error) {
	var out Explanation
	err := c.call(ctx, "/explain", q, &out)
	return out, err
}
