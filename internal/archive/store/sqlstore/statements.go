// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// statements prepares each text once for each connection: SQLite takes as long to prepare a read as to do it.
type statements struct {
	db *sql.DB

	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

// prepared gives the statement for the SQL text, which must be one of a fixed set.
func (s *statements) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.RLock()
	statement, ok := s.byText[query]
	s.mu.RUnlock()
	if ok {
		return statement, nil
	}
	statement, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other, ok := s.byText[query]; ok { // another was faster
		return other, statement.Close() //nolint:sqlclosecheck // It is not used.
	}
	if s.byText == nil {
		s.byText = map[string]*sql.Stmt{}
	}
	s.byText[query] = statement
	return statement, nil
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, statement := range s.byText {
		errs = append(errs, statement.Close())
	}
	s.byText = nil
	return errors.Join(errs...)
}
