// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"strconv"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
)

func TestTaskSet(t *testing.T) {
	g := NewWithT(t)
	var table access.TaskTable
	ab, err := table.Set([]string{"a", "b", "a"})
	g.Expect(err).NotTo(HaveOccurred())
	bc, err := table.Set([]string{"b", "c"})
	g.Expect(err).NotTo(HaveOccurred())

	g.Expect(ab.Codes()).To(Equal([]string{"a", "b"}))
	g.Expect(ab.Union(bc).Codes()).To(Equal([]string{"a", "b", "c"}))
	g.Expect(access.TaskSet{}.Union(bc).Codes()).To(Equal([]string{"b", "c"}))
	g.Expect(ab.Intersect(bc).Codes()).To(Equal([]string{"b"}))
	g.Expect(ab.Intersect(access.AllTasks())).To(Equal(ab))
	g.Expect(access.AllTasks().Intersect(ab)).To(Equal(ab))
	g.Expect(access.AllTasks().Union(ab).All()).To(BeTrue())
	again, err := table.Set([]string{"b", "a"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Bits()).To(Equal(ab.Bits()))

	g.Expect(ab.Contains("a")).To(BeTrue())
	g.Expect(ab.Contains("c")).To(BeFalse())
	g.Expect(ab.ContainsAny([]string{"c", "b"})).To(BeTrue())
	g.Expect(ab.ContainsAny(nil)).To(BeFalse())
	g.Expect(access.AllTasks().Contains("anything")).To(BeTrue())
	g.Expect(access.TaskSet{}.Contains("a")).To(BeFalse())
	g.Expect(access.TaskSet{}.IsEmpty()).To(BeTrue())
	g.Expect(access.AllTasks().IsEmpty()).To(BeFalse())
	g.Expect(access.AllTasks().Codes()).To(BeNil())
}

func TestTaskTableIsBounded(t *testing.T) {
	g := NewWithT(t)
	var table access.TaskTable
	var codes []string
	for i := range access.MaxTasks {
		codes = append(codes, strconv.Itoa(i))
	}
	full, err := table.Set(codes)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(full.Codes()).To(Equal(codes))
	_, err = table.Set([]string{"0", "one more"})
	g.Expect(err).To(MatchError(access.ErrTooManyTasks))
	g.Expect(full.Contains("one more")).To(BeFalse())
	again, err := table.Set([]string{"255"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Codes()).To(Equal([]string{"255"}))
}
