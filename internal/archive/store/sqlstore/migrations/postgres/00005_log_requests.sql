-- The organizer's supervision of the use log, and log entries that are withheld from their client by a decision.

-- +goose Up

-- What the log is searched by. Each row that is written pays for the first three; the others hold what is rare.
CREATE INDEX access_log_by_registry ON access_log (registry_oid, time_us, log_id);
CREATE INDEX access_log_by_professional ON access_log (registry_oid, professional, time_us, log_id) WHERE professional <> '';
CREATE INDEX access_log_by_unit ON access_log (registry_oid, unit, time_us, log_id) WHERE unit <> '';
CREATE INDEX access_log_by_outcome ON access_log (registry_oid, outcome, time_us, log_id) WHERE outcome <> 'allowed';
CREATE INDEX access_log_by_reason ON access_log (registry_oid, reason, time_us, log_id) WHERE outcome <> 'allowed';
CREATE INDEX access_log_by_operation ON access_log (registry_oid, operation, time_us, log_id) WHERE operation <> 'Read' AND operation <> 'Search';
-- Documents that were handled without a client being named, as in a search by matter.
CREATE INDEX access_log_of_no_client ON access_log (registry_oid, time_us, log_id) WHERE client_id IS NULL AND document_count > 0;

CREATE TABLE log_withholdings (
    withholding_id      BYTEA   NOT NULL PRIMARY KEY,
    registry_oid        TEXT    NOT NULL,
    client_id           BYTEA   NOT NULL,
    log_ids             BYTEA   NOT NULL, -- 16 bytes each, sorted; empty: all of the period
    from_us             BIGINT  NOT NULL, -- 0 with log_ids
    until_us            BIGINT  NOT NULL, -- exclusive
    reason              TEXT    NOT NULL,
    decision            TEXT    NOT NULL, -- the written decision's reference
    digest              BYTEA   NOT NULL, -- of all of the above but the id
    made_us             BIGINT  NOT NULL,
    organization        TEXT    NOT NULL,
    professional        TEXT    NOT NULL,
    role                TEXT    NOT NULL,
    lifted_us           BIGINT, -- NULL: it stands
    lift_decision       TEXT    NOT NULL,
    lifted_organization TEXT    NOT NULL,
    lifted_professional TEXT    NOT NULL,
    lifted_role         TEXT    NOT NULL
);

CREATE INDEX log_withholdings_by_client ON log_withholdings (client_id, made_us);
CREATE UNIQUE INDEX log_withholdings_standing ON log_withholdings (digest) WHERE lifted_us IS NULL;
