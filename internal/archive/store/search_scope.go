// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import "slices"

// EffectiveScopes gives what the access filter leaves of the asked service task and type. No service task is in
// two of the scopes, but one of all service tasks may be the first of several. all means no restriction; without
// it, no scopes mean that nothing can match, as when the asked task is outside the allowed ones. Once a type is
// asked for, the scopes name none: all that are left cover it.
func (q *SearchQuery) EffectiveScopes() (scopes []Scope, all bool) {
	tasks, everyTask := q.effectiveTasks()
	whole := []Scope{{}}
	if q.AllowedScopes != nil {
		whole = *q.AllowedScopes
	}
	var left reach
	for i := range whole {
		scope := &whole[i]
		types := scope.Types
		switch {
		case q.Type != "" && !scope.coversType(q.Type):
			continue
		case q.Type != "":
			types = nil
		case types != nil && len(types) == 0:
			continue
		}
		switch {
		case !everyTask:
			for _, task := range tasks {
				if scope.Tasks == nil || slices.Contains(scope.Tasks, task) {
					left.add(task, types)
				}
			}
		case scope.Tasks == nil:
			left.addEvery(types)
		default:
			for _, task := range scope.Tasks {
				left.add(task, types)
			}
		}
	}
	return left.scopes()
}

// effectiveTasks gives the service tasks to search for after both the first access filter and the asked narrowing.
func (q *SearchQuery) effectiveTasks() (tasks []string, every bool) {
	if q.AllowedTasks == nil {
		if q.ServiceTask == "" {
			return nil, true
		}
		return []string{q.ServiceTask}, false
	}
	for _, task := range *q.AllowedTasks {
		if (q.ServiceTask == "" || q.ServiceTask == task) && !slices.Contains(tasks, task) {
			tasks = append(tasks, task)
		}
	}
	return tasks, false
}

// reach collects types by service task.
type reach struct {
	// every are the types that are covered whatever the service task, if any is.
	every *[]string
	// tasks are in the order of their coming; types are those of each, nil for all.
	tasks []string
	types [][]string
}

func (r *reach) addEvery(types []string) {
	if r.every != nil {
		types = union(*r.every, types)
	}
	r.every = &types
}

func (r *reach) add(task string, types []string) {
	if at := slices.Index(r.tasks, task); at >= 0 {
		r.types[at] = union(r.types[at], types)
		return
	}
	r.tasks, r.types = append(r.tasks, task), append(r.types, types)
}

// scopes puts tasks of the same types together.
func (r *reach) scopes() (scopes []Scope, all bool) {
	if r.every != nil {
		if *r.every == nil {
			return nil, true
		}
		scopes = append(scopes, Scope{Types: *r.every})
	}
	for i, task := range r.tasks {
		same := slices.IndexFunc(scopes, func(s Scope) bool {
			return s.Tasks != nil && (s.Types == nil) == (r.types[i] == nil) && slices.Equal(s.Types, r.types[i])
		})
		if same < 0 {
			scopes = append(scopes, Scope{Tasks: []string{task}, Types: r.types[i]})
		} else {
			scopes[same].Tasks = append(scopes[same].Tasks, task)
		}
	}
	return scopes, false
}

// union gives the sorted types of both; nil is of all.
func union(a, b []string) []string {
	if a == nil || b == nil {
		return nil
	}
	both := append(slices.Clone(a), b...)
	slices.Sort(both)
	return slices.Compact(both)
}
