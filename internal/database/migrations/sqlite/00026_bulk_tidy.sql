-- +goose Up

-- Bulk changes say what they are without their payload, which loses the names in it once they are over.
UPDATE jobs SET label = COALESCE(json_extract(payload, '$.Act'), '') WHERE kind = 'app.bulk';
UPDATE jobs SET payload = '{}' WHERE kind = 'app.bulk' AND state IN ('done', 'dead', 'cancelled');

-- A notice that was given before an organisation was suspended does not count when it comes back.
DELETE FROM idle_notices WHERE organisation_id IN (SELECT id FROM organisations WHERE status = 'suspended');

-- +goose Down
SELECT 1;
