// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	. "github.com/onsi/gomega"
	"github.com/pressly/goose/v3"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// TestAReplicaLeavesTheTablesToANewerProgram: a replica whose tables were changed by a newer program is not ready, says
// why, and answers nothing; where the change left it room, nobody notices.
func TestAReplicaLeavesTheTablesToANewerProgram(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	d := newDatabase(t)
	s := shared.of(t).begin(t, settings{})
	b := s.binary("former-0", d, "--migrate=false")
	uri := with(g, b, "--postgres-uri-file", d.uri)
	_, err := runProgram(t, append([]string{"archive", "migrate-schema"}, uri...)...)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.start(t)).To(Succeed())
	organizer := s.caller(&b.Replica, s.OrganizerSecret())
	registers := func() string {
		_, err := organizer.RegisterClient(background, newCode())
		return reasonOf(err)
	}
	g.Eventually(registers).Should(Equal(allowed))
	program, err := sqlstore.ProgramVersion(goose.DialectPostgres)
	g.Expect(err).NotTo(HaveOccurred())

	run(g, d.uri, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)", "CREATE TABLE of_a_newer_program (n BIGINT)")
	g.Expect(registers()).To(Equal(allowed), "beside a newer schema that leaves it room")
	g.Eventually(func() string { return b.ask("/readyz") }).Should(Equal("ok\n"))
	g.Expect(b.stop()).To(Succeed())
	g.Expect(b.start(t)).To(Succeed(), "it starts on it, too")

	run(g, d.uri, "UPDATE schema_writers SET oldest = 9999")
	g.Expect(registers()).To(Equal("log-unavailable"))
	g.Eventually(func() string { return b.ask("/readyz") }).Should(HavePrefix("SchemaTooNew: "))
	before := rowsOf(g, d.uri)
	g.Expect(registers()).To(Equal("log-unavailable"))
	g.Expect(rowsOf(g, d.uri)).To(Equal(before))

	run(g, d.uri, "UPDATE schema_writers SET oldest = "+strconv.FormatInt(program, 10))
	g.Expect(registers()).To(Equal(allowed), "given back")
	g.Eventually(func() string { return b.ask("/readyz") }).Should(Equal("ok\n"))
	s.journal.drop(b.Endpoint) // what could not be recorded is among them
}

// rowsOf counts the rows of the use log.
func rowsOf(g Gomega, uri string) (n int) {
	conn, err := pgx.Connect(background, uri)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close(background) }()
	g.Expect(conn.QueryRow(background, "SELECT count(*) FROM access_log").Scan(&n)).To(Succeed())
	return n
}
