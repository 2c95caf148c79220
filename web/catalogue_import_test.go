package web_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// TestImportAPI: an OpenAPI document becomes a draft to review, which is then added by the ordinary form.
func TestImportAPI(t *testing.T) {
	p := newPortal(t)
	p.platform()
	document, err := os.ReadFile("../internal/scope/testdata/openapi/orders.yaml")
	p.must(err)
	admin := p.as("admin@acme.example")
	form := admin.get("/catalogue/import").is(http.StatusOK).form("main form")
	review := admin.sendFile("/catalogue/import", form, string(document)).is(http.StatusOK).says("h1", "Review the imported API")
	review.says(".banner", "Calls taken over: 7.").says(".banner", "POST /orders/{order-id}/refund")
	admin.get("/catalogue/x-acme-order-service").is(http.StatusNotFound)
	if action := review.Find("main form").AttrOr("action", ""); action != "/catalogue/new" {
		t.Errorf("the draft goes to %s", action)
	}
	added := admin.follow(admin.sendFile("/catalogue/new", review.form("main form"), ""))
	if row := text(callRow(added, "DELETE /orders/v1/orders/{order_id}")); !strings.Contains(row, "x.acme.orders.delete") {
		t.Errorf("the call: %s\n%s", row, added.text("main"))
	}
	root := p.as("root@platform.example")
	form = with(root.get("/catalogue/import").is(http.StatusOK).form("main form"), map[string][]string{
		"document": {`{"openapi":"3.1.0","info":{"title":"Bare"},"paths":{"/things":{"get":{}}}}`}, "for": {"shared"},
	})
	review = root.sendFile("/catalogue/import", form, "").is(http.StatusOK).says(".banner", "The document asks for no scopes.")
	root.follow(root.sendFile("/catalogue/new", review.form("main form"), "")).says("h1", "Bare")
	p.as("viewer@globex.example").get("/scopes/bare.read").is(http.StatusOK).says("main", "The platform added Bare.")
}

// TestImportFaults: a document that cannot be read is refused in words, however large it is, and what was typed stays.
func TestImportFaults(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	form := admin.get("/catalogue/import").is(http.StatusOK).form("main form")
	typed := with(form, map[string][]string{"document": {"swagger: '2.0'"}})
	got := admin.sendFile("/catalogue/import", typed, "").is(http.StatusUnprocessableEntity).says(".error-summary", "Swagger 2.0")
	if back := got.form("main form").Get("document"); back != "swagger: '2.0'" {
		t.Errorf("lost: %q", back)
	}
	large := admin.sendFile("/catalogue/import", form, strings.Repeat("a: b\n", 4<<20)).is(http.StatusRequestEntityTooLarge)
	large.says(".error-summary", "larger than 2 MiB")
	admin.sendFile("/catalogue/import", form, "a: &a [1]\nb: *a\n").is(http.StatusUnprocessableEntity).says(".error-summary", "anchors and aliases are not allowed")
	admin.sendFile("/catalogue/import", form, "\x89PNG\xff").is(http.StatusUnprocessableEntity)
	admin.do(http.MethodPost, "/catalogue/import", strings.NewReader("{}"), http.Header{"Content-Type": {"application/json"}}).is(http.StatusUnsupportedMediaType)
	broken := bytes.NewReader([]byte("--x\r\nContent-Disposition: form-data; name=\"document\"\r\n\r\ncut"))
	admin.do(http.MethodPost, "/catalogue/import", broken, http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}).is(http.StatusUnprocessableEntity)
}

// TestDocumentSurvivesTheEndOfTheSession: what was typed into the form is kept while somebody signs in again.
func TestDocumentSurvivesTheEndOfTheSession(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	form := admin.get("/catalogue/new").form("main form")
	form = with(form, map[string][]string{"document": {"key: x-acme-bills\n"}})
	p.clock.Advance(1e15)
	sent := admin.sendFile("/catalogue/new", form, "").is(http.StatusSeeOther)
	if !strings.HasPrefix(sent.to(), "/signin?kept=1") {
		t.Fatalf("led to %s", sent.to())
	}
	in := admin.post("/signin", with(admin.get(sent.to()).form("main form"), url.Values{"email": {"admin@acme.example"}, "password": {password}}))
	if got := admin.follow(in).form("main form").Get("document"); got != "key: x-acme-bills\n" {
		t.Errorf("kept: %q", got)
	}
}
