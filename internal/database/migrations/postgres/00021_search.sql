-- +goose Up

-- How an app stands with its secrets, as numbers that an index can be asked for: when the last of those that work ends,
-- when there are no longer two, and since when one of those that nobody took out of use has expired (µs; 0 is never
-- worked, and beyond all moments is for ever). The triggers keep them whoever writes secrets; rows are never deleted.
ALTER TABLE apps ADD COLUMN secrets_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN two_secrets_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN secret_expired_from BIGINT NOT NULL DEFAULT 4611686018427387904;

-- As apps.id (00011): else no index joins the two.
ALTER TABLE app_secrets ALTER COLUMN app_id TYPE TEXT COLLATE "C";
ALTER TABLE app_scopes ALTER COLUMN app_id TYPE TEXT COLLATE "C";

CREATE VIEW app_secret_ends AS
SELECT organisation_id, app_id, expires_at, ends_at,
    least(COALESCE(expires_at, 4611686018427387904), COALESCE(ends_at, 4611686018427387904)) AS ends
FROM app_secrets WHERE retired_at IS NULL AND leaked_at IS NULL;

UPDATE apps SET
    secrets_until = COALESCE((SELECT max(ends) FROM app_secret_ends s
        WHERE s.organisation_id = apps.organisation_id AND s.app_id = apps.id), 0),
    two_secrets_until = COALESCE((SELECT ends FROM app_secret_ends s
        WHERE s.organisation_id = apps.organisation_id AND s.app_id = apps.id ORDER BY ends DESC LIMIT 1 OFFSET 1), 0),
    secret_expired_from = COALESCE((SELECT min(expires_at) FROM app_secret_ends s
        WHERE s.organisation_id = apps.organisation_id AND s.app_id = apps.id
        AND expires_at < COALESCE(ends_at, 4611686018427387904)), 4611686018427387904);

-- +goose StatementBegin
CREATE FUNCTION app_secrets_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE apps SET
        secrets_until = COALESCE((SELECT max(ends) FROM app_secret_ends s
            WHERE s.organisation_id = NEW.organisation_id AND s.app_id = NEW.app_id), 0),
        two_secrets_until = COALESCE((SELECT ends FROM app_secret_ends s
            WHERE s.organisation_id = NEW.organisation_id AND s.app_id = NEW.app_id ORDER BY ends DESC LIMIT 1 OFFSET 1), 0),
        secret_expired_from = COALESCE((SELECT min(expires_at) FROM app_secret_ends s
            WHERE s.organisation_id = NEW.organisation_id AND s.app_id = NEW.app_id
            AND expires_at < COALESCE(ends_at, 4611686018427387904)), 4611686018427387904)
    WHERE id = NEW.app_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER app_secrets_added AFTER INSERT ON app_secrets FOR EACH ROW EXECUTE FUNCTION app_secrets_stand();
CREATE TRIGGER app_secrets_ended AFTER UPDATE OF expires_at, ends_at, retired_at, leaked_at ON app_secrets
    FOR EACH ROW EXECUTE FUNCTION app_secrets_stand();

CREATE INDEX apps_by_secrets ON apps (organisation_id, secrets_until, two_secrets_until, secret_expired_from, id) WHERE deleted_at IS NULL;
CREATE INDEX apps_by_two_secrets ON apps (organisation_id, two_secrets_until, id) WHERE deleted_at IS NULL;
CREATE INDEX apps_by_user ON apps (organisation_id, api_user_id, id) WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX apps_by_user;
DROP INDEX apps_by_two_secrets;
DROP INDEX apps_by_secrets;
DROP TRIGGER app_secrets_ended ON app_secrets;
DROP TRIGGER app_secrets_added ON app_secrets;
DROP FUNCTION app_secrets_stand();
DROP VIEW app_secret_ends;
ALTER TABLE app_scopes ALTER COLUMN app_id TYPE TEXT;
ALTER TABLE app_secrets ALTER COLUMN app_id TYPE TEXT;
ALTER TABLE apps DROP COLUMN secret_expired_from;
ALTER TABLE apps DROP COLUMN two_secrets_until;
ALTER TABLE apps DROP COLUMN secrets_until;
