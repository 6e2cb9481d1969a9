// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

var at = time.Date(2026, 3, 1, 8, 0, 0, 123456000, time.UTC)

// fullRow has every field set.
func fullRow() store.LogRow {
	id := func(n byte) uuid.UUID { return uuid.UUID{0: n, 6: 0x40, 8: 0x80, 15: n} }
	return store.LogRow{
		ID: id(1), Time: at, RequestID: "r", Registry: "1.2.246.10.99999991.19.0",
		Operation: "document.search", Outcome: store.OutcomeRefused, Reason: "relationship-ended", ClientID: id(2),
		Caller: "spiffe://example.test/registry/1/unit/2", Organization: "o", Unit: "u", CertificateThumbprint: "c",
		Professional: "p", Role: "role", CardThumbprint: "card", AssertionKey: "key", AssertionExpires: at.Add(5 * time.Minute),
		Criteria: json.RawMessage(`{"type":"<plan> & ä"}`), DocumentIDs: []uuid.UUID{id(3), id(4)}, DocumentCount: 2,
		Relationship:   store.ObjectRef{UID: "ru", Revision: "1"},
		Grant:          store.ObjectRef{UID: "gu", Revision: "2"},
		RegistryObject: store.ObjectRef{UID: "eu", Revision: "3"},
		ViewAge:        1500 * time.Millisecond,
		CutAt:          65536,
	}
}

func fullLink() Link {
	return Link{Sequenced: at.Add(time.Second), ClientSequence: 7, ClientPrevious: Commitment{0: 0xAB, 31: 1}}
}

// What was committed to must be written in the same bytes in twelve years.
func TestTheCanonicalRecordNeverChanges(t *testing.T) {
	g := NewWithT(t)
	const golden = `{"v":1,"sequenced":"2026-03-01T08:00:01.123456Z","clientSequence":7,` +
		`"clientPrevious":"ab00000000000000000000000000000000000000000000000000000000000001",` +
		`"id":"01000000-0000-4000-8000-000000000001","time":"2026-03-01T08:00:00.123456Z","requestId":"r",` +
		`"registry":"1.2.246.10.99999991.19.0","operation":"document.search","outcome":"refused","reason":"relationship-ended",` +
		`"client":"02000000-0000-4000-8000-000000000002","caller":"spiffe://example.test/registry/1/unit/2",` +
		`"organization":"o","unit":"u","certificateThumbprint":"c","professional":"p","role":"role","cardThumbprint":"card",` +
		`"assertionKey":"key","assertionExpires":"2026-03-01T08:05:00.123456Z","criteria":"{\"type\":\"<plan> & ä\"}",` +
		`"documents":["03000000-0000-4000-8000-000000000003","04000000-0000-4000-8000-000000000004"],"documentCount":2,` +
		`"relationship":{"uid":"ru","revision":"1"},"grant":{"uid":"gu","revision":"2"},` +
		`"registryObject":{"uid":"eu","revision":"3"},"viewAgeMs":1500}`
	row := fullRow()
	text, err := Encode(&row, fullLink())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(Equal(strings.TrimSuffix(golden, "}") + `,"cutAt":65536}`))
	row.CutAt = 0 // which records of before do not have
	text, err = Encode(&row, fullLink())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(Equal(golden))
	g.Expect(Commit(make([]byte, SaltSize), text).String()).To(Equal("650fe47739d26d30b7764897bc8a731b552386c6aebb6fbe042c33674990b4e7"))

	small := store.LogRow{ID: fullRow().ID, Time: at.Add(100), Operation: "status", Outcome: store.OutcomeError}
	text, err = Encode(&small, Link{Sequenced: at})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(Equal(`{"v":1,"sequenced":"2026-03-01T08:00:00.123456Z","id":"01000000-0000-4000-8000-000000000001",` +
		`"time":"2026-03-01T08:00:00.123456Z","operation":"status","outcome":"error"}`))
}

// A field that the record lacks could be edited without a trace.
func TestEveryFieldOfARowIsCommittedTo(t *testing.T) {
	g := NewWithT(t)
	row := fullRow()
	whole, err := Encode(&row, fullLink())
	g.Expect(err).NotTo(HaveOccurred())
	for _, field := range reflect.VisibleFields(reflect.TypeFor[store.LogRow]()) {
		g.Expect(reflect.ValueOf(row).FieldByIndex(field.Index).IsZero()).To(BeFalse(), "fullRow sets no %s", field.Name)
		changed := fullRow()
		reflect.ValueOf(&changed).Elem().FieldByIndex(field.Index).SetZero()
		text, err := Encode(&changed, fullLink())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(text).NotTo(Equal(whole), "the record does not hold %s", field.Name)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Link]()) {
		changed := fullLink()
		reflect.ValueOf(&changed).Elem().FieldByIndex(field.Index).SetZero()
		text, err := Encode(&row, changed)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(text).NotTo(Equal(whole), "the record does not hold %s", field.Name)
	}
}

func TestWhatIsEncodedIsDecoded(t *testing.T) {
	g := NewWithT(t)
	text, err := Encode(new(fullRow()), fullLink())
	g.Expect(err).NotTo(HaveOccurred())
	row, link, err := Decode(text)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(row).To(Equal(fullRow()))
	g.Expect(link).To(Equal(fullLink()))
	for name, bad := range map[string]string{
		"nothing":           "",
		"another version":   strings.Replace(string(text), `"v":1`, `"v":2`, 1),
		"a space":           strings.Replace(string(text), `"v":1`, `"v": 1`, 1),
		"a field more":      strings.Replace(string(text), `"v":1`, `"v":1,"x":1`, 1),
		"a field twice":     strings.Replace(string(text), `"v":1`, `"v":1,"v":1`, 1),
		"another time zone": strings.Replace(string(text), `08:00:00.123456Z`, `10:00:00.123456+02:00`, 1),
		"something after":   string(text) + "\n",
	} {
		_, _, err := Decode([]byte(bad))
		g.Expect(err).To(MatchError(ErrRecord), name)
	}
	row.Role = "\xff"
	_, err = Encode(&row, link)
	g.Expect(err).To(MatchError(ErrRecord))
}

// Two rows that differ never share their bytes, whatever strangers put into the text fields.
func TestDifferentRowsHaveDifferentRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("a\"\\,:{}ä\n\u2028")), 0, 4, -1)
		draw := func(name string) store.LogRow {
			row := store.LogRow{Time: at, Operation: "x", Outcome: store.OutcomeAllowed}
			row.RequestID, row.Registry, row.Reason = text.Draw(t, name), text.Draw(t, name), text.Draw(t, name)
			row.Caller, row.Organization = text.Draw(t, name), text.Draw(t, name)
			return row
		}
		a, b := draw("a"), draw("b")
		one, err := Encode(&a, Link{})
		two, err2 := Encode(&b, Link{})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if reflect.DeepEqual(a, b) != (string(one) == string(two)) {
			t.Fatalf("%q %q", one, two)
		}
	})
}

func FuzzDecode(f *testing.F) {
	text, err := Encode(new(fullRow()), fullLink())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"v":1,"sequenced":"2026-03-01T08:00:00.123456Z","id":"01000000-0000-4000-8000-000000000001","time":"2026-03-01T08:00:00.123456Z","operation":"s","outcome":"error"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		row, link, err := Decode(text)
		if err != nil {
			return
		}
		again, err := Encode(&row, link)
		if err != nil || string(again) != string(text) {
			t.Fatalf("%q became %q (%v)", text, again, err)
		}
	})
}
