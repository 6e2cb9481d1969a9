// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// pieceSize is how much of a body goes out on one decision.
const pieceSize = 64 << 10

var (
	// errCut says that an answer ends before its end.
	errCut = errors.New("the answer was cut")
	// errGone says that the caller takes no more.
	errGone = errors.New("the caller is gone")
)

// pieces sends the body of an answer piece by piece. Before each but the first, which the answer was decided for, the
// right must still be there: a caller that reads slowly gets nothing more once it has ended.
type pieces struct {
	x       *exchange
	status  int
	holds   func() *outcome
	waiting []byte
	// sent is how much has left, at the most.
	sent int64
	// stopped is how the right ended.
	stopped *outcome
}

// Write implements io.Writer. It fails with errCut or errGone.
func (p *pieces) Write(text []byte) (int, error) {
	for rest := text; len(rest) > 0; {
		n := min(len(rest), pieceSize-len(p.waiting))
		if n == pieceSize { // it need not be copied
			if err := p.send(rest[:n]); err != nil {
				return 0, err
			}
			rest = rest[n:]
			continue
		}
		p.waiting, rest = append(p.waiting, rest[:n]...), rest[n:]
		if len(p.waiting) == pieceSize {
			if err := p.end(); err != nil {
				return 0, err
			}
		}
	}
	return len(text), nil
}

// end sends what waits.
func (p *pieces) end() error {
	err := p.send(p.waiting)
	p.waiting = p.waiting[:0]
	return err
}

func (p *pieces) send(piece []byte) error {
	if p.sent == 0 {
		p.x.writer.WriteHeader(p.status)
	} else if len(piece) > 0 && p.holds != nil {
		if p.stopped = p.holds(); p.stopped != nil {
			return errCut
		}
	}
	_, err := p.x.writer.Write(piece)
	p.sent += int64(len(piece))                   // HTTP/2 does not tell how much of one left that failed
	if err == nil && p.sent > int64(len(piece)) { // of one piece, the server decides
		err = http.NewResponseController(p.x.writer).Flush()
	}
	if err != nil {
		return errGone
	}
	return nil
}

// write sends an answer. It says how the answer ended, where that was not at its end. A caller that was gone before
// anything left is told nothing, and the row that the answer began with tells no less than there was.
func (x *exchange) write(a answer) (cut *outcome, sent int64) {
	header := x.writer.Header()
	for name, values := range a.header {
		header[name] = values
	}
	header.Set("X-Request-Id", x.id)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if a.stream == nil && a.status != http.StatusNotModified { // which tells of no body
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	p := &pieces{x: x, status: a.status, holds: x.holds}
	err := p.stream(a)
	switch {
	case err == nil:
		return nil, p.sent
	case p.stopped != nil:
		return p.stopped, p.sent
	case errors.Is(err, errGone), x.context().Err() != nil: // which ends a reading too
		if p.sent == 0 {
			return nil, 0
		}
		return ended(failed(problem.Of(problem.ConnectionEnded))), p.sent
	default:
		return ended(x.storeFailed(err)), p.sent
	}
}

func (p *pieces) stream(a answer) error {
	if a.stream == nil {
		if _, err := p.Write(a.body); err != nil {
			return err
		}
	} else if err := a.stream(p); err != nil {
		return err
	}
	if p.sent > 0 && len(p.waiting) == 0 {
		return nil
	}
	return p.end()
}

// cut records that an answer was cut and where, and lets the caller see it: the connection, or the stream of it, ends
// without the answer's end. Where nothing of the body had left, it answers what was the matter instead.
func (x *exchange) cut(out outcome, sent int64) {
	if sent == 0 {
		x.finish(out)
		return
	}
	x.row.Outcome, x.row.Reason, x.row.CutAt = out.kind, out.reason, sent
	if out.kind == store.OutcomeError { // no decision ended it
		x.row.Time = x.now()
	}
	ctx, cancel := x.outliving()
	defer cancel()
	if err := x.server.opts.Store.AppendLog(ctx, x.row); err != nil {
		x.server.opts.Log.Error(err, "the use log cannot be written", "requestID", x.id, "operation", x.operation.String())
	}
	x.tell(out.kind, out.reason, http.StatusOK)
	panic(http.ErrAbortHandler)
}

// standing says whether what was decided for a question still stands.
func (x *exchange) standing(q question) func() *outcome {
	return func() *outcome {
		if d := x.decide(q); !d.Allowed {
			return ended(refusedBy(d))
		}
		return nil
	}
}
