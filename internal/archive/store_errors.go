// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// storeFailed ends a request by an error of the store.
func (x *exchange) storeFailed(err error) outcome {
	source := problem.StoreUnavailable
	var invalid *store.InvalidError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return failed(problem.Of(problem.ClientUnknown))
	case errors.Is(err, store.ErrOver):
		return refused(problem.DeploymentTestOver)
	case errors.Is(err, store.ErrCursor):
		return failed(problem.Of(problem.CursorInvalid))
	case errors.Is(err, store.ErrCorrupt), errors.Is(err, clientkey.ErrDamaged), errors.As(err, &invalid):
		source = problem.InternalError
	}
	x.server.opts.Log.Error(err, "the store failed", "requestID", x.id, "operation", x.operation.String())
	return failed(problem.Of(source))
}
