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

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// provision is a process of the node: it gives claims their volumes, lets them grow and
// takes them away. On one node with a handful of claims, looking twice a second is enough.
func provision(ctx context.Context, at place) error {
	config, err := clientcmd.BuildConfigFromFlags("", at.path("kubeconfigs", "volumes"))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := provisionOnce(ctx, client, at.path("volumes")); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil
}

func provisionOnce(ctx context.Context, client kubernetes.Interface, dir string) error {
	claims, err := client.CoreV1().PersistentVolumeClaims("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var errs []error
	for i := range claims.Items {
		claim := &claims.Items[i]
		if wanted(claim) {
			errs = append(errs, give(ctx, client, claim, dir+"/"+volumeName(claim)))
		}
		if size, ok := grown(claim); ok {
			errs = append(errs, grow(ctx, client, claim, size))
		}
	}
	volumes, err := client.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for i := range volumes.Items {
		if volume := &volumes.Items[i]; finished(volume) {
			errs = append(errs, takeBack(ctx, client, volume, dir+"/"+volume.Name))
		}
	}
	return errors.Join(errs...)
}

func give(ctx context.Context, client kubernetes.Interface, claim *corev1.PersistentVolumeClaim, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	_, err := client.CoreV1().PersistentVolumes().Create(ctx, volumeFor(claim, dir), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil // it is being bound
	}
	return err
}

// grow says that the volume, and then the claim, has the size that was asked for.
func grow(ctx context.Context, client kubernetes.Interface, claim *corev1.PersistentVolumeClaim, size resource.Quantity) error {
	capacity := map[string]any{"capacity": map[string]string{"storage": size.String()}}
	patch, err := json.Marshal(map[string]any{"spec": capacity})
	if err != nil {
		return err
	}
	if _, err := client.CoreV1().PersistentVolumes().Patch(ctx, claim.Spec.VolumeName, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	if patch, err = json.Marshal(map[string]any{"status": capacity}); err != nil {
		return err
	}
	_, err = client.CoreV1().PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// takeBack removes the directory before the volume, so that none is forgotten.
func takeBack(ctx context.Context, client kubernetes.Interface, volume *corev1.PersistentVolume, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	err := client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
