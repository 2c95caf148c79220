package registry

import (
	"context"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/secret"
)

// What people paste in place of a secret, beside the flaws that package secret knows (ui.md §2 row 13).
const (
	FlawClientID secret.Flaw = "client_id"
	FlawSecretID secret.Flaw = "secret_id" // or another ID of a row
	FlawToken    secret.Flaw = "token"     // an access token
)

// Inspection is what can be said of a text that somebody pasted as the secret of an app, without asking whether it works.
type Inspection struct {
	Flaw   secret.Flaw // "" when it has the format; then
	Secret SecretID    // the app's secret that it is, whatever has become of that
	Other  *NearApp    // or the other app of the same organisation whose secret it is
}

// Inspect looks at a text that was pasted as the secret of an app. It takes apps.view, which shows the apps of the
// organisation and the endings of their secrets; of other organisations' secrets nothing is said. The text is kept
// nowhere. It leads to its secret by the keyed tag inside (protocol.md §3.2), so only who holds the secret learns whose
// it is.
func (r *Registry) Inspect(ctx context.Context, actor access.Actor, id AppID, text string) (Inspection, error) {
	if err := r.mayViewApp(ctx, actor, "app.test", id); err != nil {
		return Inspection{}, err
	}
	if flaw := secret.FlawOf(text); flaw != "" {
		return Inspection{Flaw: mistakenFor(text, flaw)}, nil
	}
	parsed, err := secret.Parse(text)
	if err != nil {
		return Inspection{}, err
	}
	found, ok, err := r.store.secretByTag(ctx, actor.Organisation, parsed.Tag)
	if err != nil || !ok || r.keys.Check(found.ClientID, parsed) != secret.TagValid {
		return Inspection{}, err
	}
	if found.AppID == id {
		return Inspection{Secret: found.ID}, nil
	}
	return Inspection{Other: &NearApp{ID: found.AppID, Name: found.Name, ClientID: found.ClientID}}, nil
}

// mistakenFor names what a text is that does not begin as secrets do.
func mistakenFor(text string, flaw secret.Flaw) secret.Flaw {
	if flaw != secret.FlawPrefix {
		return flaw
	}
	_, isClientID := splitClientID(text)
	_, isID := database.ParseID(text)
	switch {
	case isClientID:
		return FlawClientID
	case isID:
		return FlawSecretID
	case strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2:
		return FlawToken
	default:
		return flaw
	}
}
