-- +goose Up

-- Work that outlives a request. due_at is when the job may be taken: while it is queued its time, while it runs the end of
-- the lease of who runs it. claims counts how often it was taken and names the one who has it; failures counts the runs
-- that came to nothing. organisation_id is empty for work of the installation itself.
CREATE TABLE jobs (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    REFERENCES organisations (id),
    kind            TEXT    NOT NULL,
    job_key         TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'dead', 'cancelled')),
    due_at          BIGINT  NOT NULL,
    claims          BIGINT  NOT NULL,
    failures        BIGINT  NOT NULL,
    total           BIGINT  NOT NULL,
    done            BIGINT  NOT NULL,
    cancel_asked    BOOLEAN NOT NULL,
    last_error      TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    started_at      BIGINT,
    finished_at     BIGINT
);
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (finished_at) WHERE state = 'dead';

-- A key keeps the same work from waiting twice.
CREATE UNIQUE INDEX jobs_job_key ON jobs (kind, job_key, COALESCE(organisation_id, ''))
    WHERE job_key <> '' AND state IN ('queued', 'running');

-- What became of each thing a job went through, written in the transaction of the act on it.
CREATE TABLE job_items (
    job_id  TEXT   NOT NULL REFERENCES jobs (id),
    item    TEXT   NOT NULL,
    outcome TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (job_id, item)
);

-- +goose Down
DROP TABLE job_items;
DROP TABLE jobs;
