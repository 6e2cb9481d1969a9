// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logretention_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	clocktesting "k8s.io/utils/clock/testing"

	. "github.com/valtuus/valtuus/internal/archive/logretention"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

const registryA, registryB = "1.2.246.10.99999991.19.0", "1.2.246.10.99999992.19.0"

var cursorKey = bytes.Repeat([]byte{7}, 32)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

// engine opens stores of one engine, and their data.
type engine struct {
	name  string
	place func(t testing.TB) string
	open  func(ctx context.Context, place string) (*sqlstore.Store, error)
	raw   func(ctx context.Context, place string) (*sql.DB, error)
}

func engines() []engine {
	return []engine{
		{
			"SQLite", func(t testing.TB) string { return t.TempDir() },
			func(ctx context.Context, place string) (*sqlstore.Store, error) {
				return sqlite.Open(ctx, sqlite.Options{Dir: place, CursorKey: cursorKey})
			},
			sqlite.OpenFile,
		},
		{
			"PostgreSQL", func(t testing.TB) string { return pgcluster.Shared(t).Database(t) },
			func(ctx context.Context, place string) (*sqlstore.Store, error) {
				return postgres.Open(ctx, postgres.Options{URI: place, CursorKey: cursorKey})
			},
			postgres.OpenDatabase,
		},
	}
}

func onBoth(t *testing.T, test func(t *testing.T, e engine, place string)) {
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) { test(t, e, e.place(t)) })
	}
}

// with opens the store for a while.
func (e *engine) with(t *testing.T, place string, use func(*sqlstore.Store)) {
	t.Helper()
	s, err := e.open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	use(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill writes rows of a registry, a minute apart, and gives their ids.
func fill(t *testing.T, s *sqlstore.Store, registry string, at time.Time, rows int) {
	t.Helper()
	for i := range rows {
		row := storetest.Row("Read", at.Add(time.Duration(i)*time.Minute))
		row.Registry, row.ClientID = registry, uuid.New()
		if err := s.AppendLog(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs and gives what it told.
func run(t *testing.T, s Store, now time.Time, dry bool) (told []string, err error) {
	t.Helper()
	err = Run(t.Context(), s, Options{Years: Years, DryRun: dry, Clock: clocktesting.NewFakePassiveClock(now), OnMonth: func(m sqlstore.LogMonth) {
		told = append(told, fmt.Sprintf("%s %s %d", m.Name(), m.Registry, m.Rows))
	}})
	return told, err
}

// months counts the rows of reads by month and registry.
func months(t *testing.T, s *sqlstore.Store) map[string]int {
	t.Helper()
	count := map[string]int{}
	for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
		if row.Operation == "Read" {
			count[row.Time.Format("2006-01 ")+row.Registry]++
		}
	}
	return count
}

// records gives what the record of destructions says of the log.
func (e *engine) records(t *testing.T, place string) (all []string) {
	t.Helper()
	db, err := e.raw(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT subject, registry_oid, versions, rule, started_on, due_on FROM destructions WHERE kind = 'log' ORDER BY subject`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var (
			subject, registry, rule, from, due string
			n                                  int
		)
		if err := rows.Scan(&subject, &registry, &n, &rule, &from, &due); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s|%s|%d|%s|%s|%s", subject, registry, n, rule, from, due))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// 13.1, 14: logs are kept 12 years. A month is destroyed whole, on the day on which its last moment is 12 years old.
func TestLogsAreKeptTwelveYears(t *testing.T) {
	onBoth(t, func(t *testing.T, e engine, place string) {
		day := time.Date(2038, 4, 1, 0, 0, 0, 0, time.UTC) // 12 years after the end of March 2026
		first, last := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 31, 23, 59, 0, 0, time.UTC)
		e.with(t, place, func(s *sqlstore.Store) {
			fill(t, s, registryA, first, 3)
			fill(t, s, registryA, last, 1)
			fill(t, s, registryB, first.AddDate(0, 0, 14), 2)
			fill(t, s, "", last, 1)
			fill(t, s, registryA, last.Add(time.Minute), 2) // April
			fill(t, s, registryA, day.Add(-time.Hour), 1)

			for name, now := range map[string]time.Time{
				"rows of the first are twelve years old": first.AddDate(12, 0, 0).Add(time.Hour), "the day before": day.Add(-time.Microsecond),
			} {
				if told, err := run(t, s, now, false); err != nil || len(told) != 0 {
					t.Errorf("%s: %v, %v", name, told, err)
				}
			}
			want := []string{"2026-03  1", "2026-03 " + registryA + " 4", "2026-03 " + registryB + " 2"}
			before := months(t, s)
			if told, err := run(t, s, day, true); err != nil || !slices.Equal(told, want) || len(months(t, s)) != len(before) {
				t.Errorf("dry: %v, %v", told, err)
			}
			if told, err := run(t, s, day, false); err != nil || !slices.Equal(told, want) {
				t.Errorf("told %v, %v", told, err)
			}
			left := months(t, s)
			if len(left) != 2 || left["2026-04 "+registryA] != 2 || left["2038-03 "+registryA] != 1 {
				t.Errorf("left are %v", left)
			}
			// The log tells of it itself.
			var rows []string
			for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
				if row.Operation == sqlstore.OpDestroyLog {
					rows = append(rows, row.Registry+string(row.Criteria))
					if row.Outcome != store.OutcomeAllowed || !row.Time.Equal(day) || row.ClientID != uuid.Nil {
						t.Errorf("the row is %+v", row)
					}
				}
			}
			slices.Sort(rows)
			if !slices.Equal(rows, []string{registryA + `{"month":"2026-03","rows":4}`, registryB + `{"month":"2026-03","rows":2}`, `{"month":"2026-03","rows":1}`}) {
				t.Errorf("rows %v", rows)
			}
			if told, err := run(t, s, day, false); err != nil || len(told) != 0 {
				t.Errorf("again: %v, %v", told, err)
			}
			seen, err := s.RecentAssertionIDs(t.Context(), day.Add(-2*time.Hour))
			if err != nil || len(seen) != 0 {
				t.Errorf("%v, %v", seen, err)
			}
		})
		want := []string{
			" 2026-03||1|log|2026-04-01|2038-04-01",
			registryA + " 2026-03|" + registryA + "|4|log|2026-04-01|2038-04-01",
			registryB + " 2026-03|" + registryB + "|2|log|2026-04-01|2038-04-01",
		}
		if got := e.records(t, place); !slices.Equal(got, want) {
			t.Errorf("recorded %v", got)
		}
	})
}

// crashing ends after some transactions, as a killed program does: what was committed is.
type crashing struct {
	*sqlstore.Store
	left, limit int
}

var errCrash = errors.New("killed")

func (c *crashing) DestroyLogMonth(ctx context.Context, month sqlstore.LogMonth, years, _ int, now time.Time) (int, bool, error) {
	if c.left--; c.left < 0 {
		return 0, false, errCrash
	}
	return c.Store.DestroyLogMonth(ctx, month, years, c.limit, now)
}

func TestARunThatWasCutGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, e engine, place string) {
		const rows, limit = 23, 5
		e.with(t, place, func(s *sqlstore.Store) {
			fill(t, s, registryA, time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), rows)
			fill(t, s, registryB, time.Date(2026, 4, 10, 0, 0, 0, 0, time.UTC), limit) // just one batch
		})
		now := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
		crashes := 0
		for done := false; !done; {
			e.with(t, place, func(s *sqlstore.Store) {
				_, err := run(t, &crashing{Store: s, left: 2, limit: limit}, now.AddDate(0, 0, crashes), false)
				switch {
				case err == nil:
					done = true
				case !errors.Is(err, errCrash):
					t.Fatal(err)
				default:
					crashes++
					// What is gone is on record, at every moment.
					gone := rows + limit
					for _, n := range months(t, s) {
						gone -= n
					}
					if want := crashes * 2 * limit; gone != want {
						t.Errorf("after %d crashes %d rows are gone, want %d", crashes, gone, want)
					}
				}
			})
		}
		if crashes < 2 {
			t.Errorf("only %d crashes", crashes)
		}
		e.with(t, place, func(s *sqlstore.Store) {
			told := 0
			for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
				if row.Operation == sqlstore.OpDestroyLog {
					told++
				}
			}
			if told != 2 || len(months(t, s)) != 0 {
				t.Errorf("told %d times; left %v", told, months(t, s))
			}
		})
		want := []string{
			fmt.Sprintf("%s 2026-03|%s|%d|log|2026-04-01|2038-04-01", registryA, registryA, rows),
			fmt.Sprintf("%s 2026-04|%s|%d|log|2026-05-01|2038-05-01", registryB, registryB, limit),
		}
		if got := e.records(t, place); !slices.Equal(got, want) {
			t.Errorf("recorded %v", got)
		}
	})
}

func TestTwoRunsAtOnceCountEachRowOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, e engine, place string) {
		const rows = 40
		e.with(t, place, func(s *sqlstore.Store) {
			fill(t, s, registryA, time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), rows)
			now := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
			errs := make(chan error, 3)
			for range 3 {
				go func() {
					_, err := run(t, &crashing{Store: s, left: 1000, limit: 3}, now, false)
					errs <- err
				}()
			}
			for range 3 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			if told := storetest.AllLog(t, s, store.LogQuery{}); len(told) != 1 {
				t.Errorf("told %d times", len(told))
			}
		})
		if got := e.records(t, place); len(got) != 1 || got[0] != fmt.Sprintf("%s 2026-03|%s|%d|log|2026-04-01|2038-04-01", registryA, registryA, rows) {
			t.Errorf("recorded %v", got)
		}
	})
}

func TestNothingYoungIsDestroyed(t *testing.T) {
	for years, want := range map[int]string{12: "2014-11-01", 1: "2025-11-01"} {
		if got := Before(time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), years).Format(time.DateOnly); got != want {
			t.Errorf("%d years: %s", years, got)
		}
	}
	// February of a leap year ends no earlier.
	if got := Before(time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC), 1).Format(time.DateOnly); got != "2027-02-01" {
		t.Errorf("on a leap day: %s", got)
	}
	for _, years := range []int{0, -1} {
		if err := Run(t.Context(), nil, Options{Years: years}); err == nil {
			t.Errorf("%d years are taken", years)
		}
	}
}
