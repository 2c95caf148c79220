package main

import (
	"context"
	"fmt"
	"strings"
)

const (
	goodClients = 8
	// scopes and form are what every token is asked for with: two scopes of one API, as the smallest real client.
	scopes = "core.invoice.read core.invoice.write"
	form   = "grant_type=client_credentials&scope=core.invoice.read+core.invoice.write"
	// audience is the path of that API's audience URI.
	audience = "/apis/coupa-core"
	orgName  = "Acme"
)

// account is what a client has to know of itself.
type account struct {
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"`
	SecretID string `json:"secret_id"`
	AppID    string `json:"id"`
}

// world is an installation with a few apps whose secrets are known: what the token endpoint is measured with.
type world struct {
	*installation

	org     organisation
	good    []account // each with one secret
	two     account   // with two that work: Secret, and older
	older   string
	retired []account // good ones with a secret that they had before
	many    []account // more, made when they are needed
}

func newWorld(ctx context.Context, parent, binary string) (*world, error) {
	i, err := newInstallation(parent, binary)
	if err != nil {
		return nil, err
	}
	w := &world{installation: i}
	if w.org, err = i.organisation(ctx); err != nil {
		return nil, err
	}
	for n := range goodClients {
		a, err := w.app(ctx, fmt.Sprintf("Good client %d", n+1))
		if err != nil {
			return nil, err
		}
		w.good = append(w.good, a)
	}
	for n := range 4 { // half of the good clients had another secret until now
		old := w.good[n]
		if w.good[n], err = w.rotate(ctx, old.ID, "now"); err != nil {
			return nil, err
		}
		w.retired = append(w.retired, old)
	}
	first, err := w.app(ctx, "Client with two secrets")
	if err != nil {
		return nil, err
	}
	w.older = first.Secret
	w.two, err = w.rotate(ctx, first.ID, "30d")
	return w, err
}

// organisation is an organisation with its administrator, who is the contact of its apps.
type organisation struct {
	ID   string `json:"id"`
	link string // by which the administrator sets a password, once
}

func (i *installation) organisation(ctx context.Context) (organisation, error) {
	var org organisation
	if err := i.command(ctx, &org, "org", "create", "--name", orgName, "--prefix", strings.ToUpper(orgName)); err != nil {
		return org, err
	}
	var person struct {
		Link string `json:"signin_link"`
	}
	err := i.command(ctx, &person, "person", "create", "--org", strings.ToLower(orgName), "--email", "ana.silva@acme.example", "--admin")
	org.link = person.Link
	return org, err
}

func (w *world) app(ctx context.Context, name string) (a account, err error) {
	args := []string{"app", "create", "--org", strings.ToLower(orgName), "--name", name}
	for scope := range strings.FieldsSeq(scopes) {
		args = append(args, "--scope", scope)
	}
	return a, w.command(ctx, &a, args...)
}

func (w *world) rotate(ctx context.Context, clientID, oldEnds string) (a account, err error) {
	return a, w.command(ctx, &a, "app", "rotate", clientID, "--old-ends", oldEnds)
}

// requests are the token requests of the good clients to a server.
func (w *world) requests(host string) [][]byte {
	var list [][]byte
	for _, a := range w.good {
		list = append(list, tokenRequest(host, a.ID, a.Secret))
	}
	return list
}

// warm has each good client get a token, so that the server knows all their secrets.
func (w *world) warm(ctx context.Context, host string) error {
	seen := crowd{Server: host, Connections: 1, Requests: w.requests(host), Total: goodClients, Within: patience}.run(ctx)
	if seen.Answers[200] != goodClients {
		return fmt.Errorf("the clients got no tokens: %v", seen)
	}
	return nil
}
