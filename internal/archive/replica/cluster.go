// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/manager"
)

// newClient returns a client without a cache and without a limit of its own.
func newClient(cluster *rest.Config) (client.WithWatch, error) {
	cluster = rest.CopyConfig(cluster)
	cluster.QPS = -1
	c, err := client.NewWithWatch(cluster, client.Options{Scheme: manager.Scheme()})
	if err != nil {
		return nil, fmt.Errorf("reach the API server: %w", err)
	}
	return c, nil
}

// ofCluster gives what the API server refuses its reason.
func ofCluster(err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return failure.As(failure.ArchiveUnknown, err)
	case apierrors.IsForbidden(err):
		return failure.As(failure.ArchiveForbidden, err)
	default:
		return err
	}
}

// waitForArchive reads the Archive to serve. A server that cannot be reached yet is waited for.
func waitForArchive(ctx context.Context, c client.Client, config Config) (*v1alpha1.Archive, error) {
	for {
		served := &v1alpha1.Archive{}
		err := c.Get(ctx, config.Archive, served)
		switch {
		case err == nil:
			return served, nil
		case apierrors.IsNotFound(err), apierrors.IsForbidden(err), ctx.Err() != nil:
			return nil, ofCluster(fmt.Errorf("read the Archive to serve: %w", err))
		}
		config.Log.Info("Waiting for the API server", "error", err.Error())
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-config.Clock.After(time.Second):
		}
	}
}
