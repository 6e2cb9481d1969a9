// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testenv"
)

// archiveConfig is what the archive is started with.
type archiveConfig struct {
	Kubeconfig      string
	Namespace, Name string
	Dir             string
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
			Cluster: cfg, Archive: client.ObjectKey{Namespace: config.Namespace, Name: config.Name}, Name: "bench-0",
			DataDir:  filepath.Join(config.Dir, "data"),
			CertFile: filepath.Join(config.Dir, "tls.crt"), KeyFile: filepath.Join(config.Dir, "tls.key"), ClientCAFile: filepath.Join(config.Dir, "ca.crt"),
			Listener: api, AdminListener: admin, Log: log, Clock: clock.RealClock{},
		})
		if err != nil {
			log.Error(err, "The archive failed")
			os.Exit(1)
		}
	}()
	for {
		response, err := http.Get("http://" + admin.Addr().String() + "/readyz")
		if err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK {
			return answer{Address: "https://" + api.Addr().String()}, nil
		}
		select {
		case <-ctx.Done():
			return answer{}, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (*archiveChild) answer(_ context.Context, q question) (answer, error) { return noQuestion(q) }

// archive is a running archive of a cluster.
type archive struct {
	*child
	cluster   *cluster
	card      testcard.Card
	organizer *archiveclient.Client
}

// startArchive starts an archive with the certificate that the manager made for it.
func (c *cluster) startArchive(ctx context.Context) (_ *archive, err error) {
	a := &archive{cluster: c}
	dir := filepath.Join(c.bench.dir, fmt.Sprintf("archive-%d", children.Add(1)))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	secret, err := c.secret(ctx, c.Platform, c.Archive.Name+"-server")
	if err != nil {
		return nil, err
	}
	for file, content := range secret.Data {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
			return nil, err
		}
	}
	cfg, err := c.archiveConfig()
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := testenv.WriteKubeconfig(cfg, kubeconfig); err != nil {
		return nil, err
	}
	if a.card, err = c.Cards.Issue("1001", time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)); err != nil {
		return nil, err
	}
	a.child, err = c.bench.spawn(ctx, "archive", archiveConfig{Kubeconfig: kubeconfig, Namespace: c.Platform, Name: c.Archive.Name, Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := a.findOrganizer(ctx); err != nil {
		a.stop()
		return nil, err
	}
	return a, nil
}

func (a *archive) findOrganizer(ctx context.Context) error {
	registry := &v1alpha1.Registry{}
	err := a.cluster.until(ctx, "the organizer's credential", 50*time.Millisecond, func() (bool, error) {
		err := a.cluster.Get(ctx, client.ObjectKeyFromObject(a.cluster.Registry), registry)
		return err == nil && meta.IsStatusConditionTrue(registry.Status.Conditions, v1alpha1.ReadyCondition), err
	})
	if err != nil {
		return err
	}
	a.organizer, err = a.caller(ctx, registry.Namespace, string(registry.Status.SecretRef.Name))
	return err
}

// unit is a caller with a unit's credential.
func (a *archive) unit(ctx context.Context, unit *v1alpha1.ProducerUnit) (*archiveclient.Client, error) {
	return a.caller(ctx, unit.Namespace, unit.Name+"-"+string(a.cluster.Registry.Spec.OID))
}

func (a *archive) caller(ctx context.Context, namespace, secretName string) (*archiveclient.Client, error) {
	credential, err := a.credential(ctx, namespace, secretName)
	if err != nil {
		return nil, err
	}
	return archiveclient.New(a.first.Address, string(a.cluster.Registry.Spec.OID), credential, archiveclient.Professional{
		ID: "1001", Role: "social-worker", Key: a.card.Key, Chain: a.card.Chain,
	}), nil
}

func (a *archive) credential(ctx context.Context, namespace, secretName string) (archiveclient.Credential, error) {
	secret, err := a.cluster.secret(ctx, namespace, secretName)
	if err != nil {
		return archiveclient.Credential{}, err
	}
	return archiveclient.ReadCredential(secret.Data["tls.crt"], secret.Data["tls.key"], secret.Data["ca.crt"])
}
