-- +goose Up

-- Links with which somebody else makes an app's next secret (protocol.md §3.7). token_hash is the SHA-256 of what the
-- link holds. recipient and spent_from tell of people, so they go when the app is deleted. old_secret_id is the secret
-- that the new one takes over from, whose end counts from spent_at.
CREATE TABLE hand_offs (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL,
    app_id          TEXT   NOT NULL,
    token_hash      TEXT   NOT NULL,
    recipient       TEXT   NOT NULL,
    reason          TEXT   NOT NULL CHECK (reason IN ('planned', 'lost')),
    label           TEXT   NOT NULL,
    secret_expires  TEXT   NOT NULL,
    old_secret_id   TEXT   NOT NULL,
    old_ends        TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_kind TEXT   NOT NULL,
    created_by_id   TEXT   NOT NULL,
    expires_at      BIGINT NOT NULL,
    withdrawn_at    BIGINT,
    spent_at        BIGINT,
    spent_from      TEXT   NOT NULL,
    spent_secret_id TEXT   NOT NULL,
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE UNIQUE INDEX hand_offs_token ON hand_offs (token_hash);
CREATE INDEX hand_offs_by_app ON hand_offs (organisation_id, app_id, created_at);

-- +goose Down
DROP TABLE hand_offs;
