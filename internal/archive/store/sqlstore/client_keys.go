// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import "context"

// nextKeySQL finds the next wrapping key in one step of the index, however many clients there are.
const nextKeySQL = `SELECT key_id FROM client_keys WHERE key_id > $1 ORDER BY key_id LIMIT 1`

// WrappingKeys gives the ids of the keys that wrap clients' data keys, in order.
func (s *Store) WrappingKeys(ctx context.Context) (ids []string, err error) {
	for last := ""; ; {
		found, err := s.one(ctx, "looking for wrapping keys", nextKeySQL, []any{last}, &last)
		if err != nil || !found {
			return ids, err
		}
		ids = append(ids, last)
	}
}
