// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/internal/identitycode"
)

var people atomic.Int32

func TestATemporaryClientGetsItsCode(t *testing.T) {
	organizer := theArchive.organizer
	n := 9 + int(people.Add(1)) // another person each time that the test is run
	temporary := archiveclient.TemporaryIdentifier{Code: identitycode.SyntheticTemporary(n).Reveal()}
	code := identitycode.Synthetic(n)
	client := must(organizer.RegisterTemporary(t.Context(), temporary))(t)
	unused := must(organizer.RegisterClient(t.Context(), code.Reveal()))(t)
	if absorbed := must(organizer.ReplaceIdentity(t.Context(), client, code.Reveal()))(t); absorbed != unused {
		t.Error("the unused client is not told")
	}
	if must(organizer.FindTemporary(t.Context(), temporary))(t) != client || must(organizer.FindClient(t.Context(), code.Reveal()))(t) != client {
		t.Error("another client is found")
	}
	died := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	data := must(organizer.UpdateClient(t.Context(), client, true, died))(t)
	if !data.NonDisclosure || !data.DiedOn.Equal(died) || data.BornOn.String() != code.BornOn() {
		t.Errorf("the data are %+v", data)
	}
	must(organizer.UpdateClient(t.Context(), client, false, time.Time{}))(t)
	details := must(organizer.ReadClient(t.Context(), client))(t)
	if len(details.Identifiers) != 2 || details.Identifiers[0].Value != temporary.Code || details.Identifiers[0].Replaced.IsZero() ||
		details.Identifiers[1].Value != code.Reveal() || !details.DiedOn.IsZero() || details.NonDisclosure {
		t.Errorf("%d identifiers, %+v", len(details.Identifiers), data)
	}
	var problem *archiveclient.Problem
	if _, err := organizer.ReadClient(t.Context(), uuid.New()); !errors.As(err, &problem) {
		t.Errorf("an unknown client: %v", err)
	}
}
