// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// supervisor is the organizer's client for its supervisor.
func supervisor() *archiveclient.Client {
	card, err := archiveclient.ReadCard("1001", "supervisor", cardCert, cardKey)
	if err != nil {
		panic(err) // of this package's making
	}
	return theArchive.organizer.As(card)
}

func TestTheUseLog(t *testing.T) {
	unit, organizer := unit(t), supervisor()
	client := must(unit.FindClient(t.Context(), identityCode))(t)
	began := time.Now().Add(-time.Second)
	for range 3 {
		_ = must(unit.SearchPage(t.Context(), archiveclient.Query{Client: client}, ""))(t)
	}
	found := 0
	for row, err := range organizer.SearchLog(t.Context(), archiveclient.LogQuery{Client: client, Operation: "Search", From: began, PageSize: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Client != client || row.Operation != "Search" || row.Professional != "1001" {
			t.Errorf("row %+v", row)
		}
		found++
	}
	if found < 3 {
		t.Errorf("%d rows", found)
	}
	use := must(organizer.UnusualUse(t.Context(), archiveclient.UnusualQuery{From: began, Until: time.Now()}))(t)
	if use.ManyClients.Rule == "" || len(use.ManyClients.Items) != 0 {
		t.Errorf("unusual use %+v", use)
	}
	for _, err := range unit.SearchLog(t.Context(), archiveclient.LogQuery{}) {
		if archiveclient.ReasonOf(err) != "extent-insufficient" {
			t.Errorf("by the unit: %v", err)
		}
	}
}

func TestALogReportAndWhatIsWithheld(t *testing.T) {
	unit, organizer := unit(t), supervisor()
	client := must(unit.FindClient(t.Context(), identityCode))(t)
	finland := must(time.LoadLocation("Europe/Helsinki"))(t)
	today := time.Now().In(finland)
	request := archiveclient.LogReportRequest{
		Client: client, From: openapi_types.Date{Time: today.AddDate(0, 0, -1)}, Until: openapi_types.Date{Time: today},
	}
	report := must(organizer.ReportLog(t.Context(), request))(t)
	if len(report.Entries) == 0 || report.Entries[0].OperationText == "" || report.MadeBy.Role != "supervisor" {
		t.Fatalf("report %+v", report)
	}
	if page := must(organizer.In("sv").ReportLogPage(t.Context(), request))(t); !bytes.Contains(page, []byte("Utredning")) {
		t.Errorf("page %.200s", page)
	}
	former := must(organizer.Withholdings(t.Context(), client))(t)
	one := report.Entries[0].ID
	w := must(organizer.WithholdLog(t.Context(), archiveclient.WithholdRequest{
		Client: client, Entries: []uuid.UUID{one}, Reason: "rights-of-others", Decision: "D/1",
	}))(t)
	if report = must(organizer.ReportLog(t.Context(), request))(t); len(report.Withheld) != 1 || report.Withheld[0].Entries != 1 || report.Entries[0].ID == one {
		t.Errorf("withheld %+v", report.Withheld)
	}
	if w = must(organizer.LiftWithholding(t.Context(), w.ID, "D/2"))(t); w.Lifted.Decision != "D/2" {
		t.Errorf("lifted %+v", w)
	}
	if all := must(organizer.Withholdings(t.Context(), client))(t); len(all) != len(former)+1 || all[len(all)-1].ID != w.ID {
		t.Errorf("withholdings %+v", all)
	}
	request.From = openapi_types.Date{Time: time.Now().AddDate(-3, 0, 0)}
	if _, err := organizer.ReportLog(t.Context(), request); archiveclient.ReasonOf(err) != "log-period-too-long" {
		t.Errorf("of three years: %v", err)
	}
}
