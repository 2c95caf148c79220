package web_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/internal/identity"
)

// sendFile posts a form as a browser sends one that can carry a file; content "" chooses none.
func (b *browser) sendFile(path string, form url.Values, content string) *page {
	b.p.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		if name == "file" {
			continue
		}
		for _, v := range values {
			b.p.must(w.WriteField(name, v))
		}
	}
	part, err := w.CreateFormFile("file", "api.yaml")
	b.p.must(err)
	_, err = part.Write([]byte(content))
	b.p.must(err)
	b.p.must(w.Close())
	return b.do(http.MethodPost, path, &body, http.Header{"Content-Type": {w.FormDataContentType()}})
}

// addOrders adds the example to Acme's own APIs.
func addOrders(b *browser) *page {
	b.p.t.Helper()
	form := b.get("/catalogue/new").is(http.StatusOK).form("main form")
	return b.follow(b.sendFile("/catalogue/new", form, ""))
}

// tokenFor asks for a token with further parameters.
func (p *portal) tokenWith(app registered, parameters url.Values) (status int, answer map[string]any) {
	p.t.Helper()
	form := with(parameters, map[string][]string{"grant_type": {"client_credentials"}})
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, publicURL+"/oauth2/token", strings.NewReader(form.Encode()))
	p.must(err)
	r.SetBasicAuth(url.QueryEscape(app.clientID), url.QueryEscape(app.secret))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := p.RoundTrip(r)
	p.must(err)
	defer func() { _ = got.Body.Close() }()
	p.must(json.NewDecoder(got.Body).Decode(&answer))
	return got.StatusCode, answer
}

// TestPrivateAPI: an organisation adds an API of its own by the example that stands in the form; its scope is given to an
// app, and the token says for what it is (protocol.md §6).
func TestPrivateAPI(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	added := addOrders(admin).is(http.StatusOK).says(".flash", "x-acme-orders is in the catalogue").says("main", publicURL+"/apis/x-acme-orders")
	if row := text(callRow(added, "GET /orders/v1/orders/{id}")); !strings.Contains(row, "x.acme.orders.read") {
		t.Errorf("its call: %s", row)
	}
	admin.get("/catalogue").says("main", "Orders API")
	app := admin.register(map[string][]string{"scope": {"x.acme.orders.read"}})
	claims := map[string]any{}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(p.accessToken(app.clientID, app.secret), ".")[1])
	p.must(err)
	p.must(json.Unmarshal(payload, &claims))
	if claims["aud"] != publicURL+"/apis/x-acme-orders" || claims["scope"] != "x.acme.orders.read" {
		t.Errorf("the token: %v", claims)
	}
	admin.get("/catalogue/x-acme-orders/history").is(http.StatusOK).says(".events", "Ana Silva added Orders API.")
	admin.get("/scopes/x.acme.orders.read").is(http.StatusOK).says("main", "Ana Silva added Orders API.")
}

// TestPrivateAPIIsNobodyElses: other organisations see nothing of it: no page, no search, no form, and at the token endpoint
// it is as unknown as what was never there.
func TestPrivateAPIIsNobodyElses(t *testing.T) {
	p := newPortal(t)
	p.platform()
	addOrders(p.as("admin@acme.example"))
	theirs := p.as("admin@globex.example")
	app := theirs.register(map[string][]string{"api_user": {string(p.apiUser(p.globex, identity.KindClient).ID)}})
	for _, path := range []string{
		"/catalogue", "/scopes", "/scopes?q=orders", "/scopes?in=x-acme-orders", "/scopes?q=GET+%2Forders%2Fv1%2Forders", "/apps/new", app.path + "/edit",
		"/apps?q=scope%3Ax.acme.orders", "/scopes/x.acme.orders.reed", "/catalogue/coupa-core", "/catalogue/coupa-core/map",
	} {
		for _, who := range []*browser{theirs, p.as("root@platform.example")} {
			if a := who.get(path); strings.Contains(a.body, "Orders API") || strings.Contains(a.body, "x.acme.orders.write") {
				t.Errorf("%s shows it: %s", path, a.text("main"))
			}
		}
	}
	theirs.get("/scopes/x.acme.orders.read").is(http.StatusNotFound)
	for _, page := range []string{"", "/map", "/unmap", "/edit", "/remove", "/history"} {
		theirs.get("/catalogue/x-acme-orders" + page).is(http.StatusNotFound)
		p.as("root@platform.example").get("/catalogue/x-acme-orders" + page).is(http.StatusNotFound)
	}
	form := theirs.newApp(map[string][]string{
		"name": {"Curious"}, "api_user": {string(p.apiUser(p.globex, identity.KindClient).ID)}, "scope": {"x.acme.orders.read"},
	})
	given := theirs.post("/apps", form).is(http.StatusUnprocessableEntity)
	never := theirs.post("/apps", with(form, map[string][]string{"scope": {"x.acme.orders.none"}})).is(http.StatusUnprocessableEntity)
	same := func(a, b, there, made string) {
		t.Helper()
		if strings.ReplaceAll(a, there, made) != b {
			t.Errorf("tells what is there from what is not:\n%s\n%s", a, b)
		}
	}
	same(given.problems()["scope"], never.problems()["scope"], "x.acme.orders.read", "x.acme.orders.none")
	ask := func(name, value string) string {
		_, answer := p.tokenWith(app, url.Values{name: {value}})
		return toJSON(t, answer)
	}
	same(ask("scope", "x.acme.orders.read"), ask("scope", "x.acme.orders.none"), "x.acme.orders.read", "x.acme.orders.none")
	same(ask("resource", publicURL+"/apis/x-acme-orders"), ask("resource", publicURL+"/apis/x-acme-other"), "x-acme-orders", "x-acme-other")
	if got := ask("resource", publicURL+"/apis/x-acme-orders"); !strings.Contains(got, "invalid_target") {
		t.Error(got)
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		if a := p.machine(http.MethodGet, path, nil); strings.Contains(a.body, "x.acme") {
			t.Errorf("%s lists it", path)
		}
	}
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEditAndRemoveAPI: a document is replaced as a whole, its key stays, and neither it nor a scope goes while an app
// holds it.
func TestEditAndRemoveAPI(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	addOrders(admin)
	app := admin.register(map[string][]string{"scope": {"x.acme.orders.write"}})
	form := admin.get("/catalogue/x-acme-orders/edit").is(http.StatusOK).form("main form")
	document := form.Get("document")
	other := with(form, map[string][]string{"document": {strings.Replace(document, "x-acme-orders", "x-acme-bills", 1)}})
	admin.sendFile("/catalogue/x-acme-orders/edit", other, "").is(http.StatusUnprocessableEntity).says(".error-summary", "stays what it is: x-acme-orders")
	renamed := with(form, map[string][]string{"document": {strings.ReplaceAll(document, "orders.write", "orders.change")}})
	admin.sendFile("/catalogue/x-acme-orders/edit", renamed, "").is(http.StatusUnprocessableEntity).says(".error-summary", "1 app holds a scope")
	titled := strings.Replace(document, "Orders API", "Orders and returns", 1)
	admin.follow(admin.sendFile("/catalogue/x-acme-orders/edit", form, titled)).says("h1", "Orders and returns")
	clash := admin.sendFile("/catalogue/x-acme-orders/edit", form, "").is(http.StatusConflict).says("main", "Somebody else saved this document meanwhile")
	if got := clash.form("main form"); got.Get("document") != document || got.Get("version") != "2" {
		t.Errorf("lost: version %s\n%s", got.Get("version"), got.Get("document"))
	}
	remove := "/catalogue/x-acme-orders/remove"
	admin.get(remove).is(http.StatusOK).says("main", "1 app holds scopes of this API")
	admin.post(remove, url.Values{"version": {"2"}}).is(http.StatusConflict)
	edit := admin.get(app.path + "/edit").form("main form")
	admin.follow(admin.post(app.path+"/edit", with(edit, map[string][]string{"scope": {invoiceRead}, "do": {"save"}})))
	admin.follow(admin.post(remove, admin.get(remove).is(http.StatusOK).form("main form"))).says(".flash", "Orders and returns is removed")
	admin.get("/catalogue/x-acme-orders").is(http.StatusNotFound)
	admin.get("/scopes/x.acme.orders.read").is(http.StatusNotFound)
}

// TestMapPrivateCall: who manages the apps of an organisation maps calls of its own APIs.
func TestMapPrivateCall(t *testing.T) {
	p := newPortal(t)
	p.platform()
	admin := p.as("admin@acme.example")
	addOrders(admin)
	form := admin.get("/catalogue/x-acme-orders/map?method=DELETE&path=%2Forders%2Fv1%2Forders%2F%7B%E2%80%A6%7D").is(http.StatusOK).form("main form")
	form = with(form, map[string][]string{"object": {"orders"}, "any_of": {"x.acme.orders.write"}, "access": {"write"}})
	added := admin.follow(admin.post("/catalogue/x-acme-orders/map", form))
	if row := text(callRow(added, "DELETE /orders/v1/orders/{id}")); !strings.Contains(row, "x.acme.orders.write") {
		t.Errorf("the call: %s", row)
	}
	admin.get("/catalogue/x-acme-orders/history").says(".events", "Ana Silva mapped DELETE /orders/{id}.")
}

// TestDocumentFaults: what is wrong with a document is told line by line, and what was typed stays.
func TestDocumentFaults(t *testing.T) {
	p := newPortal(t)
	p.platform()
	admin := p.as("admin@acme.example")
	form := admin.get("/catalogue/new").is(http.StatusOK).form("main form")
	document := form.Get("document")
	for name, test := range map[string]struct{ document, says string }{
		"not YAML":        {"key: [", "did not find expected"},
		"unknown field":   {document + "colour: red\n", "field colour not found"},
		"alias":           {"key: &a b\ntitle: *a\n", "anchors and aliases are not allowed"},
		"another's key":   {strings.Replace(document, "x-acme-", "x-glbx-", 1), "must begin with x-acme-"},
		"a shared scope":  {strings.ReplaceAll(document, "x.acme.orders.read", invoiceRead), "must begin with x.acme."},
		"a rival":         {strings.Replace(document, "/orders/{id}", "/orders", 1), "matches the same requests as"},
		"its own":         {document + "own: true\n", "own is for the APIs"},
		"nothing":         {"", ""},
		"no base path":    {strings.Replace(document, "/orders/v1", "orders", 1), "must begin with a slash"},
		"markup is shown": {"key: <b>bold</b>\n", "<b>bold</b>"},
	} {
		t.Run(name, func(t *testing.T) {
			got := admin.sendFile("/catalogue/new", with(form, map[string][]string{"document": {test.document}}), "")
			got.is(http.StatusUnprocessableEntity).says(".error-summary", test.says)
			if back := got.form("main form").Get("document"); back != test.document {
				t.Errorf("lost: %q", back)
			}
		})
	}
	admin.sendFile("/catalogue/new", form, strings.Repeat("a", 1<<20+1)).is(http.StatusRequestEntityTooLarge).says(".error-summary", "larger than it may be")
	admin.sendFile("/catalogue/new", with(form, map[string][]string{"for": {"shared"}}), "").is(http.StatusForbidden)
	root := p.as("root@platform.example")
	shared := root.get("/catalogue/new").form("main form")
	root.sendFile("/catalogue/new", shared, strings.Replace(shared.Get("document"), "key: orders", "key: coupa-core", 1)).is(http.StatusConflict)
	root.sendFile("/catalogue/new", shared, document).is(http.StatusUnprocessableEntity).says(".error-summary", "must not begin with x-")
	root.follow(root.sendFile("/catalogue/new", shared, "")).says("h1", "Orders API")
	root.follow(root.sendFile("/catalogue/new", root.get("/catalogue/new?for=own").form("main form"), "")).says("main", "Of your organisation only")
}
