-- Which programs may go on writing after the tables were changed: those whose own schema version is this or newer. A
-- migration that they cannot write beside raises it.
-- writers: from 6

-- +goose Up
CREATE TABLE schema_writers (
    writers_id INTEGER NOT NULL PRIMARY KEY,
    oldest     INTEGER NOT NULL
);

INSERT INTO schema_writers (writers_id, oldest) VALUES (1, 6);
