-- +goose Up

-- What an app is there for: a caller gets tokens, a resource server is an API that asks what tokens are good for
-- (protocol.md §1.6). The latter acts as nobody and names the API; its category and type say nothing.
ALTER TABLE apps ADD COLUMN kind TEXT NOT NULL DEFAULT 'caller' CHECK (kind IN ('caller', 'resource_server'));
ALTER TABLE apps ADD COLUMN resource_api TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ALTER COLUMN api_user_id DROP NOT NULL;
ALTER TABLE apps ADD CONSTRAINT apps_kind_api_user CHECK ((kind = 'caller') = (api_user_id IS NOT NULL));
ALTER TABLE apps ADD CONSTRAINT apps_kind_resource_api CHECK ((kind = 'caller') = (resource_api = ''));

-- Who may change the catalogue manages these credentials, in the platform's own organisation.
INSERT INTO role_rights (organisation_id, role_id, right_name)
SELECT r.organisation_id, r.id, gained.right_name
FROM roles r
JOIN organisations o ON o.id = r.organisation_id
JOIN role_rights held ON held.organisation_id = r.organisation_id AND held.role_id = r.id AND held.right_name = 'catalogue.manage'
CROSS JOIN (SELECT 'apps.view' AS right_name UNION ALL SELECT 'apps.manage') gained
WHERE o.kind = 'platform' AND r.built_in AND r.name = 'Platform administrator';

-- +goose Down
DELETE FROM role_rights WHERE right_name IN ('apps.view', 'apps.manage')
    AND organisation_id IN (SELECT id FROM organisations WHERE kind = 'platform');
ALTER TABLE apps DROP CONSTRAINT apps_kind_resource_api;
ALTER TABLE apps DROP CONSTRAINT apps_kind_api_user;
ALTER TABLE apps ALTER COLUMN api_user_id SET NOT NULL;
ALTER TABLE apps DROP COLUMN resource_api;
ALTER TABLE apps DROP COLUMN kind;
