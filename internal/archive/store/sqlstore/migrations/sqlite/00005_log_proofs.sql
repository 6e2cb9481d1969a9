-- What makes the access log provable: which rows still lack a leaf, the leaves, the tiles of one Merkle tree per month,
-- and its signed checkpoints. Rows from before have no leaf.

-- +goose Up
CREATE TABLE log_pending (
    time_us INTEGER NOT NULL,
    log_id  BLOB    NOT NULL,
    PRIMARY KEY (time_us, log_id)
) WITHOUT ROWID;

-- The tree of each month of sequencing, YYYY-MM, and how many leaves it has.
CREATE TABLE log_months (
    month TEXT    NOT NULL PRIMARY KEY,
    size  INTEGER NOT NULL
) WITHOUT ROWID;

-- Which row a leaf commits to, and with what besides. A leaf whose row is destroyed has no line here.
CREATE TABLE log_leaves (
    month           TEXT    NOT NULL,
    leaf_index      INTEGER NOT NULL, -- from 0
    time_us         INTEGER NOT NULL,
    log_id          BLOB    NOT NULL,
    salt            BLOB    NOT NULL,
    sequenced_us    INTEGER NOT NULL,
    client_sequence INTEGER NOT NULL, -- from 1; 0: the row is about no client
    client_previous BLOB, -- the entry of the client's row before; NULL: there is none
    PRIMARY KEY (month, leaf_index)
) WITHOUT ROWID;

CREATE UNIQUE INDEX log_leaves_by_row ON log_leaves (time_us, log_id);

-- The last number and entry of each client, as a registry was asked about it.
CREATE TABLE log_client_heads (
    client_id       BLOB    NOT NULL,
    registry_oid    TEXT    NOT NULL,
    client_sequence INTEGER NOT NULL,
    entry           BLOB    NOT NULL,
    PRIMARY KEY (client_id, registry_oid)
) WITHOUT ROWID;

-- Hashes of 32 bytes, up to 256 in a tile. Level -1 holds the entries.
CREATE TABLE log_tiles (
    month      TEXT    NOT NULL,
    level      INTEGER NOT NULL,
    tile_index INTEGER NOT NULL,
    hashes     BLOB    NOT NULL,
    PRIMARY KEY (month, level, tile_index)
);

CREATE TABLE log_checkpoints (
    month   TEXT    NOT NULL,
    size    INTEGER NOT NULL,
    made_us INTEGER NOT NULL,
    note    BLOB    NOT NULL, -- the signed note, with its cosignatures
    kept    INTEGER NOT NULL, -- 0 or 1: it stays when later ones are there
    PRIMARY KEY (month, size)
) WITHOUT ROWID;

-- Who gives leaves now, and how many batches have been given in all.
CREATE TABLE log_lease (
    lease_id INTEGER NOT NULL PRIMARY KEY,
    holder   TEXT    NOT NULL,
    until_us INTEGER NOT NULL,
    batch    INTEGER NOT NULL
);
