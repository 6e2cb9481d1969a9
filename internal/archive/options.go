// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// View is what the server asks about the rights; index.Index is one.
type View interface {
	// Decide answers a request from one consistent state.
	Decide(req *access.Request, now time.Time) access.Decision
	// Read calls look with the view held still.
	Read(look func(access.View))
	// Freshness tells how far the view can be believed.
	Freshness() access.Freshness
	// RevisionString names the state of the view.
	RevisionString() string
	// OrganizationOf is the OID of the organization that a caller acts for.
	OrganizationOf(registry, unit string) string
	// Live lists the client's live relationships in the registry, in the unit or, for "", in any.
	Live(registry, unit string, client access.ClientID, now time.Time) []access.Live
	// ControllerOf is the OID of the registry controller; empty where the registry names none.
	ControllerOf(registry string) string
}

// Options are what a server is made of. Those without a default are required.
type Options struct {
	// Store keeps clients, documents and the use log. The server does not close it.
	Store store.Store
	// View knows the rights.
	View View
	// Clock is the clock that rights are judged by.
	Clock clock.PassiveClock
	// TrustDomain is the SPIFFE trust domain of the archive's client certificates.
	TrustDomain string
	// Certificate gives the server's certificate at each handshake.
	Certificate func() (*tls.Certificate, error)
	// ClientCAs gives the authority of client certificates at each handshake; nil lets nobody in.
	ClientCAs func() *x509.CertPool
	// TrustAnchors gives the authorities of professionals' cards at each request; nil lets nobody in.
	TrustAnchors func() *x509.CertPool
	// Revocations gives the professionals' cards that have been revoked at each request; nil knows of none.
	Revocations func() *card.Revocations
	// IdentityKey hashes identity codes.
	IdentityKey IdentityKey
	// ClientKeys seal clients' identifiers.
	ClientKeys clientkey.Keyring
	// Catalog gives the document types, schemas and codes of now.
	Catalog func() *catalog.Catalog
	// Relationships is told of client relationship documents; nil tells nobody.
	Relationships RelationshipSink
	// TestOver tells whether the registry was that of a deployment test which is over; nil knows of none.
	TestOver func(registry string) bool
	// Log gets one line per request, without any data of a person.
	Log logr.Logger
	// Metrics are fed by the server.
	Metrics *Metrics
	// Gatherer is what the admin handler's /metrics shows.
	Gatherer prometheus.Gatherer
	// ReplayLimit is the most assertions remembered at once, about 200 bytes each; beyond it new ones
	// are refused. Default 1,000,000: 2,700 requests a second.
	ReplayLimit int
}

const defaultReplayLimit = 1_000_000

func (o *Options) check() error {
	switch {
	case o.Store == nil:
		return errors.New("archive: no store")
	case o.View == nil:
		return errors.New("archive: no view")
	case o.Clock == nil:
		return errors.New("archive: no clock")
	case o.TrustDomain == "":
		return errors.New("archive: no trust domain")
	case o.Certificate == nil || o.ClientCAs == nil || o.TrustAnchors == nil:
		return errors.New("archive: no source of certificates")
	case o.Catalog == nil:
		return errors.New("archive: no catalog")
	case o.IdentityKey.IsZero():
		return errors.New("archive: no identity key")
	case o.ClientKeys.IsZero():
		return errors.New("archive: no client keys")
	case o.Metrics == nil || o.Gatherer == nil:
		return errors.New("archive: no metrics")
	}
	if o.ReplayLimit == 0 {
		o.ReplayLimit = defaultReplayLimit
	}
	return nil
}
