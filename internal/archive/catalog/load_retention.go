// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"slices"
)

// maxRetention is in years. What is kept longer is kept for good: it needs no rule.
const maxRetention = 200

// retentionEvents are the events that a rule may count from.
var retentionEvents = []RetentionEvent{FromMatterClosed, FromLastMatterClosed, FromClientDeath, FromClientBirth, FromStored}

// retentionRules loads the retention rules. A catalog may have none: then nothing is ever destroyed.
func (l *loader) retentionRules(c *Catalog, rules []RetentionRule) {
	seen := map[string]bool{}
	always := map[string]bool{} // tasks that have a rule without a condition
	for i := range rules {
		rule, field := &rules[i], fmt.Sprintf("retention[%d]", i)
		if !codePattern.MatchString(rule.Code) {
			l.fail(field+".code", "must be 1 to 63 letters, digits, dots, hyphens and underscores, with a letter or digit at both ends")
		}
		if seen[rule.Code] {
			l.fail(field+".code", "%q is there twice", rule.Code)
		}
		seen[rule.Code] = true
		if rule.Years < 1 || rule.Years > maxRetention {
			l.fail(field+".years", "must be 1 to %d; what is kept for good has no rule", maxRetention)
		}
		if !slices.Contains(retentionEvents, rule.From) {
			l.fail(field+".from", "%q must be one of %v", rule.From, retentionEvents)
		}
		l.retentionSubject(field, c, rule)
		for _, task := range rule.ServiceTasks {
			always[task] = always[task] || rule.When == ""
		}
	}
	for i := range rules {
		for _, task := range rules[i].ServiceTasks {
			if !always[task] {
				l.fail(fmt.Sprintf("retention[%d].when", i), "%q has no rule for what the condition does not hold for", task)
			}
		}
	}
	c.retention = rules
}

// retentionSubject checks what a rule is for.
func (l *loader) retentionSubject(field string, c *Catalog, rule *RetentionRule) {
	subjects := 0
	for _, given := range []bool{rule.DocumentTypes != nil, rule.ServiceTasks != nil, rule.BasicData} {
		if given {
			subjects++
		}
	}
	if subjects != 1 {
		l.fail(field, "must be for one of documentTypes, serviceTasks and basicData")
	}
	if rule.DocumentTypes != nil {
		l.listed(field+".documentTypes", rule.DocumentTypes, func(code string) bool { return c.byCode[code] != nil })
	}
	if rule.ServiceTasks != nil {
		l.listed(field+".serviceTasks", rule.ServiceTasks, func(code string) bool {
			_, known := c.serviceTasks.byCode[code]
			return known
		})
	}
	switch {
	case rule.When != "" && rule.When != WhenChildMatter:
		l.fail(field+".when", "%q must be %s, or left out", rule.When, WhenChildMatter)
	case rule.When != "" && rule.ServiceTasks == nil:
		l.fail(field+".when", "goes with serviceTasks")
	case rule.BasicData && rule.From != FromClientDeath && rule.From != FromClientBirth:
		l.fail(field+".from", "must be %s or %s for basic data, which belongs to no matter and no document", FromClientDeath, FromClientBirth)
	case rule.DocumentTypes != nil && rule.From == FromLastMatterClosed:
		l.fail(field+".from", "%s goes with serviceTasks, which tell the matters", FromLastMatterClosed)
	}
}

// listed checks codes that are given one by one, in force or not.
func (l *loader) listed(field string, codes []string, known func(code string) bool) {
	if len(codes) == 0 {
		l.fail(field, "lists none")
	}
	for i, code := range codes {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case !known(code):
			l.fail(at, "%q is not in the catalog", code)
		case slices.Contains(codes[:i], code):
			l.fail(at, "is there twice")
		}
	}
}
