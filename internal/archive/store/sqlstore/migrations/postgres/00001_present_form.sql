-- The archive's present form: what SQLite's 00001 and 00002 make together.
-- Times are microseconds since 1970 UTC; ids are 16-byte UUIDs; hashes and digests are 32 bytes.
--
-- No foreign keys: one program writes the tables, each time in one transaction, and a check for each row would
-- make every writer lock the registry's row.

-- +goose Up
CREATE TABLE registries (
    registry_id BIGINT  NOT NULL PRIMARY KEY, -- given by the program
    oid         TEXT    NOT NULL UNIQUE,
    created_us  BIGINT  NOT NULL
);

CREATE TABLE clients (
    client_id   BYTEA   NOT NULL PRIMARY KEY,
    registry_id BIGINT  NOT NULL,
    code_hash   BYTEA   NOT NULL,
    created_us  BIGINT  NOT NULL,
    UNIQUE (registry_id, code_hash)
);

CREATE TABLE documents (
    document_id            BYTEA   NOT NULL PRIMARY KEY,
    registry_id            BIGINT  NOT NULL,
    client_ids             BYTEA   NOT NULL, -- 16 bytes each, in the order given
    document_type          TEXT    NOT NULL,
    current_version        BIGINT  NOT NULL,
    first_stored_us        BIGINT  NOT NULL,
    annulled_us            BIGINT,
    annul_reason           TEXT    NOT NULL DEFAULT '',
    annulled_organization  TEXT    NOT NULL DEFAULT '',
    annulled_unit          TEXT    NOT NULL DEFAULT '',
    annulled_professional  TEXT    NOT NULL DEFAULT '',
    annulled_role          TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE document_versions (
    document_id         BYTEA   NOT NULL,
    version             BIGINT  NOT NULL,
    matter              TEXT    NOT NULL, -- empty: none
    service_tasks       TEXT    NOT NULL, -- JSON array, in the order given
    author_organization TEXT    NOT NULL,
    author_unit         TEXT    NOT NULL, -- empty: the organizer's own system
    author_professional TEXT    NOT NULL,
    author_role         TEXT    NOT NULL,
    created_us          BIGINT  NOT NULL,
    stored_us           BIGINT  NOT NULL,
    language            TEXT    NOT NULL,
    schema_version      TEXT    NOT NULL,
    non_disclosure      BIGINT  NOT NULL, -- 0 or 1
    display             TEXT    NOT NULL,
    display_from_us     BIGINT,
    json_size           BIGINT, -- NULL: no such representation
    json_digest         BYTEA,
    xhtml_size          BIGINT,
    xhtml_digest        BYTEA,
    correction_reason   TEXT    NOT NULL,
    view_revision       TEXT    NOT NULL,
    PRIMARY KEY (document_id, version)
);

-- Bytes apart from metadata: a search never touches them.
CREATE TABLE document_bodies (
    document_id  BYTEA   NOT NULL,
    version      BIGINT  NOT NULL,
    content_type TEXT    NOT NULL,
    body         BYTEA   NOT NULL,
    PRIMARY KEY (document_id, version, content_type)
);

-- The three that a search reads: what it filters by and its order are one key prefix, so its cost is that of the
-- documents it may show. They speak of current versions; annulled is 0 or 1.
CREATE TABLE document_clients (
    client_id       BYTEA   NOT NULL,
    registry_id     BIGINT  NOT NULL,
    annulled        BIGINT  NOT NULL,
    first_stored_us BIGINT  NOT NULL,
    document_id     BYTEA   NOT NULL,
    PRIMARY KEY (client_id, registry_id, annulled, first_stored_us, document_id)
);

CREATE TABLE document_tasks (
    client_id       BYTEA   NOT NULL,
    registry_id     BIGINT  NOT NULL,
    annulled        BIGINT  NOT NULL,
    service_task    TEXT    NOT NULL,
    first_stored_us BIGINT  NOT NULL,
    document_id     BYTEA   NOT NULL,
    PRIMARY KEY (client_id, registry_id, annulled, service_task, first_stored_us, document_id)
);

CREATE TABLE document_matters (
    registry_id     BIGINT  NOT NULL,
    matter          TEXT    NOT NULL,
    annulled        BIGINT  NOT NULL,
    first_stored_us BIGINT  NOT NULL,
    document_id     BYTEA   NOT NULL,
    client_id       BYTEA   NOT NULL, -- the document's first, to find its rows in document_tasks
    PRIMARY KEY (registry_id, matter, annulled, first_stored_us, document_id)
);

-- How a client relationship document and its ServiceRelationship stand.
CREATE TABLE relationship_documents (
    document_id    BYTEA   NOT NULL PRIMARY KEY,
    registry_id    BIGINT  NOT NULL,
    client_id      BYTEA   NOT NULL,
    version        BIGINT  NOT NULL,
    service_tasks  TEXT    NOT NULL, -- JSON array
    unit           TEXT    NOT NULL,
    start_us       BIGINT  NOT NULL,
    end_us         BIGINT,
    procurement    TEXT    NOT NULL,
    annulled_us    BIGINT,
    agreement      TEXT    NOT NULL,
    detail         TEXT    NOT NULL,
    agreed_version BIGINT  NOT NULL, -- 0: none
    object_uid     TEXT    NOT NULL
);

CREATE INDEX relationship_documents_unsettled ON relationship_documents (document_id) WHERE agreement <> 'Agreed';

-- What each version of a client relationship document said.
CREATE TABLE relationship_versions (
    document_id BYTEA   NOT NULL,
    version     BIGINT  NOT NULL,
    unit        TEXT    NOT NULL,
    start_us    BIGINT  NOT NULL,
    end_us      BIGINT,
    procurement TEXT    NOT NULL,
    PRIMARY KEY (document_id, version)
);

-- One row that speaks of the whole.
CREATE TABLE archive_info (
    info_id            BIGINT  NOT NULL PRIMARY KEY,
    store_id           BYTEA, -- random, given when the store is first served from; its copies keep it
    identity_key_check BYTEA,
    state              TEXT    NOT NULL
);

INSERT INTO archive_info (info_id, identity_key_check, state) VALUES (1, NULL, 'ready');

-- Append-only. No reference to the other tables: the log outlives what it is about.
CREATE TABLE access_log (
    time_us                BIGINT  NOT NULL,
    log_id                 BYTEA   NOT NULL,
    request_id             TEXT    NOT NULL,
    registry_oid           TEXT    NOT NULL,
    operation              TEXT    NOT NULL,
    outcome                TEXT    NOT NULL,
    reason                 TEXT    NOT NULL,
    client_id              BYTEA,
    caller                 TEXT    NOT NULL,
    organization           TEXT    NOT NULL,
    unit                   TEXT    NOT NULL,
    certificate_thumbprint TEXT    NOT NULL,
    professional           TEXT    NOT NULL,
    professional_role      TEXT    NOT NULL,
    card_thumbprint        TEXT    NOT NULL,
    assertion_key          TEXT, -- the replay guard's hash of card and jti
    assertion_expires_us   BIGINT,
    criteria               TEXT,
    document_ids           TEXT,
    document_count         BIGINT  NOT NULL,
    relationship_uid       TEXT    NOT NULL,
    relationship_revision  TEXT    NOT NULL,
    grant_uid              TEXT    NOT NULL,
    grant_revision         TEXT    NOT NULL,
    registry_uid           TEXT    NOT NULL,
    registry_revision      TEXT    NOT NULL,
    view_age_ms            BIGINT  NOT NULL,
    PRIMARY KEY (time_us, log_id)
);

CREATE INDEX access_log_by_client ON access_log (client_id, time_us, log_id) WHERE client_id IS NOT NULL;

-- One row that a readiness probe rewrites, to prove that a commit works.
CREATE TABLE probe (
    probe_id  BIGINT  NOT NULL PRIMARY KEY,
    probed_us BIGINT  NOT NULL
);
