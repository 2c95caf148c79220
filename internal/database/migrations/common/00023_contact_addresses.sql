-- +goose Up

-- What is known of the addresses of contacts, each once in an organisation however many apps it stands at. asked_at is when
-- its reader was last asked to confirm it, 0 for never; the others are when that was answered, and when a mail server
-- refused the address for good.
CREATE TABLE contact_addresses (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    email_key       TEXT   NOT NULL,
    asked_at        BIGINT NOT NULL,
    confirmed_at    BIGINT,
    denied_at       BIGINT,
    refused_at      BIGINT
);
CREATE UNIQUE INDEX contact_addresses_email_key ON contact_addresses (organisation_id, email_key);
CREATE INDEX contact_addresses_due ON contact_addresses (asked_at);

-- +goose Down
DROP TABLE contact_addresses;
