package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"credenza.example/credenza/internal/secret"
)

// holder keeps secrets where package fmt cannot ask their methods.
type holder struct {
	inside  secret.Secret
	pointer *secret.Secret
	parsed  secret.Parsed
}

// TestSecretIsRedactedWhereverItIsPrinted is T4 of security.md: no way of printing shows the text, its body or a key.
func TestSecretIsRedactedWhereverItIsPrinted(t *testing.T) {
	made := newMade(t)
	text := made.Secret.Reveal()
	parsed, err := secret.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	key := secret.TagKey{ID: 'a', State: secret.Signing, Key: []byte("a tag key of thirty-two bytes...")}
	values := map[string]any{
		"secret":     made.Secret,
		"pointer":    &made.Secret,
		"made":       made,
		"parsed":     parsed,
		"slice":      []secret.Secret{made.Secret},
		"map":        map[string]secret.Secret{"s": made.Secret},
		"exported":   struct{ S secret.Secret }{made.Secret},
		"unexported": holder{made.Secret, &made.Secret, parsed},
		"key":        key,
		"keys":       newKeys(t),
		"error":      fmt.Errorf("wrapped: %v", made.Secret),
		"zero":       secret.Secret{},
	}
	for name, value := range values {
		for _, printed := range printings(t, value) {
			if strings.Contains(printed, text[7:50]) || strings.Contains(printed, "thirty-two") {
				t.Errorf("%s shows the secret: %s", name, printed)
			}
		}
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.3s"} {
		if got := fmt.Sprintf(format, made.Secret); got != "[redacted]" {
			t.Errorf("%s prints %q, want [redacted]", format, got)
		}
	}
}

// printings returns what every verb, marshaller and log handler makes of the value.
func printings(t *testing.T, value any) []string {
	t.Helper()
	var all []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%p", "% x", "%T"} {
		all = append(all, fmt.Sprintf(verb, value))
	}
	all = append(all, fmt.Sprint(value), fmt.Sprintln(value))
	if text, err := json.Marshal(value); err == nil {
		all = append(all, string(text))
	}
	if text, err := xml.Marshal(value); err == nil {
		all = append(all, string(text))
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value, slog.Group("g", "value", value))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value, slog.Group("g", "value", value))
	return append(all, log.String())
}

func TestSecretMarshalsAsRedacted(t *testing.T) {
	s := newMade(t).Secret
	got, err := json.Marshal(map[string]any{"client_secret": s})
	if err != nil || string(got) != `{"client_secret":"[redacted]"}` {
		t.Errorf("JSON: %s, %v", got, err)
	}
	if got := s.LogValue().String(); got != "[redacted]" {
		t.Errorf("LogValue: %s", got)
	}
	if got := (secret.Secret{}).Reveal(); got != "" {
		t.Errorf("the zero Secret holds %q", got)
	}
}

func TestTagKeyShowsItsIDAndStateOnly(t *testing.T) {
	key := secret.TagKey{ID: 'a', State: secret.Signing, Key: []byte("key")}
	const want = "tag key 'a' (signing)"
	if got := fmt.Sprintf("%+v", key); got != want {
		t.Errorf("printed: %s, want %s", got, want)
	}
	if got, err := json.Marshal(key); err != nil || string(got) != `"`+want+`"` {
		t.Errorf("JSON: %s, %v", got, err)
	}
	if got := key.LogValue().String(); got != want {
		t.Errorf("LogValue: %s", got)
	}
}
