// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
)

// A replica that is cut off is waited for as long as it may serve: by the bounds of the registries that it serves, not
// by those of another archive's.
func TestOnlyTheArchivesOwnRegistriesSetItsBound(t *testing.T) {
	g := NewWithT(t)
	bounds := newProducerBounds(func() {})
	s := &registrySink{sink: deaf{}, archive: "national", bounds: bounds}
	g.Expect(s.beginList(1)).To(Succeed())
	s.endList(1)
	g.Expect(bounds.longest()).To(Equal(access.DefaultProducerBound))

	s.upsert(registryWith("other", "1", 60), 2)
	g.Expect(bounds.longest()).To(Equal(access.DefaultProducerBound))
	s.upsert(registryWith("national", "2", 60), 3)
	g.Expect(bounds.longest()).To(Equal(time.Minute))
	s.upsert(registryWith("other", "2", 60), 4)
	g.Expect(bounds.longest()).To(Equal(access.DefaultProducerBound), "it has gone to another archive")
}

func registryWith(archive v1alpha1.ObjectName, uid types.UID, seconds int32) *v1alpha1.Registry {
	return &v1alpha1.Registry{
		ObjectMeta: metav1.ObjectMeta{UID: uid},
		Spec: v1alpha1.RegistrySpec{ArchiveName: archive, Policies: v1alpha1.RegistryPolicies{
			Staleness: &v1alpha1.Staleness{ProducersSeconds: ptr.To(seconds)},
		}},
	}
}

// deaf is a sink that takes nothing in.
type deaf struct{}

func (deaf) beginList(uint64) error       { return nil }
func (deaf) endList(uint64)               {}
func (deaf) upsert(client.Object, uint64) {}
func (deaf) remove(client.Object, uint64) {}
func (deaf) advance(uint64)               {}
func (deaf) proven(time.Time)             {}
