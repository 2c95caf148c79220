-- +goose Up

-- What an organisation decided for its apps (product.md decision 5). One without a row has the defaults: expiry is
-- recommended, and apps that nobody uses stay. secret_ceiling_days counts where expiry is required.
CREATE TABLE organisation_policies (
    organisation_id     TEXT   NOT NULL PRIMARY KEY REFERENCES organisations (id),
    secret_expiry       TEXT   NOT NULL CHECK (secret_expiry IN ('optional', 'recommended', 'required')),
    secret_ceiling_days BIGINT NOT NULL CHECK ((secret_expiry = 'required') = (secret_ceiling_days > 0)),
    idle_days           BIGINT NOT NULL CHECK (idle_days >= 0),
    modified_at         BIGINT NOT NULL,
    version             BIGINT NOT NULL
);

-- Since when it is said of an unused app that the policy will switch it off.
CREATE TABLE idle_notices (
    organisation_id TEXT   NOT NULL,
    app_id          TEXT   NOT NULL,
    noticed_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, app_id),
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);

-- +goose Down
DROP TABLE idle_notices;
DROP TABLE organisation_policies;
