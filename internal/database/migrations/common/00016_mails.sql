-- +goose Up

-- Mails on their way and those that were sent, kept for a while: what pages show of them, and whom they went to, which is
-- personal data and goes with the app that a mail is about. key and args make the sentences; there is no secret in them.
-- A fleeting mail is deleted as soon as it is sent or given up.
CREATE TABLE mails (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    REFERENCES organisations (id),
    to_name         TEXT    NOT NULL,
    to_email        TEXT    NOT NULL,
    language        TEXT    NOT NULL,
    text_key        TEXT    NOT NULL,
    args            TEXT    NOT NULL,
    path            TEXT    NOT NULL,
    about_kind      TEXT    NOT NULL,
    about_id        TEXT    NOT NULL,
    fleeting        BOOLEAN NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'kept', 'sent', 'failed', 'refused')),
    attempts        BIGINT  NOT NULL,
    last_error      TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    finished_at     BIGINT
);
CREATE INDEX mails_about ON mails (about_kind, about_id, id);
CREATE INDEX mails_finished ON mails (finished_at) WHERE finished_at IS NOT NULL;

-- Which stage before its end was told of a secret. A secret whose end is moved is told of anew.
CREATE TABLE secret_notices (
    organisation_id TEXT    NOT NULL,
    secret_id       TEXT    NOT NULL,
    ends_at         BIGINT  NOT NULL,
    stage           INTEGER NOT NULL,
    told_at         BIGINT  NOT NULL,
    PRIMARY KEY (secret_id, ends_at, stage),
    FOREIGN KEY (organisation_id, secret_id) REFERENCES app_secrets (organisation_id, id)
);
CREATE INDEX secret_notices_told ON secret_notices (told_at);
CREATE INDEX app_secrets_expires ON app_secrets (expires_at) WHERE expires_at IS NOT NULL AND retired_at IS NULL AND leaked_at IS NULL;
CREATE INDEX app_secrets_ends ON app_secrets (ends_at) WHERE ends_at IS NOT NULL AND retired_at IS NULL AND leaked_at IS NULL;

-- +goose Down
DROP INDEX app_secrets_ends;
DROP INDEX app_secrets_expires;
DROP TABLE secret_notices;
DROP TABLE mails;
