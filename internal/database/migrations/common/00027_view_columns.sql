-- +goose Up

-- A saved view also keeps which optional columns the grid shows, as its address has them, and how dense its rows are.
ALTER TABLE app_views ADD COLUMN shown_columns TEXT NOT NULL DEFAULT '';
ALTER TABLE app_views ADD COLUMN compact BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE app_views DROP COLUMN compact;
ALTER TABLE app_views DROP COLUMN shown_columns;
