package templates

import (
	"context"
	"strings"

	"credenza.example/credenza/internal/i18n"
)

// APIPage describes the management API to people. The same routes give its OpenAPI document, at DocumentHref.
type APIPage struct {
	Frame        Frame
	TokenURL     string // https://host/oauth2/token
	Audience     string // what to name as resource in a token request
	DocumentHref string
	DocumentURL  string
	Groups       []APIGroup
}

// APIGroup are the calls about one thing. Code is the end of the key of its title.
type APIGroup struct {
	Code  string
	Calls []APICall
}

// APICall is one call. ID is unique on the page; Right is empty where a scope is enough. Example is its body as JSON, ""
// for none. Headers are those that it needs besides the token, as "Name: value".
type APICall struct {
	ID         string
	Summary    string
	More       string // may be empty
	Method     string
	URL        string // with shell variables for what stands in the path
	Path       string // with parameters in braces
	Scopes     []string
	Right      string
	Parameters []APIParameter
	Example    string
	Headers    []string
	Success    int
	Refusals   []string // statuses
}

// APIParameter is a parameter of the address or a header, with what it means.
type APIParameter struct {
	Name     string
	Text     string
	Values   []string // that it may have; none: any
	Required bool
}

// Command is the call for bash and zsh, with the token from the variable CCW_TOKEN, which stands nowhere in the list of
// processes. What is in the path comes from variables too.
func (c APICall) Command() string {
	lines := []string{`printf 'header = "Authorization: Bearer %s"\n' \`, `    "$CCW_TOKEN" |`, `  curl -sS -K -`}
	add := func(text string) {
		lines[len(lines)-1] += ` \`
		lines = append(lines, `    `+text)
	}
	if c.Method != "GET" {
		lines[len(lines)-1] += ` -X ` + c.Method
	}
	for _, h := range c.Headers {
		add(`-H '` + h + `'`)
	}
	if c.Example != "" {
		add(`-H 'Content-Type: application/json'`)
		add(`--data '` + c.Example + `'`)
	}
	add(`"` + c.URL + `"`)
	return strings.Join(lines, "\n")
}

// TokenCommand gets a token for this API and keeps it in CCW_TOKEN; the client ID comes from CCW_CLIENT_ID and the secret
// from CCW_SECRET.
func (v APIPage) TokenCommand() string {
	return strings.Join([]string{
		`CCW_TOKEN=$(printf 'user = "%s:%s"\n' \`,
		`    "$CCW_CLIENT_ID" "$CCW_SECRET" |`,
		`  curl -sS -K - ` + v.TokenURL + ` \`,
		`    -d grant_type=client_credentials \`,
		`    -d resource=` + v.Audience + ` |`,
		`  sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')`,
	}, "\n")
}

// title names a group.
func (g APIGroup) title(ctx context.Context) string { return i18n.T(ctx, "apidoc.group."+g.Code) }
