-- The registries of deployment tests. What is in one is destroyed when its test is over; its row here stays, so that
-- nothing is taken into it again. A program that does not know of them would write into one that is over.
-- writers: from 9

-- +goose Up
UPDATE schema_writers SET oldest = 9 WHERE writers_id = 1;
CREATE TABLE test_registries (
    registry_oid   TEXT    NOT NULL PRIMARY KEY, -- 2.25 and the test's UID as a number
    test_uid       TEXT    NOT NULL,
    test_namespace TEXT    NOT NULL,
    test_name      TEXT    NOT NULL,
    salt           BLOB    NOT NULL,
    opened_us      INTEGER NOT NULL,
    closed_us      INTEGER, -- NULL: open
    observed_us    INTEGER, -- NULL: not all has been told that was seen in it
    destroyed_us   INTEGER, -- NULL: not all of it has been destroyed
    documents      INTEGER NOT NULL, -- how many have been destroyed, and so clients
    clients        INTEGER NOT NULL,
    writes         INTEGER NOT NULL -- each write to the registry changes it: of a write and the closing one sees the other
) WITHOUT ROWID;
