-- +goose Up

-- How often a secret was used in an hour from a network (product.md decision 18). hour is when it began, last_used_at the
-- last use within it, both in microseconds. secret_id is unique in the installation and stands first, so that the rows
-- of a few secrets are found together.
CREATE UNIQUE INDEX app_secrets_of_organisation ON app_secrets (organisation_id, id);
CREATE TABLE secret_usage (
    secret_id       TEXT   NOT NULL,
    hour            BIGINT NOT NULL,
    network         TEXT   NOT NULL,
    organisation_id TEXT   NOT NULL,
    uses            BIGINT NOT NULL,
    last_used_at    BIGINT NOT NULL,
    PRIMARY KEY (secret_id, hour, network),
    FOREIGN KEY (organisation_id, secret_id) REFERENCES app_secrets (organisation_id, id)
);
CREATE INDEX secret_usage_by_hour ON secret_usage (hour);

-- 0 is never: a key to sort by may not be missing.
ALTER TABLE app_secrets ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX apps_by_used ON apps (organisation_id, last_used_at, id) WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX apps_by_used;
ALTER TABLE apps DROP COLUMN last_used_at;
ALTER TABLE app_secrets DROP COLUMN last_used_at;
DROP TABLE secret_usage;
DROP INDEX app_secrets_of_organisation;
