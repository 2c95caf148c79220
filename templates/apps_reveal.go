package templates

import (
	"context"
	"strings"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// AppReveal is the answer to register and rotate: the one page that shows a secret (ui.md §4.4). Render it straight into
// the answer of the POST, status 200, Cache-Control no-store; keep it nowhere.
//
// The secret stands in the page exactly twice, both elements marked data-secret so that the script can hide and wipe
// them: as value of the field "Client secret", and as text of the .env block. The printed commands do not hold it.
type AppReveal struct {
	Frame     Frame
	AppName   string
	ClientID  string
	Secret    string    // plaintext
	ExpiresAt time.Time // of the new secret; zero: does not expire

	OldHint string    // ending of the old secret, "" when there is none
	OldEnds time.Time // when the old secret stops working; zero with OldHint set: it has ended already

	CloseHref string // the app's page; the script also makes it the address, so that a reload shows that page
	TestHref  string // the test panel; "" leads to the commands on this page instead
	Try       TryIt
	FileName  string // of the downloads, without ending: sap-spend-export
}

// TryIt is what the printed commands need. They are complete lines for a shell; nothing in them is secret.
type TryIt struct {
	ClientID string
	TokenURL string // https://host/oauth2/token
	SelfURL  string // https://host/api/v1/apps/self
	Scope    string // one scope of the app; "" asks for all of them
	// IntrospectURL is https://host/oauth2/introspect for a resource server, which asks about tokens and gets none.
	IntrospectURL string
}

// ReadSecretCommand asks for the secret without showing it, so that it stands neither in the shell's history nor in the
// list of processes.
const ReadSecretCommand = "read -rs CCW_SECRET"

// TokenCommand is the command that gets a token, for bash and zsh, with the secret from the variable CCW_SECRET. The
// names it holds need no quoting: client IDs, scopes and addresses are made of plain characters.
func (t TryIt) TokenCommand() string {
	lines := []string{
		`printf 'user = "%s:%s"\n' \`,
		`    ` + t.ClientID + ` "$CCW_SECRET" |`,
		`  curl -sS -K - ` + t.TokenURL + ` \`,
		`    -d grant_type=client_credentials`,
	}
	if t.Scope != "" {
		lines[3] += ` \`
		lines = append(lines, `    -d scope=`+t.Scope)
	}
	return strings.Join(lines, "\n")
}

// SelfCommand gets a token, keeps it in CCW_TOKEN and asks for the app's own record with it.
func (t TryIt) SelfCommand() string {
	return strings.Join([]string{
		`CCW_TOKEN=$(` + t.TokenCommand() + ` |`,
		`  sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')`,
		`printf 'header = "Authorization: Bearer %s"\n' \`,
		`    "$CCW_TOKEN" |`,
		`  curl -sS -K - ` + t.SelfURL,
	}, "\n")
}

// env is the block for an .env file.
func (v AppReveal) env() string {
	address := "CCW_TOKEN_URL=" + v.Try.TokenURL
	if v.Try.introspects() {
		address = "CCW_INTROSPECTION_URL=" + v.Try.IntrospectURL
	}
	return strings.Join([]string{"CCW_CLIENT_ID=" + v.ClientID, "CCW_SECRET=" + v.Secret, address}, "\n")
}

// page: the crumb of the app is left out, since leaving the page by accident loses the secret.
func (v AppReveal) page(ctx context.Context) Page {
	return v.Frame.appPage(ctx, i18n.T(ctx, "apps.reveal.page_title", "App", v.AppName), "", "")
}
