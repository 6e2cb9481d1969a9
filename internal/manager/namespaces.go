// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/reach"
)

// present gives those of the namespaces that are there and stay; none for the whole cluster. In one that is gone or going the
// manager has no rights any more, and a cache that waits to be filled from there would keep it from all other work.
func present(ctx context.Context, cfg *rest.Config, log logr.Logger, within reach.Namespaces) ([]string, error) {
	if within.Everywhere() {
		return nil, nil
	}
	reader, err := client.New(cfg, client.Options{Scheme: Scheme()})
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range within.Names() {
		var namespace corev1.Namespace
		err := reader.Get(ctx, client.ObjectKey{Name: name}, &namespace)
		switch {
		case apierrors.IsNotFound(err), err == nil && namespace.DeletionTimestamp != nil:
			log.Info("A namespace to work in is not there; start the manager again when it is", "namespace", name)
		case err != nil:
			return nil, fmt.Errorf("look for namespace %s: %w", name, err)
		default:
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("none of the namespaces to work in is there")
	}
	return found, nil
}
