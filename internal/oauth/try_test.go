package oauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

// TestTryAnswersAsTheEndpoints: what a test is told is what a client gets at the same moment, and it counts as nothing.
func TestTryAnswersAsTheEndpoints(t *testing.T) {
	for name, change := range map[string]func(r *rig, a *app){
		"right":    func(*rig, *app) {},
		"no shape": func(_ *rig, a *app) { a.secret = "hunter2" },
		"inactive": func(r *rig, a *app) { r.deactivate(*a) },
		"leaked":   func(r *rig, a *app) { r.leak(*a) },
	} {
		for _, asked := range []string{"", invoiceRead, invoiceWrite, "core.invoice.raed", "a  b"} {
			t.Run(name+" "+asked, func(t *testing.T) {
				r := newRig(t)
				a := r.app(invoiceRead)
				change(r, &a)
				tried := r.server.TryToken(t.Context(), a.ClientID, a.secret, asked)
				uses, rejected := r.uses(a), r.rejected(a)
				if len(uses)+len(rejected) > 0 {
					t.Errorf("a test counts: %v, %v", uses, rejected)
				}
				p := r.ask(a, "scope", asked)
				got := []string{fmt.Sprint(tried.Status), tried.Code, tried.Description}
				if diff := cmp.Diff([]string{fmt.Sprint(p.status), p.code(), p.text("error_description")}, got); diff != "" {
					t.Errorf("a test (-client +test):\n%s", diff)
				}
				if _, err := r.server.Probe(t.Context(), tried); (err == nil) != tried.OK() {
					t.Errorf("the token of a test: %v", err)
				}
			})
		}
	}
}

// TestTryKeepsTheToken: an attempt has the claims, and its token shows nowhere it is printed.
func TestTryKeepsTheToken(t *testing.T) {
	r := newRig(t)
	a, api := r.app(invoiceRead), r.resourceServer("coupa-core")
	tried := r.server.TryToken(t.Context(), a.ClientID, a.secret, "")
	if text := fmt.Sprintf("%v %+v %#v %s", tried, tried, tried, tried); strings.Contains(text, "eyJ") {
		t.Errorf("it prints as %s", text)
	}
	claims := map[string]string{}
	for _, c := range tried.Claims {
		claims[c.Name] = c.Value
	}
	if claims["iss"] != issuer || claims["client_id"] != a.ClientID || claims["scope"] != invoiceRead || claims["gen"] != "1" || tried.Secret != a.secretID {
		t.Errorf("claims %v of secret %s", claims, tried.Secret)
	}
	if asked := r.server.TryIntrospection(t.Context(), api.ClientID, api.secret); !asked.OK() || asked.Claims != nil {
		t.Errorf("an API is told %v", asked)
	}
	refused := r.server.TryToken(t.Context(), api.ClientID, api.secret, "")
	if refused.Status != http.StatusBadRequest || refused.Rejected.Reason != registry.RejectedNotCaller {
		t.Errorf("an API that asks for a token is told %v, %v", refused, refused.Rejected.Reason)
	}
	var none oauth.Attempt
	if none.OK() {
		t.Error("nothing is taken for an answer")
	}
}
