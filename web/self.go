package web

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// selfAPI answers an app about itself: what its credential may do and when its secrets end. It takes any live token of
// this issuer, whatever its audience, and no cookie (protocol.md §1.5).
func (s *Server) selfAPI(c echo.Context, token *oauth.Token) error {
	record, err := s.selfRecord(c.Request().Context(), token)
	if err != nil {
		return err
	}
	return api.WriteJSON(c.Response(), http.StatusOK, record)
}

// selfRecord is what an app hears of itself.
func (s *Server) selfRecord(ctx context.Context, token *oauth.Token) (api.SelfApp, error) {
	actor := access.Actor{
		Kind: access.KindApp, ID: string(token.Client.ID), Name: token.Client.ClientID, Organisation: token.Organisation,
		Scopes: token.Client.Scopes,
	}
	app, err := s.Registry.App(ctx, actor, token.Client.ID)
	if err != nil {
		return api.SelfApp{}, err
	}
	return selfApp(app, token), nil
}

func selfApp(app registry.App, token *oauth.Token) api.SelfApp {
	answer := api.SelfApp{
		ID: string(app.ID), ClientID: app.ClientID, Name: app.Name, Description: app.Description,
		Category: string(app.Category), Status: string(app.Status), APIUser: app.APIUser.Name, Scopes: app.Scopes,
		CreatedAt: app.CreatedAt, ModifiedAt: app.ModifiedAt, Secrets: wireSecrets(app.Secrets),
		Token: api.TokenState{
			Scope: token.Scopes.String(), Audience: token.Audience, ExpiresAt: token.ExpiresAt,
			SecretID: string(token.Credential),
		},
	}
	return answer
}

// orNull is a moment for JSON, null for never.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
