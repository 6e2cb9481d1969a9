// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/deploymenttest"
)

// simulationEvery is how often the Job of a simulation is looked at: it is not watched.
const simulationEvery = 10 * time.Second

// simulate makes the Job that plays both parties when both have their credentials, after the policy of its pods.
func (r *DeploymentTestReconciler) simulate(ctx context.Context, s *testScope) error {
	err := r.reader.Get(ctx, simulationKey(s), &batchv1.Job{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	endpoint := endpointOf(s.archive)
	if r.networkPolicies {
		if err := r.makeOne(ctx, deploymenttest.SimulationPolicy(s.test, endpoint)); err != nil {
			return err
		}
	}
	return r.makeOne(ctx, deploymenttest.Job(&s.plan, r.image, endpoint, s.test.Status.Window.ClosesAt.Sub(s.now)))
}

// lookAtSimulation finds out how the Job of a simulated test goes while its window is open. One that was not made for the
// test stands where the test's belongs.
func (r *DeploymentTestReconciler) lookAtSimulation(ctx context.Context, s *testScope) error {
	if s.test.Spec.Simulation == nil {
		return nil
	}
	s.wake = append(s.wake, s.now.Add(simulationEvery))
	var job batchv1.Job
	if err := r.reader.Get(ctx, simulationKey(s), &job); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !metav1.IsControlledBy(&job, s.test) {
		s.conflict = fmt.Sprintf("Job %s is not this test's: delete or rename it, or give the test another name.", job.Name)
		return nil
	}
	var pods corev1.PodList
	if err := r.reader.List(ctx, &pods, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.ControllerUidLabel: string(job.UID)}); err != nil {
		return err
	}
	s.simulation = deploymenttest.OfSimulation(&job, pods.Items)
	return nil
}

func simulationKey(s *testScope) client.ObjectKey {
	return client.ObjectKey{Namespace: s.test.Namespace, Name: deploymenttest.JobName(s.test.Name)}
}
