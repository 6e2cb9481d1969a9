// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// handler is one operation. It fills in the use log's row and returns what to answer.
type handler func(x *exchange) outcome

// outcome is how a request ends.
type outcome struct {
	// kind and reason go into the use log; reason is the true one, whatever the answer shows.
	kind   store.Outcome
	reason string
	// answer is what is answered when there is no problem.
	answer answer
	// problem is what is answered otherwise.
	problem *problem.Problem
	// header goes with a problem.
	header http.Header
	// logged tells that the row is durable already: the store wrote it with the operation itself.
	logged bool
}

// answer is a response that has not been written.
type answer struct {
	status int
	header http.Header
	body   []byte
	// stream writes the body where it is too large to be made first. Its errors are the store's, or those of the writer.
	stream func(to io.Writer) error
}

// allowed ends a request well.
func allowed(a answer) outcome { return outcome{kind: store.OutcomeAllowed, answer: a} }

// done ends a request well whose row the store wrote with the change itself.
func done(a answer) outcome {
	out := allowed(a)
	out.logged = true
	return out
}

// refusedBy ends a request by a decision, or by what the professional's role lacks.
func refusedBy(v verdict) outcome {
	if v.lacking != 0 {
		return refused(v.lacking)
	}
	return outcome{kind: store.OutcomeRefused, reason: v.Reason.Code(), problem: problem.OfDecision(v.Decision)}
}

// refused ends a request of someone who may not make it.
func refused(source problem.Source) outcome {
	return outcome{kind: store.OutcomeRefused, reason: source.Code(), problem: problem.Of(source)}
}

// failed ends a request that cannot be answered, by the caller's fault or the archive's.
func failed(p *problem.Problem) outcome {
	return outcome{kind: store.OutcomeError, reason: p.Source.Code(), problem: p}
}

// shownAs answers another problem than the true one, which the use log keeps. Nothing of the true
// one shows, so that the answers to different truths are the same bytes.
func (o outcome) shownAs(source problem.Source) outcome {
	o.problem = problem.Of(source)
	return o
}

// jsonAnswer makes an answer of a value that always marshals.
func jsonAnswer(status int, value any) answer {
	raw, err := json.Marshal(value)
	if err != nil {
		panic("archive: an answer does not marshal") // no value in the message
	}
	return answer{
		status: status,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   append(raw, '\n'),
	}
}
