// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package naming tells which client relationship document goes with which ServiceRelationship. Either name follows
// from the other, so that nothing has to be remembered between making the one and making the other.
package naming

import (
	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// objects is the UUID namespace of the documents that are made for objects.
var objects = uuid.MustParse("b4bd5ea6-5f8b-4e0c-9d64-6b1f7e0a2c11")

// DocumentFor is the id of the document that is made for an object which came without one.
func DocumentFor(uid types.UID) uuid.UUID { return uuid.NewSHA1(objects, []byte(uid)) }

// ObjectFor is the name of the object that is made for a document which came without one.
func ObjectFor(document uuid.UUID) string { return "document-" + document.String() }

// DocumentOf is the id of the document that the object names, or else will be given. Whether that document knows the
// object is another matter: anyone who may write the object can name any document.
func DocumentOf(o *v1alpha1.ServiceRelationship) uuid.UUID {
	if d := o.Spec.Document; d != nil {
		id, _ := uuid.Parse(d.ID)
		return id
	}
	return DocumentFor(o.UID)
}

// MadeFor tells whether the object bears the name of one that is made for the document.
func MadeFor(o *v1alpha1.ServiceRelationship, document uuid.UUID) bool {
	return o.Name == ObjectFor(document)
}
