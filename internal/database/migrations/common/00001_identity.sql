-- +goose Up
CREATE TABLE organisations (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    name_key      TEXT    NOT NULL,
    short_name    TEXT    NOT NULL,
    client_prefix TEXT    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('customer', 'platform')),
    status        TEXT    NOT NULL CHECK (status IN ('active', 'suspended')),
    created_at    BIGINT  NOT NULL,
    version       BIGINT  NOT NULL
);
CREATE UNIQUE INDEX organisations_name_key ON organisations (name_key);
CREATE UNIQUE INDEX organisations_short_name ON organisations (short_name);
CREATE UNIQUE INDEX organisations_client_prefix ON organisations (client_prefix);
CREATE UNIQUE INDEX organisations_one_platform ON organisations (kind) WHERE kind = 'platform';

CREATE TABLE people (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    email           TEXT   NOT NULL,
    email_key       TEXT   NOT NULL,
    first_name      TEXT   NOT NULL,
    last_name       TEXT   NOT NULL,
    status          TEXT   NOT NULL CHECK (status IN ('invited', 'active', 'inactive')),
    password_hash   TEXT   NOT NULL,
    password_set_at BIGINT,
    created_at      BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    UNIQUE (organisation_id, id)
);
CREATE UNIQUE INDEX people_email_key ON people (email_key);

CREATE TABLE roles (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    NOT NULL REFERENCES organisations (id),
    name            TEXT    NOT NULL,
    name_key        TEXT    NOT NULL,
    built_in        BOOLEAN NOT NULL,
    created_at      BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,
    UNIQUE (organisation_id, id)
);
CREATE UNIQUE INDEX roles_name_key ON roles (organisation_id, name_key);

CREATE TABLE role_rights (
    organisation_id TEXT NOT NULL,
    role_id         TEXT NOT NULL,
    right_name      TEXT NOT NULL,
    PRIMARY KEY (organisation_id, role_id, right_name),
    FOREIGN KEY (organisation_id, role_id) REFERENCES roles (organisation_id, id)
);

CREATE TABLE person_roles (
    organisation_id TEXT NOT NULL,
    person_id       TEXT NOT NULL,
    role_id         TEXT NOT NULL,
    PRIMARY KEY (organisation_id, person_id, role_id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id),
    FOREIGN KEY (organisation_id, role_id) REFERENCES roles (organisation_id, id)
);
CREATE INDEX person_roles_role ON person_roles (organisation_id, role_id);

-- Robot accounts; those of kind client, supplier and msp are the API users that apps act as (decision 14).
CREATE TABLE robot_accounts (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    name            TEXT   NOT NULL,
    name_key        TEXT   NOT NULL,
    display_name    TEXT   NOT NULL,
    kind            TEXT   NOT NULL CHECK (kind IN ('robot', 'client', 'supplier', 'msp')),
    status          TEXT   NOT NULL CHECK (status IN ('active', 'inactive')),
    expires_at      BIGINT,
    created_at      BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    UNIQUE (organisation_id, id)
);
CREATE UNIQUE INDEX robot_accounts_name_key ON robot_accounts (organisation_id, name_key);

CREATE TABLE robot_roles (
    organisation_id TEXT NOT NULL,
    robot_id        TEXT NOT NULL,
    role_id         TEXT NOT NULL,
    PRIMARY KEY (organisation_id, robot_id, role_id),
    FOREIGN KEY (organisation_id, robot_id) REFERENCES robot_accounts (organisation_id, id),
    FOREIGN KEY (organisation_id, role_id) REFERENCES roles (organisation_id, id)
);

-- +goose Down
DROP TABLE robot_roles;
DROP TABLE robot_accounts;
DROP TABLE person_roles;
DROP TABLE role_rights;
DROP TABLE roles;
DROP TABLE people;
DROP TABLE organisations;
