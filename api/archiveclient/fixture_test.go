// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	registry     = indextest.RegistryOID
	identityCode = "020516C903K" // of the 900 series
	task         = indextest.Task
	trustDomain  = "archive.test"
	day          = 24 * time.Hour
)

// What an integrator has: an address, and the files of a credential and of a card.
var (
	endpoint, unitSecret, organizerSecret string
	cardCert, cardKey                     []byte

	theArchive *testArchive
)

func TestMain(m *testing.M) {
	// The world's dates are around this instant.
	indextest.Now = time.Now()
	dir, err := os.MkdirTemp("", "archiveclient")
	if err == nil {
		theArchive, err = startArchive(dir)
	}
	code := 1
	if err == nil {
		code = m.Run()
		err = theArchive.stop()
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// testArchive is an archive with everything real: TLS, SQLite, the catalog, the index and the decision.
type testArchive struct {
	dir       string
	ca        pki.CA
	index     *index.Index
	store     *watchedStore
	organizer *archiveclient.Client
	// cards are the authorities of the professionals' cards.
	cards *x509.CertPool
	stop  func() error
}

func startArchive(dir string) (*testArchive, error) {
	a := &testArchive{dir: dir, index: index.New()}
	var err error
	if a.ca, err = pki.NewCA("test archive", time.Now().Add(-time.Hour), 30*day); err != nil {
		return nil, err
	}
	cards, err := testcard.New(time.Now(), 30*day)
	if err != nil {
		return nil, err
	}
	card, err := cards.Issue("1001", time.Now().Add(-time.Hour), time.Now().Add(day))
	if err != nil {
		return nil, err
	}
	cardCert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: card.Chain[0].Raw})
	cardKey = card.Key.PEM()
	a.cards = cards.Anchors()
	if err := a.serve(a.cards); err != nil {
		return nil, err
	}
	return a, a.fill()
}

func (a *testArchive) serve(anchors *x509.CertPool) error {
	key, err := archive.NewIdentityKey(bytes.Repeat([]byte{7}, archive.IdentityKeySize))
	if err != nil {
		return err
	}
	cursorKey, err := key.CursorKey()
	if err != nil {
		return err
	}
	keyFile, err := clientkey.NewFile()
	if err != nil {
		return err
	}
	clientKeys, err := clientkey.Parse(keyFile)
	if err != nil {
		return err
	}
	engine, err := sqlite.Open(context.Background(), sqlite.Options{Dir: a.dir, CursorKey: cursorKey})
	if err != nil {
		return err
	}
	a.store = &watchedStore{Store: engine}
	certificate, err := a.serverCertificate()
	if err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	observed, err := archive.NewMetrics(metrics)
	if err != nil {
		return err
	}
	authority := x509.NewCertPool()
	authority.AddCert(a.ca.Certificate())
	server, err := archive.NewServer(context.Background(), archive.Options{
		Store: a.store, View: freshView{a.index}, Clock: clock.RealClock{}, TrustDomain: trustDomain,
		Certificate:  func() (*tls.Certificate, error) { return certificate, nil },
		ClientCAs:    func() *x509.CertPool { return authority },
		TrustAnchors: func() *x509.CertPool { return anchors },
		IdentityKey:  key, ClientKeys: clientKeys, Catalog: catalog.StandIn, Log: logr.Discard(), Metrics: observed, Gatherer: metrics,
	})
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	endpoint = "https://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	a.stop = func() error {
		cancel()
		return errors.Join(<-served, engine.Close())
	}
	return nil
}

// freshView is a view that is never stale, however long the machine takes.
type freshView struct{ *index.Index }

// Decide implements archive.View.
func (v freshView) Decide(request *access.Request, now time.Time) access.Decision {
	v.SetFreshness(now)
	return v.Index.Decide(request, now)
}

func (a *testArchive) serverCertificate() (*tls.Certificate, error) {
	key, err := pki.NewKey()
	if err != nil {
		return nil, err
	}
	issued, err := pki.NewBuiltIn(a.ca).IssueServer(context.Background(), pki.ServerRequest{
		IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, PublicKey: key.Public(), Serial: pki.NewSerial(),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(day),
	})
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{issued.DER}, PrivateKey: key, Leaf: issued.Certificate}, nil
}

// fill makes the world: a registry, a unit with a grant, and a client with a relationship in the unit.
func (a *testArchive) fill() error {
	w := indextest.New()
	var err error
	var line index.Credential
	if organizerSecret, line, err = a.issue("organizer", ""); err != nil {
		return err
	}
	w.Registry.Credentials = []index.Credential{line}
	if unitSecret, line, err = a.issue("unit", indextest.UnitOID); err != nil {
		return err
	}
	w.Grants[0].Credentials = []index.Credential{line}
	w.Relationships = nil
	w.Load(a.index)
	for _, kind := range index.Kinds() {
		a.index.SetComplete(kind)
	}
	a.index.SetFreshness(time.Now())
	if a.organizer, err = archiveclient.New(archiveclient.Config{
		Endpoint: endpoint, Registry: registry, Credential: archiveclient.CredentialDir(organizerSecret), Professional: testCard(), Language: "en",
	}); err != nil {
		return err
	}
	client, err := a.organizer.RegisterClient(context.Background(), identityCode)
	if err != nil {
		return err
	}
	r := indextest.Relationship()
	r.Client, r.Revision = access.ClientID(client), 1000
	_, err = a.index.UpsertRelationship(r)
	return err
}

// issue writes a credential into a directory as it is in its Secret, and gives its line of a ledger.
func (a *testArchive) issue(name, unit string) (string, index.Credential, error) {
	key, err := pki.NewKey()
	if err != nil {
		return "", index.Credential{}, err
	}
	from, until := time.Now().Add(-time.Hour), time.Now().Add(day)
	issued, err := pki.NewBuiltIn(a.ca).Issue(context.Background(), pki.ClientRequest{
		Identity:  pki.Identity{TrustDomain: trustDomain, Registry: registry, Unit: unit},
		PublicKey: key.Public(), Serial: pki.NewSerial(), NotBefore: from, NotAfter: until,
	})
	if err != nil {
		return "", index.Credential{}, err
	}
	dir := filepath.Join(a.dir, name)
	err = writeSecret(dir, issued.PEM, key.PEM(), a.ca.CertificatePEM())
	return dir, index.Credential{Fingerprint: access.Fingerprint(issued.Fingerprint), NotBefore: from, NotAfter: until}, err
}

func writeSecret(dir string, cert, key, ca []byte) error {
	err := os.MkdirAll(dir, 0o700)
	for name, content := range map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": ca} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return err
}

func testCard() archiveclient.Card {
	card, err := archiveclient.ReadCard("1001", "social-worker", cardCert, cardKey)
	if err != nil {
		panic(err) // of this file's making
	}
	return card
}

// unit is the producer unit's client, changed by the changes.
func unit(t *testing.T, changes ...func(*archiveclient.Config)) *archiveclient.Client {
	t.Helper()
	config := archiveclient.Config{
		Endpoint: endpoint, Registry: registry, Credential: archiveclient.CredentialDir(unitSecret), Professional: testCard(), Language: "en",
	}
	for _, change := range changes {
		change(&config)
	}
	c, err := archiveclient.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// note is a document of the client that the unit cares for.
func note(client uuid.UUID, text string) archiveclient.NewDocument {
	return archiveclient.NewDocument{Clients: []uuid.UUID{client}, Type: "case-note", Version: noteVersion(text)}
}

func noteVersion(text string) archiveclient.Version {
	return archiveclient.Version{
		JSON:         fmt.Appendf(nil, `{"occurredAt": "2026-11-21T10:00:00Z", "contact": "phone-call", "text": %q}`, text),
		ServiceTasks: []string{task}, Created: time.Now().Add(-time.Minute),
	}
}

// watchedStore is the real store, which tells of what has become durable.
type watchedStore struct {
	store.Store
	onStored atomic.Pointer[func()]
}

func (w *watchedStore) told() {
	if on := w.onStored.Load(); on != nil {
		(*on)()
	}
}

func (w *watchedStore) StoreDocument(ctx context.Context, d store.NewDocument, row store.LogRow) (store.Facts, bool, error) {
	facts, created, err := w.Store.StoreDocument(ctx, d, row)
	w.told()
	return facts, created, err
}

func (w *watchedStore) AddVersion(ctx context.Context, v store.NewVersion, row store.LogRow) (store.Facts, bool, error) {
	facts, created, err := w.Store.AddVersion(ctx, v, row)
	w.told()
	return facts, created, err
}

func (w *watchedStore) Annul(ctx context.Context, n store.NewAnnulment, row store.LogRow) (store.Facts, bool, error) {
	facts, created, err := w.Store.Annul(ctx, n, row)
	w.told()
	return facts, created, err
}
