// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// journal keeps what the archive answered, by endpoint.
type journal struct {
	mutex   sync.Mutex
	answers map[string][]archiveclient.Answer
	// unanswered tells that requests were cut off, so that the log may know more than the callers.
	unanswered bool
}

func (j *journal) of(endpoint string) func(archiveclient.Answer) {
	return func(a archiveclient.Answer) {
		j.mutex.Lock()
		defer j.mutex.Unlock()
		if j.answers == nil {
			j.answers = map[string][]archiveclient.Answer{}
		}
		j.answers[endpoint] = append(j.answers[endpoint], a)
	}
}

func (j *journal) at(endpoint string) []archiveclient.Answer {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return append([]archiveclient.Answer(nil), j.answers[endpoint]...)
}

// drop forgets what was answered at an endpoint, once it has been held against the log.
func (j *journal) drop(endpoint string) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	delete(j.answers, endpoint)
}

func (j *journal) all() (all []archiveclient.Answer) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for _, answers := range j.answers {
		all = append(all, answers...)
	}
	return all
}

// holdAgainst is invariant 4, held at the end of every test: each answer has its one row in the use log, which says
// what was answered, and there is no row that nobody asked for.
func (j *journal) holdAgainst(t *testing.T, rows []store.LogRow, answers []archiveclient.Answer) {
	t.Helper()
	g := NewWithT(t)
	rows = slices.DeleteFunc(rows, byItself)
	byID := map[string][]store.LogRow{}
	for _, row := range rows {
		byID[row.RequestID] = append(byID[row.RequestID], row)
	}
	for _, a := range answers {
		g.Expect(byID[a.RequestID]).To(HaveLen(1), "rows for %s %s, answered with %d", a.Method, a.Path, a.Status)
		g.Expect(byID[a.RequestID][0].Outcome == store.OutcomeAllowed).To(Equal(a.Status < 400), "%+v: %+v", a, byID[a.RequestID])
		delete(byID, a.RequestID)
	}
	// What a database did whose word that it was done was lost has a row that says so, and may have one of the failure.
	for _, told := range byID {
		g.Expect(len(told) == 1 || len(told) == 2 && slices.ContainsFunc(told, isError)).To(BeTrue(), "rows for one request: %+v", told)
	}
	if !j.unanswered {
		g.Expect(rows).To(HaveLen(len(answers)), "rows and answers")
	}
}

func isError(row store.LogRow) bool { return row.Outcome == store.OutcomeError }

// byItself tells whether a row is of what the archive stored without being asked: the document of a relationship.
func byItself(row store.LogRow) bool { return strings.HasPrefix(row.Caller, "urn:valtuus:archive:") }

// useLog reads all rows of a store that nobody serves from any more.
func useLog(t *testing.T, dir string) (rows []store.LogRow) {
	t.Helper()
	g := NewWithT(t)
	s, err := sqlite.Open(background, sqlite.Options{Dir: dir, CursorKey: cursorKey(t, filepath.Join(dir, "identity.key"))})
	g.Expect(err).NotTo(HaveOccurred())
	return allRows(t, s)
}

func cursorKey(t *testing.T, identityKeyFile string) []byte {
	t.Helper()
	g := NewWithT(t)
	secret, err := os.ReadFile(identityKeyFile)
	g.Expect(err).NotTo(HaveOccurred())
	key, err := archive.NewIdentityKey(secret)
	g.Expect(err).NotTo(HaveOccurred())
	cursor, err := key.CursorKey()
	g.Expect(err).NotTo(HaveOccurred())
	return cursor
}

// allRows reads the whole use log of a store, and closes it.
func allRows(t *testing.T, s store.Store) (rows []store.LogRow) {
	t.Helper()
	g := NewWithT(t)
	defer func() { g.Expect(s.Close()).To(Succeed()) }()
	query := store.LogQuery{Limit: store.MaxPage}
	for {
		page, err := s.Log(background, query)
		g.Expect(err).NotTo(HaveOccurred())
		rows = append(rows, page.Rows...)
		if query.After = page.Next; query.After == nil {
			return rows
		}
	}
}

// stopForLog stops a replica early, to read its use log.
func (s *scene) stopForLog(r *testworld.Replica) []store.LogRow {
	s.t.Helper()
	NewWithT(s.t).Expect(r.Stop()).To(Succeed())
	return useLog(s.t, r.DataDir)
}

func instant(t time.Time) *metav1.Time {
	at := metav1.NewTime(t.Truncate(time.Second))
	return &at
}
