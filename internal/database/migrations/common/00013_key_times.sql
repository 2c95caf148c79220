-- +goose Up

-- A key signs from signs_from (NULL: since it was made) until signs_until (NULL: nothing has taken over yet). Both are
-- sealed with the key, so a row whose times were changed does not open. ended_at is when its private half was removed or
-- the key dropped, for people to read.
ALTER TABLE keys ADD COLUMN signs_from BIGINT;
ALTER TABLE keys ADD COLUMN signs_until BIGINT;
ALTER TABLE keys ADD COLUMN ended_at BIGINT;

-- +goose Down
ALTER TABLE keys DROP COLUMN ended_at;
ALTER TABLE keys DROP COLUMN signs_until;
ALTER TABLE keys DROP COLUMN signs_from;
