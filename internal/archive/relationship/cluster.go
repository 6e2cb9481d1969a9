// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	apply "github.com/valtuus/valtuus/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/relationship/naming"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/oid"
)

// FieldOwner is the name under which the archive writes.
const FieldOwner = "valtuus-archive"

const (
	detailOwned  = "The end of the relationship belongs to another field manager, so the archive does not set it; make both say the same. Until then the earlier end holds."
	detailKept   = "Another field manager keeps the end of the relationship; make both say the same. Until then the earlier end holds."
	detailUnfit  = "The document says what a ServiceRelationship cannot: %s."
	detailServer = "The API server does not take what the document says: %s."
)

// createObject makes the object that the document asks for.
func (k *Keeper) createObject(ctx context.Context, c *look) error {
	r := c.Record
	if err := fit(r); err != nil {
		return err
	}
	spec := apply.ServiceRelationshipSpec().
		WithRegistryRef(apply.RegistryReference().WithName(v1alpha1.ObjectName(c.registry.Name))).
		WithProducerUnit(v1alpha1.OID(r.Unit)).
		WithClientID(r.ClientID.String()).
		WithProcurement(v1alpha1.Procurement(r.Procurement)).
		WithStart(metav1.NewTime(startOf(r.Relationship)))
	for _, task := range r.ServiceTasks {
		spec.WithServiceTasks(v1alpha1.ServiceTaskCode(task))
	}
	c.sayEnd(spec)
	object := apply.ServiceRelationship(naming.ObjectFor(c.id), c.registry.Namespace).WithSpec(spec)
	return k.apply(ctx, c, object)
}

// applyDocument brings the object to what the document says. What the archive does not own stays as it is.
func (k *Keeper) applyDocument(ctx context.Context, c *look) error {
	object, err := apply.ExtractServiceRelationship(c.object, FieldOwner)
	if err != nil {
		return err
	}
	// Should the object be gone or another by now, nothing must be made of this.
	object.WithUID(c.object.UID).WithResourceVersion(c.object.ResourceVersion)
	if object.Spec == nil {
		object.WithSpec(apply.ServiceRelationshipSpec())
	}
	if c.Object.Procurement != c.Record.Procurement {
		object.Spec.WithProcurement(v1alpha1.Procurement(c.Record.Procurement))
	}
	if !c.Object.End.Equal(wholeSecond(c.Record.End)) {
		object.Spec.End = nil
		c.sayEnd(object.Spec)
	} else {
		object.Spec.WithDocument(c.names())
	}
	if err := k.apply(ctx, c, object); err != nil {
		return err
	}
	if (object.Spec.End == nil) != c.Record.End.IsZero() {
		return &refusal{store.AgreementConflict, detailKept}
	}
	return nil
}

// sayEnd puts into a spec when the document ends, and which version says so.
func (c *look) sayEnd(spec *apply.ServiceRelationshipSpecApplyConfiguration) {
	if end := wholeSecond(c.Record.End); !end.IsZero() {
		spec.WithEnd(metav1.NewTime(end))
	}
	spec.WithDocument(c.names())
}

func (c *look) names() *apply.RelationshipDocumentApplyConfiguration {
	return apply.RelationshipDocument().WithID(c.id.String()).WithVersion(int64(c.Record.Version))
}

// apply sends what the archive says of an object, never by force.
func (k *Keeper) apply(ctx context.Context, c *look, object *apply.ServiceRelationshipApplyConfiguration) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	err := k.Client.Apply(ctx, object, client.FieldOwner(FieldOwner))
	switch {
	case err == nil:
		return nil
	case apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict):
		if c.object == nil {
			return &refusal{store.AgreementConflict, detailTaken}
		}
		return &refusal{store.AgreementConflict, detailOwned}
	case apierrors.IsConflict(err):
		return errChanged
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsNotFound(err), apierrors.IsBadRequest(err):
		return refused(fmt.Sprintf(detailServer, reasonOf(err)))
	default:
		return err
	}
}

// reasonOf tells why the API server refused, by its codes alone: its messages may repeat values.
func reasonOf(err error) string {
	reason := string(apierrors.ReasonForError(err))
	if status, ok := err.(apierrors.APIStatus); ok && status.Status().Details != nil {
		var fields []string
		for _, cause := range status.Status().Details.Causes {
			if cause.Field != "" && !identitycode.LooksLike(cause.Field) {
				fields = append(fields, cause.Field)
			}
		}
		if len(fields) > 0 {
			reason += " (" + strings.Join(fields, ", ") + ")"
		}
	}
	return reason
}

// deleteObject deletes the object of an annulled document, unless it changes meanwhile.
func (k *Keeper) deleteObject(ctx context.Context, c *look) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	err := k.Client.Delete(ctx, c.object, client.Preconditions{UID: &c.object.UID, ResourceVersion: &c.object.ResourceVersion})
	switch {
	case err == nil, apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err):
		return errChanged
	default:
		return err
	}
}

// show tells at the object how it stands, where that is news.
func (k *Keeper) show(ctx context.Context, c *look, s Standing) error {
	if c.object == nil || (c.Record != nil && c.Object.Foreign) {
		return nil
	}
	is := v1alpha1.RelationshipDocumentStatus{
		State: v1alpha1.DocumentState(s.Agreement), ObservedGeneration: c.object.Generation, Message: s.Detail,
	}
	if c.Record != nil {
		is.Version = int64(c.Record.Version)
	}
	return k.showAt(ctx, c.object, is)
}

// showForeign tells another object that claims the document what it is told of a document that does not exist.
func (k *Keeper) showForeign(ctx context.Context, c *look) error {
	if c.foreign == nil {
		return nil
	}
	return k.showAt(ctx, c.foreign, v1alpha1.RelationshipDocumentStatus{
		State: v1alpha1.DocumentConflict, ObservedGeneration: c.foreign.Generation, Message: detailOther,
	})
}

func (k *Keeper) showAt(ctx context.Context, o *v1alpha1.ServiceRelationship, is v1alpha1.RelationshipDocumentStatus) error {
	if o.Status.Document != nil && *o.Status.Document == is {
		return nil
	}
	said := apply.RelationshipDocumentStatus().WithState(is.State).WithObservedGeneration(is.ObservedGeneration)
	if is.Version > 0 {
		said.WithVersion(is.Version)
	}
	if is.Message != "" {
		said.WithMessage(is.Message)
	}
	object := apply.ServiceRelationship(o.Name, o.Namespace).WithUID(o.UID).
		WithStatus(apply.ServiceRelationshipStatus().WithDocument(said))
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	err := k.Client.Status().Apply(ctx, object, client.FieldOwner(FieldOwner))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // the feed tells of what has become of it
	}
	return err
}

var taskCode = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

// fit checks that a document says nothing to Kubernetes but OIDs and codes, before anything is sent.
func fit(r *store.RelationshipRecord) error {
	for _, task := range r.ServiceTasks {
		if len(task) > 63 || !taskCode.MatchString(task) || identitycode.LooksLike(task) {
			return refused(fmt.Sprintf(detailUnfit, "a service task that is no code"))
		}
	}
	switch v1alpha1.Procurement(r.Procurement) {
	case v1alpha1.ProcurementOutsourced, v1alpha1.ProcurementVoucher, v1alpha1.ProcurementPaymentCommitment:
	default:
		return refused(fmt.Sprintf(detailUnfit, "an unknown procurement"))
	}
	if !oid.Valid(r.Unit) {
		return refused(fmt.Sprintf(detailUnfit, "a unit without an OID"))
	}
	return nil
}
