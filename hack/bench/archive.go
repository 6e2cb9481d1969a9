// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/go-logr/logr/funcr"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// archiveConfig is what the archive is started with.
type archiveConfig struct {
	Kubeconfig      string
	Namespace, Name string
	Replica         string
	Files           testworld.ServerFiles
	Storage         replica.Storage
}

// archiveChild is a whole archive replica, as valtuus archive runs it.
type archiveChild struct{}

func (*archiveChild) start(ctx context.Context, text string) (answer, error) {
	var config archiveConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return answer{}, err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return answer{}, err
	}
	listen := net.ListenConfig{}
	api, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return answer{}, err
	}
	admin, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return answer{}, err
	}
	log := funcr.New(func(prefix, args string) { _, _ = fmt.Fprintln(os.Stderr, prefix, args) }, funcr.Options{})
	go func() {
		err := replica.Run(ctx, replica.Config{
			Cluster: cfg, Archive: client.ObjectKey{Namespace: config.Namespace, Name: config.Name}, Name: config.Replica,
			Storage:  config.Storage,
			CertFile: config.Files.Cert, KeyFile: config.Files.Key, ClientCAFile: config.Files.CA,
			Listener: api, AdminListener: admin, Log: log, Clock: clock.RealClock{},
		})
		if err != nil {
			log.Error(err, "The archive failed")
			os.Exit(1)
		}
	}()
	return answer{Address: "https://" + api.Addr().String()}, testworld.WaitReady(ctx, "http://"+admin.Addr().String())
}

func (*archiveChild) answer(_ context.Context, q question) (answer, error) { return noQuestion(q) }

// archive is a running archive of a cluster.
type archive struct {
	*child
	cluster   *cluster
	config    archiveConfig
	organizer *archiveclient.Client
}

// startArchive starts an archive with the certificate that the manager made for it.
func (c *cluster) startArchive(ctx context.Context, storage replica.Storage) (*archive, error) {
	return c.startReplica(ctx, "bench-0", storage)
}

// startReplica starts one beside others, each on a storage of its own.
func (c *cluster) startReplica(ctx context.Context, name string, storage replica.Storage) (_ *archive, err error) {
	dir := filepath.Join(c.bench.dir, fmt.Sprintf("archive-%d", children.Add(1)))
	a := &archive{cluster: c, config: archiveConfig{
		Kubeconfig: filepath.Join(dir, "kubeconfig"), Namespace: c.Platform, Name: c.Archive.Name, Replica: name, Storage: storage,
	}}
	if a.config.Files, err = c.ServerFiles(ctx, dir); err != nil {
		return nil, err
	}
	cfg, err := c.archiveConfig()
	if err != nil {
		return nil, err
	}
	if err := testenv.WriteKubeconfig(cfg, a.config.Kubeconfig); err != nil {
		return nil, err
	}
	return a, a.run(ctx)
}

// run starts the archive's process, which must not run.
func (a *archive) run(ctx context.Context) (err error) {
	if a.child, err = a.cluster.bench.spawn(ctx, "archive", a.config); err != nil {
		return err
	}
	if a.organizer, err = a.caller(ctx, a.cluster.OrganizerSecret()); err != nil {
		a.stop()
	}
	return err
}

// caller is a client with the credential in a Secret.
func (a *archive) caller(ctx context.Context, secret client.ObjectKey) (*archiveclient.Client, error) {
	return a.cluster.Caller(ctx, a.first.Address, secret)
}

// callers are n clients with the credential in a Secret, each with a connection and a professional of its own.
func (a *archive) callers(ctx context.Context, n int, secret client.ObjectKey) ([]*archiveclient.Client, error) {
	credential, err := a.cluster.Credential(ctx, secret)
	if err != nil {
		return nil, err
	}
	out := make([]*archiveclient.Client, n)
	for i := range out {
		if out[i], err = a.cluster.CallerWith(a.first.Address, credential); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sign makes assertions ahead, which are good for a minute, so that signing does not run beside what is measured.
func sign(ctx context.Context, callers []*archiveclient.Client, n int) ([]string, error) {
	tokens := make([]string, n)
	_, err := each(ctx, writers, n, func(_ context.Context, i int) (err error) {
		tokens[i], err = callers[i%len(callers)].Assertion()
		return err
	})
	return tokens, err
}

func closeAll(callers []*archiveclient.Client) {
	for _, caller := range callers {
		caller.Close()
	}
}
