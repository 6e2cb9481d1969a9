// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manager puts the controllers into a controller-runtime manager: what is
// cached, what is not, how the API server is talked to, and what is measured.
package manager

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	valtuusmetrics "github.com/valtuus/valtuus/internal/metrics"
)

// Scheme knows every kind that the manager and the archive read or write.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// Options are what a person may choose.
type Options struct {
	// MetricsAddress serves Prometheus metrics; "0" serves none.
	MetricsAddress string
	// ProbeAddress serves /healthz and /readyz; "0" serves none.
	ProbeAddress string
	// LeaderElection lets one of several managers work. Two that work at once would issue twice.
	LeaderElection bool
	// LeaderElectionNamespace holds the lease; the pod's own when empty.
	LeaderElectionNamespace string
	// Log takes the manager's log.
	Log logr.Logger
	// Controllers are the controllers' own options.
	Controllers controllers.Options
	// ShareNames lets several managers live in one process, as tests and benchmarks want.
	ShareNames bool
	// Registry takes the metrics; the process-wide one when nil.
	Registry prometheus.Registerer
}

// New returns a manager with every controller. Start it to run them.
func New(ctx context.Context, cfg *rest.Config, options Options) (ctrl.Manager, error) {
	cfg = rest.CopyConfig(cfg)
	// The API server's priority and fairness is the limit that knows of the others.
	cfg.QPS = -1
	registry := options.Registry
	if registry == nil {
		registry = metrics.Registry
	}
	namespaces, err := present(ctx, cfg, options.Log, options.Controllers.Namespaces)
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: Scheme(),
		Logger: withoutBodies(options.Log),
		Cache:  cached(namespaces),
		Client: client.Options{
			FieldOwner:      controllers.FieldOwner,
			FieldValidation: "Strict",
			// Secrets are read one by one when needed: the manager may neither list nor watch them.
			Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &coordinationv1.Lease{}}},
		},
		Controller: config.Controller{
			ReconciliationTimeout: time.Minute,
			// One that waits to lead has read everything by then.
			EnableWarmup:       ptr.To(true),
			SkipNameValidation: ptr.To(options.ShareNames),
		},
		Metrics:                       metricsserver.Options{BindAddress: options.MetricsAddress},
		HealthProbeBindAddress:        options.ProbeAddress,
		LeaderElection:                options.LeaderElection,
		LeaderElectionID:              "valtuus-manager.valtuus.io",
		LeaderElectionNamespace:       options.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	options.Controllers.Metrics = valtuusmetrics.NewManager(registry)
	registry.MustRegister(valtuusmetrics.NewGrants(mgr.GetClient()), valtuusmetrics.NewBackups(mgr.GetClient()))
	if err := controllers.SetupAll(ctx, mgr, options.Controllers); err != nil {
		return nil, fmt.Errorf("set the controllers up: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	return mgr, nil
}
