-- What social care asks of an archive: clients with sealed identity codes and basic data, matters, old client data,
-- destruction, and the history of service relationships.

-- +goose Up
ALTER TABLE clients RENAME TO former_clients;

-- Days are YYYY-MM-DD; empty: not known.
CREATE TABLE clients (
    client_id      BLOB    NOT NULL PRIMARY KEY,
    registry_id    INTEGER NOT NULL,
    created_us     INTEGER NOT NULL,
    non_disclosure INTEGER NOT NULL DEFAULT 0, -- 0 or 1
    born_on        TEXT    NOT NULL DEFAULT '',
    died_on        TEXT    NOT NULL DEFAULT '',
    in_use         INTEGER NOT NULL DEFAULT 0 -- 1: something has been kept under its id
) WITHOUT ROWID;

-- Every identifier that a client has had, by its keyed hash: one that was replaced still finds the client.
CREATE TABLE client_codes (
    registry_id INTEGER NOT NULL,
    code_hash   BLOB    NOT NULL,
    client_id   BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    sealed      BLOB, -- under the client's data key; NULL: taken before identifiers were kept
    created_us  INTEGER NOT NULL,
    replaced_us INTEGER,
    PRIMARY KEY (registry_id, code_hash)
) WITHOUT ROWID;

CREATE INDEX client_codes_by_client ON client_codes (client_id);

-- The data key of each client, wrapped. Without its row what is sealed under it says nothing.
CREATE TABLE client_keys (
    client_id BLOB NOT NULL PRIMARY KEY,
    key_id    TEXT NOT NULL, -- the wrapping key's
    wrapped   BLOB NOT NULL
) WITHOUT ROWID;

-- Which wrapping keys are in use, and whose data keys have not been wrapped again yet.
CREATE INDEX client_keys_by_key ON client_keys (key_id, client_id);

INSERT INTO clients (client_id, registry_id, created_us) SELECT client_id, registry_id, created_us FROM former_clients;

INSERT INTO client_codes (registry_id, code_hash, client_id, kind, created_us)
SELECT registry_id, code_hash, client_id, 'code', created_us FROM former_clients;

DROP TABLE former_clients;

UPDATE clients SET in_use = 1 WHERE client_id IN (SELECT client_id FROM document_clients);

ALTER TABLE documents ADD COLUMN old_data INTEGER NOT NULL DEFAULT 0; -- 1: born before the organizer joined

CREATE TABLE matters (
    registry_id   INTEGER NOT NULL,
    matter        TEXT    NOT NULL,
    client_ids    BLOB    NOT NULL, -- 16 bytes each, in the order given
    service_tasks TEXT    NOT NULL, -- JSON array, in the order given
    opened_us     INTEGER NOT NULL,
    closed_us     INTEGER, -- NULL: open
    events        INTEGER NOT NULL, -- how many matter_events it has
    PRIMARY KEY (registry_id, matter)
) WITHOUT ROWID;

CREATE TABLE matter_clients (
    client_id   BLOB    NOT NULL,
    registry_id INTEGER NOT NULL,
    matter      TEXT    NOT NULL,
    PRIMARY KEY (client_id, registry_id, matter)
) WITHOUT ROWID;

-- Who opened, closed and reopened a matter. at_us is when it happened, recorded_us when the archive was told.
CREATE TABLE matter_events (
    registry_id  INTEGER NOT NULL,
    matter       TEXT    NOT NULL,
    event        INTEGER NOT NULL, -- from 1
    kind         TEXT    NOT NULL,
    at_us        INTEGER NOT NULL,
    recorded_us  INTEGER NOT NULL,
    organization TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    professional TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    PRIMARY KEY (registry_id, matter, event)
) WITHOUT ROWID;

-- What was destroyed, by which rule, and when. It outlives its subject.
CREATE TABLE destructions (
    kind          TEXT    NOT NULL,
    subject       TEXT    NOT NULL, -- a document's or client's id, or a registry's OID, a slash and a matter
    registry_oid  TEXT    NOT NULL,
    client_ids    BLOB    NOT NULL,
    document_type TEXT    NOT NULL,
    service_tasks TEXT    NOT NULL,
    versions      INTEGER NOT NULL,
    rule          TEXT    NOT NULL,
    counted_from  TEXT    NOT NULL,
    started_on    TEXT    NOT NULL,
    due_on        TEXT    NOT NULL,
    destroyed_us  INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) WITHOUT ROWID;

-- Every state of a ServiceRelationship that an archive has seen and that differs from the one before: start_us and
-- end_us are valid time, recorded_us is when it was seen. Append-only; it outlives the object.
CREATE TABLE relationship_history (
    object_uid    TEXT    NOT NULL,
    ordinal       INTEGER NOT NULL, -- from 1; recorded_us grows with it
    revision      INTEGER NOT NULL, -- the object's resource version
    registry_oid  TEXT    NOT NULL,
    client_id     BLOB    NOT NULL,
    unit          TEXT    NOT NULL,
    service_tasks TEXT    NOT NULL, -- JSON array, sorted
    start_us      INTEGER NOT NULL,
    end_us        INTEGER,
    accepted      INTEGER NOT NULL, -- 0 or 1: by the controller
    deleted       INTEGER NOT NULL, -- 0 or 1: with what was known last
    missed        INTEGER NOT NULL, -- 0 or 1: found so; when it came to be so is not known
    document_id   BLOB    NOT NULL, -- the client relationship document's, if it has one
    recorded_us   INTEGER NOT NULL,
    PRIMARY KEY (object_uid, ordinal)
) WITHOUT ROWID;

CREATE INDEX relationship_history_by_client ON relationship_history (client_id, recorded_us, object_uid);

CREATE INDEX relationship_history_ended ON relationship_history (registry_oid, recorded_us, object_uid) WHERE end_us IS NOT NULL OR deleted = 1;
