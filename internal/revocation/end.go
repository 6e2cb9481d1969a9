// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// RevokedLabel is "true" on each object that was ended here.
	RevokedLabel = "valtuus.io/revoked"
	// UnboundAnnotation holds the namespaces that an Organization was bound to, with commas between them.
	UnboundAnnotation = "valtuus.io/unbound-namespaces"
)

// change is one write that ends something: the object before and after it.
type change struct {
	what          string
	before, after client.Object
}

// changes returns what has to be written so that nothing is granted any more; nothing when all of it has been.
// Grants come first: that they are suspended counts at the archive whether a controller works or not.
func changes(c *cluster) []change {
	var out []change
	for i := range c.grants {
		o := &c.grants[i]
		if o.DeletionTimestamp != nil || ptr.Deref(o.Spec.Suspend, false) {
			continue
		}
		after := o.DeepCopy()
		after.Spec.Suspend = ptr.To(true)
		out = append(out, change{what: "suspend grant " + nameOf(o), before: o, after: marked(after)})
	}
	for i := range c.organizations {
		o := &c.organizations[i]
		if o.DeletionTimestamp != nil || len(o.Spec.Namespaces) == 0 {
			continue
		}
		after := o.DeepCopy()
		after.Spec.Namespaces = nil
		if after.Annotations == nil {
			after.Annotations = map[string]string{}
		}
		after.Annotations[UnboundAnnotation] = strings.Join(o.Spec.Namespaces, ",")
		what := fmt.Sprintf("unbind organization %s from %s", nameOf(o), strings.Join(o.Spec.Namespaces, ", "))
		out = append(out, change{what: what, before: o, after: marked(after)})
	}
	return out
}

func marked[O client.Object](o O) O {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[RevokedLabel] = "true"
	o.SetLabels(labels)
	return o
}

// write makes the changes that can be made, and returns what went wrong with the others. That an object has gone or
// changed meanwhile is no failure: the next look tells what it needs.
func write(ctx context.Context, c client.Client, list []change) error {
	var failures []error
	for _, ch := range list {
		patch := client.MergeFromWithOptions(ch.before, client.MergeFromWithOptimisticLock{})
		err := c.Patch(ctx, ch.after, patch)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			failures = append(failures, fmt.Errorf("%s: %w", ch.what, err))
		}
	}
	return errors.Join(failures...)
}

// nameOf is an object's name with its namespace, where it has one.
func nameOf(o client.Object) string { return strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/") }
