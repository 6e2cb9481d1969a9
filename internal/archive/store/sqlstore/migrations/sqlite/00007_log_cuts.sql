-- How much of an answer had left when it was cut, in bytes of its body; 0 for a row that tells of no cut.

-- +goose Up
ALTER TABLE access_log ADD COLUMN cut_at INTEGER NOT NULL DEFAULT 0;
