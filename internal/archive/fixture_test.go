// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	trustDomain  = "archive.test"
	registryOID  = indextest.RegistryOID
	unitOID      = indextest.UnitOID
	otherUnitOID = "1.2.246.10.12345678.10.2"
	testCode     = "020516C903K" // of the 900 series
	realCode     = "010190-123M" // valid in form, not of the 900 series; see TestCodes
	task         = indextest.Task
)

// patience is how long a test waits for what has to come: on no machine is it reached where all is well.
const patience = 2 * time.Minute

// arena is an archive with everything real: TLS, SQLite, the index and the decision.
type arena struct {
	t       testing.TB
	clock   *clocktesting.FakePassiveClock
	ca      pki.CA
	cards   testcard.Authority
	card    testcard.Card
	anchors *PEMPool
	revoked atomic.Pointer[card.Revocations]
	index   *index.Index
	world   *indextest.World
	store   *faultyStore
	metrics *prometheus.Registry
	server  *Server
	// catalog is the one in force; relationships what the server told of client relationship documents.
	catalog       atomic.Pointer[catalog.Catalog]
	relationships *toldRelationships
	dir           string
	keyFile       string // the content
	address       string
	admin         http.Handler

	organizer, unit, otherUnit *caller
	// client is registered under testCode and has a relationship in the unit.
	client uuid.UUID

	logMu sync.Mutex
	log   strings.Builder
}

func newArena(t testing.TB) *arena {
	t.Helper()
	a := &arena{t: t, clock: clocktesting.NewFakePassiveClock(indextest.Now), dir: t.TempDir(), keyFile: keyFile, anchors: &PEMPool{}}
	a.ca = must(pki.NewCA("test archive", indextest.Now.Add(-time.Hour), 30*24*time.Hour))(t)
	a.cards = must(testcard.New(indextest.Now, 30*24*time.Hour))(t)
	a.card = must(a.cards.Issue("T-4711", indextest.Now.Add(-time.Hour), indextest.Now.Add(30*24*time.Hour)))(t)
	a.anchors.SetPEM(string(a.cards.AnchorsPEM()))
	a.catalog.Store(catalog.StandIn())
	a.start()
	a.organizer = a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: registryOID})
	a.unit = a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: registryOID, Unit: unitOID})
	a.otherUnit = a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: registryOID, Unit: otherUnitOID})
	a.fillWorld()
	a.client = a.register(testCode)
	a.relate(a.client)
	return a
}

// restart starts another server on the same data.
func (a *arena) restart() {
	a.start()
	a.fillWorld()
	a.relate(a.client)
}

func (a *arena) start() {
	t := a.t
	a.metrics = prometheus.NewRegistry()
	key := must(NewIdentityKey(bytes.Repeat([]byte{7}, IdentityKeySize)))(t)
	cursorKey := must(key.CursorKey())(t)
	metrics := must(NewMetrics(a.metrics))(t)
	engine := must(sqlite.Open(t.Context(), sqlite.Options{Dir: a.dir, CursorKey: cursorKey, OnCommit: metrics.ObserveCommit}))(t)
	t.Cleanup(func() { _ = engine.Close() })
	a.store = &faultyStore{Store: engine}
	a.index = index.New()
	a.relationships = &toldRelationships{}
	clientCA := x509.NewCertPool()
	clientCA.AddCert(a.ca.Certificate())
	certificate := a.serverCertificate()
	a.server = must(NewServer(t.Context(), Options{
		Store: a.store, View: a.index, Clock: a.clock, TrustDomain: trustDomain,
		Certificate:  func() (*tls.Certificate, error) { return certificate, nil },
		ClientCAs:    func() *x509.CertPool { return clientCA },
		TrustAnchors: a.anchors.Pool, Revocations: a.revoked.Load, IdentityKey: key, ClientKeys: a.clientKeys(), Metrics: metrics, Gatherer: a.metrics,
		Catalog: a.catalog.Load, Relationships: a.relationships,
		Log: funcr.New(func(prefix, args string) {
			a.logMu.Lock()
			defer a.logMu.Unlock()
			a.log.WriteString(prefix + args + "\n")
		}, funcr.Options{Verbosity: 9}),
	}))(t)
	a.admin = a.server.AdminHandler()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	a.address = "https://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- a.server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
}

// keyFile is the arena's client key file.
var keyFile = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, clientkey.Size))

func (a *arena) clientKeys() clientkey.Keyring { return must(clientkey.Parse([]byte(a.keyFile)))(a.t) }

func (a *arena) serverCertificate() *tls.Certificate {
	key := must(pki.NewKey())(a.t)
	issued := must(pki.NewBuiltIn(a.ca).IssueServer(a.t.Context(), pki.ServerRequest{
		IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, PublicKey: key.Public(), Serial: pki.NewSerial(),
		NotBefore: indextest.Now.Add(-time.Hour), NotAfter: indextest.Now.Add(29 * 24 * time.Hour),
	}))(a.t)
	return &tls.Certificate{Certificate: [][]byte{issued.DER}, PrivateKey: key, Leaf: issued.Certificate}
}

// fillWorld puts the test's certificates into the world and the world into the index.
func (a *arena) fillWorld() {
	w := indextest.New()
	line := func(c *caller) index.Credential {
		return index.Credential{
			Fingerprint: access.Fingerprint(c.fingerprint),
			NotBefore:   indextest.Now.Add(-time.Hour), NotAfter: indextest.Now.Add(29 * 24 * time.Hour),
		}
	}
	w.Registry.Credentials = []index.Credential{line(a.organizer)}
	w.Grants[0].Credentials = []index.Credential{line(a.unit)}
	other := indextest.Unit()
	other.Key.Name, other.UID, other.OID = "other", indextest.UID(40), otherUnitOID
	w.Units = append(w.Units, other)
	grant := indextest.Grant()
	grant.Key.Name, grant.UID, grant.Unit = "other", indextest.UID(20), otherUnitOID
	grant.Credentials = []index.Credential{line(a.otherUnit)}
	w.Grants = append(w.Grants, grant)
	w.Relationships = nil
	w.Load(a.index)
	for _, kind := range index.Kinds() {
		a.index.SetComplete(kind)
	}
	a.index.SetFreshness(a.clock.Now())
	a.world = w
}

// relate gives the client the world's relationship in the unit, changed by the changes.
func (a *arena) relate(client uuid.UUID, changes ...func(*index.Relationship)) {
	a.t.Helper()
	r := indextest.Relationship()
	r.Client = access.ClientID(client)
	r.Tasks = []string{task}
	r.Revision = 1000 + a.index.Revision(index.Relationships)
	for _, change := range changes {
		change(&r)
	}
	if c, err := a.index.UpsertRelationship(r); err != nil || !c.Applied {
		a.t.Fatalf("the relationship was not taken in: %+v, %v", c, err)
	}
}

func (a *arena) endRelationship() {
	a.relate(a.client, func(r *index.Relationship) { r.End = a.clock.Now() })
}

func (a *arena) advance(d time.Duration) {
	a.clock.SetTime(a.clock.Now().Add(d))
}

func (a *arena) register(code string) uuid.UUID {
	a.t.Helper()
	got := a.organizer.post("/clients", map[string]any{"identityCode": code})
	if got.status != http.StatusCreated && got.status != http.StatusOK {
		a.t.Fatalf("registering a client: %s", got)
	}
	return uuid.MustParse(got.json["id"].(string))
}

// put stores a document as the caller and gives its id.
func (a *arena) put(c *caller, body string, tasks ...string) string {
	a.t.Helper()
	got := c.store(a.client, body, tasks...)
	if got.status != http.StatusCreated {
		a.t.Fatalf("storing: %s", got)
	}
	return got.json["id"].(string)
}

func (a *arena) rows(query store.LogQuery) (rows []store.LogRow) {
	a.t.Helper()
	query.Limit = store.MaxPage
	for {
		page, err := a.store.Log(a.t.Context(), query)
		if err != nil {
			a.t.Fatal(err)
		}
		rows = append(rows, page.Rows...)
		if page.Next == nil {
			return rows
		}
		query.After = page.Next
	}
}

// rawSQL opens the store's data beside the server.
func (a *arena) rawSQL() *sql.DB {
	a.t.Helper()
	db := must(sqlite.OpenFile(a.t.Context(), a.dir))(a.t)
	a.t.Cleanup(func() { _ = db.Close() })
	return db
}

// row gives the use log's row of the answer.
func (a *arena) row(of reply) store.LogRow {
	a.t.Helper()
	var found []store.LogRow
	for _, row := range a.rows(store.LogQuery{}) {
		if row.RequestID == of.requestID() {
			found = append(found, row)
		}
	}
	if len(found) != 1 {
		a.t.Fatalf("%d rows for the request of %s", len(found), of)
	}
	return found[0]
}

// logText gives all that was logged.
func (a *arena) logText() string {
	a.logMu.Lock()
	defer a.logMu.Unlock()
	return a.log.String()
}

// caller is the holder of a client certificate.
type caller struct {
	arena       *arena
	fingerprint pki.Fingerprint
	certificate tls.Certificate
	http        *http.Client
}

func (a *arena) newCaller(ca pki.CA, identity pki.Identity) *caller {
	a.t.Helper()
	key := must(pki.NewKey())(a.t)
	issued := must(pki.NewBuiltIn(ca).Issue(a.t.Context(), pki.ClientRequest{
		Identity: identity, PublicKey: key.Public(), Serial: pki.NewSerial(),
		NotBefore: indextest.Now.Add(-time.Hour), NotAfter: indextest.Now.Add(29 * 24 * time.Hour),
	}))(a.t)
	return a.callerOf(tls.Certificate{Certificate: [][]byte{issued.DER}, PrivateKey: key}, issued.Fingerprint)
}

func (a *arena) callerOf(certificate tls.Certificate, fingerprint pki.Fingerprint) *caller {
	roots := x509.NewCertPool()
	roots.AddCert(a.ca.Certificate())
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		RootCAs: roots, Certificates: []tls.Certificate{certificate}, Time: a.clock.Now, MinVersion: tls.VersionTLS12,
	}}
	a.t.Cleanup(transport.CloseIdleConnections)
	return &caller{arena: a, fingerprint: fingerprint, certificate: certificate, http: &http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// claims are those of an assertion that is in order.
func (c *caller) claims() assertion.Claims {
	now := c.arena.clock.Now()
	return assertion.Claims{
		Subject: "T-4711", Role: "social-worker", Audience: assertion.AudienceOf(registryOID),
		IssuedAt: now, ExpiresAt: now.Add(time.Minute), TokenID: assertion.NewTokenID(), ClientCertificate: c.fingerprint,
	}
}

func (c *caller) assert(claims assertion.Claims) string {
	c.arena.t.Helper()
	return must(assertion.Sign(claims, c.arena.card.Key, c.arena.card.Chain))(c.arena.t)
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   []byte
	json   map[string]any
}

func (r reply) String() string    { return fmt.Sprintf("%d %s", r.status, r.body) }
func (r reply) requestID() string { return r.header.Get("X-Request-Id") }
func (r reply) reason() string    { s, _ := r.json["reason"].(string); return s }

// option changes a request before it is sent.
type option func(*http.Request)

func header(name, value string) option { return func(r *http.Request) { r.Header.Set(name, value) } }

// send sends a request with a fresh assertion, and holds the answer to the API's description.
func (c *caller) send(method, path, contentType string, body []byte, options ...option) reply {
	c.arena.t.Helper()
	got, err := c.try(method, path, contentType, body, options...)
	if err != nil {
		c.arena.t.Fatalf("%s: %v", method, err)
	}
	return got
}

func (c *caller) try(method, path, contentType string, body []byte, options ...option) (reply, error) {
	t := c.arena.t
	t.Helper()
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "/v1/") && path != "/openapi.json" && !strings.HasPrefix(path, "/elsewhere") {
		path = "/v1/registries/" + registryOID + path
	}
	request := must(http.NewRequestWithContext(t.Context(), method, c.arena.address+path, bytes.NewReader(body)))(t)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set(assertion.Header, c.assert(c.claims()))
	for _, o := range options {
		o(request)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	raw := must(io.ReadAll(response.Body))(t)
	got := reply{status: response.StatusCode, header: response.Header, body: raw}
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		_ = json.Unmarshal(raw, &got.json)
	}
	holdToContract(t, request, body, got)
	return got, nil
}

func (c *caller) post(path string, body any, options ...option) reply {
	c.arena.t.Helper()
	raw, isText := body.(string)
	if !isText {
		raw = string(must(json.Marshal(body))(c.arena.t))
	}
	return c.send("POST", path, "application/json", []byte(raw), options...)
}

func (c *caller) get(path string, options ...option) reply {
	c.arena.t.Helper()
	return c.send("GET", path, "", nil, options...)
}

func (c *caller) store(client uuid.UUID, body string, tasks ...string) reply {
	c.arena.t.Helper()
	return c.send("POST", storePath(client, tasks...), "application/json", []byte(body))
}

func (c *caller) search(query map[string]any, options ...option) reply {
	c.arena.t.Helper()
	if _, given := query["client"]; !given {
		query["client"] = c.arena.client.String()
	}
	return c.post("/documents/_search", query, options...)
}

func storePath(client uuid.UUID, tasks ...string) string {
	return "/documents?client=" + client.String() + "&type=case-note&" + versionQuery(tasks...)
}

// versionQuery is what every version says of itself.
func versionQuery(tasks ...string) string {
	query := "created=2026-11-21T11:00:00Z"
	for _, t := range tasks {
		query += "&serviceTask=" + t
	}
	return query
}

// note is a case note that follows its schema.
func note(text string) string {
	return fmt.Sprintf(`{"occurredAt": "2026-11-21T10:00:00Z", "contact": "phone-call", "text": %q}`, text)
}

// check fails the test unless the answer is a problem with the status and reason, recorded as such.
func (a *arena) check(name string, got reply, status int, reason string) {
	a.t.Helper()
	if got.status != status || got.reason() != reason {
		a.t.Errorf("%s: got %s\nwant %d %s", name, got, status, reason)
		return
	}
	if row := a.row(got); row.Outcome == store.OutcomeAllowed || row.Reason == "" {
		a.t.Errorf("%s: recorded as %q %q", name, row.Outcome, row.Reason)
	}
}

// must gives a value, or ends the test.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// toldRelationships keeps what the server told of client relationship documents.
type toldRelationships struct {
	mu     sync.Mutex
	told   []toldRelationship
	onTold func()
}

type toldRelationship struct {
	document uuid.UUID
	registry string
	endsAt   time.Time
}

// Stored implements RelationshipSink.
func (r *toldRelationships) Stored(_ context.Context, document uuid.UUID, registry string, endsAt time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, toldRelationship{document, registry, endsAt})
	if r.onTold != nil {
		r.onTold()
	}
}

func (r *toldRelationships) all() []toldRelationship {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.told)
}

// faultyStore is the real store with faults.
type faultyStore struct {
	store.Store
	mu         sync.Mutex
	appendLog  error              // given instead of appending
	write      error              // given instead of storing, changing or annulling
	read       error              // given instead of reading
	onFacts    func()             // called after facts were read
	onDocument func()             // called after bytes were read
	onSearch   func()             // called after a search
	onRecord   func()             // called after the record of a relationship was read
	onAppend   func(store.LogRow) // called after a row became durable
	onLog      func()             // called after a client's log was read
}

// faults are those of one call.
type faults struct {
	appendLog, write, read        error
	onFacts, onDocument, onSearch func()
	onAppend                      func(store.LogRow)
}

func (f *faultyStore) now() faults {
	f.mu.Lock()
	defer f.mu.Unlock()
	nothing := func() {}
	now := faults{f.appendLog, f.write, f.read, nothing, nothing, nothing, func(store.LogRow) {}}
	if f.onFacts != nil {
		now.onFacts = f.onFacts
	}
	if f.onDocument != nil {
		now.onDocument = f.onDocument
	}
	if f.onSearch != nil {
		now.onSearch = f.onSearch
	}
	if f.onAppend != nil {
		now.onAppend = f.onAppend
	}
	return now
}

func (f *faultyStore) ClientLog(ctx context.Context, query store.ClientLogQuery, take func(store.LogRow) error) error {
	err := f.Store.ClientLog(ctx, query, take)
	f.mu.Lock()
	read := f.onLog
	f.mu.Unlock()
	if read != nil {
		read()
	}
	return err
}

func (f *faultyStore) set(change func(*faultyStore)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *faultyStore) AppendLog(ctx context.Context, rows ...store.LogRow) error {
	now := f.now()
	if now.appendLog != nil {
		return now.appendLog
	}
	err := f.Store.AppendLog(ctx, rows...)
	if err == nil {
		now.onAppend(rows[0])
	}
	return err
}

func (f *faultyStore) StoreDocument(ctx context.Context, d store.NewDocument, row store.LogRow) (store.Facts, bool, error) {
	if err := f.now().write; err != nil {
		return store.Facts{}, false, err
	}
	return f.Store.StoreDocument(ctx, d, row)
}

func (f *faultyStore) AddVersion(ctx context.Context, v store.NewVersion, row store.LogRow) (store.Facts, bool, error) {
	if err := f.now().write; err != nil {
		return store.Facts{}, false, err
	}
	return f.Store.AddVersion(ctx, v, row)
}

func (f *faultyStore) Annul(ctx context.Context, a store.NewAnnulment, row store.LogRow) (store.Facts, bool, error) {
	if err := f.now().write; err != nil {
		return store.Facts{}, false, err
	}
	return f.Store.Annul(ctx, a, row)
}

func (f *faultyStore) OpenMatter(ctx context.Context, m store.NewMatter, row store.LogRow) (store.Matter, bool, error) {
	if err := f.now().write; err != nil {
		return store.Matter{}, false, err
	}
	return f.Store.OpenMatter(ctx, m, row)
}

func (f *faultyStore) UpdateClient(ctx context.Context, registry string, id uuid.UUID, data store.BasicData, row store.LogRow) (store.Client, error) {
	if err := f.now().write; err != nil {
		return store.Client{}, err
	}
	return f.Store.UpdateClient(ctx, registry, id, data, row)
}

func (f *faultyStore) ReplaceIdentity(ctx context.Context, registry string, id uuid.UUID, r store.Registration, now time.Time, row store.LogRow) (store.Replacement, error) {
	if err := f.now().write; err != nil {
		return store.Replacement{}, err
	}
	return f.Store.ReplaceIdentity(ctx, registry, id, r, now, row)
}

func (f *faultyStore) DocumentFacts(ctx context.Context, registry string, id uuid.UUID, version int) (store.Facts, error) {
	now := f.now()
	if now.read != nil {
		return store.Facts{}, now.read
	}
	facts, err := f.Store.DocumentFacts(ctx, registry, id, version)
	now.onFacts()
	return facts, err
}

func (f *faultyStore) Document(ctx context.Context, registry string, id uuid.UUID, version int, contentType string) (store.Document, error) {
	doc, err := f.Store.Document(ctx, registry, id, version, contentType)
	f.now().onDocument()
	return doc, err
}

func (f *faultyStore) RelationshipRecord(ctx context.Context, document uuid.UUID) (store.RelationshipRecord, error) {
	record, err := f.Store.RelationshipRecord(ctx, document)
	f.mu.Lock()
	after := f.onRecord
	f.mu.Unlock()
	if after != nil {
		after()
	}
	return record, err
}

func (f *faultyStore) RelationshipStates(ctx context.Context, q store.RelationshipHistoryQuery) (store.RelationshipHistoryPage, error) {
	now := f.now()
	if now.read != nil {
		return store.RelationshipHistoryPage{}, now.read
	}
	page, err := f.Store.RelationshipStates(ctx, q)
	now.onSearch()
	return page, err
}

func (f *faultyStore) Search(ctx context.Context, q store.SearchQuery) (store.SearchResult, error) {
	now := f.now()
	if now.read != nil {
		return store.SearchResult{}, now.read
	}
	page, err := f.Store.Search(ctx, q)
	now.onSearch()
	return page, err
}

// endingView is a view in which something ends after some decisions.
type endingView struct {
	View
	after int
	end   func()
	asked *int
}

// Decide implements View.
func (v *endingView) Decide(req *access.Request, now time.Time) access.Decision {
	if *v.asked == v.after {
		v.end()
	}
	*v.asked++
	return v.View.Decide(req, now)
}
