-- +goose Up

-- Groups of people and robot accounts. The roles of a group pass to its members. Groups are flat. No group of kind provider
-- is made yet; the kind stands here because a check cannot be widened later without copying the table.
CREATE TABLE groups (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    name            TEXT   NOT NULL,
    name_key        TEXT   NOT NULL,
    kind            TEXT   NOT NULL CHECK (kind IN ('built_in', 'local', 'provider')),
    created_at      BIGINT NOT NULL,
    modified_at     BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    UNIQUE (organisation_id, id)
);
CREATE UNIQUE INDEX groups_name_key ON groups (organisation_id, name_key);

CREATE TABLE group_roles (
    organisation_id TEXT NOT NULL,
    group_id        TEXT NOT NULL,
    role_id         TEXT NOT NULL,
    PRIMARY KEY (organisation_id, group_id, role_id),
    FOREIGN KEY (organisation_id, group_id) REFERENCES groups (organisation_id, id),
    FOREIGN KEY (organisation_id, role_id) REFERENCES roles (organisation_id, id)
);
CREATE INDEX group_roles_role ON group_roles (organisation_id, role_id);

CREATE TABLE group_people (
    organisation_id TEXT NOT NULL,
    group_id        TEXT NOT NULL,
    person_id       TEXT NOT NULL,
    PRIMARY KEY (organisation_id, group_id, person_id),
    FOREIGN KEY (organisation_id, group_id) REFERENCES groups (organisation_id, id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id)
);
CREATE INDEX group_people_person ON group_people (organisation_id, person_id);

CREATE TABLE group_robots (
    organisation_id TEXT NOT NULL,
    group_id        TEXT NOT NULL,
    robot_id        TEXT NOT NULL,
    PRIMARY KEY (organisation_id, group_id, robot_id),
    FOREIGN KEY (organisation_id, group_id) REFERENCES groups (organisation_id, id),
    FOREIGN KEY (organisation_id, robot_id) REFERENCES robot_accounts (organisation_id, id)
);
CREATE INDEX group_robots_robot ON group_robots (organisation_id, robot_id);

-- A deleted robot account keeps its row, since deleted apps name it, and gives its name back.
ALTER TABLE robot_accounts ADD COLUMN deleted_at BIGINT;

-- The form in which display names are searched and sorted. The program folds more than lower() does; what is not changed
-- again keeps this.
ALTER TABLE robot_accounts ADD COLUMN display_key TEXT NOT NULL DEFAULT '';
UPDATE robot_accounts SET display_key = CASE WHEN display_name = name THEN name_key ELSE lower(display_name) END;

-- The built-in groups of organisations that exist. Each takes the ID of the role it gives, which is a UUID of its own
-- table and so of no other group.
INSERT INTO groups (id, organisation_id, name, name_key, kind, created_at, modified_at, version)
SELECT r.id, r.organisation_id, r.name || 's', r.name_key || 's', 'built_in', r.created_at, r.created_at, 1
FROM roles r JOIN organisations o ON o.id = r.organisation_id AND o.kind = 'customer'
WHERE r.built_in AND r.name IN ('Administrator', 'Viewer');
INSERT INTO group_roles (organisation_id, group_id, role_id)
SELECT organisation_id, id, id FROM groups;

-- +goose Down
DROP TABLE group_robots;
DROP TABLE group_people;
DROP TABLE group_roles;
DROP TABLE groups;
ALTER TABLE robot_accounts DROP COLUMN display_key;
ALTER TABLE robot_accounts DROP COLUMN deleted_at;
