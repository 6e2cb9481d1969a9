-- The registries of deployment tests. What is in one is destroyed when its test is over; its row here stays, so that
-- nothing is taken into it again. A program that does not know of them would write into one that is over.
-- writers: from 8

-- +goose Up
LOCK TABLE schema_writers IN ACCESS EXCLUSIVE MODE;
UPDATE schema_writers SET oldest = 8 WHERE writers_id = 1;
CREATE TABLE test_registries (
    registry_oid   TEXT    NOT NULL PRIMARY KEY, -- 2.25 and the test's UID as a number
    test_uid       TEXT    NOT NULL,
    test_namespace TEXT    NOT NULL,
    test_name      TEXT    NOT NULL,
    salt           BYTEA   NOT NULL,
    opened_us      BIGINT  NOT NULL,
    closed_us      BIGINT,  -- NULL: open
    observed_us    BIGINT,  -- NULL: not all has been told that was seen in it
    destroyed_us   BIGINT,  -- NULL: not all of it has been destroyed
    documents      BIGINT  NOT NULL, -- how many have been destroyed, and so clients
    clients        BIGINT  NOT NULL,
    writes         BIGINT  NOT NULL -- each write to the registry changes it: of a write and the closing one sees the other
);
