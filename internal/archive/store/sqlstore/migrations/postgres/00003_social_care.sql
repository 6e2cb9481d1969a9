-- What social care asks of an archive: clients with sealed identity codes and basic data, matters, old client data,
-- destruction, and the history of service relationships.

-- +goose Up

-- Every identifier that a client has had, by its keyed hash: one that was replaced still finds the client.
CREATE TABLE client_codes (
    registry_id BIGINT NOT NULL,
    code_hash   BYTEA  NOT NULL,
    client_id   BYTEA  NOT NULL,
    kind        TEXT   NOT NULL,
    sealed      BYTEA, -- under the client's data key; NULL: taken before identifiers were kept
    created_us  BIGINT NOT NULL,
    replaced_us BIGINT,
    PRIMARY KEY (registry_id, code_hash)
);

CREATE INDEX client_codes_by_client ON client_codes (client_id);

-- The data key of each client, wrapped. Without its row what is sealed under it says nothing.
CREATE TABLE client_keys (
    client_id BYTEA  NOT NULL PRIMARY KEY,
    key_id    TEXT   NOT NULL, -- the wrapping key's
    wrapped   BYTEA  NOT NULL
);

-- Which wrapping keys are in use, and whose data keys have not been wrapped again yet.
CREATE INDEX client_keys_by_key ON client_keys (key_id, client_id);

INSERT INTO client_codes (registry_id, code_hash, client_id, kind, created_us)
SELECT registry_id, code_hash, client_id, 'code', created_us FROM clients;

-- Days are YYYY-MM-DD; empty: not known.
ALTER TABLE clients DROP COLUMN code_hash; -- with its unique key
ALTER TABLE clients ADD COLUMN non_disclosure BIGINT NOT NULL DEFAULT 0; -- 0 or 1
ALTER TABLE clients ADD COLUMN born_on TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN died_on TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN in_use BIGINT NOT NULL DEFAULT 0; -- 1: something has been kept under its id

UPDATE clients SET in_use = 1 WHERE client_id IN (SELECT client_id FROM document_clients);

ALTER TABLE documents ADD COLUMN old_data BIGINT NOT NULL DEFAULT 0; -- 1: born before the organizer joined

CREATE TABLE matters (
    registry_id   BIGINT NOT NULL,
    matter        TEXT   NOT NULL,
    client_ids    BYTEA  NOT NULL, -- 16 bytes each, in the order given
    service_tasks TEXT   NOT NULL, -- JSON array, in the order given
    opened_us     BIGINT NOT NULL,
    closed_us     BIGINT, -- NULL: open
    events        BIGINT NOT NULL, -- how many matter_events it has
    PRIMARY KEY (registry_id, matter)
);

CREATE TABLE matter_clients (
    client_id   BYTEA  NOT NULL,
    registry_id BIGINT NOT NULL,
    matter      TEXT   NOT NULL,
    PRIMARY KEY (client_id, registry_id, matter)
);

-- Who opened, closed and reopened a matter. at_us is when it happened, recorded_us when the archive was told.
CREATE TABLE matter_events (
    registry_id  BIGINT NOT NULL,
    matter       TEXT   NOT NULL,
    event        BIGINT NOT NULL, -- from 1
    kind         TEXT   NOT NULL,
    at_us        BIGINT NOT NULL,
    recorded_us  BIGINT NOT NULL,
    organization TEXT   NOT NULL,
    unit         TEXT   NOT NULL,
    professional TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    PRIMARY KEY (registry_id, matter, event)
);

-- What was destroyed, by which rule, and when. It outlives its subject.
CREATE TABLE destructions (
    kind          TEXT   NOT NULL,
    subject       TEXT   NOT NULL, -- a document's or client's id, or a registry's OID, a slash and a matter
    registry_oid  TEXT   NOT NULL,
    client_ids    BYTEA  NOT NULL,
    document_type TEXT   NOT NULL,
    service_tasks TEXT   NOT NULL,
    versions      BIGINT NOT NULL,
    rule          TEXT   NOT NULL,
    counted_from  TEXT   NOT NULL,
    started_on    TEXT   NOT NULL,
    due_on        TEXT   NOT NULL,
    destroyed_us  BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

-- Every state of a ServiceRelationship that an archive has seen and that differs from the one before: start_us and
-- end_us are valid time, recorded_us is when it was seen. Append-only; it outlives the object.
CREATE TABLE relationship_history (
    object_uid    TEXT   NOT NULL,
    ordinal       BIGINT NOT NULL, -- from 1; recorded_us grows with it
    revision      BIGINT NOT NULL, -- the object's resource version
    registry_oid  TEXT   NOT NULL,
    client_id     BYTEA  NOT NULL,
    unit          TEXT   NOT NULL,
    service_tasks TEXT   NOT NULL, -- JSON array, sorted
    start_us      BIGINT NOT NULL,
    end_us        BIGINT,
    accepted      BIGINT NOT NULL, -- 0 or 1: by the controller
    deleted       BIGINT NOT NULL, -- 0 or 1: with what was known last
    missed        BIGINT NOT NULL, -- 0 or 1: found so; when it came to be so is not known
    document_id   BYTEA  NOT NULL, -- the client relationship document's, if it has one
    recorded_us   BIGINT NOT NULL,
    PRIMARY KEY (object_uid, ordinal)
);

CREATE INDEX relationship_history_by_client ON relationship_history (client_id, recorded_us, object_uid);

CREATE INDEX relationship_history_ended ON relationship_history (registry_oid, recorded_us, object_uid) WHERE end_us IS NOT NULL OR deleted = 1;
