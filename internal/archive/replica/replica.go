// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package replica runs one archive replica: its store, its view with the feed that
// keeps it, and the server that answers from both.
package replica

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/history"
	"github.com/valtuus/valtuus/internal/archive/observation"
	"github.com/valtuus/valtuus/internal/archive/relationship"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/feed"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/pki"
)

// Config says what a replica serves, and from where.
type Config struct {
	// Cluster is how the API server is reached.
	Cluster *rest.Config
	// Archive names the Archive that is served.
	Archive client.ObjectKey
	// Name tells this replica from the others of its archive.
	Name string
	// Storage says where the documents are kept.
	Storage Storage
	// CatalogDir holds the catalog of document types; without it the stand-in catalog is used.
	CatalogDir string
	// CertFile, KeyFile and ClientCAFile hold the server certificate, its key and the authority of
	// clients, in PEM. They are read again when they change.
	CertFile, KeyFile, ClientCAFile string
	// CardCRLFile holds the revocation lists of professionals' cards, read again when it changes; without it no
	// card is known to be revoked.
	CardCRLFile string
	// Listener takes the clients' connections, AdminListener those of probes and metrics.
	Listener, AdminListener net.Listener
	// LogListener takes those of anybody who checks the access log; nil serves nobody.
	LogListener net.Listener
	// LogWitnesses cosign the access log, each URL=VKEY.
	LogWitnesses []string
	// DrainDelay is how long the replica goes on taking connections after it was asked to end and is not ready any more:
	// as long as it takes for nobody to be sent to it.
	DrainDelay time.Duration
	// Log takes the log.
	Log logr.Logger
	// Clock is the clock that rights are judged by.
	Clock clock.WithTicker
}

// Run serves until something fails that waiting does not mend, or until ctx ends: then it drains, see drain. An error tells
// its reason to failure.Of.
func Run(ctx context.Context, config Config) error {
	c, err := newClient(config.Cluster)
	if err != nil {
		return err
	}
	served, err := waitForArchive(ctx, c, config)
	if err != nil {
		return err
	}
	documentTypes, err := openCatalog(config)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	metrics, err := archive.NewMetrics(registry)
	if err != nil {
		return err
	}
	store, err := config.Storage.open(ctx, metrics.ObserveCommit)
	if err != nil {
		return err
	}
	defer func() { _ = store.close() }()
	certificate, err := openCertificate(config)
	if err != nil {
		return err
	}
	anchors := &archive.PEMPool{}
	clients, err := openAuthorities(config.ClientCAFile, config.Clock, config.Log.WithName("authorities"))
	if err != nil {
		return err
	}
	var revocations *revocationFile
	if config.CardCRLFile != "" {
		if revocations, err = openRevocations(config.CardCRLFile, config.Clock, config.Log.WithName("cards")); err != nil {
			return failure.As(failure.RevocationListInvalid, err)
		}
	}
	view := index.New()
	keeper := relationship.New(relationship.Options{
		Store: store.Store, Catalog: documentTypes.Current, Client: c, Index: view, Archive: config.Archive,
		Clock: config.Clock, Log: config.Log.WithName("relationships"),
	})
	// An end that a document said before the restart holds from the first request on.
	if err := keeper.Load(ctx); err != nil {
		return fmt.Errorf("read what documents say of relationships: %w", err)
	}
	recorder := history.New(history.Options{
		Store: store.Store, Index: view, Clock: config.Clock, Log: config.Log.WithName("history"),
	})
	if err := recorder.Register(registry); err != nil {
		return err
	}
	var provable *sequencer.Sequencer
	observer := observation.New(observation.Options{
		Store: store.Store, Client: c, View: view, Archive: config.Archive, Verifier: store.logKey.Verifier(), Leads: func() bool { return provable.Leads() },
		Clock: config.Clock, Log: config.Log.WithName("tests"),
	})
	// The registry of a test that is over opens for no request.
	if err := observer.Load(ctx); err != nil {
		return fmt.Errorf("read the test registries: %w", err)
	}
	server, err := archive.NewServer(ctx, archive.Options{
		Store: store.Store, View: view, Clock: config.Clock, TrustDomain: served.Spec.TrustDomain,
		Certificate: func() (*tls.Certificate, error) { return certificate.GetCertificate(nil) },
		ClientCAs:   clients.Pool, TrustAnchors: anchors.Pool, Revocations: revocations.Current, IdentityKey: store.key, ClientKeys: store.clientKeys,
		Catalog: documentTypes.Current, Relationships: keeper, TestOver: observer.Over,
		Log: config.Log, Metrics: metrics, Gatherer: registry,
	})
	if err != nil {
		return err
	}
	fed := &feed.Feed{
		Client: c, Index: view, Clock: config.Clock, Log: config.Log.WithName("feed"),
		Archive: config.Archive, Replica: config.Name, OnTrustAnchors: anchors.SetPEM,
		Certificates: func() (string, []string) { return servedBy(certificate), clients.Trusts() },
		OnRelationship: func(o *v1alpha1.ServiceRelationship, deleted bool) {
			keeper.Observe(o, deleted)
			recorder.Observe(o, deleted)
		},
		OnRelationshipsListed: func() {
			keeper.Relisted()
			recorder.Relisted()
		},
	}
	group, live := newLives(ctx)
	provable, err = runLog(live, group, config, store, registry, func() (*tls.Certificate, error) { return certificate.GetCertificate(nil) })
	if err != nil {
		return err
	}
	group.Go(func() error { return certificate.Start(live.work) })
	group.Go(func() error { return clients.Run(live.work) })
	group.Go(func() error { return documentTypes.Run(live.work) })
	group.Go(func() error { return revocations.Run(live.work) })
	group.Go(func() error { return ofCluster(fed.Run(live.work)) })
	group.Go(func() error { return keeper.Run(live.work) })
	group.Go(func() error { return recorder.Run(live.work) })
	group.Go(func() error { return observer.Run(live.work) })
	group.Go(func() error {
		defer live.endWork() // nobody is answered any more
		return server.Serve(live.serve, config.Listener)
	})
	group.Go(func() error { return server.ServeAdmin(live.work, config.AdminListener) })
	group.Go(func() error { return live.drain(ctx, config, server) })
	err = group.Wait()
	fed.Leave(context.WithoutCancel(ctx))
	return err
}

// servedBy is the fingerprint of the certificate that is served.
func servedBy(watcher *certwatcher.CertWatcher) string {
	current, err := watcher.GetCertificate(nil)
	if err != nil || current.Leaf == nil {
		return ""
	}
	return pki.FingerprintOf(current.Leaf).String()
}

// openCatalog loads the document types.
func openCatalog(config Config) (*catalog.Source, error) {
	if config.CatalogDir == "" {
		return catalog.NewSource(catalog.StandIn()), nil
	}
	source, err := catalog.Open(config.CatalogDir, config.Log.WithName("catalog"))
	return source, failure.As(failure.CatalogInvalid, err)
}

// openCertificate reads the server certificate, which has to hold now: with another no client connects.
func openCertificate(config Config) (*certwatcher.CertWatcher, error) {
	watcher, err := certwatcher.New(config.CertFile, config.KeyFile)
	if err != nil {
		return nil, failure.As(failure.CertificateInvalid, fmt.Errorf("read the server certificate: %w", err))
	}
	current, err := watcher.GetCertificate(nil)
	if err != nil {
		return nil, failure.As(failure.CertificateInvalid, err)
	}
	return watcher, archive.CheckCertificate(current, config.Clock.Now())
}
