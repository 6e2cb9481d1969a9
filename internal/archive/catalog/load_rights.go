// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"slices"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// undividedOperations are about a client before any document, or about the use log of all of the registry: a right
// to them has no service tasks and types.
var undividedOperations = []string{access.FindClient.String(), access.RegisterClient.String(), access.Supervise.String()}

// documentOperations are about documents of a type in a service task.
var documentOperations = []string{
	access.Search.String(), access.Read.String(), access.Store.String(), access.NewVersion.String(),
	access.Correct.String(), access.Annul.String(), access.ManageMatter.String(), access.ManageRelationship.String(),
	access.Summary.String(),
}

// roles loads the roles. Who has a role that is not among them may do nothing, so a catalog without any would
// close the archive.
func (l *loader) roles(c *Catalog, list []*Role) {
	if len(list) == 0 {
		l.fail("roles", "lists none, and nobody may do anything without a role")
	}
	c.roleByCode = map[string]*Role{}
	for i, role := range list {
		field := fmt.Sprintf("roles[%d]", i)
		if role == nil {
			l.fail(field, "is empty")
			continue
		}
		l.named(field, role.Code.Code, role.Names)
		l.period(field, role.Period)
		if c.roleByCode[role.Code.Code] != nil {
			l.fail(field+".code", "%q is there twice", role.Code.Code)
		}
		if len(role.Rights) == 0 {
			l.fail(field+".rights", "lists none")
		}
		role.scopes = map[string][]store.Scope{}
		for j := range role.Rights {
			right := &role.Rights[j]
			l.right(fmt.Sprintf("%s.rights[%d]", field, j), c, right)
			for _, operation := range right.Operations {
				role.scopes[operation] = append(role.scopes[operation], right.scope())
			}
		}
		c.roleByCode[role.Code.Code] = role
		c.roles = append(c.roles, role)
	}
}

func (l *loader) right(field string, c *Catalog, right *Right) {
	if len(right.Operations) == 0 {
		l.fail(field+".operations", "lists none")
	}
	undivided := 0
	for i, operation := range right.Operations {
		at := fmt.Sprintf("%s.operations[%d]", field, i)
		switch {
		case slices.Contains(undividedOperations, operation):
			undivided++
		case !slices.Contains(documentOperations, operation):
			l.fail(at, "is not the name of an operation")
		}
		if slices.Contains(right.Operations[:i], operation) {
			l.fail(at, "is there twice")
		}
	}
	switch undivided {
	case 0:
		l.coveredCodes(field+".serviceTasks", right.ServiceTasks, func(code string) bool {
			_, known := c.serviceTasks.byCode[code]
			return known
		})
		l.coveredCodes(field+".documentTypes", right.DocumentTypes, func(code string) bool { return c.byCode[code] != nil })
	case len(right.Operations):
		if right.ServiceTasks != nil || right.DocumentTypes != nil {
			l.fail(field, "is to find and register clients or to supervise, which has no serviceTasks and no documentTypes")
		}
	default:
		l.fail(field+".operations", "finding and registering clients, and supervising, need a right of their own, without serviceTasks and documentTypes")
	}
}

// coveredCodes checks the codes that a right names, in force or not: what was stored while they were stays.
func (l *loader) coveredCodes(field string, codes []string, known func(code string) bool) {
	if len(codes) == 0 {
		l.fail(field, `lists none; "*" stands for all`)
	}
	for i, code := range codes {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case code == all && len(codes) > 1:
			l.fail(at, `"*" stands for all, so it must be alone`)
		case code != all && !known(code):
			l.fail(at, "%q is not in the catalog", code)
		case slices.Contains(codes[:i], code):
			l.fail(at, "is there twice")
		}
	}
}
