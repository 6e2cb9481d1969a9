// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
)

const temporaryOID = "1.2.246.10.32213086.22.2026.17"

var temporaryCode = identitycode.SyntheticTemporary(0).Reveal()

type object = map[string]any

func byOID(text string) object  { return object{"temporary": object{"oid": text}} }
func byCode(text string) object { return object{"temporary": object{"code": text}} }
func byPIC(text string) object  { return object{"identityCode": text} }

func clientPath(id uuid.UUID, more string) string { return "/clients/" + id.String() + more }

// identifiers are those that the answer tells, former ones with a leading minus.
func (r reply) identifiers() (all []string) {
	list, _ := r.json["identifiers"].([]any)
	for _, one := range list {
		told, _ := one.(map[string]any)
		mark := ""
		if told["replaced"] != nil {
			mark = "-"
		}
		value, _ := told["value"].(string)
		all = append(all, mark+told["kind"].(string)+" "+value)
	}
	return all
}

func TestAClientIsReadByTheOrganizer(t *testing.T) {
	a := newArena(t)
	got := a.expect("reading", a.organizer.get(clientPath(a.client, "")), 200)
	if strings.Join(got.identifiers(), ", ") != "code "+testCode || got.json["bornOn"] != "2016-05-02" || got.json["nonDisclosure"] != false ||
		got.json["diedOn"] != nil || got.json["id"] != a.client.String() {
		t.Errorf("got %s", got)
	}
	if row := a.row(got); row.ClientID != a.client || row.Operation != "ReadClient" || row.Professional != "T-4711" {
		t.Errorf("the row is %+v", row)
	}
	a.check("unknown", a.organizer.get(clientPath(uuid.New(), "")), 404, "client-unknown")
	a.check("no id", a.organizer.get("/clients/x"), 400, "invalid-parameter")
	a.check("a parameter", a.organizer.get(clientPath(a.client, "?full=true")), 400, "unknown-parameter")
	a.check("a code for an id", a.organizer.get("/clients/"+testCode), 400, "identity-code-in-url")
	a.check("a temporary code for an id", a.organizer.get("/clients/"+temporaryCode), 400, "identity-code-in-url")
	a.check("a temporary OID for an id", a.organizer.get("/clients/"+temporaryOID), 400, "identity-code-in-url")
}

// What a unit is told of a client besides its id does not depend on whether there is such a client.
func TestClientsAreTheOrganizersAlone(t *testing.T) {
	a := newArena(t)
	a.extend() // however far the right reaches
	same := header("X-Request-Id", "the-same-request")
	for name, ask := range map[string]func(id uuid.UUID, with ...option) reply{
		"reading": func(id uuid.UUID, with ...option) reply { return a.unit.get(clientPath(id, ""), with...) },
		"basic data": func(id uuid.UUID, with ...option) reply {
			return a.unit.send("PUT", clientPath(id, "/basic-data"), "application/json", []byte(`{"nonDisclosure": true}`), with...)
		},
		"identity": func(id uuid.UUID, with ...option) reply {
			return a.unit.post(clientPath(id, "/identity"), byPIC(testCodes(1)[0]), with...)
		},
	} {
		theirs := ask(a.client, same)
		if theirs.status != 403 || theirs.reason() != "extent-insufficient" {
			t.Errorf("%s: got %s", name, theirs)
		}
		if row := a.row(ask(a.client)); row.ClientID != a.client || row.Outcome != store.OutcomeRefused {
			t.Errorf("%s: the client will not find who tried: %+v", name, row)
		}
		sameAnswer(t, name, theirs, ask(uuid.New(), same))
	}
	a.check("registering", a.unit.post("/clients", byOID(temporaryOID)), 403, "extent-insufficient")
	if got := a.organizer.get(clientPath(a.client, "")); got.json["nonDisclosure"] != false || len(got.identifiers()) != 1 {
		t.Errorf("a refused request changed the client: %s", got)
	}
}

// A right that ends while identifiers are read releases none of them.
func TestInvariant3_ARightEndedWhileAClientIsReadReleasesNothing(t *testing.T) {
	a := newArena(t)
	decisions := 0
	a.server.opts.View = &endingView{View: a.index, after: 1, asked: &decisions, end: func() {
		a.amend("operations: [FindClient, RegisterClient]", "operations: [RegisterClient]")
	}}
	got := a.organizer.get(clientPath(a.client, ""))
	a.server.opts.View = a.index
	a.check("reading", got, 403, "user-right-missing")
	if got.has("identifiers") || decisions < 2 {
		t.Errorf("something left: %s", got)
	}
}

func TestUserRight_ClientsAreReadAndChangedUnderTheirRights(t *testing.T) {
	a := newArena(t)
	as := func(role string) option {
		claims := a.organizer.claims()
		claims.Role = role
		return header(assertion.Header, a.organizer.assert(claims))
	}
	put := func(role string) reply {
		return a.organizer.send("PUT", clientPath(a.client, "/basic-data"), "application/json", []byte(`{"nonDisclosure": false}`), as(role))
	}
	// The stand-in catalog lets a social counselor find clients, and a social worker register them too.
	a.expect("reading", a.organizer.get(clientPath(a.client, ""), as("social-counselor")), 200)
	a.check("basic data", put("social-counselor"), 403, "user-right-missing")
	a.check("identity", a.organizer.post(clientPath(a.client, "/identity"), byPIC(testCodes(1)[0]), as("social-counselor")), 403, "user-right-missing")
	a.expect("basic data", put("social-worker"), 200)
	a.check("no role", a.organizer.get(clientPath(a.client, ""), as("nobody")), 403, "role-unknown")
}

func TestBasicData(t *testing.T) {
	a := newArena(t)
	put := func(body string) reply {
		return a.organizer.send("PUT", clientPath(a.client, "/basic-data"), "application/json", []byte(body))
	}
	today := a.clock.Now().Format(time.DateOnly)
	for _, c := range [][2]string{
		{`{"nonDisclosure": true}`, `{"nonDisclosure":true,"bornOn":"2016-05-02"}`},
		{`{"nonDisclosure": true, "diedOn": "` + today + `"}`, `{"nonDisclosure":true,"bornOn":"2016-05-02","diedOn":"` + today + `"}`},
		{`{"nonDisclosure": false, "diedOn": "2016-05-02"}`, `{"nonDisclosure":false,"bornOn":"2016-05-02","diedOn":"2016-05-02"}`},
		{`{"nonDisclosure": false}`, `{"nonDisclosure":false,"bornOn":"2016-05-02"}`},
	} {
		body, want := c[0], c[1]
		for range 2 {
			got := a.expect(body, put(body), 200)
			if strings.TrimSpace(string(got.body)) != want {
				t.Errorf("%s: got %s", body, got)
			}
			if row := a.row(got); row.ClientID != a.client || row.Operation != "UpdateClient" {
				t.Errorf("the row is %+v", row)
			}
			read := a.organizer.get(clientPath(a.client, ""))
			if read.json["nonDisclosure"] != got.json["nonDisclosure"] || read.json["diedOn"] != got.json["diedOn"] {
				t.Errorf("%s: read %s", body, read)
			}
		}
	}
	tomorrow := a.clock.Now().Add(24 * time.Hour).Format(time.DateOnly)
	for body, reason := range map[string]string{
		`{}`: "invalid-field", `{"nonDisclosure": "yes"}`: "invalid-field", `{"nonDisclosure": true, "diedOn": "` + tomorrow + `"}`: "invalid-field",
		`{"nonDisclosure": true, "diedOn": "2016-05-01"}`: "invalid-field", `{"nonDisclosure": true, "diedOn": "1.5.2026"}`: "invalid-field",
		`{"nonDisclosure": true, "diedOn": "` + testCode + `"}`: "identity-code-misplaced", `{"nonDisclosure": true, "bornOn": "2016-05-02"}`: "unknown-field",
	} {
		a.check(body, put(body), 400, reason)
	}
	a.check("unknown client", a.organizer.send("PUT", clientPath(uuid.New(), "/basic-data"), "application/json", []byte(`{"nonDisclosure": true}`)), 404, "client-unknown")
	if got := a.organizer.get(clientPath(a.client, "")); got.json["nonDisclosure"] != false || got.json["diedOn"] != nil {
		t.Errorf("a refused request changed the client: %s", got)
	}
}

func TestATemporaryIdentifierRegistersAndFindsAClient(t *testing.T) {
	a := newArena(t)
	for name, body := range map[string]object{"oid": byOID(temporaryOID), "code": byCode(temporaryCode)} {
		client := uuid.MustParse(a.expect(name, a.organizer.post("/clients", body), 201).id())
		again := a.expect(name, a.organizer.post("/clients", body), 200)
		found := a.expect(name, a.organizer.post("/clients/_search", body), 200)
		read := a.organizer.get(clientPath(client, ""))
		if again.id() != client.String() || found.id() != client.String() || len(read.identifiers()) != 1 || read.json["bornOn"] != nil ||
			!strings.HasPrefix(read.identifiers()[0], "temporary-"+name+" ") {
			t.Errorf("%s: again %s, found %s, read %s", name, again, found, read)
		}
		a.check("unit, "+name, a.unit.post("/clients/_search", body), 403, "no-relationship")
	}
	lower := byCode(strings.ToLower(temporaryCode))
	if found := a.organizer.post("/clients/_search", lower); found.status != 200 {
		t.Errorf("in lower case: %s", found)
	}
	related := uuid.MustParse(a.expect("third", a.organizer.post("/clients", byOID(temporaryOID+"1")), 201).id())
	a.relateTo(related, unitOID, 7)
	if found := a.expect("by the unit", a.unit.post("/clients/_search", byOID(temporaryOID+"1")), 200); found.id() != related.String() {
		t.Errorf("the unit found %s", found)
	}
	for name, c := range map[string]struct {
		body           object
		status         int
		reason, field_ string
	}{
		"OID of no number": {byOID("1.2.246.10.32213086.22.2026"), 422, "temporary-identifier-invalid", "temporary.oid"},
		"OID of a unit":    {byOID("1.2.246.10.32213086.10.1"), 422, "temporary-identifier-invalid", "temporary.oid"},
		"900 series":       {byCode(testCode), 422, "temporary-identifier-invalid", "temporary.code"},
		"real code":        {byCode(realCode), 422, "temporary-identifier-invalid", "temporary.code"},
		"as a code":        {byPIC(temporaryCode), 422, "identity-code-invalid", "identityCode"},
		"both forms":       {object{"temporary": object{"oid": temporaryOID, "code": temporaryCode}}, 400, "invalid-field", "temporary"},
		"neither form":     {object{"temporary": object{}}, 400, "invalid-field", "temporary"},
		"both":             {object{"temporary": object{"oid": temporaryOID}, "identityCode": testCode}, 400, "invalid-field", "temporary"},
		"no object":        {object{"temporary": temporaryOID}, 400, "invalid-field", "temporary"},
		"null":             {object{"temporary": nil}, 400, "invalid-field", "temporary"},
		"unknown":          {object{"temporary": object{"passport": "1"}}, 400, "unknown-field", "temporary.passport"},
		"code as a name":   {object{"temporary": object{testCode: "1"}}, 400, "unknown-field", ""},
		"nothing":          {object{}, 400, "invalid-field", "identityCode"},
	} {
		got := a.organizer.post("/clients", c.body)
		a.check(name, got, c.status, c.reason)
		if field, _ := got.json["field"].(string); field != c.field_ || identitycode.LooksLike(string(got.body)) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A real code in a test registry is refused where it would replace a temporary identifier too.
func TestStatement11_ANon900SeriesCodeInATestEnvironmentIsRefused_AsAReplacement(t *testing.T) {
	a := newArena(t)
	id := uuid.MustParse(a.organizer.post("/clients", byOID(temporaryOID)).id())
	a.check("real code", a.organizer.post(clientPath(id, "/identity"), byPIC(realCode)), 422, "identity-code-not-test")
	r := a.world.Registry
	r.Purpose, r.Revision = access.PurposeProduction, 5000
	if _, err := a.index.UpsertRegistry(r); err != nil {
		t.Fatal(err)
	}
	a.expect("in production", a.organizer.post(clientPath(id, "/identity"), byPIC(realCode)), 200)
}

func TestAReplacedIdentifierLosesNothing(t *testing.T) {
	a := newArena(t)
	id := uuid.MustParse(a.expect("registering", a.organizer.post("/clients", byOID(temporaryOID)), 201).id())
	a.relateTo(id, unitOID, 7)
	document := a.expect("storing", a.unit.store(id, note("before"), task), 201).id()
	code := testCodes(1)[0]
	replace := func() reply { return a.organizer.post(clientPath(id, "/identity"), byPIC(code)) }
	for range 2 {
		got := a.expect("replacing", replace(), 200)
		if got.id() != id.String() || got.json["absorbed"] != nil {
			t.Errorf("got %s", got)
		}
		if row := a.row(got); row.ClientID != id || row.Operation != "ReplaceIdentity" {
			t.Errorf("the row is %+v", row)
		}
	}
	read := a.organizer.get(clientPath(id, ""))
	if strings.Join(read.identifiers(), ", ") != "-temporary-oid "+temporaryOID+", code "+code || read.json["bornOn"] != "1990-01-01" {
		t.Errorf("read %s", read)
	}
	for name, body := range map[string]object{"code": byPIC(code), "temporary": byOID(temporaryOID)} {
		for caller, c := range map[string]*caller{"organizer": a.organizer, "unit": a.unit} {
			if found := a.expect(caller+" by "+name, c.post("/clients/_search", body), 200); found.id() != id.String() {
				t.Errorf("%s by %s: %s", caller, name, found)
			}
		}
	}
	a.expect("the unit reads on", a.unit.get("/documents/"+document), 200)
	a.expect("and stores on", a.unit.store(id, note("after"), task), 201)
	a.check("another code", a.organizer.post(clientPath(id, "/identity"), byPIC(testCodes(2)[1])), 409, "client-identified")
	a.check("of a client with a code", a.organizer.post(clientPath(a.client, "/identity"), byPIC(testCodes(2)[1])), 409, "client-identified")
	a.check("wrong code", a.organizer.post(clientPath(id, "/identity"), byPIC("020516C903L")), 422, "identity-code-invalid")
	a.check("temporary for temporary", a.organizer.post(clientPath(id, "/identity"), byOID(temporaryOID)), 400, "unknown-field")
	a.check("unknown client", a.organizer.post(clientPath(uuid.New(), "/identity"), byPIC(testCodes(3)[2])), 404, "client-unknown")
}

func TestTwoClientsWhoBothHaveDataAreNotMadeOne(t *testing.T) {
	a := newArena(t)
	id := uuid.MustParse(a.expect("registering", a.organizer.post("/clients", byOID(temporaryOID)), 201).id())
	a.expect("storing", a.organizer.store(id, note("of the temporary one"), task), 201)
	a.put(a.organizer, note("of the known one"), task)
	got := a.organizer.post(clientPath(id, "/identity"), byPIC(testCode))
	a.check("both have documents", got, 409, "client-merge-needed")
	if row := a.row(got); row.ClientID != id || bytes.Contains(got.body, []byte(a.client.String())) {
		t.Errorf("row %+v, answer %s", row, got)
	}
	for client, body := range map[uuid.UUID]object{id: byOID(temporaryOID), a.client: byPIC(testCode)} {
		if found := a.organizer.post("/clients/_search", body); found.id() != client.String() || a.total(client) != 1 {
			t.Errorf("a client changed: %s", found)
		}
	}

	unused := a.another(0)
	given := a.expect("the other has nothing", a.organizer.post(clientPath(id, "/identity"), byPIC(testCodes(1)[0])), 200)
	if given.id() != id.String() || given.json["absorbed"] != unused.String() {
		t.Errorf("got %s", given)
	}
	if row := a.row(given); row.ClientID != id || !strings.Contains(string(row.Criteria), unused.String()) {
		t.Errorf("the row is %+v", row)
	}
	a.check("the other is no more", a.organizer.get(clientPath(unused, "")), 404, "client-unknown")
	a.check("and takes nothing", a.organizer.store(unused, note("x"), task), 404, "client-unknown")
}

func TestACodeBornAfterTheDeathIsRefused(t *testing.T) {
	a := newArena(t)
	id := uuid.MustParse(a.expect("registering", a.organizer.post("/clients", byOID(temporaryOID)), 201).id())
	a.expect("death", a.organizer.send("PUT", clientPath(id, "/basic-data"), "application/json", []byte(`{"nonDisclosure": false, "diedOn": "1989-12-31"}`)), 200)
	a.check("born later", a.organizer.post(clientPath(id, "/identity"), byPIC(testCodes(1)[0])), 400, "invalid-field")
}

// A client that was registered before identifiers were kept gets its code sealed when the code is presented again.
func TestAClientFromBeforeIdentifiersWereKept(t *testing.T) {
	a := newArena(t)
	raw := a.rawSQL()
	for _, statement := range []string{"UPDATE client_codes SET sealed = NULL", "DELETE FROM client_keys", "UPDATE clients SET born_on = ''"} {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.expect("before", a.organizer.get(clientPath(a.client, "")), 200); strings.Join(got.identifiers(), ",") != "code " || got.json["bornOn"] != nil {
		t.Errorf("before: %s", got)
	}
	if again := a.expect("presented again", a.organizer.post("/clients", byPIC(testCode)), 200); again.id() != a.client.String() {
		t.Errorf("another client: %s", again)
	}
	if got := a.expect("after", a.organizer.get(clientPath(a.client, "")), 200); strings.Join(got.identifiers(), ",") != "code "+testCode || got.json["bornOn"] != "2016-05-02" {
		t.Errorf("after: %s", got)
	}
}

// A key that the ring lacks closes the client's identifiers, not its documents, and is told to the operator alone.
func TestALostClientKeyClosesTheIdentifiersAlone(t *testing.T) {
	a := newArena(t)
	document := a.put(a.organizer, note("x"), task)
	lost := a.clientKeys().Primary()
	a.keyFile = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{8}, clientkey.Size))
	a.restart()
	a.check("reading", a.organizer.get(clientPath(a.client, "")), 503, "store-unavailable")
	if !strings.Contains(a.logText(), lost) {
		t.Error("the log does not tell which key is lacking")
	}
	a.expect("finding", a.organizer.post("/clients/_search", byPIC(testCode)), 200)
	a.expect("a document", a.organizer.get("/documents/"+document), 200)
	// What is damaged, or was moved from another client, opens no more.
	a.keyFile = keyFile
	a.restart()
	stranger := a.another(0)
	if _, err := a.rawSQL().ExecContext(t.Context(),
		"UPDATE client_keys SET wrapped = (SELECT wrapped FROM client_keys WHERE client_id = $1) WHERE client_id = $2", a.client[:], stranger[:]); err != nil {
		t.Fatal(err)
	}
	destroyed := a.another(1)
	if _, err := a.rawSQL().ExecContext(t.Context(), "DELETE FROM client_keys WHERE client_id = $1", destroyed[:]); err != nil {
		t.Fatal(err)
	}
	if got := a.expect("a destroyed key", a.organizer.get(clientPath(destroyed, "")), 200); strings.Join(got.identifiers(), ",") != "code " {
		t.Errorf("a destroyed key: %s", got)
	}
	a.check("another's key", a.organizer.get(clientPath(stranger, "")), 500, "internal-error")
}

func TestInvariant4_NoTraceNoClient(t *testing.T) {
	a := newArena(t)
	temporary := uuid.MustParse(a.organizer.post("/clients", byOID(temporaryOID)).id())
	a.store.set(func(f *faultyStore) { f.appendLog = store.Unavailable("logging", errors.New("disk full")) })
	if got := a.organizer.get(clientPath(a.client, "")); got.status != 503 || got.reason() != "log-unavailable" || bytes.Contains(got.body, []byte(testCode)) {
		t.Errorf("reading: %s", got)
	}
	a.store.set(func(f *faultyStore) {
		f.appendLog = nil
		f.write = store.Unavailable("writing", errors.New("disk full"))
	})
	a.check("basic data", a.organizer.send("PUT", clientPath(a.client, "/basic-data"), "application/json", []byte(`{"nonDisclosure": true}`)), 503, "store-unavailable")
	a.check("identity", a.organizer.post(clientPath(temporary, "/identity"), byPIC(testCodes(1)[0])), 503, "store-unavailable")
	a.store.set(func(f *faultyStore) { f.write = nil })
	if got := a.organizer.get(clientPath(a.client, "")); got.json["nonDisclosure"] != false {
		t.Errorf("the client was changed: %s", got)
	}
}

// Nothing that is written down anywhere names a client or opens what does: neither the data file with what SQLite
// keeps beside it, nor the log, nor any answer but that to the organizer who reads the client.
func TestInvariant7And8_IdentifiersAndKeysAreNowhereInClear(t *testing.T) {
	a := newArena(t)
	answers := &bytes.Buffer{}
	keep := func(got reply) reply { answers.Write(got.body); return got }
	id := uuid.MustParse(keep(a.organizer.post("/clients", byOID(temporaryOID))).id())
	keep(a.organizer.post("/clients", byCode(temporaryCode)))
	keep(a.organizer.post("/clients/_search", byCode(temporaryCode)))
	keep(a.organizer.post(clientPath(id, "/identity"), byPIC(testCodes(1)[0])))
	keep(a.organizer.post(clientPath(id, "/identity"), byPIC(testCode)))
	keep(a.organizer.post("/clients", byPIC("020516C903L")))
	keep(a.organizer.get("/clients/" + temporaryCode))
	keep(a.organizer.get("/clients/" + temporaryOID))
	a.expect("reading", a.organizer.get(clientPath(id, "")), 200)
	a.keyFile = string(must(clientkey.NewFile())(t))
	a.restart()
	keep(a.organizer.get(clientPath(id, "")))

	secrets := map[string][]byte{
		"the code": []byte(testCode), "a wrong code": []byte("020516C903L"), "the second code": []byte(testCodes(1)[0]),
		"the temporary code": []byte(temporaryCode), "the temporary OID": []byte(temporaryOID),
		"the key": bytes.Repeat([]byte{9}, clientkey.Size), "the key file": []byte(keyFile), "the key in hexadecimal": []byte(hex.EncodeToString(bytes.Repeat([]byte{9}, clientkey.Size))),
	}
	seen := map[string][]byte{"the log": []byte(a.logText()), "an answer": answers.Bytes()}
	files := must(filepath.Glob(filepath.Join(a.dir, "*")))(t)
	size := 0
	for _, file := range files {
		seen[filepath.Base(file)] = must(os.ReadFile(file))(t)
		size += len(seen[filepath.Base(file)])
	}
	if len(files) < 2 || size < 64<<10 {
		t.Fatalf("%d files of %d bytes: what looks for them has gone blind", len(files), size)
	}
	for _, row := range a.rows(store.LogQuery{}) {
		seen["the use log"] = append(seen["the use log"], row.Criteria...)
	}
	for what, secret := range secrets {
		for where, text := range seen {
			if bytes.Contains(text, secret) {
				t.Errorf("%s is in %s", what, where)
			}
		}
	}
}

// BenchmarkReadingAClient shows that reading a client unwraps no key once it is cached.
func BenchmarkReadingAClient(b *testing.B) {
	a := newArena(b)
	keys := a.server.opts.ClientKeys
	x := &exchange{server: a.server, registry: registryOID, request: must(http.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil))(b)}
	before := keys.Unwraps()
	for b.Loop() {
		sealed, key, err := a.store.ClientIdentifiers(b.Context(), registryOID, a.client)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x.unseal(a.client, sealed, key); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(keys.Unwraps()-before)/float64(b.N), "unwraps/op")
}

func TestReadingAClientUnwrapsNothingOnceCached(t *testing.T) {
	a := newArena(t)
	keys := a.server.opts.ClientKeys
	for range 3 {
		a.expect("reading", a.organizer.get(clientPath(a.client, "")), 200)
	}
	if keys.Unwraps() != 0 { // the key was cached when it was made
		t.Errorf("%d unwraps", keys.Unwraps())
	}
	a.restart()
	keys = a.server.opts.ClientKeys
	for range 3 {
		a.expect("reading", a.organizer.get(clientPath(a.client, "")), 200)
	}
	if keys.Unwraps() != 1 {
		t.Errorf("%d unwraps after a restart, want 1", keys.Unwraps())
	}
}
