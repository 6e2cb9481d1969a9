-- Professionals' signatures over the bytes of a version.

-- +goose Up
-- What is known of a version's signatures: a JSON object by content type; empty for none.
ALTER TABLE document_versions ADD COLUMN signatures TEXT NOT NULL DEFAULT '';

-- The signatures themselves, apart from metadata as the bytes are.
CREATE TABLE document_signatures (
    document_id  BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    jws          TEXT    NOT NULL,
    PRIMARY KEY (document_id, version, content_type)
);
