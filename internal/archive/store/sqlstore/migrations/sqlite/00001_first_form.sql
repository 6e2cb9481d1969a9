-- The archive's first form: clients, documents and the access log.
-- Times are microseconds since 1970 UTC; ids are 16-byte UUIDs; hashes and digests are 32 bytes.
-- Keys start with the client where a request is about one client; a registry is a row of its own,
-- so that what is said of a registry later (its controller, say) changes in one place.

-- +goose Up
CREATE TABLE registries (
    registry_id INTEGER PRIMARY KEY,
    oid         TEXT    NOT NULL UNIQUE,
    created_us  INTEGER NOT NULL
);

CREATE TABLE clients (
    client_id   BLOB    NOT NULL PRIMARY KEY,
    registry_id INTEGER NOT NULL REFERENCES registries (registry_id),
    code_hash   BLOB    NOT NULL,
    created_us  INTEGER NOT NULL,
    UNIQUE (registry_id, code_hash)
) WITHOUT ROWID;

CREATE TABLE documents (
    document_id         BLOB    NOT NULL PRIMARY KEY,
    client_id           BLOB    NOT NULL REFERENCES clients (client_id),
    registry_id         INTEGER NOT NULL REFERENCES registries (registry_id),
    document_type       TEXT    NOT NULL,
    service_tasks       TEXT    NOT NULL, -- JSON array, in the order given
    author_organization TEXT    NOT NULL,
    author_unit         TEXT    NOT NULL, -- empty: the organizer's own system
    author_professional TEXT    NOT NULL,
    created_us          INTEGER NOT NULL,
    stored_us           INTEGER NOT NULL,
    content_type        TEXT    NOT NULL,
    size_bytes          INTEGER NOT NULL,
    digest              BLOB    NOT NULL,
    view_revision       TEXT    NOT NULL
) WITHOUT ROWID;

-- A search without a service-task filter reads this one, in its order.
CREATE INDEX documents_by_client ON documents (client_id, registry_id, stored_us, document_id);

-- A search with a service-task filter reads this one: the access filter and the order are one
-- prefix, so the cost is that of the visible documents, not of all the client has.
CREATE TABLE document_tasks (
    client_id    BLOB    NOT NULL,
    registry_id  INTEGER NOT NULL,
    service_task TEXT    NOT NULL,
    stored_us    INTEGER NOT NULL,
    document_id  BLOB    NOT NULL REFERENCES documents (document_id),
    PRIMARY KEY (client_id, registry_id, service_task, stored_us, document_id)
) WITHOUT ROWID;

-- Bytes apart from metadata: a search never touches them.
CREATE TABLE document_bodies (
    document_id BLOB NOT NULL PRIMARY KEY REFERENCES documents (document_id),
    body        BLOB NOT NULL
);

-- Append-only. No reference to the other tables: the log outlives what it is about.
CREATE TABLE access_log (
    time_us                INTEGER NOT NULL,
    log_id                 BLOB    NOT NULL,
    request_id             TEXT    NOT NULL,
    registry_oid           TEXT    NOT NULL,
    operation              TEXT    NOT NULL,
    outcome                TEXT    NOT NULL,
    reason                 TEXT    NOT NULL,
    client_id              BLOB,
    caller                 TEXT    NOT NULL,
    organization           TEXT    NOT NULL,
    unit                   TEXT    NOT NULL,
    certificate_thumbprint TEXT    NOT NULL,
    professional           TEXT    NOT NULL,
    professional_role      TEXT    NOT NULL,
    card_thumbprint        TEXT    NOT NULL,
    assertion_key          TEXT, -- the replay guard's hash of card and jti
    assertion_expires_us   INTEGER,
    criteria               TEXT,
    document_ids           TEXT,
    document_count         INTEGER NOT NULL,
    relationship_uid       TEXT    NOT NULL,
    relationship_revision  TEXT    NOT NULL,
    grant_uid              TEXT    NOT NULL,
    grant_revision         TEXT    NOT NULL,
    registry_uid           TEXT    NOT NULL,
    registry_revision      TEXT    NOT NULL,
    view_age_ms            INTEGER NOT NULL,
    PRIMARY KEY (time_us, log_id)
) WITHOUT ROWID;

CREATE INDEX access_log_by_client ON access_log (client_id, time_us, log_id) WHERE client_id IS NOT NULL;

-- One row that a readiness probe rewrites, to prove that a commit works.
CREATE TABLE probe (
    probe_id  INTEGER NOT NULL PRIMARY KEY,
    probed_us INTEGER NOT NULL
);
