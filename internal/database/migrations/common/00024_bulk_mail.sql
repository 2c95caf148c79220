-- +goose Up

-- What a page says of a job without reading its payload.
ALTER TABLE jobs ADD COLUMN label TEXT NOT NULL DEFAULT '';

-- Whose job is next: organisations take turns, each with the job that is due longest. '-' is the installation itself.
CREATE INDEX jobs_turn ON jobs (kind, COALESCE(organisation_id, '-'), due_at, id) WHERE state IN ('queued', 'running');

-- What a person writes to contacts, and where the answer goes.
ALTER TABLE mails ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE mails ADD COLUMN reply_name TEXT NOT NULL DEFAULT '';
ALTER TABLE mails ADD COLUMN reply_email TEXT NOT NULL DEFAULT '';

-- How far ahead the mails of an organisation, and those to an address, are planned. scope names either without saying the
-- address. A row is worth nothing once next_at has passed.
CREATE TABLE mail_pace (
    scope   TEXT   NOT NULL PRIMARY KEY,
    next_at BIGINT NOT NULL
);
CREATE INDEX mail_pace_next ON mail_pace (next_at);

-- What a bulk change has to tell whom, written with the change of each app; the end of the change makes one mail for each
-- address of it and deletes the rows.
CREATE TABLE bulk_news (
    job_id          TEXT   NOT NULL,
    email_key       TEXT   NOT NULL,
    app_id          TEXT   NOT NULL,
    organisation_id TEXT   NOT NULL,
    text_key        TEXT   NOT NULL,
    to_name         TEXT   NOT NULL,
    to_email        TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (job_id, email_key, app_id),
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE INDEX bulk_news_app ON bulk_news (organisation_id, app_id);
CREATE INDEX bulk_news_at ON bulk_news (at);

-- How often the reader of an address has answered since when.
ALTER TABLE contact_addresses ADD COLUMN answers BIGINT NOT NULL DEFAULT 0;
ALTER TABLE contact_addresses ADD COLUMN answers_from BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE contact_addresses DROP COLUMN answers_from;
ALTER TABLE contact_addresses DROP COLUMN answers;
DROP TABLE bulk_news;
DROP TABLE mail_pace;
ALTER TABLE mails DROP COLUMN reply_email;
ALTER TABLE mails DROP COLUMN reply_name;
ALTER TABLE mails DROP COLUMN words;
DROP INDEX jobs_turn;
ALTER TABLE jobs DROP COLUMN label;
