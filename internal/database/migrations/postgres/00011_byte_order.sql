-- +goose Up

-- Words and sort keys compare by bytes, as on SQLite, so that prefix ranges and keyset cursors mean the same on both.
ALTER TABLE app_words ALTER COLUMN word TYPE TEXT COLLATE "C";
ALTER TABLE app_words ALTER COLUMN app_id TYPE TEXT COLLATE "C"; -- as apps.id below: else no index joins the two
ALTER TABLE apps ALTER COLUMN name_key TYPE TEXT COLLATE "C";
ALTER TABLE apps ALTER COLUMN category TYPE TEXT COLLATE "C";
ALTER TABLE apps ALTER COLUMN status TYPE TEXT COLLATE "C";
ALTER TABLE apps ALTER COLUMN id TYPE TEXT COLLATE "C";

-- +goose Down
ALTER TABLE apps ALTER COLUMN id TYPE TEXT;
ALTER TABLE apps ALTER COLUMN status TYPE TEXT;
ALTER TABLE apps ALTER COLUMN category TYPE TEXT;
ALTER TABLE apps ALTER COLUMN name_key TYPE TEXT;
ALTER TABLE app_words ALTER COLUMN app_id TYPE TEXT;
ALTER TABLE app_words ALTER COLUMN word TYPE TEXT;
