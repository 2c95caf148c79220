-- +goose Up

-- What was refused of requests that named an app (protocol.md §10): one row for each day (UTC; when it began, in
-- microseconds), reason, detail and network, with how often, first and last. detail is the ID of a secret, the name of a
-- scope or the code of a fault, never anything of what was presented as a secret. proven tells requests apart that came
-- with a secret of the app from those that anybody can send who knows its client ID.
CREATE TABLE app_rejections (
    app_id          TEXT    NOT NULL,
    day             BIGINT  NOT NULL,
    reason          TEXT    NOT NULL,
    detail          TEXT    NOT NULL,
    network         TEXT    NOT NULL,
    organisation_id TEXT    NOT NULL,
    proven          BOOLEAN NOT NULL,
    times           BIGINT  NOT NULL,
    first_at        BIGINT  NOT NULL,
    last_at         BIGINT  NOT NULL,
    PRIMARY KEY (app_id, day, reason, detail, network),
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE INDEX app_rejections_by_day ON app_rejections (day);

-- Client IDs that requests named and nobody registered, by the organisation whose prefix they have.
CREATE TABLE unknown_clients (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    client_id       TEXT   NOT NULL,
    network         TEXT   NOT NULL,
    times           BIGINT NOT NULL,
    first_at        BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, client_id)
);
CREATE INDEX unknown_clients_by_last ON unknown_clients (last_at);

-- +goose Down
DROP TABLE unknown_clients;
DROP TABLE app_rejections;
