-- +goose Up

-- For the lines of the home page that tell what somebody should act on: neither may read more than it counts.
CREATE INDEX app_rejections_of_day ON app_rejections (organisation_id, day);
CREATE INDEX contact_addresses_stale ON contact_addresses (organisation_id, email_key) WHERE denied_at IS NOT NULL OR refused_at IS NOT NULL;

-- +goose Down
DROP INDEX contact_addresses_stale;
DROP INDEX app_rejections_of_day;
