// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/valtuus/valtuus/internal/manager"
)

// managerConfig is what the manager is started with.
type managerConfig struct {
	Kubeconfig string
}

// managerChild is the manager, as valtuus manager runs it, with its writes counted.
type managerChild struct {
	writes writes
}

func (m *managerChild) start(ctx context.Context, text string) (answer, error) {
	var config managerConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return answer{}, err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return answer{}, err
	}
	cfg.Wrap(m.writes.count)
	log := funcr.New(func(prefix, args string) { _, _ = fmt.Fprintln(os.Stderr, prefix, args) }, funcr.Options{})
	mgr, err := manager.New(ctx, cfg, manager.Options{MetricsAddress: "0", ProbeAddress: "0", Log: log})
	if err != nil {
		return answer{}, err
	}
	go func() {
		if err := mgr.Start(ctx); err != nil {
			log.Error(err, "The manager failed")
			os.Exit(1)
		}
	}()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return answer{}, errors.New("the manager's cache did not fill")
	}
	return answer{}, m.quiet(ctx)
}

// quiet waits until the manager has written nothing for a while.
func (m *managerChild) quiet(ctx context.Context) error {
	// Longer than the grants wait before they count their relationships.
	const quietFor = 2500 * time.Millisecond
	for {
		before := m.writes.total()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(quietFor):
		}
		if m.writes.total() == before {
			return nil
		}
	}
}

func (m *managerChild) answer(ctx context.Context, q question) (answer, error) {
	switch q.Op {
	case "writes":
		return answer{Counts: m.writes.counts()}, nil
	case "reset":
		m.writes.reset()
		return answer{}, nil
	case "quiet":
		return answer{}, m.quiet(ctx)
	}
	return noQuestion(q)
}
