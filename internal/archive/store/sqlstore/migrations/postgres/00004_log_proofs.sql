-- What makes the access log provable: which rows still lack a leaf, the leaves, the tiles of one Merkle tree per month,
-- and its signed checkpoints. Rows from before have no leaf.

-- +goose Up
CREATE TABLE log_pending (
    time_us BIGINT  NOT NULL,
    log_id  BYTEA   NOT NULL,
    PRIMARY KEY (time_us, log_id)
);

-- The tree of each month of sequencing, YYYY-MM, and how many leaves it has.
CREATE TABLE log_months (
    month TEXT    NOT NULL PRIMARY KEY,
    size  BIGINT  NOT NULL
);

-- Which row a leaf commits to, and with what besides. A leaf whose row is destroyed has no line here.
CREATE TABLE log_leaves (
    month           TEXT    NOT NULL,
    leaf_index      BIGINT  NOT NULL, -- from 0
    time_us         BIGINT  NOT NULL,
    log_id          BYTEA   NOT NULL,
    salt            BYTEA   NOT NULL,
    sequenced_us    BIGINT  NOT NULL,
    client_sequence BIGINT  NOT NULL, -- from 1; 0: the row is about no client
    client_previous BYTEA, -- the entry of the client's row before; NULL: there is none
    PRIMARY KEY (month, leaf_index)
);

CREATE UNIQUE INDEX log_leaves_by_row ON log_leaves (time_us, log_id);

-- The last number and entry of each client, as a registry was asked about it.
CREATE TABLE log_client_heads (
    client_id       BYTEA   NOT NULL,
    registry_oid    TEXT    NOT NULL,
    client_sequence BIGINT  NOT NULL,
    entry           BYTEA   NOT NULL,
    PRIMARY KEY (client_id, registry_oid)
);

-- Hashes of 32 bytes, up to 256 in a tile. Level -1 holds the entries.
CREATE TABLE log_tiles (
    month      TEXT    NOT NULL,
    level      BIGINT  NOT NULL,
    tile_index BIGINT  NOT NULL,
    hashes     BYTEA   NOT NULL,
    PRIMARY KEY (month, level, tile_index)
);

CREATE TABLE log_checkpoints (
    month   TEXT    NOT NULL,
    size    BIGINT  NOT NULL,
    made_us BIGINT  NOT NULL,
    note    BYTEA   NOT NULL, -- the signed note, with its cosignatures
    kept    BIGINT  NOT NULL, -- 0 or 1: it stays when later ones are there
    PRIMARY KEY (month, size)
);

-- Who gives leaves now, and how many batches have been given in all.
CREATE TABLE log_lease (
    lease_id BIGINT  NOT NULL PRIMARY KEY,
    holder   TEXT    NOT NULL,
    until_us BIGINT  NOT NULL,
    batch    BIGINT  NOT NULL
);
