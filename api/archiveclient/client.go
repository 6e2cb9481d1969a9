// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// Config says whose archive a client talks to, and as whom.
type Config struct {
	// Endpoint is the archive's address, such as https://archive.example:8443.
	Endpoint string
	// Registry is the OID of the client registry.
	Registry string
	// Credential is a [Credential], or [CredentialDir] for one that is renewed.
	Credential CredentialSource
	// Professional is who acts unless [Client.As] says another.
	Professional Professional

	// Language is that of the archive's texts: fi, sv or en. Without one the archive answers in Finnish.
	Language string
	// Backoff says how often a request is tried, and how long to wait in between. Without one it is
	// [DefaultBackoff]; with one step nothing is repeated.
	Backoff *wait.Backoff
	// Timeout bounds one attempt, 30 s without one. All of them together are bounded by the context.
	Timeout time.Duration
	// OnAnswer, when set, is told of each answer. With it a client system keeps the archive's request
	// ids in its own log, which can then be held against the archive's use log. It must not block.
	OnAnswer func(Answer)
}

// DefaultBackoff is the first wait, how it grows, and how many attempts there are.
func DefaultBackoff() wait.Backoff {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 3, Jitter: 0.5, Steps: 5, Cap: 5 * time.Second}
}

// Answer is what the archive answered to one attempt, in short.
type Answer struct {
	RequestID string
	Status    int
	// Method and Path are the request's; the path holds no more than random ids and the identifiers of matters.
	Method, Path string
}

// Client is a caller of one registry. It is safe for concurrent use.
type Client struct {
	registry string
	sender   sender
	requests *openapi.Requests
}

// New returns a client. It does not connect yet.
func New(config Config) (*Client, error) {
	switch {
	case !strings.HasPrefix(config.Endpoint, "https://"):
		return nil, errors.New("the archive's endpoint must begin with https://")
	case config.Registry == "":
		return nil, errors.New("the registry's OID is missing")
	case config.Credential == nil:
		return nil, errors.New("the credential is missing")
	}
	if config.Timeout == 0 {
		config.Timeout = 30 * time.Second
	}
	backoff := DefaultBackoff()
	if config.Backoff != nil {
		backoff = *config.Backoff
	}
	c := &Client{registry: config.Registry, sender: sender{
		links:        &links{source: config.Credential, timeout: config.Timeout},
		audience:     "urn:oid:" + config.Registry,
		professional: config.Professional, language: config.Language, backoff: backoff, onAnswer: config.OnAnswer,
	}}
	return c.with(strings.TrimSuffix(config.Endpoint, "/")+"/", c.sender), nil
}

func (c *Client) with(server string, s sender) *Client {
	return &Client{c.registry, s, &openapi.Requests{Server: server, Client: &s}}
}

// As returns a client for another professional, over the same connections.
func (c *Client) As(professional Professional) *Client {
	s := c.sender
	s.professional = professional
	return c.with(c.requests.Server, s)
}

// In returns a client that is answered in another language, over the same connections.
func (c *Client) In(language string) *Client {
	s := c.sender
	s.language = language
	return c.with(c.requests.Server, s)
}

// Requests returns what is generated from the API's description. Its requests are sent as the
// methods of Client are: with an assertion, repeated where that is safe, and with a refusal as a [*Problem].
func (c *Client) Requests() *openapi.Requests { return c.requests }

// Close closes the idle connections, also those of [Client.As] and [Client.In].
func (c *Client) Close() { c.sender.links.close() }

var _ openapi.HttpRequestDoer = (*sender)(nil)
