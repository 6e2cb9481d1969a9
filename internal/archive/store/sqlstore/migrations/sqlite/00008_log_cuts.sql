-- How much of an answer had left when it was cut, in bytes of its body; 0 for a row that tells of no cut. A program that
-- does not know it would commit to less than the row holds.
-- writers: from 8

-- +goose Up
UPDATE schema_writers SET oldest = 8 WHERE writers_id = 1;
ALTER TABLE access_log ADD COLUMN cut_at INTEGER NOT NULL DEFAULT 0;
