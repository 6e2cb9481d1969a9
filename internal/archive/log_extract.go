// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
)

// maxExtract is how many records one extract has at most.
const maxExtract = 20_000

// extractLog gives all that the registry's log has about a client, with the proofs that it is in the log: whoever is
// handed it can check it without the archive. It is for the same people as the log itself, since it names everybody
// who has used the data.
func (x *exchange) extractLog() outcome {
	client, stopped := x.clientAsked()
	if stopped != nil {
		return *stopped
	}
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	extract, err := logaudit.Take(x.context(), x.server.opts.Store, x.registry, client, maxExtract, x.now())
	switch {
	case errors.Is(err, logaudit.ErrTooMany):
		return *ended(invalidField("client", "has more than "+strconv.Itoa(maxExtract)+" records: they can be copied with 'valtuus log export'"))
	case err != nil:
		return x.storeFailed(err)
	}
	if len(extract.Records)+extract.Waiting+extract.Before == 0 {
		// An empty extract for a mistaken id would look like data that nobody used.
		if stopped := x.knownClient(client); stopped != nil {
			return *stopped
		}
	}
	// What was read is released only under the same right: it may have ended meanwhile.
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	return allowed(jsonAnswer(http.StatusOK, extract))
}
