// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// The types of the use log. All of it is for the organizer, whose professional needs the user right to supervise.
type (
	// LogRow is what somebody did or tried in the registry.
	LogRow = openapi.LogRow
	// UnusualUse is what in the use of the registry should be looked into.
	UnusualUse = openapi.UnusualUse
	// LogReport tells a client who has used the data.
	LogReport = openapi.LogReport
	// LogReportRequest says what a report covers, in days of Finland.
	LogReportRequest = openapi.LogReportRequest
	// WithholdRequest names log entries, or a period, and the decision that withholds them.
	WithholdRequest = openapi.WithholdRequest
	// Withholding keeps log entries from their client.
	Withholding = openapi.Withholding
)

// LogQuery narrows a search of the use log. What is left out does not narrow.
type LogQuery struct {
	Client uuid.UUID
	// Professional is the id on the card, Unit the OID of a producer unit.
	Professional, Unit string
	// Operation is its name in the log, Outcome is allowed, refused or error, and Reason a code.
	Operation, Outcome, Reason string
	// From is inclusive, Until is not.
	From, Until time.Time
	// PageSize is how many rows a page has, 50 without one, 200 at most.
	PageSize int
}

// SearchLog finds rows of the registry's use log, newest first. It asks for a page when the one before is used up;
// after an error, which is given with an empty row, there is nothing more.
func (c *Client) SearchLog(ctx context.Context, q LogQuery) iter.Seq2[LogRow, error] {
	request := openapi.LogSearchRequest{
		Professional: q.Professional, Unit: q.Unit, Operation: q.Operation, Outcome: openapi.LogSearchRequestOutcome(q.Outcome),
		Reason: q.Reason, From: bound(q.From), Until: bound(q.Until), Limit: q.PageSize,
	}
	if q.Client != uuid.Nil {
		request.Client = q.Client.String()
	}
	return func(yield func(LogRow, error) bool) {
		for asked, more := request, true; more; more = asked.Cursor != "" {
			page, err := answer[openapi.LogPage](c.requests.SearchLog(ctx, c.registry, asked))
			if err != nil {
				yield(LogRow{}, err)
				return
			}
			for i := range page.Items {
				if !yield(page.Items[i], nil) {
					return
				}
			}
			asked.Cursor = page.Next
		}
	}
}

// UnusualQuery says where to look for unusual use, and by which bounds; one that is left out is the archive's own.
type UnusualQuery struct {
	// From is inclusive, Until is not; it is at most 31 days later.
	From, Until time.Time
	// WorkDays is within how many days of a read there should be work.
	WorkDays int
	// Refusals within Minutes are a burst.
	Refusals, Minutes int
	// Clients by one professional in a day are many.
	Clients int
}

// UnusualUse lists what in the use of the registry should be looked into, by rules that it tells.
func (c *Client) UnusualUse(ctx context.Context, q UnusualQuery) (UnusualUse, error) {
	return answer[UnusualUse](c.requests.FindUnusualUse(ctx, c.registry, openapi.UnusualUseRequest{
		From: bound(q.From), Until: bound(q.Until), WorkDays: q.WorkDays, Refusals: q.Refusals, Minutes: q.Minutes, Clients: q.Clients,
	}))
}

// ReportLog makes the report of who has used a client's data.
func (c *Client) ReportLog(ctx context.Context, request LogReportRequest) (LogReport, error) {
	return answer[LogReport](c.requests.ReportLog(ctx, c.registry, &openapi.ReportLogParams{}, request))
}

// ReportLogPage makes the same report as XHTML for a person, in the client's language (see [Client.In]).
func (c *Client) ReportLogPage(ctx context.Context, request LogReportRequest) ([]byte, error) {
	accept := string(XHTML)
	response, err := c.requests.ReportLog(ctx, c.registry, &openapi.ReportLogParams{Accept: &accept}, request)
	if err != nil {
		return nil, err
	}
	return bytesOf(response)
}

// WithholdLog withholds log entries from their client by a written decision. Repeating it changes nothing.
func (c *Client) WithholdLog(ctx context.Context, request WithholdRequest) (Withholding, error) {
	return answer[Withholding](c.requests.WithholdLog(ctx, c.registry, request))
}

// LiftWithholding ends a withholding by another decision, of which the reference is given.
func (c *Client) LiftWithholding(ctx context.Context, id uuid.UUID, decision string) (Withholding, error) {
	return answer[Withholding](c.requests.LiftWithholding(ctx, c.registry, id, openapi.LiftRequest{Decision: decision}))
}

// Withholdings lists what is or was withheld from a client, oldest first.
func (c *Client) Withholdings(ctx context.Context, client uuid.UUID) ([]Withholding, error) {
	list, err := answer[openapi.WithholdingList](c.requests.ListWithheld(ctx, c.registry, openapi.WithheldRequest{Client: client}))
	return list.Items, err
}
