// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/archive/witness"
)

// writerEnv holds the configuration of a process that is to be killed.
const writerEnv = "VALTUUS_CRASHTEST_WRITER"

const registry = "1.2.246.10.99999991.19.0"

// writers is how many write at once; half of them documents, half of them rows alone.
const writers = 8

// writerConfig is what a writer is told.
type writerConfig struct {
	Place   string
	Key     string
	Witness string
	// Patient says that the store may be out of reach for a while.
	Patient bool
	// Most is how many writes it acknowledges at most; it waits for its death then. 0 for no end.
	Most int
}

// Storage is where a writer writes.
type Storage struct {
	store.Store
	// Mark tells how far the storage is at an acknowledgement; nil where that says nothing.
	Mark func() (int64, error)
}

// BeWriter makes this process a writer if it was started as one by Rounds, and does not return then. open opens the
// place that the rounds have.
func BeWriter(open func(ctx context.Context, place string) (Storage, error)) {
	text, ok := os.LookupEnv(writerEnv)
	if !ok {
		return
	}
	fmt.Fprintln(os.Stderr, write(context.Background(), text, open, os.Stdout))
	os.Exit(1)
}

// writer is the process that is killed.
type writer struct {
	Storage
	config writerConfig

	mu   sync.Mutex
	out  io.Writer
	told int
}

func write(ctx context.Context, text string, open func(context.Context, string) (Storage, error), out io.Writer) error {
	w := &writer{out: out}
	if err := json.Unmarshal([]byte(text), &w.config); err != nil {
		return err
	}
	var err error
	if w.Storage, err = open(ctx, w.config.Place); err != nil {
		return err
	}
	failed := make(chan error)
	go func() { failed <- w.sequence(ctx) }()
	for i := range writers {
		if i%2 == 0 {
			go func() { failed <- w.documents(ctx, i) }()
		} else {
			go func() { failed <- w.rows(ctx, i) }()
		}
	}
	return <-failed
}

// again does something over and over until it fails for good.
func (w *writer) again(do func(i int) error) error {
	for i := 0; ; i++ {
		err := do(i)
		switch {
		case w.config.Patient && (errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrStale)):
			time.Sleep(10 * time.Millisecond)
		case err != nil:
			return err
		}
	}
}

// client registers the client of a number, or gives it once it is there.
func (w *writer) client(ctx context.Context, n int) (uuid.UUID, error) {
	id, _, err := w.RegisterClient(ctx, registry, storetest.Registration(storetest.Hash(n)), time.Now(), row("client.register"))
	return id, err
}

// documents stores, changes and annuls documents, whose rows ride in the same transaction.
func (w *writer) documents(ctx context.Context, n int) error {
	return w.again(func(i int) error {
		client, err := w.client(ctx, n)
		if err != nil {
			return err
		}
		doc := storetest.NewDocument(registry, client, time.Now(), make([]byte, 5000), "t1")
		facts, err := w.acknowledge(documentRow("document.store", client, doc.ID, 1), func(row store.LogRow) (store.Facts, error) {
			facts, _, err := w.StoreDocument(ctx, doc, row)
			return facts, err
		})
		if err == nil && i%2 == 0 {
			facts, err = w.acknowledge(documentRow("document.version", client, doc.ID, 2), func(row store.LogRow) (store.Facts, error) {
				facts, _, err := w.AddVersion(ctx, storetest.NewVersion(facts, time.Now(), make([]byte, 5000), "t2"), row)
				return facts, err
			})
		}
		if err == nil && i%3 == 0 {
			_, err = w.acknowledge(documentRow("document.annul", client, doc.ID, facts.Version), func(row store.LogRow) (store.Facts, error) {
				facts, _, err := w.Annul(ctx, storetest.NewAnnulment(facts, time.Now(), "mistake"), row)
				return facts, err
			})
		}
		return err
	})
}

// rows logs what reading leaves: rows about a client, and refusals about none.
func (w *writer) rows(ctx context.Context, n int) error {
	client := uuid.NewSHA1(uuid.NameSpaceOID, []byte{byte(n)})
	return w.again(func(i int) error {
		one := row("document.read")
		one.Registry, one.ClientID = registry, client
		if i%4 == 3 {
			one.ClientID, one.Outcome, one.Reason = uuid.Nil, store.OutcomeRefused, "assertion-expired"
		}
		_, err := w.acknowledge(one, func(row store.LogRow) (store.Facts, error) { return store.Facts{}, w.AppendLog(ctx, row) })
		return err
	})
}

// acknowledge writes with the row and says so once it is durable, as an answer would.
func (w *writer) acknowledge(row store.LogRow, write func(store.LogRow) (store.Facts, error)) (store.Facts, error) {
	facts, err := write(row)
	if err != nil {
		return facts, err
	}
	mark := int64(0)
	if w.Mark != nil {
		if mark, err = w.Mark(); err != nil {
			return facts, err
		}
	}
	return facts, w.tell(1, "row %s %s %d %t %d", row.RequestID, facts.ID, facts.Version, facts.Annulment != nil, mark)
}

// sequence gives leaves and signs checkpoints as fast as it can, and shows each checkpoint that is kept.
func (w *writer) sequence(ctx context.Context) error {
	key, err := logproof.ParseKey(w.config.Key, uuid.Nil)
	if err != nil {
		return err
	}
	cosigner, err := witness.NewClient(w.config.Witness, nil)
	if err != nil {
		return err
	}
	one := sequencer.New(sequencer.Options{
		Store: shown{w.Store, w}, Key: key, Witnesses: []sequencer.Witness{cosigner}, Clock: clock.RealClock{}, Log: logr.Discard(),
	})
	return w.again(func(int) error {
		if _, err := one.Sequence(ctx); err != nil {
			return err
		}
		return one.Checkpoint(ctx)
	})
}

// shown shows each checkpoint once it is kept.
type shown struct {
	store.LogProofs
	to *writer
}

func (s shown) AddLogCheckpoint(ctx context.Context, checkpoint store.LogCheckpoint, older time.Time) error {
	if err := s.LogProofs.AddLogCheckpoint(ctx, checkpoint, older); err != nil {
		return err
	}
	return s.to.tell(0, "checkpoint %s", base64.StdEncoding.EncodeToString(checkpoint.Note))
}

// tell writes one line, which a kill may cut, of so many acknowledged writes.
func (w *writer) tell(writes int, format string, args ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.config.Most > 0 && w.told == w.config.Most {
		select {} // with the lock: nothing is told any more
	}
	w.told += writes
	_, err := fmt.Fprintf(w.out, format+" ok\n", args...)
	return err
}

func row(operation string) store.LogRow { return storetest.Row(operation, time.Now()) }

// documentRow gives a row that tells of a version of a document.
func documentRow(operation string, client, id uuid.UUID, version int) store.LogRow {
	one := row(operation)
	one.Registry, one.ClientID = registry, client
	one.DocumentIDs, one.DocumentCount = []uuid.UUID{id}, version
	return one
}
