// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/workload"
)

// secretsEvery is how often the Secrets of a workload, and one in the way of a credential's, are looked at: they are not
// watched.
const secretsEvery = time.Minute

// run keeps what runs an archive as its spec says, and looks how it is.
func (r *ArchiveReconciler) run(ctx context.Context, s *archiveScope) error {
	s.lookAt = s.now.Add(secretsEvery)
	plan := &workload.Plan{Archive: s.archive, Settings: r.settings, ServerSecret: string(s.archive.Status.ServerSecretRef.Name)}
	ready, err := r.volume(ctx, s, plan)
	if err == nil && ready {
		ready, err = r.complete(ctx, s, plan)
	}
	if err == nil && ready {
		err = r.apply(ctx, s, plan)
	}
	if err != nil {
		return err
	}
	return r.look(ctx, s, plan)
}

// complete reads what the plan needs from elsewhere. It is not ready while something is missing.
func (r *ArchiveReconciler) complete(ctx context.Context, s *archiveScope, plan *workload.Plan) (ready bool, err error) {
	if plan.Image() == "" {
		s.stop(v1alpha1.ImageMissingReason, "spec.workload.image is not set, and the manager was not told which image archives run (--archive-image).")
		return false, nil
	}
	keys, err := r.keys(ctx, s, plan)
	if err != nil || s.reason != "" {
		return false, err
	}
	var uri []byte
	if postgres := s.archive.Spec.Workload.Storage.Postgres; postgres != nil {
		if uri, err = r.databaseURI(ctx, s, postgres.URI); err != nil || s.reason != "" {
			return false, err
		}
		if plan.DatabasePorts, err = workload.DatabasePorts(string(uri)); err != nil {
			s.stop(v1alpha1.DatabaseURIMissingReason, "Key %s of Secret %s/%s: %v.", postgres.URI.Key, s.archive.Namespace, postgres.URI.Name, err)
			return false, nil
		}
	}
	plan.Checksum = workload.Checksum(keys, uri)
	return true, nil
}

// keys reads the archive's keys, or makes them once. Keys that were there and are lost are not made again: what the
// archive keeps is sealed under them, so a person must bring the Secret back.
func (r *ArchiveReconciler) keys(ctx context.Context, s *archiveScope, plan *workload.Plan) (map[string][]byte, error) {
	given := s.archive.Spec.Workload.KeysSecretName
	ref := v1alpha1.SecretReference{Namespace: s.archive.Namespace, Name: given}
	if given == "" {
		ref.Name = v1alpha1.ObjectName(workload.KeysSecretName(s.archive.Name))
	}
	plan.KeysSecret = string(ref.Name)
	known := s.archive.Status.Workload != nil && s.archive.Status.Workload.KeysSecretName == ref.Name
	secret, err := readSecret(ctx, r, ref)
	if err != nil {
		return nil, err
	}
	switch {
	case secret == nil && known:
		s.stop(v1alpha1.KeysLostReason, "Secret %s/%s with the archive's keys is missing: bring it back from where you keep the copy. What the archive keeps is sealed under them.", ref.Namespace, ref.Name)
		return nil, nil
	case secret == nil && given != "":
		s.wait(v1alpha1.KeysLostReason, "Secret %s/%s with the archive's keys does not exist: spec.workload.keysSecretName names it, so make it.", ref.Namespace, ref.Name)
		return nil, nil
	case secret == nil && s.archive.Spec.Workload.Restore != nil:
		s.wait(v1alpha1.KeysLostReason, "Secret %s/%s with the archive's keys does not exist, and what the backup holds is sealed under those of the archive that was backed up: bring it back from where you keep the copy.", ref.Namespace, ref.Name)
		return nil, nil
	case secret == nil:
		if secret, err = r.makeKeys(ctx, s, ref); err != nil || secret == nil {
			return nil, err
		}
	case !known && given == "" && !madeFor(secret, s.archive.UID) && !workload.LeftBy(secret, s.archive):
		s.stop(v1alpha1.SecretConflictReason, "Secret %s/%s exists and was not made for this Archive: delete or rename it, or name it as spec.workload.keysSecretName of a new Archive.", ref.Namespace, ref.Name)
		return nil, nil
	}
	if err := workload.CheckKeys(secret.Data); err != nil {
		s.stop(v1alpha1.KeysLostReason, "Secret %s/%s with the archive's keys is damaged: %v", ref.Namespace, ref.Name, err)
		return nil, nil
	}
	if known {
		return secret.Data, nil
	}
	// Before any pod uses them it is on record that there are keys.
	s.workloadStatus().KeysSecretName = ref.Name
	return secret.Data, r.persist(ctx, s)
}

func (r *ArchiveReconciler) makeKeys(ctx context.Context, s *archiveScope, ref v1alpha1.SecretReference) (*corev1.Secret, error) {
	keys, err := workload.NewKeys()
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{ObjectMeta: secretMeta(ref, s.archive.UID, nil), Data: keys}
	secret.Labels[workload.ArchiveLabel] = s.archive.Name
	err = r.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		return nil, &retrySoon{what: "the Secret of the keys"}
	}
	return secret, err
}

// databaseURI reads the URI of the database.
func (r *ArchiveReconciler) databaseURI(ctx context.Context, s *archiveScope, from v1alpha1.SecretKey) ([]byte, error) {
	secret, err := readSecret(ctx, r, v1alpha1.SecretReference{Namespace: s.archive.Namespace, Name: from.Name})
	switch {
	case err != nil:
		return nil, err
	case secret == nil:
		s.wait(v1alpha1.DatabaseURIMissingReason, "Secret %s/%s with the URI of the database does not exist.", s.archive.Namespace, from.Name)
	case len(secret.Data[from.Key]) == 0:
		s.wait(v1alpha1.DatabaseURIMissingReason, "Secret %s/%s with the URI of the database has no key %s, or an empty one.", s.archive.Namespace, from.Name, from.Key)
	default:
		return secret.Data[from.Key], nil
	}
	return nil, nil
}

func (s *archiveScope) workloadStatus() *v1alpha1.ArchiveWorkloadStatus {
	if s.archive.Status.Workload == nil {
		s.archive.Status.Workload = &v1alpha1.ArchiveWorkloadStatus{}
	}
	return s.archive.Status.Workload
}

// apply makes the archive's objects what they should be, and writes only those that are not. Where one of them is
// somebody else's, none is touched.
func (r *ArchiveReconciler) apply(ctx context.Context, s *archiveScope, plan *workload.Plan) error {
	children := plan.Children()
	found := make([]client.Object, len(children))
	for i := range children {
		child := &children[i]
		live, err := r.find(ctx, child)
		if err != nil {
			return err
		}
		if child.Only != "" {
			if live == nil || live.GetUID() != child.Only {
				return &retrySoon{what: child.Kind() + " " + child.Object.GetName()}
			}
		} else if live != nil && !workload.MadeFor(live, s.archive) && (!child.Outlives || !workload.LeftBy(live, s.archive)) {
			if child.Wanted == nil {
				continue
			}
			s.stop(v1alpha1.ArchiveConflictReason, "%s", workload.NotOurs(child.Kind(), live))
			return nil
		}
		found[i] = live
	}
	for i := range children {
		if err := r.step(ctx, s, &children[i], found[i]); err != nil {
			return err
		}
	}
	return nil
}

// find reads a child from the cache or, what is not there, from the API server: the cache holds only what carries the
// product's labels. A child that should not be is not looked for further.
func (r *ArchiveReconciler) find(ctx context.Context, child *workload.Child) (client.Object, error) {
	if child.Wanted != nil {
		return r.findLive(ctx, child.Object)
	}
	live := child.Object.DeepCopyObject().(client.Object)
	if err := r.Get(ctx, client.ObjectKeyFromObject(live), live); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return live, nil
}

// findLive reads an object from the cache or, what is not there, from the API server; nil when there is none.
func (r *ArchiveReconciler) findLive(ctx context.Context, o client.Object) (client.Object, error) {
	live := o.DeepCopyObject().(client.Object)
	key := client.ObjectKeyFromObject(live)
	err := r.Get(ctx, key, live)
	if apierrors.IsNotFound(err) {
		err = r.live.Get(ctx, key, live)
	}
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return live, nil
}

// step takes one child to what it should be.
func (r *ArchiveReconciler) step(ctx context.Context, s *archiveScope, child *workload.Child, live client.Object) error {
	if child.Wanted == nil {
		if live == nil {
			return nil
		}
		return r.remove(ctx, s.archive, live)
	}
	if live != nil {
		same, err := workload.InStep(live, child.Wanted, FieldOwner)
		if same || err != nil {
			return err
		}
		workload.WithUID(child.Wanted, live)
	}
	err := r.Apply(ctx, child.Wanted, client.FieldOwner(FieldOwner), client.ForceOwnership)
	_, claim := child.Object.(*corev1.PersistentVolumeClaim)
	service, _ := live.(*corev1.Service)
	if apierrors.IsInvalid(err) && service != nil && r.Patch(ctx, service, workload.PortsOf(child.Wanted)) == nil {
		// Ports that somebody put in the place of ours were that somebody's, and did not go by being applied over.
		return &retrySoon{what: "the ports of the Service"}
	}
	switch {
	case apierrors.IsForbidden(err) && claim && live != nil:
		s.stop(v1alpha1.VolumeNotGrownReason, "PersistentVolumeClaim %s cannot be changed: %v", fullName(child.Object), err)
		return nil
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err):
		s.stop(v1alpha1.ArchiveRefusedReason, "%s %s was refused: %v", child.Kind(), fullName(child.Object), err)
		return nil
	}
	return err
}
