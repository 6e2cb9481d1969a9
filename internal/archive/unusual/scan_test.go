// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package unusual

import (
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clientA = uuid.MustParse("00000000-0000-4000-8000-00000000000a")
	clientB = uuid.MustParse("00000000-0000-4000-8000-00000000000b")
)

// naive says what the rules find, with every row at hand, oldest first, in the words of the rules.
func naive(rules Rules, from, until, now time.Time, rows []store.LogFact) (f Findings) {
	within := func(r store.LogFact) bool { return !r.Time.Before(from) && r.Time.Before(until) }
	for i, r := range rows {
		if !within(r) || r.Outcome != store.OutcomeAllowed || r.Professional == "" || r.ClientID == uuid.Nil || !slices.Contains(reading, r.Operation) {
			continue
		}
		due := r.Time.AddDate(0, 0, rules.WorkDays)
		if due.After(now) || slices.ContainsFunc(rows[i:], func(w store.LogFact) bool {
			return w.Outcome == store.OutcomeAllowed && slices.Contains(working, w.Operation) && w.Unit == r.Unit && w.ClientID == r.ClientID && !w.Time.After(due)
		}) {
			continue
		}
		at := slices.IndexFunc(f.ReadsWithoutWork, func(o ReadsWithoutWork) bool {
			return o.Professional == r.Professional && o.Unit == r.Unit && o.Client == r.ClientID
		})
		if at < 0 {
			f.ReadsWithoutWork = append(f.ReadsWithoutWork, ReadsWithoutWork{r.Professional, r.Unit, r.ClientID, 1, r.Time, r.Time})
			continue
		}
		f.ReadsWithoutWork[at].Reads++
		f.ReadsWithoutWork[at].Last = r.Time
	}
	for _, by := range parties(rows) {
		f.Bursts = append(f.Bursts, naiveBursts(rules, by, slices.DeleteFunc(slices.Clone(rows), func(r store.LogFact) bool {
			return !within(r) || r.Outcome != store.OutcomeRefused ||
				r.Professional != by.professional && by.certificate == "" || r.CertificateThumbprint != by.certificate && by.professional == ""
		}))...)
	}
	type personal struct {
		professional string
		day          catalog.Day
	}
	seen := map[personal]map[uuid.UUID]bool{}
	for _, r := range rows {
		if key := (personal{r.Professional, catalog.DayOf(r.Time)}); within(r) && r.Outcome == store.OutcomeAllowed && r.Professional != "" && r.ClientID != uuid.Nil {
			if seen[key] == nil {
				seen[key] = map[uuid.UUID]bool{}
			}
			seen[key][r.ClientID] = true
		}
	}
	for key, clients := range seen {
		if len(clients) >= rules.Clients {
			f.ManyClients = append(f.ManyClients, ManyClients{key.professional, key.day, len(clients)})
		}
	}
	f.sort()
	return f
}

func parties(rows []store.LogFact) (all []refused) {
	for _, r := range rows {
		for _, by := range []refused{{professional: r.Professional}, {certificate: r.CertificateThumbprint}} {
			if by != (refused{}) && !slices.Contains(all, by) {
				all = append(all, by)
			}
		}
	}
	return all
}

// naiveBursts joins every window that has enough with every other that shares a row with it.
func naiveBursts(rules Rules, by refused, rows []store.LogFact) (found []Burst) {
	run := make([]int, len(rows)) // 0: in none
	for i := range rows {
		last := i
		for last+1 < len(rows) && rows[last+1].Time.Sub(rows[i].Time) <= rules.Within {
			last++
		}
		if last-i+1 < rules.Refusals {
			continue
		}
		number := i + 1
		for _, n := range run[i : last+1] {
			if n != 0 {
				number = min(number, n)
			}
		}
		for at := range run {
			if i <= at && at <= last || run[at] != 0 && slices.Contains(run[i:last+1], run[at]) {
				run[at] = number
			}
		}
	}
	for number := 1; number <= len(rows); number++ {
		burst := Burst{Professional: by.professional, Certificate: by.certificate, Reasons: map[string]int{}}
		for at, n := range run {
			if n == number {
				if burst.Refusals == 0 {
					burst.First = rows[at].Time
				}
				burst.Refusals++
				burst.Last = rows[at].Time
				burst.Reasons[rows[at].Reason]++
			}
		}
		if burst.Refusals > 0 {
			found = append(found, burst)
		}
	}
	return found
}

func TestWhatIsFoundIsWhatTheRulesSay(t *testing.T) {
	most := [3]int{}
	rapid.Check(t, func(rt *rapid.T) {
		rules := Rules{
			WorkDays: rapid.IntRange(1, 3).Draw(rt, "days"), Refusals: rapid.IntRange(2, 4).Draw(rt, "refusals"),
			Within: time.Duration(rapid.IntRange(1, 24*60).Draw(rt, "minutes")) * time.Minute, Clients: rapid.IntRange(1, 3).Draw(rt, "clients"),
		}
		rows := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) store.LogFact {
			// More than enough rows of one moment, and hours close to midnight in Finland.
			at := noon.Add(time.Duration(rapid.IntRange(0, 120).Draw(rt, "hour")) * time.Hour)
			return store.LogFact{
				Time:      at.Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, "quarter")) * 15 * time.Minute),
				Operation: rapid.SampledFrom([]string{"Read", "Search", "Read", "Store", "OpenMatter", "FindClient"}).Draw(rt, "operation"),
				Outcome:   rapid.SampledFrom([]store.Outcome{"allowed", "allowed", "refused", "refused", "error"}).Draw(rt, "outcome"),
				Reason:    rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "reason"),
				ClientID:  rapid.SampledFrom([]uuid.UUID{clientA, clientB, uuid.Nil, uuid.Max}).Draw(rt, "client"),
				Unit:      rapid.SampledFrom([]string{"", "u"}).Draw(rt, "unit"), Professional: rapid.SampledFrom([]string{"", "p", "q"}).Draw(rt, "professional"),
				CertificateThumbprint: rapid.SampledFrom([]string{"", "c"}).Draw(rt, "certificate"),
			}
		}), 40, 80).Draw(rt, "rows")
		slices.SortStableFunc(rows, func(a, b store.LogFact) int { return a.Time.Compare(b.Time) })
		from := noon.Add(time.Duration(rapid.IntRange(-5, 30).Draw(rt, "from")) * time.Hour)
		until := from.Add(time.Duration(rapid.IntRange(1, 130).Draw(rt, "until")) * time.Hour)
		now := noon.Add(time.Duration(rapid.IntRange(20, 250).Draw(rt, "now")) * time.Hour)

		scan := NewScan(rules, from, until, now)
		worked := map[atUnit]bool{}
		for _, row := range rows {
			at := atUnit{row.Unit, row.ClientID}
			if !row.Time.Before(until) && !row.Time.After(until.Add(rules.WorkTime())) && row.Outcome == "allowed" &&
				row.ClientID != uuid.Nil && slices.Contains(working, row.Operation) && !worked[at] {
				worked[at] = true
				scan.Worked(store.LogFact{Time: row.Time, Unit: row.Unit, ClientID: row.ClientID})
			}
		}
		for _, row := range slices.Backward(rows) {
			if row.Time.Before(until) {
				scan.Take(row)
			}
		}
		got, want := scan.Findings(), naive(rules, from, until, now, rows)
		if !reflect.DeepEqual(got, want) {
			rt.Fatalf("got  %+v\nwant %+v", got, want)
		}
		most = [3]int{max(most[0], len(got.ReadsWithoutWork)), max(most[1], len(got.Bursts)), max(most[2], len(got.ManyClients))}
	})
	if slices.Min(most[:]) < 2 && !testing.Short() { // which draws few
		t.Errorf("at most %v were found at once: the draw has gone blind", most)
	}
}

func scanned(rules Rules, now time.Time, rows ...store.LogFact) Findings {
	slices.SortStableFunc(rows, func(a, b store.LogFact) int { return cmp.Compare(b.Time.UnixMicro(), a.Time.UnixMicro()) })
	scan := NewScan(rules, noon, noon.AddDate(0, 0, 7), now)
	for _, row := range rows {
		scan.Take(row)
	}
	return scan.Findings()
}

func TestAReadIsUsualOnceTheUnitWorked(t *testing.T) {
	rules := Rules{WorkDays: 10, Refusals: 3, Within: time.Minute, Clients: 9}
	read := store.LogFact{Time: noon, Operation: "Read", Outcome: "allowed", ClientID: clientA, Unit: "u", Professional: "p"}
	work := read
	work.Operation, work.Professional, work.Time = "Store", "a colleague", noon.AddDate(0, 0, 10)
	late := noon.AddDate(0, 0, 30)
	for name, c := range map[string]struct {
		now    time.Time
		change func(work *store.LogFact)
		found  int
	}{
		"work on the last day":     {late, func(*store.LogFact) {}, 0},
		"a moment too late":        {late, func(w *store.LogFact) { w.Time = w.Time.Add(time.Microsecond) }, 1},
		"before the read":          {late, func(w *store.LogFact) { w.Time = noon.Add(-time.Hour) }, 1},
		"for another client":       {late, func(w *store.LogFact) { w.ClientID = clientB }, 1},
		"by another unit":          {late, func(w *store.LogFact) { w.Unit = "v" }, 1},
		"refused":                  {late, func(w *store.LogFact) { w.Outcome = "refused" }, 1},
		"another read":             {late, func(w *store.LogFact) { w.Operation = "FindClient" }, 1},
		"the time is not over yet": {noon.AddDate(0, 0, 10).Add(-time.Microsecond), func(w *store.LogFact) { w.ClientID = clientB }, 0},
		"the time is over":         {noon.AddDate(0, 0, 10), func(w *store.LogFact) { w.ClientID = clientB }, 1},
	} {
		w := work
		c.change(&w)
		if got := scanned(rules, c.now, read, w).ReadsWithoutWork; len(got) != c.found {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRefusalsThatAreCloseAreOneBurst(t *testing.T) {
	rules := Rules{WorkDays: 1, Refusals: 3, Within: 10 * time.Minute, Clients: 9}
	refusals := func(minutes ...int) (rows []store.LogFact) {
		for _, m := range minutes {
			rows = append(rows, store.LogFact{Time: noon.Add(time.Duration(m) * time.Minute), Outcome: "refused", Reason: "no-relationship", Professional: "p"})
		}
		return rows
	}
	for name, c := range map[string]struct {
		minutes []int
		want    []int
	}{
		"just enough":         {[]int{0, 5, 10}, []int{3}},
		"a moment too long":   {[]int{0, 5, 11}, nil},
		"too few":             {[]int{0, 5}, nil},
		"one that goes on":    {[]int{0, 5, 10, 15, 20}, []int{5}},
		"two apart":           {[]int{0, 1, 2, 60, 61, 62}, []int{3, 3}},
		"one among lone ones": {[]int{0, 30, 31, 32, 90}, []int{3}},
		"two that touch":      {[]int{0, 4, 8, 13, 17, 21}, []int{6}},
		"two that do not":     {[]int{0, 1, 2, 13, 14, 15}, []int{3, 3}},
	} {
		var got []int
		for _, burst := range scanned(rules, noon.AddDate(0, 1, 0), refusals(c.minutes...)...).Bursts {
			got = append(got, burst.Refusals)
			if burst.Reasons["no-relationship"] != burst.Refusals || burst.Professional != "p" {
				t.Errorf("%s: %+v", name, burst)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// 22:30 UTC in March is past midnight in Finland.
func TestADayOfManyClientsIsFinnish(t *testing.T) {
	rules := Rules{WorkDays: 1, Refusals: 3, Within: time.Minute, Clients: 2}
	find := func(hour int, client uuid.UUID) store.LogFact {
		return store.LogFact{Time: time.Date(2026, 3, 2, hour, 30, 0, 0, time.UTC), Operation: "FindClient", Outcome: "allowed", ClientID: client, Professional: "p"}
	}
	if got := scanned(rules, noon, find(21, clientA), find(22, clientB)).ManyClients; len(got) != 0 {
		t.Errorf("over midnight: %+v", got)
	}
	want := []ManyClients{{"p", "2026-03-02", 2}}
	if got := scanned(rules, noon, find(20, clientA), find(21, clientB), find(21, clientB)).ManyClients; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}
