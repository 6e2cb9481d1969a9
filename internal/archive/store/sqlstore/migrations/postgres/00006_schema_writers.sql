-- Which programs may go on writing after the tables were changed: those whose own schema version is this or newer. A
-- migration that they cannot write beside raises it, under a lock that waits for those who write just now.
-- writers: from 5

-- +goose Up
CREATE TABLE schema_writers (
    writers_id BIGINT  NOT NULL PRIMARY KEY,
    oldest     BIGINT  NOT NULL
);

INSERT INTO schema_writers (writers_id, oldest) VALUES (1, 5);
