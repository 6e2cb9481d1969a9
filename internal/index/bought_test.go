// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// What an agreement buys only takes away: no request is allowed that would not be if nothing were said of it.
func TestWhatIsBoughtNeverAllowsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := indextest.New()
		w.Request = drawRequest(t)
		w.Request.Caller.TrustedRegistry, w.Request.Registry = indextest.RegistryOID, indextest.RegistryOID
		w.Request.Caller.Unit = pick(t, []string{indextest.UnitOID, indextest.UnitOID, ""}, "caller")
		w.Request.ServiceTask = pick(t, []string{"", indextest.Task}, "service task")
		w.Request.IncomingTasks = pick(t, [][]string{nil, {indextest.Task}}, "incoming")
		if w.Request.Document != nil {
			w.Request.Document.Registry, w.Request.Document.ServiceTasks = indextest.RegistryOID, []string{indextest.Task}
		}
		w.Request.IncomingSector = pick(t, []access.CareSector{access.SocialCare, access.HealthCare}, "sector")
		w.Grants[0].Extent = pick(t, []access.Extent{access.Basic, access.Extended}, "extent")
		plain := w.Decide()
		w.Grants = append([]index.Grant(nil), w.Grants...)
		w.Grants[0].Buys = drawBought(t)
		d := w.Decide()
		if d.Allowed && !plain.Allowed {
			t.Fatalf("%s becomes allowed by what is bought (%d)", plain.Reason, w.Grants[0].Buys)
		}
		if !d.Allowed && plain.Allowed && d.Reason != access.ReasonPatientData && d.Reason != access.ReasonSocialCareNotBought {
			t.Fatalf("refused as %s", d.Reason)
		}
	})
}
