-- +goose Up

-- Saved views of the grid: a search with its order and page size under a name, for the one who saved it or for the whole
-- organisation (ui.md §4.1).
CREATE TABLE app_views (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    NOT NULL,
    person_id       TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    name_key        TEXT    NOT NULL,
    query           TEXT    NOT NULL,
    sort            TEXT    NOT NULL,
    descending      BOOLEAN NOT NULL,
    per_page        INTEGER NOT NULL,
    shared          BOOLEAN NOT NULL,
    created_at      BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id)
);
CREATE UNIQUE INDEX app_views_private_name_key ON app_views (organisation_id, person_id, name_key) WHERE NOT shared;
CREATE UNIQUE INDEX app_views_shared_name_key ON app_views (organisation_id, name_key) WHERE shared;

-- +goose Down
DROP TABLE app_views;
