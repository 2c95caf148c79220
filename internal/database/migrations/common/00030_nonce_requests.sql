-- +goose Up

-- What was asked for when the nonce was spent, as a hash: a program that sends the same key for something else has made a
-- mistake and hears so. Empty where only the key counts.
ALTER TABLE spent_nonces ADD COLUMN request_hash TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE spent_nonces DROP COLUMN request_hash;
