-- +goose Up
CREATE TABLE apps (
    id                TEXT   NOT NULL PRIMARY KEY,
    organisation_id   TEXT   NOT NULL REFERENCES organisations (id),
    client_id         TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    name_key          TEXT   NOT NULL,
    description       TEXT   NOT NULL,
    category          TEXT   NOT NULL CHECK (category IN ('customer', 'partner', 'supplier', 'msp')),
    type              TEXT   NOT NULL CHECK (type IN ('machine', 'web', 'device')),
    credential_type   TEXT   NOT NULL CHECK (credential_type IN ('secret', 'jwks')),
    api_user_id       TEXT   NOT NULL,
    default_api       TEXT   NOT NULL,
    status            TEXT   NOT NULL CHECK (status IN ('pending', 'active', 'inactive', 'suspended')),
    generation        BIGINT NOT NULL,
    secret_generation BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    created_by_kind   TEXT   NOT NULL,
    created_by_id     TEXT   NOT NULL,
    modified_at       BIGINT NOT NULL,
    modified_by_kind  TEXT   NOT NULL,
    modified_by_id    TEXT   NOT NULL,
    deleted_at        BIGINT,
    version           BIGINT NOT NULL,
    UNIQUE (organisation_id, id),
    FOREIGN KEY (organisation_id, api_user_id) REFERENCES robot_accounts (organisation_id, id)
);
CREATE UNIQUE INDEX apps_client_id ON apps (client_id);
CREATE UNIQUE INDEX apps_name_key ON apps (organisation_id, name_key) WHERE deleted_at IS NULL;
CREATE INDEX apps_by_category ON apps (organisation_id, category, id) WHERE deleted_at IS NULL;
CREATE INDEX apps_by_status ON apps (organisation_id, status, id) WHERE deleted_at IS NULL;
CREATE INDEX apps_by_created ON apps (organisation_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX apps_by_modified ON apps (organisation_id, modified_at, id) WHERE deleted_at IS NULL;
CREATE INDEX apps_by_api_user ON apps (organisation_id, api_user_id);

-- Personal data in rows that can be erased and that audit events point to by ID (protocol.md §10). A change of contact
-- ends a row and makes another.
CREATE TABLE app_contacts (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    NOT NULL,
    app_id          TEXT    NOT NULL,
    rank            INTEGER NOT NULL CHECK (rank IN (1, 2)),
    first_name      TEXT    NOT NULL,
    last_name       TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    ended_at        BIGINT,
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE UNIQUE INDEX app_contacts_current ON app_contacts (organisation_id, app_id, rank) WHERE ended_at IS NULL;

CREATE TABLE app_scopes (
    organisation_id TEXT NOT NULL,
    app_id          TEXT NOT NULL,
    scope           TEXT NOT NULL,
    PRIMARY KEY (organisation_id, app_id, scope),
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE INDEX app_scopes_scope ON app_scopes (organisation_id, scope, app_id);

-- hash is bcrypt; empty once the app is deleted. tag is the keyed tag inside the secret, so that a found secret can be
-- located without its client ID (protocol.md §3.2). expires_at is set when the secret is made, ends_at by a rotation.
CREATE TABLE app_secrets (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL,
    app_id          TEXT   NOT NULL,
    generation      BIGINT NOT NULL,
    tag             TEXT   NOT NULL,
    hash            TEXT   NOT NULL,
    hint            TEXT   NOT NULL,
    label           TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_kind TEXT   NOT NULL,
    created_by_id   TEXT   NOT NULL,
    expires_at      BIGINT,
    ends_at         BIGINT,
    retired_at      BIGINT,
    leaked_at       BIGINT,
    version         BIGINT NOT NULL,
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE UNIQUE INDEX app_secrets_tag ON app_secrets (tag);
CREATE UNIQUE INDEX app_secrets_generation ON app_secrets (organisation_id, app_id, generation);

-- Folded words by which apps are found (ui.md §4.1).
CREATE TABLE app_words (
    organisation_id TEXT NOT NULL,
    word            TEXT NOT NULL,
    app_id          TEXT NOT NULL,
    PRIMARY KEY (organisation_id, word, app_id),
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE INDEX app_words_app ON app_words (organisation_id, app_id, word);

CREATE TABLE revoked_tokens (
    jti             TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL,
    app_id          TEXT   NOT NULL,
    expires_at      BIGINT NOT NULL,
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE INDEX revoked_tokens_app ON revoked_tokens (organisation_id, app_id, expires_at);

-- Spent form nonces: a repeated POST finds its nonce here and changes nothing (ui.md §4.4).
CREATE TABLE spent_nonces (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    nonce_hash      TEXT   NOT NULL,
    target_id       TEXT   NOT NULL,
    spent_at        BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, nonce_hash)
);

-- +goose Down
DROP TABLE spent_nonces;
DROP TABLE revoked_tokens;
DROP TABLE app_words;
DROP TABLE app_secrets;
DROP TABLE app_scopes;
DROP TABLE app_contacts;
DROP TABLE apps;
