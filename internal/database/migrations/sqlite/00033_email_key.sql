-- +goose Up

-- What the address of a contact is known by: its letters A to Z without case, as contact_addresses has it. The database
-- makes it, so that what an older version of the product writes has it too.
ALTER TABLE app_contacts ADD COLUMN email_key TEXT NOT NULL GENERATED ALWAYS AS (lower(email)) VIRTUAL;
CREATE INDEX app_contacts_email_key ON app_contacts (email_key, app_id) WHERE ended_at IS NULL;

-- +goose Down
DROP INDEX app_contacts_email_key;
ALTER TABLE app_contacts DROP COLUMN email_key;
