// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// keptReader reads what retention times are counted from, out of a snapshot or in a transaction.
type keptReader struct {
	each func(query string, args []any, scan func(dest func(...any) error) error) error
	// batch is how many ids one query names; 1 in a transaction, whose statements are of a fixed set.
	batch int
}

const selectKept = `SELECT d.document_id, r.oid, d.registry_id, d.document_type, d.client_ids, v.version, v.matter, v.service_tasks,
   v.created_us, v.stored_us, (SELECT count(*) FROM relationship_documents x WHERE x.document_id = d.document_id AND x.agreement <> 'Agreed')
 FROM documents d JOIN registries r ON r.registry_id = d.registry_id
 JOIN document_versions v ON v.document_id = d.document_id AND v.version = d.current_version`

const selectPerson = `SELECT c.client_id, r.oid, c.registry_id, c.born_on, c.died_on,
   (SELECT count(*) FROM document_clients d WHERE d.client_id = c.client_id)
 FROM clients c JOIN registries r ON r.registry_id = c.registry_id`

const selectKeptMatter = `SELECT m.registry_id, m.matter, m.client_ids, m.service_tasks, m.opened_us, m.closed_us,
   (SELECT count(*) FROM document_matters d WHERE d.registry_id = m.registry_id AND d.matter = m.matter) FROM matters m`

// keptMatter is a matter with the number of its registry.
type keptMatter struct {
	registry int64
	store.KeptMatter
}

// documents gives those that the query selects.
func (r *keptReader) documents(query string, args ...any) (kept []store.Kept, err error) {
	var registries []int64
	var clients []uuid.UUID
	err = r.each(query, args, func(scan func(...any) error) error {
		var (
			k                                    store.Kept
			id, ids                              []byte
			registry, created, stored, unsettled int64
			tasks                                string
		)
		if err := scan(&id, &k.Registry, &registry, &k.Type, &ids, &k.Version, &k.Matter, &tasks, &created, &stored, &unsettled); err != nil {
			return err
		}
		var err error
		if k.ID, err = uuid.FromBytes(id); err != nil {
			return store.ErrCorrupt
		}
		if k.ClientIDs, err = splitIDs(ids); err != nil {
			return err
		}
		if json.Unmarshal([]byte(tasks), &k.ServiceTasks) != nil {
			return store.ErrCorrupt
		}
		k.Created, k.Stored, k.Unsettled = store.FromMicros(created), store.FromMicros(stored), unsettled > 0
		kept, registries, clients = append(kept, k), append(registries, registry), append(clients, k.ClientIDs...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	all, err := r.mattersOf(clients)
	if err != nil {
		return nil, err
	}
	for i := range kept {
		matters := within(all, registries[i], kept[i].ClientIDs)
		if matters, err = r.withOwn(matters, registries[i], kept[i].Matter); err != nil {
			return nil, err
		}
		kept[i].Matters = matters
		for j := range matters {
			if matters[j].ID == kept[i].Matter {
				clients = append(clients, matters[j].ClientIDs...)
			}
		}
	}
	known, err := r.clients(clients)
	if err != nil {
		return nil, err
	}
	for i := range kept {
		k := &kept[i]
		people := k.ClientIDs
		for j := range k.Matters {
			if k.Matters[j].ID == k.Matter {
				people = append(slices.Clone(people), k.Matters[j].ClientIDs...)
			}
		}
		k.Clients = among(known, people)
	}
	return kept, nil
}

// persons gives the clients that the query selects.
func (r *keptReader) persons(query string, args ...any) (persons []store.KeptPerson, err error) {
	var registries []int64
	var ids []uuid.UUID
	err = r.each(query, args, func(scan func(...any) error) error {
		var (
			p        store.KeptPerson
			id       []byte
			registry int64
			err      error
		)
		if err := scan(&id, &p.Registry, &registry, &p.BornOn, &p.DiedOn, &p.Documents); err != nil {
			return err
		}
		if p.ID, err = uuid.FromBytes(id); err != nil {
			return store.ErrCorrupt
		}
		persons, registries, ids = append(persons, p), append(registries, registry), append(ids, p.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	all, err := r.mattersOf(ids)
	if err != nil {
		return nil, err
	}
	for i := range all {
		ids = append(ids, all[i].ClientIDs...)
	}
	known, err := r.clients(ids)
	if err != nil {
		return nil, err
	}
	for i := range persons {
		p := &persons[i]
		p.Matters = within(all, registries[i], []uuid.UUID{p.ID})
		people := []uuid.UUID{p.ID}
		for j := range p.Matters {
			people = append(people, p.Matters[j].ClientIDs...)
		}
		p.Clients = among(known, people)
	}
	return persons, nil
}

// mattersOf gives the matters of clients, each once.
func (r *keptReader) mattersOf(clients []uuid.UUID) (matters []keptMatter, err error) {
	type key struct {
		registry int64
		id       string
	}
	seen := map[key]bool{}
	err = r.byIDs(clients, selectKeptMatter+` JOIN matter_clients k ON k.registry_id = m.registry_id AND k.matter = m.matter WHERE k.client_id IN (`,
		func(scan func(...any) error) error {
			m, err := scanMatter(scan)
			if err != nil {
				return err
			}
			if one := (key{m.registry, m.ID}); !seen[one] {
				seen[one] = true
				matters = append(matters, m)
			}
			return nil
		})
	return matters, err
}

// withOwn gives the matters with the one that the document names, if it is not among them.
func (r *keptReader) withOwn(matters []store.KeptMatter, registry int64, own string) ([]store.KeptMatter, error) {
	if own == "" || slices.ContainsFunc(matters, func(m store.KeptMatter) bool { return m.ID == own }) {
		return matters, nil
	}
	err := r.each(selectKeptMatter+` WHERE m.registry_id = $1 AND m.matter = $2`, []any{registry, own}, func(scan func(...any) error) error {
		m, err := scanMatter(scan)
		matters = append(matters, m.KeptMatter)
		return err
	})
	return matters, err
}

func scanMatter(scan func(...any) error) (m keptMatter, err error) {
	var (
		ids    []byte
		tasks  string
		opened int64
		closed *int64
	)
	if err := scan(&m.registry, &m.ID, &ids, &tasks, &opened, &closed, &m.Documents); err != nil {
		return m, err
	}
	if m.ClientIDs, err = splitIDs(ids); err != nil {
		return m, err
	}
	if json.Unmarshal([]byte(tasks), &m.ServiceTasks) != nil {
		return m, store.ErrCorrupt
	}
	m.Opened, m.Closed = store.FromMicros(opened), orZero(closed)
	return m, nil
}

// clients gives what is known of clients, by id.
func (r *keptReader) clients(ids []uuid.UUID) (map[uuid.UUID]store.KeptClient, error) {
	known := map[uuid.UUID]store.KeptClient{}
	err := r.byIDs(ids, `SELECT c.client_id, c.born_on, c.died_on FROM clients c WHERE c.client_id IN (`, func(scan func(...any) error) error {
		var (
			c  store.KeptClient
			id []byte
		)
		if err := scan(&id, &c.BornOn, &c.DiedOn); err != nil {
			return err
		}
		var err error
		if c.ID, err = uuid.FromBytes(id); err != nil {
			return store.ErrCorrupt
		}
		known[c.ID] = c
		return nil
	})
	return known, err
}

// byIDs runs a query, which ends in "IN (", for all the ids.
func (r *keptReader) byIDs(ids []uuid.UUID, query string, scan func(dest func(...any) error) error) error {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	for some := range slices.Chunk(slices.Compact(ids), r.batch) {
		args := make([]any, len(some))
		for i := range some {
			args[i] = some[i][:]
		}
		if err := r.each(query+numbered(1, len(some))+`)`, args, scan); err != nil {
			return err
		}
	}
	return nil
}

// within gives the matters of the registry that are of any of the clients.
func within(all []keptMatter, registry int64, clients []uuid.UUID) (matters []store.KeptMatter) {
	for i := range all {
		m := &all[i]
		if m.registry == registry && slices.ContainsFunc(m.ClientIDs, func(id uuid.UUID) bool { return slices.Contains(clients, id) }) {
			matters = append(matters, m.KeptMatter)
		}
	}
	return matters
}

// among gives what is known of the people, each once.
func among(known map[uuid.UUID]store.KeptClient, people []uuid.UUID) (clients []store.KeptClient) {
	for i, id := range people {
		if c, ok := known[id]; ok && !slices.Contains(people[:i], id) {
			clients = append(clients, c)
		}
	}
	return clients
}
