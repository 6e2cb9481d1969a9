// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// TestInvariant4_AFailoverLosesNothingAcknowledged kills the primary while many write, and promotes its synchronous
// standby: the same store goes on there, with everything that it acknowledged.
func TestInvariant4_AFailoverLosesNothingAcknowledged(t *testing.T) {
	primary, standby := pgcluster.PairForTest(t, pgcluster.Options{})
	name, err := primary.NewDatabase(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, primary.EitherURI(standby, name))
	client := clientOf(t, s, 1)
	var all told
	w := all.write(t, s, client, 16, 10*time.Millisecond, store.ErrUnavailable)
	eventually(t, func() error { return reached(&w.stored, 300) })
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	eventually(t, func() error { return reached(&w.refused, 20) })
	if _, _, err := s.FindClient(t.Context(), registry, store.IdentityHash{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("reading while only a standby is there: %v", err)
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := w.stored.Load()
	eventually(t, func() error { return reached(&w.stored, before+1) })
	t.Logf("the first write %s after the kill", time.Since(killed).Round(time.Millisecond))
	eventually(t, func() error { return reached(&w.stored, before+100) })
	w.stop()
	all.check(t, s)
	t.Logf("%d documents acknowledged, %d not", len(all.acknowledged), len(all.failed))
}
