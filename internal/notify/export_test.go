package notify

import (
	"bytes"
	"context"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// Composed returns a mail as a server would get it.
func Composed(ctx context.Context, messages *i18n.Bundle, m Message) ([]byte, error) {
	h, err := newHouse(messages, "https://portal.example", nil)
	if err != nil {
		return nil, err
	}
	args, err := encodeArgs(m.Args)
	if err != nil {
		return nil, err
	}
	row := &mailRow{
		ID: "0199", ToName: m.To.Name, ToEmail: m.To.Email, Language: m.Language, TextKey: m.Key, Args: args, Path: m.Path,
		Words: m.Words, ReplyName: m.ReplyTo.Name, ReplyEmail: m.ReplyTo.Email,
		CreatedAt: time.Date(2026, time.November, 22, 13, 5, 0, 0, time.UTC),
	}
	made, err := h.compose(ctx, row, row.CreatedAt)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = made.WriteTo(&b)
	return b.Bytes(), err
}
