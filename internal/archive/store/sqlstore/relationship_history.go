// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const stateColumns = `h.object_uid, h.ordinal, h.revision, h.registry_oid, h.client_id, h.unit, h.service_tasks,
   h.start_us, h.end_us, h.accepted, h.deleted, h.missed, h.document_id, h.recorded_us`

const lastStateSQL = `SELECT ` + stateColumns + ` FROM relationship_history h
 WHERE h.object_uid = $1 ORDER BY h.ordinal DESC LIMIT 1`

// AppendRelationshipStates implements store.RelationshipHistory. Of two transactions that record a state of one object
// at the same time, the key lets one win; the other runs again and finds that state.
func (s *Store) AppendRelationshipStates(ctx context.Context, sightings []store.Sighting) (recorded int, err error) {
	if len(sightings) == 0 {
		return 0, nil
	}
	sightings = slices.Clone(sightings) // the operation may outlive a caller that gave up
	for i := range sightings {
		if err := sightings[i].Validate(); err != nil {
			return 0, err
		}
	}
	done := new(int)
	err = s.queue.Do(ctx, 0, func(t Tx) error {
		news := 0
		for _, sighting := range sightings {
			last, err := lastState(t, sighting.ObjectUID)
			if err != nil {
				return err
			}
			state, ok := sighting.After(last)
			if !ok {
				continue
			}
			// What is over has no history any more.
			if err := admit(t, state.Registry); errors.Is(err, store.ErrOver) {
				continue
			} else if err != nil {
				return err
			}
			news++
			if err := insertState(t, &state); err != nil {
				return err
			}
		}
		*done = news
		return nil
	})
	if err != nil {
		return 0, err
	}
	return *done, nil
}

func lastState(t Tx, object string) (*store.RelationshipState, error) {
	var row stateRow
	found, err := t.Get("finding a relationship's last state", lastStateSQL, []any{object}, row.dest()...)
	if err != nil || !found {
		return nil, err
	}
	state, err := row.state()
	return &state, err
}

func insertState(t Tx, r *store.RelationshipState) error {
	tasks, err := tasksText(r.ServiceTasks)
	if err != nil {
		return err
	}
	if err := useClients(t, []uuid.UUID{r.ClientID}); err != nil {
		return err
	}
	return t.Exec("recording a relationship's state",
		`INSERT INTO relationship_history (object_uid, ordinal, revision, registry_oid, client_id, unit, service_tasks,
		   start_us, end_us, accepted, deleted, missed, document_id, recorded_us)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		r.ObjectUID, r.Ordinal, int64(r.Revision), r.Registry, r.ClientID[:], r.Unit, tasks,
		store.Micros(r.Start), optional(r.End), flag(r.Accepted), flag(r.Deleted), flag(r.Missed), r.DocumentID[:],
		store.Micros(r.Recorded))
}

// stateRow is a row as the engines give it.
type stateRow struct {
	uid, registry, unit, tasks         string
	ordinal, accepted, deleted, missed int
	revision, start, recorded          int64
	end                                *int64
	client, document                   []byte
}

func (r *stateRow) dest() []any {
	return []any{
		&r.uid, &r.ordinal, &r.revision, &r.registry, &r.client, &r.unit, &r.tasks,
		&r.start, &r.end, &r.accepted, &r.deleted, &r.missed, &r.document, &r.recorded,
	}
}

func (r *stateRow) state() (store.RelationshipState, error) {
	s := store.RelationshipState{
		ObjectUID: r.uid, Ordinal: r.ordinal, Revision: uint64(r.revision), Registry: r.registry, Unit: r.unit,
		Start: store.FromMicros(r.start), End: orZero(r.end), Accepted: r.accepted != 0, Deleted: r.deleted != 0,
		Missed: r.missed != 0, Recorded: store.FromMicros(r.recorded),
	}
	if copy(s.ClientID[:], r.client) != len(s.ClientID) || copy(s.DocumentID[:], r.document) != len(s.DocumentID) ||
		json.Unmarshal([]byte(r.tasks), &s.ServiceTasks) != nil {
		return s, fmt.Errorf("reading a relationship's state: %w", store.ErrCorrupt)
	}
	return s, nil
}
