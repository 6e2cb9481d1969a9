-- The archive's second form: documents have versions of one or two representations, several clients, a matter,
-- labels and an annulment, and client relationship documents have a record of their own. What the first form
-- holds moves over as first versions.
--
-- No foreign keys between these tables: one program writes them, each time in one transaction, and a check for
-- each row would make every writer lock the registry's row where there are several writers.

-- +goose Up
ALTER TABLE documents RENAME TO former_documents;
ALTER TABLE document_tasks RENAME TO former_document_tasks;
ALTER TABLE document_bodies RENAME TO former_document_bodies;

CREATE TABLE documents (
    document_id            BLOB    NOT NULL PRIMARY KEY,
    registry_id            INTEGER NOT NULL,
    client_ids             BLOB    NOT NULL, -- 16 bytes each, in the order given
    document_type          TEXT    NOT NULL,
    current_version        INTEGER NOT NULL,
    first_stored_us        INTEGER NOT NULL,
    annulled_us            INTEGER,
    annul_reason           TEXT    NOT NULL DEFAULT '',
    annulled_organization  TEXT    NOT NULL DEFAULT '',
    annulled_unit          TEXT    NOT NULL DEFAULT '',
    annulled_professional  TEXT    NOT NULL DEFAULT '',
    annulled_role          TEXT    NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE document_versions (
    document_id         BLOB    NOT NULL,
    version             INTEGER NOT NULL,
    matter              TEXT    NOT NULL, -- empty: none
    service_tasks       TEXT    NOT NULL, -- JSON array, in the order given
    author_organization TEXT    NOT NULL,
    author_unit         TEXT    NOT NULL, -- empty: the organizer's own system
    author_professional TEXT    NOT NULL,
    author_role         TEXT    NOT NULL,
    created_us          INTEGER NOT NULL,
    stored_us           INTEGER NOT NULL,
    language            TEXT    NOT NULL,
    schema_version      TEXT    NOT NULL,
    non_disclosure      INTEGER NOT NULL, -- 0 or 1
    display             TEXT    NOT NULL,
    display_from_us     INTEGER,
    json_size           INTEGER, -- NULL: no such representation
    json_digest         BLOB,
    xhtml_size          INTEGER,
    xhtml_digest        BLOB,
    correction_reason   TEXT    NOT NULL,
    view_revision       TEXT    NOT NULL,
    PRIMARY KEY (document_id, version)
) WITHOUT ROWID;

-- Bytes apart from metadata: a search never touches them.
CREATE TABLE document_bodies (
    document_id  BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (document_id, version, content_type)
);

-- The three that a search reads: what it filters by and its order are one key prefix, so its cost is that of the
-- documents it may show. They speak of current versions; annulled is 0 or 1.
CREATE TABLE document_clients (
    client_id       BLOB    NOT NULL,
    registry_id     INTEGER NOT NULL,
    annulled        INTEGER NOT NULL,
    first_stored_us INTEGER NOT NULL,
    document_id     BLOB    NOT NULL,
    PRIMARY KEY (client_id, registry_id, annulled, first_stored_us, document_id)
) WITHOUT ROWID;

CREATE TABLE document_tasks (
    client_id       BLOB    NOT NULL,
    registry_id     INTEGER NOT NULL,
    annulled        INTEGER NOT NULL,
    service_task    TEXT    NOT NULL,
    first_stored_us INTEGER NOT NULL,
    document_id     BLOB    NOT NULL,
    PRIMARY KEY (client_id, registry_id, annulled, service_task, first_stored_us, document_id)
) WITHOUT ROWID;

CREATE TABLE document_matters (
    registry_id     INTEGER NOT NULL,
    matter          TEXT    NOT NULL,
    annulled        INTEGER NOT NULL,
    first_stored_us INTEGER NOT NULL,
    document_id     BLOB    NOT NULL,
    client_id       BLOB    NOT NULL, -- the document's first, to find its rows in document_tasks
    PRIMARY KEY (registry_id, matter, annulled, first_stored_us, document_id)
) WITHOUT ROWID;

-- How a client relationship document and its ServiceRelationship stand.
CREATE TABLE relationship_documents (
    document_id    BLOB    NOT NULL PRIMARY KEY,
    registry_id    INTEGER NOT NULL,
    client_id      BLOB    NOT NULL,
    version        INTEGER NOT NULL,
    service_tasks  TEXT    NOT NULL, -- JSON array
    unit           TEXT    NOT NULL,
    start_us       INTEGER NOT NULL,
    end_us         INTEGER,
    procurement    TEXT    NOT NULL,
    annulled_us    INTEGER,
    agreement      TEXT    NOT NULL,
    detail         TEXT    NOT NULL,
    agreed_version INTEGER NOT NULL, -- 0: none
    object_uid     TEXT    NOT NULL
) WITHOUT ROWID;

CREATE INDEX relationship_documents_unsettled ON relationship_documents (document_id) WHERE agreement <> 'Agreed';

-- What each version of a client relationship document said.
CREATE TABLE relationship_versions (
    document_id BLOB    NOT NULL,
    version     INTEGER NOT NULL,
    unit        TEXT    NOT NULL,
    start_us    INTEGER NOT NULL,
    end_us      INTEGER,
    procurement TEXT    NOT NULL,
    PRIMARY KEY (document_id, version)
) WITHOUT ROWID;

-- One row that speaks of the whole.
CREATE TABLE archive_info (
    info_id            INTEGER NOT NULL PRIMARY KEY,
    store_id           BLOB, -- random, given when the store is first served from; its copies keep it
    identity_key_check BLOB,
    state              TEXT    NOT NULL
);

INSERT INTO archive_info (info_id, identity_key_check, state) VALUES (1, NULL, 'ready');

INSERT INTO documents (document_id, registry_id, client_ids, document_type, current_version, first_stored_us)
SELECT document_id, registry_id, client_id, document_type, 1, stored_us FROM former_documents;

INSERT INTO document_versions (document_id, version, matter, service_tasks,
    author_organization, author_unit, author_professional, author_role, created_us, stored_us,
    language, schema_version, non_disclosure, display, display_from_us,
    json_size, json_digest, xhtml_size, xhtml_digest, correction_reason, view_revision)
SELECT document_id, 1, '', service_tasks,
    author_organization, author_unit, author_professional, '', created_us, stored_us,
    '', '', 0, 'shown', NULL,
    CASE WHEN content_type = 'application/json' THEN size_bytes END,
    CASE WHEN content_type = 'application/json' THEN digest END,
    CASE WHEN content_type = 'application/xhtml+xml' THEN size_bytes END,
    CASE WHEN content_type = 'application/xhtml+xml' THEN digest END,
    '', view_revision
FROM former_documents;

INSERT INTO document_bodies (document_id, version, content_type, body)
SELECT b.document_id, 1, d.content_type, b.body
FROM former_document_bodies b JOIN former_documents d ON d.document_id = b.document_id;

INSERT INTO document_clients (client_id, registry_id, annulled, first_stored_us, document_id)
SELECT client_id, registry_id, 0, stored_us, document_id FROM former_documents;

INSERT INTO document_tasks (client_id, registry_id, annulled, service_task, first_stored_us, document_id)
SELECT client_id, registry_id, 0, service_task, stored_us, document_id FROM former_document_tasks;

DROP TABLE former_document_bodies;
DROP TABLE former_document_tasks;
DROP TABLE former_documents;
