package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/scope"
)

// target is what a token will be for: one API and scopes of it (protocol.md §1.1).
type target struct {
	api      string
	audience string
	scopes   scope.Set
	lifetime time.Duration
}

// holder is what choosing a target has to know of an app.
type holder struct {
	organisation access.OrganisationID
	scopes       []string
	defaultAPI   string // key, or empty
}

// targets knows the audience URI of every API.
type targets struct {
	catalogue *scope.Shelf
	prefix    string // of audience URIs
}

func newTargets(catalogue *scope.Shelf, issuer string) *targets {
	return &targets{catalogue: catalogue, prefix: issuer + "/apis/"}
}

// audience returns the audience URI of an API.
func (t *targets) audience(api string) string { return t.prefix + api }

// api returns the API with this audience URI.
func (t *targets) api(audience string) (scope.API, bool) {
	key, ok := strings.CutPrefix(audience, t.prefix)
	if !ok {
		return scope.API{}, false
	}
	return t.catalogue.Now().API(key)
}

// cut returns those of the scopes that belong to an API.
func (t *targets) cut(scopes scope.Set, api string) scope.Set {
	names := slices.DeleteFunc(scopes.Names(), func(name string) bool {
		of, known := t.catalogue.Now().APIOf(name)
		return !known || of != api
	})
	return scope.SetOf(names...)
}

// choose decides what a token is for: the API by resource, else by the scopes asked for, else the one API that all the
// app's scopes belong to, else the app's default API; the scopes asked for, else all that the app holds of the API.
func (t *targets) choose(resources []string, asked string, h holder) (target, error) {
	named, err := t.named(resources, h.organisation)
	if err != nil {
		return target{}, err
	}
	if asked == "" {
		return t.everything(named, h)
	}
	scopes, err := t.granted(asked, h)
	if err != nil {
		return target{}, err
	}
	apis := t.catalogue.Now().APIsOf(scopes.Names())
	if named == "" {
		if len(apis) != 1 {
			return target{}, refuseFor(reasonScopeOfTwoAPIs, strings.Join(apis, ", "))
		}
		named = apis[0]
	}
	for _, name := range scopes.Names() {
		if api, _ := t.catalogue.Now().APIOf(name); api != named {
			return target{}, refuseFor(reasonScopeOfOtherAPI, name)
		}
	}
	return t.target(named, scopes)
}

// named returns the key of the API that the resource parameters name, "" when there are none (RFC 8707 §2). Saying the
// same one twice is allowed. Another organisation's own API is as unknown as any.
func (t *targets) named(resources []string, org access.OrganisationID) (string, error) {
	key := ""
	for _, resource := range resources {
		u, err := url.Parse(resource)
		if err != nil || !u.IsAbs() || strings.Contains(resource, "#") {
			return "", refuse(reasonTargetMalformed)
		}
		api, ok := t.api(resource)
		switch {
		case !ok, api.Organisation != "" && api.Organisation != org:
			return "", refuse(reasonTargetUnknown)
		case key != "" && key != api.Key:
			return "", refuse(reasonTargetTwo)
		}
		key = api.Key
	}
	return key, nil
}

// granted reads the scopes asked for. Every one must be the app's now: none is dropped silently (C10).
func (t *targets) granted(asked string, h holder) (scope.Set, error) {
	scopes, err := scope.ParseSet(asked)
	if err != nil {
		return scope.Set{}, &refusal{reason: reasonScopeMalformed, cause: err}
	}
	held, seen := scope.SetOf(h.scopes...), t.catalogue.For(h.organisation) // another organisation's scope is no scope here
	for _, name := range scopes.Names() {
		if !seen.Known(name) {
			if right, ok := seen.Spelled(name); ok {
				name += "; did you mean " + right + "?"
			}
			return scope.Set{}, refuseFor(reasonScopeUnknown, name)
		}
		if !held.Has(name) {
			return scope.Set{}, refuseFor(reasonScopeNotHeld, name)
		}
	}
	return scopes, nil
}

// everything is the target when no scope is asked for.
func (t *targets) everything(named string, h holder) (target, error) {
	if named == "" {
		apis := t.catalogue.Now().APIsOf(h.scopes)
		switch {
		case len(apis) == 1:
			named = apis[0]
		case slices.Contains(apis, h.defaultAPI):
			named = h.defaultAPI
		default:
			return target{}, refuseFor(reasonScopeAmbiguous, strings.Join(apis, ", "))
		}
	}
	var names []string
	for _, name := range h.scopes {
		if api, ok := t.catalogue.Now().APIOf(name); ok && api == named {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return target{}, refuseFor(reasonScopeNone, named)
	}
	return t.target(named, scope.SetOf(names...))
}

func (t *targets) target(key string, scopes scope.Set) (target, error) {
	api, ok := t.catalogue.Now().API(key)
	if !ok {
		return target{}, refuse(reasonTargetUnknown)
	}
	return target{api: key, audience: t.audience(key), scopes: scopes, lifetime: api.TokenLifetime}, nil
}

// Audience returns what tokens for an API carry as `aud`, by the API's key (protocol.md §1.1).
func (s *Server) Audience(api string) string { return s.targets.audience(api) }
