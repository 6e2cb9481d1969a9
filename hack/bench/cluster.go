// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// cluster is an API server with a durable etcd, the parties of a world in it, and a manager.
type cluster struct {
	*testworld.World
	bench      *bench
	env        *testenv.Env
	kubeconfig string
	units      []*v1alpha1.ProducerUnit
	manager    *child // nil while it is stopped
}

// newCluster starts a cluster with the units of a company, accepted, and with the deployment test passed.
func (b *bench) newCluster(ctx context.Context, units int) (_ *cluster, err error) {
	c := &cluster{bench: b}
	b.progress("starting an API server with %d producer units", units)
	if c.env, err = testworld.Start(ctx, testenv.Options{Fsync: true}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	if c.World, err = testworld.New(c.env.Config, clock.RealClock{}); err != nil {
		return nil, err
	}
	c.Company.Spec.UnitOIDs = append(c.Company.Spec.UnitOIDs, c.describeUnits(units)...)
	if err := c.Begin(ctx); err != nil {
		return nil, err
	}
	if err := c.Create(ctx, c.Test()); err != nil {
		return nil, err
	}
	cfg, err := testworld.ManagerConfig(c.env)
	if err != nil {
		return nil, err
	}
	c.kubeconfig = filepath.Join(b.dir, fmt.Sprintf("manager-%d.kubeconfig", children.Add(1)))
	if err := testenv.WriteKubeconfig(cfg, c.kubeconfig); err != nil {
		return nil, err
	}
	if _, err := each(ctx, writers, len(c.units), func(ctx context.Context, i int) error { return c.Create(ctx, c.units[i]) }); err != nil {
		return nil, err
	}
	if err := c.startManager(ctx); err != nil {
		return nil, err
	}
	return c, until(ctx, "the units to be accepted", time.Second, func() (bool, error) {
		var list v1alpha1.ProducerUnitList
		err := c.List(ctx, &list)
		for i := range list.Items {
			if !meta.IsStatusConditionTrue(list.Items[i].Status.Conditions, v1alpha1.AcceptedCondition) {
				return false, err
			}
		}
		return len(list.Items) > units, err
	})
}

func (c *cluster) describeUnits(n int) []v1alpha1.OID {
	var oids []v1alpha1.OID
	for i := range n {
		unit := c.Unit(fmt.Sprintf("unit-%d", i), fmt.Sprintf("30.%d", i+1))
		c.units = append(c.units, unit)
		oids = append(oids, unit.Spec.OID)
	}
	return oids
}

func (c *cluster) startManager(ctx context.Context) (err error) {
	c.manager, err = c.bench.spawn(ctx, "manager", managerConfig{Kubeconfig: c.kubeconfig})
	return err
}

func (c *cluster) stopManager() {
	c.manager.stop()
	c.manager = nil
}

// stop ends everything; the cluster may be nil.
func (c *cluster) stop() {
	if c == nil {
		return
	}
	c.stopManager()
	_ = c.env.Stop()
}

// written waits until the manager has made that many writes of a kind. It asks the manager, which costs the
// API server nothing.
func (c *cluster) written(ctx context.Context, kind string, n int) error {
	return until(ctx, fmt.Sprintf("%d × %s", n, kind), 5*time.Millisecond, func() (bool, error) {
		a, err := c.manager.ask("writes", "")
		return err == nil && a.Counts[kind] >= n, err
	})
}

// relationships describes n relationships, spread over the units.
func (c *cluster) relationships(n int) []*v1alpha1.ServiceRelationship {
	out := make([]*v1alpha1.ServiceRelationship, n)
	for i := range out {
		out[i] = c.Relationship(c.units[i%len(c.units)].Spec.OID)
		out[i].Labels = map[string]string{"bench": "yes"}
	}
	return out
}

// grantAll opens one relationship in every unit, so that every grant is ready.
func (c *cluster) grantAll(ctx context.Context) ([]*v1alpha1.ServiceRelationship, error) {
	first := c.relationships(len(c.units))
	for _, o := range first {
		o.Labels = nil
	}
	return first, c.accepted(ctx, first)
}

// accepted creates relationships and waits until the manager has granted all.
func (c *cluster) accepted(ctx context.Context, all []*v1alpha1.ServiceRelationship) error {
	if _, err := each(ctx, writers, len(all), func(ctx context.Context, i int) error { return c.Create(ctx, all[i]) }); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, o := range all {
		names[o.Name] = true
	}
	return until(ctx, "the relationships to be granted", 300*time.Millisecond, func() (bool, error) {
		granted, err := c.withAccess(ctx, names, v1alpha1.AccessGranted)
		return granted == len(all), err
	})
}

// withAccess counts the named relationships with an access.
func (c *cluster) withAccess(ctx context.Context, names map[string]bool, access v1alpha1.RelationshipAccess) (int, error) {
	var list v1alpha1.ServiceRelationshipList
	if err := c.List(ctx, &list, client.InNamespace(c.Organizer)); err != nil {
		return 0, err
	}
	n := 0
	for i := range list.Items {
		if o := &list.Items[i]; names[o.Name] && o.Status.Access == access {
			n++
		}
	}
	return n, nil
}

// archiveConfig is the configuration of the archive's user.
func (c *cluster) archiveConfig() (*rest.Config, error) {
	return testworld.ArchiveConfig(c.env, c.Platform)
}

// secret waits for a Secret.
func (c *cluster) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	return secret, until(ctx, "Secret "+name, 50*time.Millisecond, func() (bool, error) {
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)
		return err == nil && len(secret.Data) > 0, client.IgnoreNotFound(err)
	})
}

// perEach writes down how many writes were made for each of n.
func perEach(counts map[string]int, n int) string {
	var parts []string
	for _, kind := range sortedKeys(counts) {
		parts = append(parts, fmt.Sprintf("%s %s", kind, number(float64(counts[kind])/float64(n))))
	}
	return strings.Join(parts, ", ")
}
