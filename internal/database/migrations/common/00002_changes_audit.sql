-- +goose Up

-- One row that every transaction with a change for others raises as its last act: its lock makes the order of numbers
-- the order of commits (protocol.md §2).
CREATE TABLE change_counter (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    n  BIGINT  NOT NULL
);
INSERT INTO change_counter (id, n) VALUES (1, 0);

CREATE TABLE changes (
    n         BIGINT NOT NULL PRIMARY KEY,
    topic     TEXT   NOT NULL,
    entity_id TEXT   NOT NULL,
    at        BIGINT NOT NULL
);

-- chain is the organisation's ID, or empty for acts that belong to none. UPDATE and DELETE are refused by triggers.
CREATE TABLE audit_events (
    id            TEXT   NOT NULL PRIMARY KEY,
    chain         TEXT   NOT NULL,
    sequence      BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    actor_kind    TEXT   NOT NULL,
    actor_id      TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    target_kind   TEXT   NOT NULL,
    target_id     TEXT   NOT NULL,
    target_label  TEXT   NOT NULL,
    result        TEXT   NOT NULL CHECK (result IN ('done', 'refused', 'failed')),
    reason        TEXT   NOT NULL,
    before_json   TEXT   NOT NULL,
    after_json    TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    user_agent    TEXT   NOT NULL,
    request_id    TEXT   NOT NULL,
    previous_hash TEXT   NOT NULL,
    hash          TEXT   NOT NULL
);
CREATE UNIQUE INDEX audit_events_sequence ON audit_events (chain, sequence);
CREATE INDEX audit_events_target ON audit_events (chain, target_kind, target_id, sequence);

CREATE TABLE audit_heads (
    chain    TEXT   NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash     TEXT   NOT NULL
);

-- Refused acts: one event per actor, act, target and minute; how often it was repeated is counted here, beside the chain.
CREATE TABLE audit_refusals (
    chain       TEXT   NOT NULL,
    actor_kind  TEXT   NOT NULL,
    actor_id    TEXT   NOT NULL,
    action      TEXT   NOT NULL,
    target_id   TEXT   NOT NULL,
    minute      BIGINT NOT NULL,
    event_id    TEXT   NOT NULL,
    repeated    BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    PRIMARY KEY (chain, actor_kind, actor_id, action, target_id, minute)
);
CREATE INDEX audit_refusals_event ON audit_refusals (event_id);

-- +goose Down
DROP TABLE audit_refusals;
DROP TABLE audit_heads;
DROP TABLE audit_events;
DROP TABLE changes;
DROP TABLE change_counter;
