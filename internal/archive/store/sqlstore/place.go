// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"slices"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// A document's places are its rows in document_clients, document_tasks and document_matters, which searches
// read. They follow the current version.

// place makes the places of a new document.
func place(t Tx, registryID int64, f *store.Facts) error {
	stored := store.Micros(f.FirstStored)
	for i := range f.ClientIDs {
		if err := t.Exec("placing a document by its client",
			`INSERT INTO document_clients (client_id, registry_id, annulled, first_stored_us, document_id)
			 VALUES ($1, $2, 0, $3, $4)`, f.ClientIDs[i][:], registryID, stored, f.ID[:]); err != nil {
			return err
		}
	}
	if err := placeByTasks(t, registryID, f, f.ServiceTasks); err != nil {
		return err
	}
	return placeByMatter(t, registryID, f)
}

var placeByTasksSQL = bySize(store.MaxServiceTasks, func(n int) string {
	text := `INSERT INTO document_tasks (client_id, registry_id, annulled, first_stored_us, document_id, service_task) VALUES `
	for i := range n {
		if i > 0 {
			text += `, `
		}
		text += `($1, $2, 0, $3, $4, ` + numbered(5+i, 1) + `)`
	}
	return text
})

func placeByTasks(t Tx, registryID int64, f *store.Facts, tasks []string) error {
	if len(tasks) == 0 {
		return nil
	}
	for i := range f.ClientIDs {
		args := []any{f.ClientIDs[i][:], registryID, store.Micros(f.FirstStored), f.ID[:]}
		for _, task := range tasks {
			args = append(args, task)
		}
		if err := t.Exec("placing a document by its service tasks", placeByTasksSQL[len(tasks)], args...); err != nil {
			return err
		}
	}
	return nil
}

func placeByMatter(t Tx, registryID int64, f *store.Facts) error {
	if f.Matter == "" {
		return nil
	}
	return t.Exec("placing a document by its matter",
		`INSERT INTO document_matters (registry_id, matter, annulled, first_stored_us, document_id, client_id)
		 VALUES ($1, $2, 0, $3, $4, $5)`,
		registryID, f.Matter, store.Micros(f.FirstStored), f.ID[:], f.ClientIDs[0][:])
}

// move brings the places from the former version to the new one.
func move(t Tx, registryID int64, former, f *store.Facts) error {
	err := eachTask(former.ClientIDs, without(former.ServiceTasks, f.ServiceTasks), func(client uuid.UUID, task string) error {
		return t.Exec("taking a document from a service task",
			`DELETE FROM document_tasks WHERE client_id = $1 AND registry_id = $2 AND annulled = 0 AND service_task = $3
			   AND first_stored_us = $4 AND document_id = $5`,
			client[:], registryID, task, store.Micros(f.FirstStored), f.ID[:])
	})
	if err != nil {
		return err
	}
	if err := placeByTasks(t, registryID, f, without(f.ServiceTasks, former.ServiceTasks)); err != nil {
		return err
	}
	if f.Matter == former.Matter {
		return nil
	}
	if former.Matter != "" {
		if err := t.Exec("taking a document from its matter",
			`DELETE FROM document_matters WHERE registry_id = $1 AND matter = $2 AND annulled = 0
			   AND first_stored_us = $3 AND document_id = $4`,
			registryID, former.Matter, store.Micros(f.FirstStored), f.ID[:]); err != nil {
			return err
		}
	}
	return placeByMatter(t, registryID, f)
}

// moveToAnnulled takes the places of an annulled document from among those in force.
func moveToAnnulled(t Tx, registryID int64, f *store.Facts) error {
	const doing = "taking an annulled document from among those in force"
	stored := store.Micros(f.FirstStored)
	for i := range f.ClientIDs {
		if err := t.Exec(doing,
			`UPDATE document_clients SET annulled = 1 WHERE client_id = $1 AND registry_id = $2 AND annulled = 0
			   AND first_stored_us = $3 AND document_id = $4`,
			f.ClientIDs[i][:], registryID, stored, f.ID[:]); err != nil {
			return err
		}
	}
	err := eachTask(f.ClientIDs, f.ServiceTasks, func(client uuid.UUID, task string) error {
		return t.Exec(doing,
			`UPDATE document_tasks SET annulled = 1 WHERE client_id = $1 AND registry_id = $2 AND annulled = 0
			   AND service_task = $3 AND first_stored_us = $4 AND document_id = $5`,
			client[:], registryID, task, stored, f.ID[:])
	})
	if err != nil || f.Matter == "" {
		return err
	}
	return t.Exec(doing,
		`UPDATE document_matters SET annulled = 1 WHERE registry_id = $1 AND matter = $2 AND annulled = 0
		   AND first_stored_us = $3 AND document_id = $4`, registryID, f.Matter, stored, f.ID[:])
}

func eachTask(clients []uuid.UUID, tasks []string, do func(client uuid.UUID, task string) error) error {
	for _, client := range clients {
		for _, task := range tasks {
			if err := do(client, task); err != nil {
				return err
			}
		}
	}
	return nil
}

// without gives the tasks that are not among the others.
func without(tasks, others []string) (left []string) {
	for _, task := range tasks {
		if !slices.Contains(others, task) {
			left = append(left, task)
		}
	}
	return left
}
