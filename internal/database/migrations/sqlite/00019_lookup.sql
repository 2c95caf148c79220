-- +goose Up

-- Names of apps over all organisations, for support (protocol.md §6): the folded name from each of its words on, so that
-- whatever a name goes on with is one range.
CREATE TABLE app_name_parts (
    organisation_id TEXT NOT NULL,
    app_id          TEXT NOT NULL,
    part            TEXT NOT NULL,
    PRIMARY KEY (part, app_id),
    FOREIGN KEY (organisation_id, app_id) REFERENCES apps (organisation_id, id)
);
CREATE INDEX app_name_parts_app ON app_name_parts (organisation_id, app_id);

-- Apps that are older than that table: folding a name is not for SQL, so that the server fills it when it runs.
CREATE TABLE app_names_due (
    organisation_id TEXT NOT NULL,
    app_id          TEXT NOT NULL,
    PRIMARY KEY (app_id)
);
INSERT INTO app_names_due (organisation_id, app_id) SELECT organisation_id, id FROM apps WHERE deleted_at IS NULL;

-- Contacts by address over all organisations. An index and no column, so that what an older version writes is found too.
CREATE INDEX app_contacts_email ON app_contacts (lower(email), app_id) WHERE ended_at IS NULL;

-- How often a person of the platform looked something up in the hour that began with the first look.
CREATE TABLE support_looks (
    person_id TEXT   NOT NULL PRIMARY KEY,
    began_at  BIGINT NOT NULL,
    looks     BIGINT NOT NULL
);

-- Apps that nobody uses, for the home page.
CREATE INDEX apps_idle ON apps (organisation_id, status, last_used_at, created_at) WHERE deleted_at IS NULL;

-- The last events about apps, for the same page.
CREATE INDEX audit_events_kind ON audit_events (chain, target_kind, sequence);

-- +goose Down
DROP INDEX audit_events_kind;
DROP INDEX apps_idle;
DROP TABLE support_looks;
DROP INDEX app_contacts_email;
DROP TABLE app_names_due;
DROP TABLE app_name_parts;
