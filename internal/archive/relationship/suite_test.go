// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/relationship"
	"github.com/valtuus/valtuus/internal/archive/relationship/naming"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/feed"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

var background = context.Background()

// soon is how long a test waits for the two to agree. That a right is over is true at once, and not waited for.
const soon = "1m"

// plane is the control plane of all tests, with the controllers.
var plane struct {
	sync.Once
	*testenv.Env
	stop func() error
	err  error
}

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(10 * time.Millisecond)
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	code := m.Run()
	if plane.Env != nil {
		if err := errors.Join(plane.stop(), plane.Stop()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

func server(t *testing.T) *testenv.Env {
	t.Helper()
	testenv.Need(t)
	plane.Do(func() {
		if plane.Env, plane.err = testworld.Start(background, testenv.Options{}); plane.err != nil {
			return
		}
		var cfg *rest.Config
		if cfg, plane.err = testworld.ManagerConfig(plane.Env); plane.err == nil {
			plane.stop, plane.err = testworld.StartManager(background, cfg, manager.Options{Log: logr.Discard()})
		}
	})
	if plane.err != nil {
		t.Fatal(plane.err)
	}
	return plane.Env
}

// scene is a world whose archive is no more than its store, its view and its keeper.
type scene struct {
	*testworld.World
	t      *testing.T
	dir    string
	store  *sqlstore.Store
	client uuid.UUID
	*archive
}

// archive is one process of an archive.
type archive struct {
	*relationship.Keeper
	view   *index.Index
	faults *faults
	start  func()
	stop   func()
	// loaded is how many ends it knew before it did anything.
	loaded int
}

// faults stands between an archive and the API server, and between it and its store.
type faults struct {
	mutex   sync.Mutex
	away    bool          // the API server cannot be reached
	stuck   chan struct{} // the API server takes requests and does not answer until this is closed; nil while it answers
	hanging int           // requests that it has not answered
	after   int           // how many writes go through before the process dies; all of them when negative
	sent    []string      // what was sent to the API server
	count   int           // writes to either
	died    bool
	// meanwhile happens once, just before the next write to the API server.
	meanwhile func()
}

var (
	errAway = errors.New("the API server is away")
	errDied = errors.New("the process has died")
)

func (f *faults) set(away bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.away = away
}

// hang lets the API server take requests without an answer, until answer is called, which has to be before the process
// stops. It may be called again.
func (f *faults) hang() (answer func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	stuck := make(chan struct{})
	f.stuck = stuck
	return sync.OnceFunc(func() {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		f.stuck = nil
		close(stuck)
	})
}

// unanswered counts the requests that hang.
func (f *faults) unanswered() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.hanging
}

// wait waits while the API server does not answer, also beyond the request's own limit: its worker is stuck meanwhile.
func (f *faults) wait(ctx context.Context) error {
	f.mutex.Lock()
	stuck := f.stuck
	if stuck == nil {
		f.mutex.Unlock()
		return nil
	}
	f.hanging++
	f.mutex.Unlock()
	defer func() {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		f.hanging--
	}()
	<-stuck
	return ctx.Err()
}

func (f *faults) beforeNextWrite(do func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.meanwhile = do
}

func (f *faults) read(ctx context.Context, do func() error) error {
	if err := f.wait(ctx); err != nil {
		return err
	}
	f.mutex.Lock()
	away, died := f.away, f.died
	f.mutex.Unlock()
	switch {
	case away:
		return errAway
	case died:
		return errDied
	}
	return do()
}

// write lets a write through, or not.
func (f *faults) write(ctx context.Context, what string, object any, do func() error) error {
	return f.read(ctx, func() error {
		f.mutex.Lock()
		if f.after >= 0 && f.count >= f.after {
			f.died = true
			f.mutex.Unlock()
			return errDied
		}
		f.count++
		var meanwhile func()
		if object != nil {
			text, _ := json.Marshal(object)
			f.sent = append(f.sent, what+" "+string(text))
			meanwhile, f.meanwhile = f.meanwhile, nil
		}
		f.mutex.Unlock()
		if meanwhile != nil {
			meanwhile()
		}
		return do()
	})
}

func (f *faults) written() []string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return append([]string(nil), f.sent...)
}

// writes counts the writes to the API server and to the store.
func (f *faults) writes() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.count
}

func (f *faults) dead() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.died
}

func (f *faults) wrap(inner client.WithWatch) client.WithWatch {
	return interceptor.NewClient(inner, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, o ...client.ListOption) error {
			return f.read(ctx, func() error { return c.List(ctx, list, o...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			return f.write(ctx, "apply", o, func() error { return c.Apply(ctx, o, options...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.DeleteOption) error {
			return f.write(ctx, "delete", o.GetName(), func() error { return c.Delete(ctx, o, options...) })
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, options ...client.SubResourceApplyOption) error {
			return f.write(ctx, sub, o, func() error { return c.SubResource(sub).Apply(ctx, o, options...) })
		},
	})
}

// faultyStore lets the writes of the keeper through faults.
type faultyStore struct {
	*sqlstore.Store
	*faults
}

func (s *faultyStore) StoreDocument(ctx context.Context, d store.NewDocument, row store.LogRow) (facts store.Facts, created bool, err error) {
	err = s.write(ctx, "", nil, func() (err error) { facts, created, err = s.Store.StoreDocument(ctx, d, row); return err })
	return facts, created, err
}

func (s *faultyStore) AddVersion(ctx context.Context, v store.NewVersion, row store.LogRow) (facts store.Facts, created bool, err error) {
	err = s.write(ctx, "", nil, func() (err error) { facts, created, err = s.Store.AddVersion(ctx, v, row); return err })
	return facts, created, err
}

func (s *faultyStore) SettleRelationship(ctx context.Context, settlement store.Settlement) error {
	return s.write(ctx, "", nil, func() error { return s.Store.SettleRelationship(ctx, settlement) })
}

// begin makes a world with an archive and one registered client.
func begin(t *testing.T) *scene {
	t.Helper()
	g := NewWithT(t)
	env := server(t)
	world, err := testworld.New(env.Config, clock.RealClock{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(world.Begin(background)).To(Succeed())
	s := &scene{World: world, t: t, dir: t.TempDir()}
	s.open()
	t.Cleanup(func() { g.Expect(s.store.Close()).To(Succeed()) })
	s.archive = s.process("replica-0", -1)
	s.client = s.register()
	return s
}

func (s *scene) open() {
	var err error
	s.store, err = sqlite.Open(background, sqlite.Options{Dir: s.dir, CursorKey: make([]byte, 32)})
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
}

// process starts a process of the archive that dies after some writes, and waits until its view is whole.
func (s *scene) process(name string, after int) *archive {
	s.t.Helper()
	a := s.prepare(name, after)
	NewWithT(s.t).Eventually(func() bool {
		return a.view.Freshness().Complete && a.view.OrganizationOf(string(s.Registry.Spec.OID), "") != ""
	}).Should(BeTrue())
	return a
}

// prepare starts a process of the archive, from the store alone.
func (s *scene) prepare(name string, after int) *archive {
	s.t.Helper()
	a := s.load(name, after)
	a.start()
	return a
}

// load makes a process of the archive that has read the store and does nothing before start.
func (s *scene) load(name string, after int) *archive {
	s.t.Helper()
	g := NewWithT(s.t)
	cfg, err := testworld.ArchiveConfig(plane.Env, s.Platform)
	g.Expect(err).NotTo(HaveOccurred())
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: manager.Scheme()})
	g.Expect(err).NotTo(HaveOccurred())
	a := &archive{view: index.New(), faults: &faults{after: after}}
	a.Keeper = relationship.New(relationship.Options{
		Store: &faultyStore{s.store, a.faults}, Catalog: catalog.StandIn, Client: a.faults.wrap(c), Index: a.view,
		Archive: client.ObjectKeyFromObject(s.Archive), Clock: clock.RealClock{}, Log: logr.Discard(),
	})
	g.Expect(a.Load(background)).To(Succeed())
	a.loaded = a.view.DocumentEnds()
	follow := &feed.Feed{
		Client: c, Index: a.view, Clock: clock.RealClock{}, Log: logr.Discard(), Archive: client.ObjectKeyFromObject(s.Archive),
		Replica: name, OnTrustAnchors: func(string) {}, OnRelationship: a.Observe, OnRelationshipsListed: a.Relisted,
	}
	ctx, cancel := context.WithCancel(background)
	var group sync.WaitGroup
	a.start = func() {
		group.Go(func() { _ = follow.Run(ctx) })
		group.Go(func() { _ = a.Run(ctx) })
	}
	var once sync.Once
	a.stop = func() { once.Do(func() { cancel(); group.Wait() }) }
	s.t.Cleanup(a.stop)
	return a
}

// restart ends the process and starts another one on the same store.
func (s *scene) restart() {
	s.t.Helper()
	s.archive.stop()
	s.archive = s.process("replica-0", -1)
}

var codes atomic.Uint32

func (s *scene) register() uuid.UUID {
	s.t.Helper()
	n := codes.Add(1)
	id, _, err := s.store.RegisterClient(background, string(s.Registry.Spec.OID), storetest.Registration(store.IdentityHash{byte(n), byte(n >> 8)}), time.Now(), s.row("RegisterClient"))
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return id
}

func (s *scene) row(operation string) store.LogRow {
	return store.LogRow{Time: time.Now(), RequestID: uuid.NewString(), Registry: string(s.Registry.Spec.OID), Operation: operation, Outcome: store.OutcomeAllowed}
}

// secret is what only the archive may know.
const secret = "Ground: the client's daughter called"

// content is a version of a client relationship document, as the organizer's system stores it.
func (s *scene) content(says store.Relationship) store.Content {
	body := fmt.Sprintf(`{"producerUnit": %q, "start": %q, "procurement": "service-voucher", "ground": %q`, says.Unit, says.Start.Format(time.RFC3339), secret)
	if !says.End.IsZero() {
		body += fmt.Sprintf(`, "end": %q`, says.End.Format(time.RFC3339))
	}
	return store.Content{
		ServiceTasks: []string{testworld.Task}, Author: store.Author{Organization: string(s.Area.Spec.OID), Professional: "1001", Role: "social-worker"},
		Created: time.Now(), Stored: time.Now(), Language: "fi", SchemaVersion: "1", Labels: store.Labels{NonDisclosure: true},
		Relationship: &says, ViewRevision: "1",
		Representations: []store.Representation{{ContentType: store.ContentJSON, Body: []byte(body + "}")}},
	}
}

// says is what a document of the northern unit says; an hour ago it started.
func (s *scene) says(end time.Time) store.Relationship {
	return store.Relationship{Unit: string(s.North.Spec.OID), Start: s.Ago(time.Hour).Time, End: end, Procurement: "Voucher"}
}

// stores stores a client relationship document and tells the archive, as its HTTP server does.
func (s *scene) stores(end time.Time) *document {
	s.t.Helper()
	d := s.storesSaying(end)
	s.Stored(background, d.id, string(s.Registry.Spec.OID), end)
	return d
}

// storesUntold does so as a process that dies before it has told anyone.
func (s *scene) storesUntold() *document { return s.storesSaying(time.Time{}) }

func (s *scene) storesSaying(end time.Time) *document {
	s.t.Helper()
	d := &document{s: s, id: uuid.New(), client: s.register(), said: s.says(end)}
	content := s.content(d.said)
	content.Matter = d.matter()
	_, _, err := s.store.OpenMatter(background, store.NewMatter{
		ID: content.Matter, Registry: string(s.Registry.Spec.OID), ClientIDs: []uuid.UUID{d.client}, ServiceTasks: content.ServiceTasks,
		MatterChange: store.MatterChange{At: time.Now(), Recorded: time.Now(), By: content.Author},
	}, s.row("OpenMatter"))
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	_, _, err = s.store.StoreDocument(background, store.NewDocument{
		ID: d.id, Registry: string(s.Registry.Spec.OID), ClientIDs: []uuid.UUID{d.client}, Type: "client-relationship", Content: content,
	}, s.row("Store"))
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return d
}

// matter is the one that the organizer's system stores the document into.
func (d *document) matter() string { return "matter-1:" + d.client.String() }

func (d *document) closesMatter() {
	d.s.t.Helper()
	_, _, err := d.s.store.CloseMatter(background, string(d.s.Registry.Spec.OID), d.matter(), store.MatterChange{
		At: time.Now(), Recorded: time.Now(), By: store.Author{Organization: string(d.s.Area.Spec.OID)},
	}, d.s.row("CloseMatter"))
	NewWithT(d.s.t).Expect(err).NotTo(HaveOccurred())
}

// applies applies a relationship with kubectl, and returns the document that it will have.
func (s *scene) applies(edit func(*v1alpha1.ServiceRelationship)) *document {
	s.t.Helper()
	o := s.Relationship(s.North.Spec.OID)
	o.Spec.ClientID = s.register().String()
	if edit != nil {
		edit(o)
	}
	NewWithT(s.t).Expect(s.Create(background, o)).To(Succeed())
	d := &document{s: s, id: naming.DocumentFor(o.UID), name: o.Name}
	d.client, _ = uuid.Parse(o.Spec.ClientID)
	return d
}

// document is a client relationship document with its object.
type document struct {
	s      *scene
	id     uuid.UUID
	client uuid.UUID
	name   string // of the object, where it is not made for the document
	said   store.Relationship
}

// ends stores a version with another end.
func (d *document) ends(end time.Time) {
	d.s.t.Helper()
	d.endsUntold(end)
	d.s.Stored(background, d.id, string(d.s.Registry.Spec.OID), end)
}

// endsUntold does so as a process that dies before it has told anyone.
func (d *document) endsUntold(end time.Time) {
	d.s.t.Helper()
	r := d.record()
	d.said = r.Relationship
	d.said.End = end
	content := d.s.content(d.said)
	content.Matter = d.versions()[0].Matter
	_, _, err := d.s.store.AddVersion(background, store.NewVersion{
		Registry: string(d.s.Registry.Spec.OID), ID: d.id, Expected: r.Version, Content: content,
	}, d.s.row("NewVersion"))
	NewWithT(d.s.t).Expect(err).NotTo(HaveOccurred())
}

func (d *document) annul() {
	d.s.t.Helper()
	at := time.Now()
	_, _, err := d.s.store.Annul(background, store.NewAnnulment{
		Registry: string(d.s.Registry.Spec.OID), ID: d.id, Expected: d.record().Version,
		Annulment: store.Annulment{At: at, Reason: "made-in-error", By: store.Author{Organization: string(d.s.Area.Spec.OID), Professional: "1001"}},
	}, d.s.row("Annul"))
	NewWithT(d.s.t).Expect(err).NotTo(HaveOccurred())
	d.s.Stored(background, d.id, string(d.s.Registry.Spec.OID), at)
}

func (d *document) record() store.RelationshipRecord {
	r, _ := d.s.store.RelationshipRecord(background, d.id)
	return r
}

// object is the ServiceRelationship as the API server has it; nil if there is none.
func (d *document) object() *v1alpha1.ServiceRelationship {
	o := &v1alpha1.ServiceRelationship{}
	name := d.name
	if name == "" {
		name = naming.ObjectFor(d.id)
	}
	if err := d.s.Get(background, client.ObjectKey{Namespace: d.s.Organizer, Name: name}, o); err != nil {
		return nil
	}
	return o
}

// kubectl changes the object.
func (d *document) kubectl(edit func(*v1alpha1.ServiceRelationship)) {
	d.s.t.Helper()
	g := NewWithT(d.s.t)
	g.Eventually(func() error {
		o := d.object()
		if o == nil {
			return errors.New("no object")
		}
		before := o.DeepCopy()
		edit(o)
		return d.s.Patch(background, o, client.MergeFrom(before), client.FieldOwner("kubectl-edit"))
	}).Should(Succeed())
}

// agree tells whether both say the same and know it.
func (d *document) agree() error {
	r, o := d.record(), d.object()
	switch {
	case r.DocumentID != d.id:
		return errors.New("no record")
	case r.Agreement != store.AgreementReached:
		return fmt.Errorf("the record says %s: %s", r.Agreement, r.Detail)
	case o == nil:
		return errors.New("no object")
	case o.Spec.Document == nil || o.Spec.Document.ID != d.id.String() || int(o.Spec.Document.Version) != r.Version:
		return fmt.Errorf("the object names %+v, not version %d", o.Spec.Document, r.Version)
	case r.ObjectUID != string(o.UID):
		return errors.New("another object")
	case o.Status.Document == nil || o.Status.Document.State != v1alpha1.DocumentAgreed ||
		o.Status.Document.ObservedGeneration != o.Generation || int(o.Status.Document.Version) != r.Version:
		return fmt.Errorf("the object shows %+v", o.Status.Document)
	case !endOf(o).Equal(r.End.Truncate(time.Second)):
		return fmt.Errorf("the object ends %s, the document %s", endOf(o), r.End)
	case string(o.Spec.Procurement) != r.Procurement:
		return errors.New("another procurement")
	}
	return nil
}

// gone tells whether there is no object and the record knows it.
func (d *document) gone() error {
	if o := d.object(); o != nil {
		return errors.New("the object is there")
	}
	if r := d.record(); r.Agreement != store.AgreementReached || r.ObjectUID != "" {
		return fmt.Errorf("the record says %s of %q", r.Agreement, r.ObjectUID)
	}
	return nil
}

// stands tells the state that both sides show.
func (d *document) stands() string {
	shown := "nothing"
	if o := d.object(); o != nil && o.Status.Document != nil {
		shown = string(o.Status.Document.State)
	}
	return string(d.record().Agreement) + " " + shown
}

func endOf(o *v1alpha1.ServiceRelationship) time.Time {
	if o.Spec.End == nil {
		return time.Time{}
	}
	return o.Spec.End.Time
}

// right is how a view judges the relationship of a document's client in the northern unit.
func (d *document) right(view *index.Index) (right string) {
	view.Read(func(v access.View) {
		right = "none"
		registry, ok := v.Registry(string(d.s.Registry.Spec.OID))
		unit, ok2 := v.Unit(string(d.s.North.Spec.OID))
		if !ok || !ok2 {
			return
		}
		r, ok := v.FirstRelationship(v.Pair(registry.Handle, unit.Handle).Handle, access.ClientID(d.client))
		switch {
		case !ok:
		case !r.End.IsZero() && !r.End.After(time.Now()):
			right = "ended"
		case r.Accepted:
			right = "live"
		default:
			right = "unaccepted"
		}
	})
	return right
}

func (d *document) rightNow() string { return d.right(d.s.view) }

// rows are the use log's rows of what the archive itself did to the document.
func (d *document) rows() (rows []store.LogRow) {
	log, err := d.s.store.Log(background, store.LogQuery{Registry: string(d.s.Registry.Spec.OID), Limit: store.MaxPage})
	NewWithT(d.s.t).Expect(err).NotTo(HaveOccurred())
	for _, row := range log.Rows {
		if row.Caller == "urn:valtuus:archive:"+client.ObjectKeyFromObject(d.s.Archive).String() && len(row.DocumentIDs) == 1 && row.DocumentIDs[0] == d.id {
			rows = append(rows, row)
		}
	}
	return rows
}

func (d *document) versions() []store.Facts {
	versions, err := d.s.store.Versions(background, string(d.s.Registry.Spec.OID), d.id)
	NewWithT(d.s.t).Expect(err).NotTo(HaveOccurred())
	return versions
}
