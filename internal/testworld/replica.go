// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/await"
)

// patience is how long what the controllers make is waited for.
const patience = 3 * time.Minute

// ReplicaOptions say how an archive replica runs.
type ReplicaOptions struct {
	// Cluster is how it reaches the API server, as ArchiveConfig gives it.
	Cluster *rest.Config
	// Name tells it from the archive's other replicas.
	Name string
	// Dir takes its data and its certificate.
	Dir string
	// PostgresURI names the database it keeps its documents in, with the keys in IdentityKeyFile, ClientKeyFile and
	// LogKeyFile; a store of its own in Dir when left out.
	PostgresURI, IdentityKeyFile, ClientKeyFile, LogKeyFile string
	// LogWitnesses cosign its log, each URL=VKEY.
	LogWitnesses []string
	// Clock is the real one when left out.
	Clock clock.WithTicker
	Log   logr.Logger
}

// Replica is an archive replica that runs in this process.
type Replica struct {
	Name string
	// Endpoint is the base URL of its HTTP API, Admin that of its probes and metrics.
	Endpoint, Admin string
	// LogEndpoint is the base URL of its log.
	LogEndpoint string
	DataDir     string

	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// StartReplica starts a replica of the world's archive as soon as the manager has made its certificate.
func (w *World) StartReplica(ctx context.Context, options ReplicaOptions) (*Replica, error) {
	files, err := w.ServerFiles(ctx, filepath.Join(options.Dir, "tls"))
	if err != nil {
		return nil, err
	}
	config := replica.Config{
		Cluster: options.Cluster, Archive: client.ObjectKeyFromObject(w.Archive), Name: options.Name,
		Storage: replica.Storage{
			DataDir: filepath.Join(options.Dir, "data"), PostgresURI: options.PostgresURI, IdentityKeyFile: options.IdentityKeyFile,
			ClientKeyFile: options.ClientKeyFile,
			LogKeyFile:    options.LogKeyFile,
		},
		LogWitnesses: options.LogWitnesses,
		CertFile:     files.Cert, KeyFile: files.Key, ClientCAFile: files.CA, Log: options.Log, Clock: options.Clock,
	}
	if config.Clock == nil {
		config.Clock = clock.RealClock{}
	}
	var listen net.ListenConfig
	if config.Listener, err = listen.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if config.AdminListener, err = listen.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, config.Listener.Close())
	}
	if config.LogListener, err = listen.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, config.Listener.Close(), config.AdminListener.Close())
	}
	r := &Replica{
		LogEndpoint: "https://" + config.LogListener.Addr().String(),
		Name:        options.Name, DataDir: config.Storage.DataDir, done: make(chan struct{}),
		Endpoint: "https://" + config.Listener.Addr().String(), Admin: "http://" + config.AdminListener.Addr().String(),
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(r.done)
		r.err = replica.Run(ctx, config)
	}()
	return r, nil
}

// Stop ends the replica and waits until it has.
func (r *Replica) Stop() error {
	r.cancel()
	<-r.done
	return r.err
}

// WaitReady waits until the replica would answer a producer.
func (r *Replica) WaitReady(ctx context.Context) error { return WaitReady(ctx, r.Admin) }

// WaitReady waits until the replica whose probes are at the URL would answer a producer.
func WaitReady(ctx context.Context, admin string) error {
	return until(ctx, "the archive to be ready", func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			err = errors.New(response.Status)
		}
		return errors.Join(err, response.Body.Close())
	})
}

// ServerFiles are the files that an archive is started with.
type ServerFiles struct{ Cert, Key, CA string }

// ServerFiles writes the archive's server certificate into a directory, as a mounted Secret would be.
func (w *World) ServerFiles(ctx context.Context, dir string) (ServerFiles, error) {
	secret := &corev1.Secret{}
	if err := w.waitForSecret(ctx, client.ObjectKey{Namespace: w.Platform, Name: w.Archive.Name + "-server"}, secret); err != nil {
		return ServerFiles{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ServerFiles{}, err
	}
	for name, content := range secret.Data {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return ServerFiles{}, err
		}
	}
	return ServerFiles{filepath.Join(dir, corev1.TLSCertKey), filepath.Join(dir, corev1.TLSPrivateKeyKey), filepath.Join(dir, "ca.crt")}, nil
}

func (w *World) waitForSecret(ctx context.Context, key client.ObjectKey, secret *corev1.Secret) error {
	return until(ctx, "Secret "+key.String(), func() error { return w.Get(ctx, key, secret) })
}

func until(ctx context.Context, what string, done func() error) error {
	return await.Until(ctx, what, patience, 20*time.Millisecond, func() (bool, error) {
		err := done()
		return err == nil, err
	})
}
