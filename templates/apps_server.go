package templates

import (
	"context"
	"strings"

	"credenza.example/credenza/internal/i18n"
)

// A resource server is an app of the other kind: an API that checks tokens. Its pages are those of all apps; view models
// tell it by Introspects, the title of its API, which is empty for an app that calls APIs.

// ofKind is the key of a sentence that reads otherwise of a resource server.
func ofKind(key, introspects string) string {
	if introspects != "" {
		return key + "_server"
	}
	return key
}

// AppKinds is what the register form asks of the kind of app. The field is sent as kind (caller, resource_server), and
// the API as resource_api. The zero value asks nothing.
type AppKinds struct {
	Offered bool
	Kind    string   // chosen
	APIs    []AppAPI // of which a resource server can be made
	API     string   // chosen key
}

func (k AppKinds) options(ctx context.Context) []Option {
	options := coded(ctx, "apps.what.", k.Kind, []string{"caller", "resource_server"})
	for i := range options {
		options[i].Hint = i18n.T(ctx, "apps.what_hint."+options[i].Value)
	}
	return options
}

func (k AppKinds) apiOptions(ctx context.Context) []Option {
	options := []Option{{Label: i18n.T(ctx, "apps.field.resource_api_choose"), Selected: k.API == ""}}
	for _, a := range k.APIs {
		options = append(options, Option{Value: a.Key, Label: a.Title, Selected: a.Key == k.API})
	}
	return options
}

// callers reports whether the form asks what only apps that call APIs are asked.
func (v AppForm) callers() bool { return v.Introspects == "" }

// text is a text that speaks of the app; where it may be a resource server, the one that speaks of either.
func (v AppForm) text(ctx context.Context, key string) string {
	if v.Kinds.Offered || v.Introspects != "" {
		return i18n.T(ctx, key+"_server")
	}
	return i18n.T(ctx, key)
}

// activeHint says what "inactive" means for the kinds the form may be about.
func (v AppForm) activeHint(ctx context.Context) string {
	if v.Kinds.Offered {
		return i18n.T(ctx, "apps.field.active_hint_either")
	}
	return i18n.T(ctx, ofKind("apps.field.active_hint", v.Introspects))
}

// ReadTokenCommand asks for a token without showing it, as ReadSecretCommand does for the secret.
const ReadTokenCommand = "read -rs CCW_TOKEN"

// IntrospectCommand is the command with which an API asks about the token in CCW_TOKEN. Neither it nor the secret stands
// in the list of processes.
func (t TryIt) IntrospectCommand() string {
	return strings.Join([]string{
		`printf 'user = "%s:%s"\ndata-urlencode = "token=%s"\n' \`,
		`    ` + t.ClientID + ` \`,
		`    "$CCW_SECRET" "$CCW_TOKEN" |`,
		`  curl -sS -K - ` + t.IntrospectURL,
	}, "\n")
}

// introspects reports whether the commands are those of a resource server.
func (t TryIt) introspects() bool { return t.IntrospectURL != "" }
