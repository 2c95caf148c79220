package registry

import (
	"context"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
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
	found, ok, err := r.locate(ctx, actor, text)
	if err != nil || !ok {
		return Inspection{}, err
	}
	if found.AppID == id {
		return Inspection{Secret: found.ID}, nil
	}
	return Inspection{Other: &NearApp{ID: found.AppID, Name: found.Name, ClientID: found.ClientID}}, nil
}

// locate finds the secret of the actor's organisation that a text of the right format is.
func (r *Registry) locate(ctx context.Context, actor access.Actor, text string) (taggedSecret, bool, error) {
	parsed, err := secret.Parse(text)
	if err != nil {
		return taggedSecret{}, false, err
	}
	found, ok, err := r.store.secretByTag(ctx, actor.Organisation, parsed.Tag)
	return found, err == nil && ok && r.keys.Check(found.ClientID, parsed) == secret.TagValid, err
}

// Locate finds the app and the secret that a text is which somebody came across and wants out of use (ui.md §4.1),
// whatever has become of the secret. It takes apps.manage. What has not the format, or is no secret of the actor's
// organisation, is a fault of the field client_secret; of other organisations' secrets nothing is said. The text is kept
// nowhere.
func (r *Registry) Locate(ctx context.Context, actor access.Actor, text string) (AppID, SecretID, error) {
	act := audit.Act{Right: access.AppsManage, Action: "app.secret.locate", Organisation: actor.Organisation}
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return "", "", err
	}
	text = strings.TrimSpace(text)
	if secret.FlawOf(text) != "" {
		return "", "", problem.Fields(problem.NewField("client_secret", "app.locate.no_secret"))
	}
	found, ok, err := r.locate(ctx, actor, text)
	if err == nil && !ok {
		err = problem.Fields(problem.NewField("client_secret", "app.locate.unknown"))
	}
	return found.AppID, found.ID, err
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
