-- +goose Up

-- What administrators changed of the catalogue that is built into the program. The version is raised by every change of
-- either table, so that a catalogue which was checked as a whole is stored only when nothing changed meanwhile.
CREATE TABLE catalogue_state (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO catalogue_state (id, version) VALUES (1, 1);

-- APIs that were added: the document is one API in the form of catalogue.yaml. organisation_id is NULL for an API that
-- every organisation may use, else whose own it is.
CREATE TABLE catalogue_apis (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   REFERENCES organisations (id),
    api_key         TEXT   NOT NULL,
    document        TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    modified_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX catalogue_apis_key ON catalogue_apis (api_key);

-- Calls to which administrators gave scopes, or which they added to a built-in API. any_of is separated by spaces.
CREATE TABLE catalogue_mappings (
    id          TEXT   NOT NULL PRIMARY KEY,
    api_key     TEXT   NOT NULL,
    object      TEXT   NOT NULL,
    method      TEXT   NOT NULL,
    path        TEXT   NOT NULL,
    access      TEXT   NOT NULL,
    any_of      TEXT   NOT NULL,
    note        TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX catalogue_mappings_call ON catalogue_mappings (api_key, method, path);

-- +goose Down
DROP TABLE catalogue_mappings;
DROP TABLE catalogue_apis;
DROP TABLE catalogue_state;
