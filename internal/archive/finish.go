// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// logTimeout bounds the wait for the use log. A caller that hangs up does not stop its record.
const logTimeout = 10 * time.Second

// durable proves that the use log's row of an exchange will outlive a crash. Only record makes one for a
// row, and only with one can an outcome be written.
type durable struct{ proof bool }

// finish records the outcome, and only then answers.
func (x *exchange) finish(out outcome) {
	proof, err := x.record(out)
	if err != nil {
		x.server.opts.Log.Error(err, "the use log cannot be written", "requestID", x.id, "operation", x.operation.String())
		x.answerUnrecorded()
		return
	}
	x.answer(proof, out)
}

// record makes the row durable.
func (x *exchange) record(out outcome) (durable, error) {
	if out.logged {
		return durable{proof: true}, nil
	}
	x.row.Outcome, x.row.Reason = out.kind, out.reason
	ctx, cancel := x.outliving()
	defer cancel()
	began := x.now()
	if err := x.server.opts.Store.AppendLog(ctx, x.row); err != nil {
		return durable{}, err
	}
	x.server.opts.Metrics.recorded(x.server.opts.Clock.Since(began))
	return durable{proof: true}, nil
}

// outliving gives a context for what must be done whether or not the caller still listens.
func (x *exchange) outliving() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(x.context()), logTimeout)
}

// answer writes the outcome of a recorded exchange.
func (x *exchange) answer(proof durable, out outcome) {
	if !proof.proof {
		x.answerUnrecorded()
		return
	}
	reason, a := out.reason, out.answer
	if out.problem != nil {
		a = x.problemAnswer(out.problem)
		maps.Copy(a.header, out.header)
	}
	if cut, sent := x.write(a); cut != nil && out.problem == nil { // a problem tells of nobody's data
		x.cut(*cut, sent)
		return
	}
	x.tell(out.kind, reason, a.status)
}

// answerUnrecorded tells that the use log cannot be written: the one answer that needs no record.
func (x *exchange) answerUnrecorded() {
	a := x.problemAnswer(problem.Of(problem.LogUnavailable))
	_, _ = x.write(a)
	x.tell(store.OutcomeError, problem.LogUnavailable.Code(), a.status)
}

func (x *exchange) tell(kind store.Outcome, reason string, status int) {
	if reason == "" {
		reason = string(store.OutcomeAllowed)
	}
	x.server.opts.Metrics.answered(x.operation, kind, reason, x.elapsed())
	requestLog(x.server.opts.Log, x, reason, status)
}

// problemAnswer makes the answer that tells of a problem, in the caller's language.
func (x *exchange) problemAnswer(p *problem.Problem) answer {
	header := http.Header{
		"Content-Type":     {problem.ContentType},
		"Content-Language": {x.lang.String()},
		"Vary":             {"Accept-Language"},
	}
	switch p.Source.Status() {
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "5")
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", assertion.Header)
	}
	return answer{status: p.Source.Status(), header: header, body: p.Body(x.lang, x.id)}
}
