-- +goose Up

-- Browser sessions. token_hash is the SHA-256 of the cookie's value. person_id is empty before somebody signs in.
CREATE TABLE sessions (
    token_hash   TEXT   NOT NULL PRIMARY KEY,
    person_id    TEXT   NOT NULL,
    data         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX sessions_person ON sessions (person_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- One-time links with which a person sets a password; found by the SHA-256 of the token (protocol.md §3.6).
CREATE TABLE setup_links (
    token_hash      TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL,
    person_id       TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    used_at         BIGINT,
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id)
);

-- What a person had typed when the session ended (ui.md §3.5), 30 minutes long.
CREATE TABLE drafts (
    person_id  TEXT   NOT NULL REFERENCES people (id),
    path       TEXT   NOT NULL,
    form       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, path)
);

-- +goose Down
DROP TABLE drafts;
DROP TABLE setup_links;
DROP TABLE sessions;
