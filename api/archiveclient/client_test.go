// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func problemOf(t *testing.T, err error) *archiveclient.Problem {
	t.Helper()
	var problem *archiveclient.Problem
	if !errors.As(err, &problem) {
		t.Fatalf("got %v, not a problem", err)
	}
	return problem
}

func wantReason(t *testing.T, err error, reason string) {
	t.Helper()
	if got := archiveclient.ReasonOf(err); got != reason {
		t.Errorf("got %q (%v), want %q", got, err, reason)
	}
}

func TestDocumentLife(t *testing.T) {
	ctx, organizer, unit := t.Context(), theArchive.organizer, unit(t)
	client := must(unit.FindClient(ctx, identityCode))(t)
	xhtml := []byte(`<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Note</title></head><body><p>Hello</p></body></html>`)

	d := note(client, "first")
	d.XHTML, d.Language, d.Display, d.DisplayFrom = xhtml, "en", archiveclient.Delayed, time.Now().Add(day)
	first := must(unit.PutDocument(ctx, uuid.New(), d))(t)
	if first.Version != 1 || len(first.Formats) != 2 || first.Labels.Display != archiveclient.Delayed {
		t.Errorf("stored as %+v", first)
	}
	if again := must(unit.PutDocument(ctx, first.ID, d))(t); again.Version != 1 || !again.Stored.Equal(first.Stored) {
		t.Errorf("repeated as %+v", again)
	}
	other := d
	other.Type = "service-decision"
	_, err := unit.PutDocument(ctx, first.ID, other)
	if archiveclient.ReasonOf(err) == "" {
		t.Errorf("another document under the same id: %v", err)
	}

	both := must(unit.Read(ctx, first.ID, archiveclient.ReadOptions{Format: archiveclient.Both}))(t)
	if !bytes.Equal(both.JSON, d.JSON) || !bytes.Equal(both.XHTML, xhtml) || both.Version != 1 {
		t.Errorf("read %+v", both)
	}
	one := must(unit.Read(ctx, first.ID, archiveclient.ReadOptions{Format: archiveclient.XHTML}))(t)
	if one.JSON != nil || !bytes.Equal(one.XHTML, xhtml) || one.Stored.IsZero() {
		t.Errorf("read %+v", one)
	}
	if _, err := unit.Read(ctx, first.ID, archiveclient.ReadOptions{Format: archiveclient.XHTML, Known: one.ETag}); !errors.Is(err, archiveclient.ErrNotModified) {
		t.Errorf("read again: %v", err)
	}

	second := must(unit.AddVersion(ctx, first.ID, 1, noteVersion("second")))(t)
	third := must(organizer.Correct(ctx, first.ID, second.Version, "clerical-error", noteVersion("third")))(t)
	if third.Version != 3 || third.CorrectionReason != "clerical-error" {
		t.Errorf("corrected as %+v", third)
	}
	history := must(unit.History(ctx, first.ID, archiveclient.MetadataOptions{}))(t)
	if len(history) != 3 || history[0].Version != 3 || history[2].State != openapi.DocumentStateSuperseded {
		t.Errorf("history %+v", history)
	}
	old := must(unit.Read(ctx, first.ID, archiveclient.ReadOptions{Version: 1}))(t)
	if !bytes.Equal(old.JSON, d.JSON) {
		t.Errorf("the first version reads %s", old.JSON)
	}

	_, err = organizer.Annul(ctx, first.ID, 2, "made-in-error")
	wantReason(t, err, "version-stale")
	if p := problemOf(t, err); p.CurrentVersion != 3 {
		t.Errorf("the current version is told as %d", p.CurrentVersion)
	}
	annulled := must(organizer.Annul(ctx, first.ID, 3, "made-in-error"))(t)
	if annulled.State != openapi.DocumentStateAnnulled || annulled.Annulment.Reason != "made-in-error" {
		t.Errorf("annulled as %+v", annulled)
	}
	_, err = unit.Read(ctx, first.ID, archiveclient.ReadOptions{})
	wantReason(t, err, "document-annulled")
	must(organizer.Read(ctx, first.ID, archiveclient.ReadOptions{Annulled: true}))(t)
	if m := must(organizer.Metadata(ctx, first.ID, archiveclient.MetadataOptions{Annulled: true}))(t); m.ID != first.ID {
		t.Errorf("metadata %+v", m)
	}
	found := false
	for d, err := range organizer.Search(ctx, archiveclient.Query{Client: client, Annulled: true}) {
		found = found || d.ID == first.ID && err == nil
	}
	if !found {
		t.Error("the organizer does not find the annulled document")
	}
}

func TestIdempotencyKey(t *testing.T) {
	ctx, unit := t.Context(), unit(t)
	client := must(unit.FindClient(ctx, identityCode))(t)
	d := note(client, "once")
	d.Key = "visit 4711"
	_, err := unit.StoreDocument(ctx, d)
	if archiveclient.ReasonOf(err) == "" {
		t.Errorf("a key with a space: %v", err)
	}
	d.Key = "visit-" + uuid.NewString()
	first, second := must(unit.StoreDocument(ctx, d))(t), must(unit.StoreDocument(ctx, d))(t)
	if first.ID != second.ID {
		t.Error("stored twice")
	}
	d.JSON = noteVersion("other").JSON
	_, err = unit.StoreDocument(ctx, d)
	wantReason(t, err, "idempotency-key-reused")
	d.Key = ""
	if third := must(unit.StoreDocument(ctx, d))(t); third.ID == first.ID {
		t.Error("two calls without a key are one document")
	}
}

func TestSearchPages(t *testing.T) {
	ctx, unit := t.Context(), unit(t)
	client := must(unit.FindClient(ctx, identityCode))(t)
	matter := must(theArchive.organizer.OpenMatter(ctx, archiveclient.NewMatter{Clients: []uuid.UUID{client}, ServiceTasks: []string{task}}))(t).ID
	var want []uuid.UUID
	for range 7 {
		d := note(client, "page")
		d.Matter = matter
		want = append(want, must(unit.StoreDocument(ctx, d))(t).ID)
	}
	slices.Reverse(want)
	q := archiveclient.Query{Client: client, Matter: matter, StoredFrom: time.Now().Add(-time.Hour), PageSize: 3}
	var got []uuid.UUID
	for d, err := range unit.Search(ctx, q) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if page := must(unit.SearchPage(ctx, q, ""))(t); page.Total != 7 || len(page.Items) != 3 || page.Next == "" {
		t.Errorf("the first page has %d of %d", len(page.Items), page.Total)
	}
	for _, err := range unit.Search(ctx, q) {
		if err != nil {
			t.Fatal(err)
		}
		break // asks for nothing more
	}
	count := 0
	for _, err := range unit.Search(ctx, archiveclient.Query{Client: uuid.New()}) {
		wantReason(t, err, "no-relationship")
		count++
	}
	if count != 1 {
		t.Errorf("an error is given %d times", count)
	}
}

func TestCatalogNeedsNobody(t *testing.T) {
	nobody := unit(t, func(c *archiveclient.Config) { c.Professional = nil })
	list := must(nobody.Catalog(t.Context()))(t)
	if len(list.DocumentTypes) == 0 || list.DocumentTypes[0].Names.En == "" {
		t.Errorf("catalog %+v", list)
	}
	if schema := must(nobody.Schema(t.Context(), "case-note", "1"))(t); !bytes.Contains(schema, []byte("2020-12")) {
		t.Errorf("schema %.80s", schema)
	}
	if _, err := nobody.FindClient(t.Context(), identityCode); err == nil || archiveclient.ReasonOf(err) != "" {
		t.Errorf("without a professional: %v", err)
	}
}

func TestExplain(t *testing.T) {
	unit := unit(t)
	client := must(unit.FindClient(t.Context(), identityCode))(t)
	e := must(unit.Explain(t.Context(), archiveclient.Question{Client: client, Operation: "Search"}))(t)
	if !e.Allowed {
		t.Errorf("explained as %+v", e)
	}
	e = must(unit.Explain(t.Context(), archiveclient.Question{Client: uuid.New(), Operation: "Search"}))(t)
	if e.Allowed || e.Reason != "no-relationship" || e.Detail == "" {
		t.Errorf("explained as %+v", e)
	}
}

func TestTheHistoryOfRelationships(t *testing.T) {
	organizer := theArchive.organizer
	client := must(organizer.RegisterClient(t.Context(), identityCode))(t)
	all := must(organizer.RelationshipHistory(t.Context(), archiveclient.HistoryQuestion{Client: client}))(t)
	if all.Client != client || all.Relationships != nil {
		t.Errorf("told %+v", all)
	}
	at := time.Now().UTC().Truncate(time.Second)
	then := must(organizer.RelationshipHistory(t.Context(), archiveclient.HistoryQuestion{Client: client, At: at.Format(time.RFC3339)}))(t)
	if !then.At.Equal(at) || then.KnownAt.IsZero() || then.States != nil {
		t.Errorf("told %+v", then)
	}
	must(organizer.ReviewRelationships(t.Context(), archiveclient.ReviewQuestion{Client: client.String()}))(t)
	_, err := unit(t).RelationshipHistory(t.Context(), archiveclient.HistoryQuestion{Client: client})
	if p := problemOf(t, err); p.Reason != "extent-insufficient" {
		t.Errorf("a unit: %+v", p)
	}
}

func TestProblem(t *testing.T) {
	unit := unit(t)
	client := must(unit.FindClient(t.Context(), identityCode))(t)
	texts := map[string]bool{}
	for _, language := range []string{"fi", "sv", "en"} {
		_, err := unit.In(language).SearchPage(t.Context(), archiveclient.Query{Client: uuid.New()}, "")
		p := problemOf(t, err)
		if p.Status != http.StatusForbidden && p.Status != http.StatusNotFound || p.Language != language || p.RequestID == "" {
			t.Errorf("%s: %+v", language, p)
		}
		texts[p.Detail] = true
	}
	if len(texts) != 3 {
		t.Errorf("the texts are %v", texts)
	}

	d := note(client, "x")
	d.JSON = []byte(`{"contact": "telepathy"}`)
	_, err := unit.StoreDocument(t.Context(), d)
	p := problemOf(t, err)
	if p.Reason != "document-invalid" || len(p.Errors) < 2 || !strings.Contains(p.Error(), "/contact") {
		t.Errorf("a document against its schema: %v", p)
	}
	if strings.Contains(p.Error(), "telepathy") {
		t.Error("the error holds a value of the document")
	}
}

func TestAsAnotherProfessional(t *testing.T) {
	unit := unit(t)
	stranger := testCard()
	stranger.ID = "2002" // not what the card says
	_, err := unit.As(stranger).FindClient(t.Context(), identityCode)
	if archiveclient.ReasonOf(err) == "" {
		t.Errorf("got %v", err)
	}
	must(unit.As(testCard()).FindClient(t.Context(), identityCode))(t)
}

// The connection breaks after the archive has stored, before its answer arrives: the request is sent again with a new
// assertion, and nothing is stored twice.
func TestAnswerLost(t *testing.T) {
	ctx, wire := t.Context(), newWire(t)
	var answers []archiveclient.Answer
	var mu sync.Mutex
	through := unit(t, func(c *archiveclient.Config) {
		c.Endpoint = wire.endpoint
		c.OnAnswer = func(a archiveclient.Answer) {
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, a)
		}
	})
	client := must(through.FindClient(ctx, identityCode))(t)
	var stored archiveclient.Document
	cutOnce := func() {
		once := sync.OnceFunc(wire.cut)
		theArchive.store.onStored.Store(&once)
	}
	defer theArchive.store.onStored.Store(nil)

	matter := must(theArchive.organizer.OpenMatter(ctx, archiveclient.NewMatter{Clients: []uuid.UUID{client}, ServiceTasks: []string{task}}))(t).ID
	cutOnce()
	d := note(client, "lost")
	d.Matter = matter
	stored = must(through.StoreDocument(ctx, d))(t)
	if page := must(through.SearchPage(ctx, archiveclient.Query{Client: client, Matter: matter}, ""))(t); page.Total != 1 {
		t.Errorf("stored %d times", page.Total)
	}
	cutOnce()
	stored = must(through.AddVersion(ctx, stored.ID, 1, noteVersion("lost again")))(t)
	if history := must(through.History(ctx, stored.ID, archiveclient.MetadataOptions{}))(t); len(history) != 2 {
		t.Errorf("%d versions", len(history))
	}
	if wire.cuts.Load() != 2 {
		t.Errorf("cut %d times", wire.cuts.Load())
	}
	mu.Lock()
	defer mu.Unlock()
	for _, a := range answers {
		if a.Status >= 400 || a.RequestID == "" {
			t.Errorf("answered %+v", a)
		}
	}
}

// What may have been stored under an id that nobody knows is not sent again.
func TestUnsafeIsNotRepeated(t *testing.T) {
	wire := newWire(t)
	through := unit(t, func(c *archiveclient.Config) { c.Endpoint = wire.endpoint })
	client := must(through.FindClient(t.Context(), identityCode))(t)
	var stored atomic.Int32
	cut := func() { stored.Add(1); wire.cut() }
	theArchive.store.onStored.Store(&cut)
	defer theArchive.store.onStored.Store(nil)
	v := noteVersion("unsafe")
	_, err := through.Requests().StoreDocumentWithBody(t.Context(), registry, &openapi.StoreDocumentParams{
		Client: &[]uuid.UUID{client}, Type: "case-note", ServiceTask: v.ServiceTasks, Created: v.Created,
	}, "application/json", bytes.NewReader(v.JSON))
	if err == nil || stored.Load() != 1 {
		t.Errorf("sent %d times: %v", stored.Load(), err)
	}
}

func TestUnreachable(t *testing.T) {
	// Nobody listens at the near end of a connection, and nobody else gets its port meanwhile.
	held := must((&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(endpoint, "https://")))(t)
	defer func() { _ = held.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone := unit(t, func(c *archiveclient.Config) { c.Endpoint = "https://" + held.LocalAddr().String() }).As(impatient{cancel, new(int)})
	_, err := gone.FindClient(ctx, identityCode)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
}

// impatient gives up at the second attempt.
type impatient struct {
	giveUp   func()
	attempts *int
}

func (i impatient) Assert(ctx context.Context, binding archiveclient.Binding) (string, error) {
	if *i.attempts++; *i.attempts == 2 {
		i.giveUp()
	}
	return testCard().Assert(ctx, binding)
}

func TestMatters(t *testing.T) {
	ctx, unit, organizer := t.Context(), unit(t), theArchive.organizer
	client := must(unit.FindClient(ctx, identityCode))(t)
	opened := must(organizer.OpenMatter(ctx, archiveclient.NewMatter{Clients: []uuid.UUID{client}, ServiceTasks: []string{task}}))(t)
	d := note(client, "in a matter")
	d.Clients, d.Matter = nil, opened.ID
	if stored := must(unit.StoreDocument(ctx, d))(t); !slices.Equal(stored.Clients, opened.Clients) || stored.Matter != opened.ID {
		t.Errorf("stored %+v in %+v", stored, opened)
	}
	closed := must(organizer.CloseMatter(ctx, opened.ID, time.Now()))(t)
	if read := must(unit.ReadMatter(ctx, opened.ID))(t); read.State != closed.State || read.ClosedAt.IsZero() || len(read.Events) != 2 {
		t.Errorf("read %+v", read)
	}
	_, err := unit.StoreDocument(ctx, d)
	if problem := (*archiveclient.Problem)(nil); !errors.As(err, &problem) || problem.Reason != "matter-closed" {
		t.Errorf("storing into a closed matter: %v", err)
	}
	if _, err := unit.CloseMatter(ctx, opened.ID, time.Time{}); err == nil {
		t.Error("a unit with the basic right closed a matter")
	}
	must(organizer.ReopenMatter(ctx, opened.ID))(t)
	must(unit.StoreDocument(ctx, d))(t)
	found := must(unit.Matters(ctx, client))(t)
	if !slices.ContainsFunc(found, func(m archiveclient.Matter) bool { return m.ID == opened.ID && m.State == "open" }) {
		t.Errorf("found %+v", found)
	}
}
