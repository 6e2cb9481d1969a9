// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
)

// maxExtract is how many records one extract has at most.
const maxExtract = 20_000

// extractLog gives all that the registry's log has about a client, with the proofs that it is in the log: whoever is
// handed it can check it without the archive. It is for the same people as the log itself, since it names everybody
// who has used the data. It is proven and sent record by record, so that the largest takes no more memory than a small one.
func (x *exchange) extractLog() outcome {
	client, stopped := x.clientAsked()
	if stopped != nil {
		return *stopped
	}
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	extract, err := logaudit.Begin(x.context(), x.server.opts.Store, x.registry, client, maxExtract, x.now())
	switch {
	case errors.Is(err, logaudit.ErrTooMany):
		return *ended(invalidField("client", "has more than "+strconv.Itoa(maxExtract)+" records: they can be copied with 'valtuus log export'"))
	case err != nil:
		return x.storeFailed(err)
	}
	if extract.Rows() == 0 {
		// An empty extract for a mistaken id would look like data that nobody used.
		if stopped := x.knownClient(client); stopped != nil {
			return *stopped
		}
	}
	// What was read is released only under the same right: it may have ended meanwhile.
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	return allowed(answer{
		status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}},
		stream: func(to io.Writer) error { return extract.Write(x.context(), to) },
	})
}
