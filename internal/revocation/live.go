// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/enforcement"
)

// clockSkew is how far the clocks here and at a replica may differ.
const clockSkew = 5 * time.Second

// live is something that may still open the archive, and what is waited for.
type live struct{ name, why string }

func (l live) String() string { return l.name + ": " + l.why }

// stillLive names, in order, what may still open the archive at an instant.
func stillLive(c *cluster, now time.Time) []live {
	var out []live
	for i := range c.grants {
		if why := grantLive(&c.grants[i]); why != "" {
			out = append(out, live{"grant " + nameOf(&c.grants[i]), why})
		}
	}
	for i := range c.registries {
		if why := registryLive(c, &c.registries[i], now); why != "" {
			out = append(out, live{"registry " + nameOf(&c.registries[i]), why})
		}
	}
	for i := range c.organizations {
		o := &c.organizations[i]
		if o.DeletionTimestamp == nil && len(o.Spec.Namespaces) > 0 {
			out = append(out, live{"organization " + nameOf(o), "is bound to " + strings.Join(o.Spec.Namespaces, ", ")})
		}
	}
	return out
}

// grantLive tells what is missing until a grant opens nothing; nothing is when it is empty.
func grantLive(o *v1alpha1.RegistryAccessGrant) string {
	switch enforced := conditions.Get(o, v1alpha1.RevocationEnforcedCondition); {
	case o.DeletionTimestamp != nil:
		return "is being deleted, and the controllers have not yet taken its credential back"
	case !ptr.Deref(o.Spec.Suspend, false):
		return "is not suspended"
	case len(o.Status.Credentials) > 0:
		return fmt.Sprintf("%d credentials are in its ledger", len(o.Status.Credentials))
	case o.Status.ObservedGeneration < o.Generation:
		return "the controllers have not yet looked at it"
	case enforced != nil && enforced.Status != "True":
		return "a replica of the archive has not yet applied its end"
	case o.Status.SecretRef != nil:
		return fmt.Sprintf("Secret %s/%s is not yet deleted", o.Status.SecretRef.Namespace, o.Status.SecretRef.Name)
	}
	return ""
}

// registryLive tells what is missing until the organizer's own credential opens nothing.
func registryLive(c *cluster, o *v1alpha1.Registry, now time.Time) string {
	if n := len(o.Status.Credentials); n > 0 {
		return fmt.Sprintf("%d credentials of the organizer are in its ledger", n)
	}
	revision, err := strconv.ParseUint(o.ResourceVersion, 10, 64)
	if err != nil {
		return "its revision cannot be read"
	}
	for i := range c.leases {
		lease := &c.leases[i]
		if lease.Labels[enforcement.ArchiveLabel] != string(o.Spec.ArchiveName) {
			continue
		}
		if enforcement.ParseRevisions(lease.Annotations[enforcement.AppliedAnnotation])["registries"] >= revision {
			continue
		}
		// Cut off from the API server, a replica serves the organizer's own workers until their bound has passed.
		until := lastSeen(lease).Add(enforcement.SilenceLimit + organizerBound(c, o) + clockSkew)
		if now.After(until) {
			continue
		}
		return fmt.Sprintf("replica %s/%s of the archive has not yet applied its end, and may serve the organizer until %s; if it runs no more, delete that Lease",
			lease.Namespace, lease.Name, until.UTC().Format(time.RFC3339))
	}
	return ""
}

func lastSeen(lease *coordinationv1.Lease) time.Time {
	if lease.Spec.RenewTime == nil {
		return lease.CreationTimestamp.Time
	}
	return lease.Spec.RenewTime.Time
}

// organizerBound is the longest age of a view at which the archive answers the registry's organizer. Archives of one
// name are told apart by the controllers; here the longest counts.
func organizerBound(c *cluster, o *v1alpha1.Registry) time.Duration {
	if s := o.Spec.Policies.Staleness; s != nil && s.OrganizerSeconds != nil {
		return time.Duration(*s.OrganizerSeconds) * time.Second
	}
	longest := time.Duration(0)
	for i := range c.archives {
		archive := &c.archives[i]
		if archive.Name != string(o.Spec.ArchiveName) {
			continue
		}
		bound := access.DefaultOrganizerBound
		if s := archive.Spec.Staleness; s != nil && s.OrganizerSeconds != nil {
			bound = time.Duration(*s.OrganizerSeconds) * time.Second
		}
		longest = max(longest, bound)
	}
	if longest == 0 {
		return access.DefaultOrganizerBound
	}
	return longest
}
