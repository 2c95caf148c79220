-- +goose Up

-- Key material, sealed by the master key, which never stands in the database. public_key is a JWK for signing keys and
-- empty for the others.
CREATE TABLE keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    purpose    TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    algorithm  TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    sealed     TEXT   NOT NULL,
    public_key TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX keys_purpose_key_id ON keys (purpose, key_id);

-- +goose Down
DROP TABLE keys;
