// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"

	"github.com/valtuus/valtuus/internal/manager"
)

// StartManager starts the controllers in this process, and returns when they work. Stop waits until they have ended.
func StartManager(ctx context.Context, cfg *rest.Config, options manager.Options) (stop func() error, err error) {
	options.MetricsAddress, options.ProbeAddress, options.ShareNames = "0", "0", true
	if options.Registry == nil {
		options.Registry = prometheus.NewRegistry()
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	mgr, err := manager.New(ctx, cfg, options)
	if err != nil {
		cancel()
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	stop = func() error {
		cancel()
		return <-done
	}
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return nil, errors.Join(errors.New("the manager's cache was not filled"), stop())
	}
	return stop, nil
}
