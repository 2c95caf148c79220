package oauth_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

const tokenForm = "grant_type=client_credentials"

func TestC1_ClientCredentials(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead, invoiceWrite)
	send := map[string]func(extra string) reply{
		"client_secret_basic": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra, "Authorization", basic(a.ClientID, a.secret)))
		},
		"client_secret_post": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra+"&"+form("client_id", a.ClientID, "client_secret", a.secret)))
		},
		"the client_id beside Basic": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra+"&client_id="+a.ClientID, "Authorization", basic(a.ClientID, a.secret)))
		},
		"scheme in other letters": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra, "Authorization", "bASIC"+strings.TrimPrefix(basic(a.ClientID, a.secret), "Basic")))
		},
	}
	for name, send := range send {
		t.Run(name, func(t *testing.T) {
			p := send("&scope=core.invoice.read")
			if p.status != http.StatusOK {
				t.Fatalf("%d %s", p.status, p.raw)
			}
			want := map[string]any{
				"access_token": p.text("access_token"), "token_type": "Bearer", "expires_in": float64(3600), "scope": invoiceRead,
			}
			if diff := cmp.Diff(want, p.body); diff != "" {
				t.Error(diff)
			}
			if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Pragma") != "no-cache" {
				t.Errorf("headers %v", p.header)
			}
			if got := send("").text("scope"); got != invoiceRead+" "+invoiceWrite {
				t.Errorf("without asking: scope %q", got)
			}
		})
	}
}

// every encodes every byte, as no client does and RFC 6749 §2.3.1 allows.
func every(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func TestC2_CredentialsAreDecodedAfterSplitting(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	header := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	tests := map[string]struct {
		header string
		status int
	}{
		"not encoded":       {header(a.ClientID, a.secret), 200},
		"every byte":        {header(every(a.ClientID), every(a.secret)), 200},
		"lower-case digits": {header(strings.ToLower(every(a.ClientID)), strings.ToLower(every(a.secret))), 200},
		"underscore only":   {header(strings.ReplaceAll(a.ClientID, "_", "%5F"), strings.ReplaceAll(a.secret, "_", "%5F")), 200},
		"encoded twice":     {header(every(every(a.ClientID)), every(every(a.secret))), 401},
		"secret twice":      {header(a.ClientID, every(every(a.secret))), 401},
		"bad escape":        {header(a.ClientID, a.secret+"%zz"), 401},
		"two colons":        {header(a.ClientID, ":"+a.secret), 401},
		"colon encoded":     {"Basic " + base64.StdEncoding.EncodeToString([]byte(a.ClientID+"%3A"+a.secret)), 401},
		"no colon":          {"Basic " + base64.StdEncoding.EncodeToString([]byte(a.ClientID)), 401},
		"not base64":        {"Basic " + a.ClientID + ":" + a.secret, 401},
		"empty":             {"Basic ", 401},
		"scheme only":       {"Basic", 401},
		"no client":         {header("", a.secret), 401},
		"no secret":         {header(a.ClientID, ""), 401},
		"long client":       {header(strings.Repeat("x", 5000), a.secret), 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := r.send(request(oauth.PathToken, tokenForm, "Authorization", tt.header))
			if p.status != tt.status {
				t.Fatalf("got %d %s", p.status, p.raw)
			}
			if tt.status == 401 {
				refused(t, p, 401, "invalid_client")
				if got := p.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic ") {
					t.Errorf("WWW-Authenticate %q", got)
				}
			}
		})
	}
}

func TestC3_OneWayOfAuthenticating(t *testing.T) {
	r := newRig(t)
	a, other := r.app(invoiceRead), r.app(invoiceRead)
	auth := basic(a.ClientID, a.secret)
	tests := map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"Basic and body":              {form("client_id", a.ClientID, "client_secret", a.secret), []string{auth}, 400, "invalid_request"},
		"Basic and secret only":       {form("client_secret", a.secret), []string{auth}, 400, "invalid_request"},
		"Basic and another client_id": {form("client_id", other.ClientID), []string{auth}, 400, "invalid_request"},
		"Basic and assertion":         {form("client_assertion", "x.y.z"), []string{auth}, 400, "invalid_request"},
		"body and assertion":          {form("client_id", a.ClientID, "client_secret", a.secret, "client_assertion", "x.y.z"), nil, 400, "invalid_request"},
		"two headers":                 {"", []string{auth, auth}, 400, "invalid_request"},
		"Bearer and body":             {form("client_id", a.ClientID, "client_secret", a.secret), []string{"Bearer x"}, 400, "invalid_request"},
		"Basic and empty secret":      {"client_id=" + a.ClientID + "&client_secret=", []string{auth}, 200, ""},
		"nothing":                     {"", nil, 401, "invalid_client"},
		"client_id only":              {form("client_id", a.ClientID), nil, 401, "invalid_client"},
		"secret only":                 {form("client_secret", a.secret), nil, 401, "invalid_client"},
		"assertion only":              {form("client_id", a.ClientID, "client_assertion", "x.y.z"), nil, 401, "invalid_client"},
		"another scheme":              {"", []string{"Digest username=x"}, 401, "invalid_client"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req := request(oauth.PathToken, tokenForm+"&"+tt.body)
			for _, h := range tt.headers {
				req.Header.Add("Authorization", h)
			}
			p := r.send(req)
			if p.status != tt.status || p.code() != tt.code {
				t.Errorf("got %d %s", p.status, p.raw)
			}
			// Only who used Basic is challenged: with a challenge, strict clients hide the code (protocol.md §4).
			if challenged := p.header.Get("WWW-Authenticate") != ""; challenged {
				t.Errorf("challenged: %q", p.header.Get("WWW-Authenticate"))
			}
		})
	}
}

func TestC4_CredentialsInTheAddressAreRefused(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	tok := r.token(a)
	const canary = "canary-7d1f"
	for _, path := range []string{oauth.PathToken, oauth.PathIntrospect, oauth.PathRevoke} {
		for _, query := range []string{
			"client_secret=" + canary, "token=" + canary, "code=" + canary, "access_token=" + canary, "client_assertion=" + canary,
			"refresh_token=" + canary, "password=" + canary, "x=1&client_secret=" + canary, "client%5Fsecret=" + canary,
			"CLIENT_SECRET=" + canary, "client_secret", "%zz&client_secret=" + canary, "x;client_secret=" + canary,
			"client_id=" + a.ClientID + "&client_secret=" + a.secret,
		} {
			for _, headers := range [][]string{nil, {"Authorization", basic(a.ClientID, a.secret)}} {
				p := r.send(request(path+"?"+query, tokenForm+"&token="+tok, headers...))
				refused(t, p, 400, "invalid_request")
				if strings.Contains(p.raw, canary) {
					t.Errorf("%s is repeated", query)
				}
			}
		}
	}
	if strings.Contains(r.log.String(), canary) || strings.Contains(r.log.String(), a.secret) {
		t.Error("a credential was logged")
	}
	if !r.isActive(a, tok) {
		t.Error("a token in an address was revoked")
	}
	p := r.send(request(oauth.PathToken+"?api-version=2&scope="+invoiceWrite, tokenForm, "Authorization", basic(a.ClientID, a.secret)))
	if p.status != 200 || p.text("scope") != invoiceRead {
		t.Errorf("other parameters in the address are ignored, got %d %s", p.status, p.raw)
	}
	p = r.send(request(oauth.PathToken+"?"+tokenForm, "scope="+invoiceRead, "Authorization", basic(a.ClientID, a.secret)))
	refused(t, p, 400, "invalid_request")
}

func TestC5_OtherMethodsAreRefused(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	allow := map[string]string{
		oauth.PathToken: "POST", oauth.PathIntrospect: "POST", oauth.PathRevoke: "POST",
		oauth.PathJWKS: "GET, HEAD", oauth.PathMetadata: "GET, HEAD",
	}
	for path, want := range allow {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST", "BREW"} {
			if strings.Contains(want, method) {
				continue
			}
			req := httptest.NewRequest(method, path+"?"+tokenForm, strings.NewReader(tokenForm))
			req.Header.Set("Content-Type", formType)
			req.Header.Set("Authorization", basic(a.ClientID, a.secret))
			p := r.send(req)
			refused(t, p, 405, "invalid_request")
			if got := p.header.Get("Allow"); got != want {
				t.Errorf("%s %s: Allow %q, want %q", method, path, got, want)
			}
		}
	}
}

func TestC6_RepeatedParameters(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	for _, name := range []string{"grant_type", "scope", "client_id", "client_secret", "expires_in", "token", "unheard_of"} {
		for _, second := range []string{"same", "other"} {
			body := tokenForm + "&" + name + "=same&" + name + "=" + second
			p := r.send(request(oauth.PathToken, body, "Authorization", basic(a.ClientID, a.secret)))
			refused(t, p, 400, "invalid_request")
		}
	}
	aud := r.server.Audience("coupa-core")
	if p := r.ask(a, "resource", aud, "resource", aud); p.status != 200 {
		t.Errorf("resource may repeat: %d %s", p.status, p.raw)
	}
	// Empty ones are dropped before anything is counted.
	if p := r.ask(a, "scope", "", "scope", invoiceRead, "scope", "", "resource", ""); p.status != 200 {
		t.Errorf("empty parameters are none: %d %s", p.status, p.raw)
	}
}

func TestC7_EmptyParametersAreAbsent(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	for _, body := range []string{"", "grant_type=", "grant_type", "grant_type=&scope="} {
		refused(t, r.send(request(oauth.PathToken, body, "Authorization", basic(a.ClientID, a.secret))), 400, "invalid_request")
	}
	if p := r.ask(a, "scope", "", "expires_in", "", "client_secret", ""); p.status != 200 || p.text("scope") != invoiceRead {
		t.Errorf("got %d %s", p.status, p.raw)
	}
	for _, path := range []string{oauth.PathIntrospect, oauth.PathRevoke} {
		refused(t, r.post(path, a, "token", ""), 400, "invalid_request")
	}
}

func TestC8_OtherGrantsAreRefused(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	for _, grant := range []string{
		"foo", "password", "implicit", "authorization_code", "refresh_token", "client_credential", "CLIENT_CREDENTIALS",
		" client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:device_code",
	} {
		refused(t, r.post(oauth.PathToken, a, "grant_type", grant), 400, "unsupported_grant_type")
	}
}

func TestC10_Scopes(t *testing.T) {
	r := newRig(t)
	a := r.appOf(r.acme, func(n *registry.NewApp) {
		n.Scopes, n.DefaultAPI = []string{invoiceRead, candidates, workers, connections}, "ccw"
	})
	tests := map[string]struct {
		asked string
		want  string // "" is refused
		says  string
	}{
		"one":                {asked: invoiceRead, want: invoiceRead},
		"two":                {asked: workers + " " + candidates, want: candidates + " " + workers},
		"twice the same":     {asked: candidates + " " + candidates, want: candidates},
		"none":               {asked: "", want: candidates + " " + workers},
		"own API":            {asked: connections, want: connections},
		"not held":           {asked: invoiceWrite, says: "does not hold the scope core.invoice.write"},
		"one held, one not":  {asked: candidates + " " + invoiceWrite, says: "core.invoice.write"},
		"of two APIs":        {asked: candidates + " " + invoiceRead, says: "(ccw, coupa-core)"},
		"unknown":            {asked: "no.such.scope", says: "no scope no.such.scope"},
		"misprinted":         {asked: "ccw.candidate", says: "did you mean ccw.candidates?"},
		"sign-in scope":      {asked: "openid", says: "does not hold"},
		"offline":            {asked: "offline_access", says: "does not hold"},
		"other letters":      {asked: "CCW.Candidates", says: "no scope"},
		"quote":              {asked: `ccw.candidates "`},
		"backslash":          {asked: `ccw.candidates\`},
		"NUL":                {asked: "ccw.candidates\x00"},
		"tab":                {asked: "ccw.candidates\tccw.contingent_workers"},
		"two spaces":         {asked: "ccw.candidates  ccw.contingent_workers"},
		"space before":       {asked: " ccw.candidates"},
		"space after":        {asked: "ccw.candidates "},
		"space":              {asked: " "},
		"comma":              {asked: "ccw.candidates,ccw.contingent_workers"},
		"no ASCII":           {asked: "ccw.cändidates"},
		"line break":         {asked: "ccw.candidates\r\nX: y"},
		"very long":          {asked: strings.Repeat("a", 5000)},
		"very many":          {asked: strings.Repeat("a ", 9000) + "a"},
		"plus is no scope":   {asked: "+"},
		"a scope of nothing": {asked: "*"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := r.ask(a, "scope", tt.asked)
			if tt.want == "" {
				refused(t, p, 400, "invalid_scope")
				if !strings.Contains(p.text("error_description"), tt.says) {
					t.Errorf("%q does not say %q", p.text("error_description"), tt.says)
				}
				return
			}
			if p.status != 200 || p.text("scope") != tt.want {
				t.Errorf("got %d %s, want %s", p.status, p.raw, tt.want)
			}
		})
	}
}

func TestOneAPIPerToken(t *testing.T) {
	r := newRig(t)
	three := func(defaultAPI string) app {
		return r.appOf(r.acme, func(n *registry.NewApp) {
			n.Scopes, n.DefaultAPI = []string{invoiceRead, candidates, connections}, defaultAPI
		})
	}
	chosen, undecided, ownOnly := three("coupa-core"), three(""), r.app(connections)
	core, ccw, own := issuer+"/apis/coupa-core", issuer+"/apis/ccw", issuer+"/apis/integration-service"
	tests := map[string]struct {
		app  app
		ask  []string
		aud  string
		code string
	}{
		"default API":            {chosen, nil, core, ""},
		"resource":               {chosen, []string{"resource", ccw}, ccw, ""},
		"resource, own API":      {chosen, []string{"resource", own}, own, ""},
		"resource twice":         {chosen, []string{"resource", ccw, "resource", ccw}, ccw, ""},
		"scope":                  {chosen, []string{"scope", candidates}, ccw, ""},
		"resource and scope":     {chosen, []string{"scope", candidates, "resource", ccw}, ccw, ""},
		"the only API":           {ownOnly, nil, own, ""},
		"no default":             {undecided, nil, "", "invalid_scope"},
		"no default, named":      {undecided, []string{"resource", core}, core, ""},
		"other API's scope":      {chosen, []string{"scope", candidates, "resource", core}, "", "invalid_scope"},
		"no scope of that API":   {ownOnly, []string{"resource", core}, "", "invalid_scope"},
		"two resources":          {chosen, []string{"resource", ccw, "resource", core}, "", "invalid_target"},
		"unknown":                {chosen, []string{"resource", issuer + "/apis/none"}, "", "invalid_target"},
		"one unknown of two":     {chosen, []string{"resource", ccw, "resource", "https://evil.example"}, "", "invalid_target"},
		"foreign":                {chosen, []string{"resource", "https://evil.example/apis/ccw"}, "", "invalid_target"},
		"relative":               {chosen, []string{"resource", "/apis/ccw"}, "", "invalid_target"},
		"key only":               {chosen, []string{"resource", "ccw"}, "", "invalid_target"},
		"fragment":               {chosen, []string{"resource", ccw + "#x"}, "", "invalid_target"},
		"empty fragment":         {chosen, []string{"resource", ccw + "#"}, "", "invalid_target"},
		"slash after":            {chosen, []string{"resource", ccw + "/"}, "", "invalid_target"},
		"query":                  {chosen, []string{"resource", ccw + "?x"}, "", "invalid_target"},
		"other letters":          {chosen, []string{"resource", strings.ToUpper(ccw)}, "", "invalid_target"},
		"the issuer":             {chosen, []string{"resource", issuer}, "", "invalid_target"},
		"no URI":                 {chosen, []string{"resource", "https://[::1"}, "", "invalid_target"},
		"space":                  {chosen, []string{"resource", " "}, "", "invalid_target"},
		"audience is not spoken": {chosen, []string{"audience", ccw}, core, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := r.ask(tt.app, tt.ask...)
			if tt.code != "" {
				refused(t, p, 400, tt.code)
				return
			}
			if p.status != 200 {
				t.Fatalf("%d %s", p.status, p.raw)
			}
			if got := part(t, p.text("access_token"), 1)["aud"]; got != tt.aud {
				t.Errorf("aud %v, want %s", got, tt.aud)
			}
		})
	}
}

func TestAppMayAskForLess(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	for asked, want := range map[string]float64{
		"1": 1, "60": 60, "3600": 3600, "3601": 3600, "2000000000": 3600, "0060": 60,
		"0": 0, "-1": 0, "1.5": 0, "1e3": 0, "60s": 0, " 60": 0, "99999999999999999999": 0, "abc": 0,
	} {
		p := r.ask(a, "expires_in", asked)
		if want == 0 {
			refused(t, p, 400, "invalid_request")
			continue
		}
		if p.status != 200 || p.body["expires_in"] != want {
			t.Errorf("%s: got %d %s", asked, p.status, p.raw)
			continue
		}
		c := part(t, p.text("access_token"), 1)
		if c["exp"].(float64)-c["iat"].(float64) != want {
			t.Errorf("%s: lives from %v to %v", asked, c["iat"], c["exp"])
		}
	}
}

func TestC11_ContentType(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	tests := map[string]struct {
		contentType []string
		encoding    string
		status      int
	}{
		"form":                {[]string{formType}, "", 200},
		"form, UTF-8":         {[]string{formType + "; charset=UTF-8"}, "", 200},
		"form, quoted":        {[]string{formType + `;charset="utf-8"`}, "", 200},
		"form, other letters": {[]string{"Application/X-WWW-Form-URLencoded"}, "", 200},
		"identity":            {[]string{formType}, "identity", 200},
		"JSON":                {[]string{"application/json"}, "", 400},
		"multipart":           {[]string{"multipart/form-data; boundary=x"}, "", 400},
		"text":                {[]string{"text/plain"}, "", 400},
		"missing":             {nil, "", 400},
		"empty":               {[]string{""}, "", 400},
		"UTF-16":              {[]string{formType + "; charset=utf-16"}, "", 400},
		"Latin 1":             {[]string{formType + "; charset=iso-8859-1"}, "", 400},
		"two":                 {[]string{formType, formType}, "", 400},
		"two in one":          {[]string{formType + ", application/json"}, "", 400},
		"broken":              {[]string{formType + "; charset"}, "", 400},
		"gzip":                {[]string{formType}, "gzip", 415},
		"deflate":             {[]string{formType}, "deflate", 415},
		"gzip JSON":           {[]string{"application/json"}, "gzip", 415},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req := request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret), "Content-Type", "")
			for _, c := range tt.contentType {
				req.Header.Add("Content-Type", c)
			}
			if tt.encoding != "" {
				req.Header.Set("Content-Encoding", tt.encoding)
			}
			p := r.send(req)
			if tt.status != 200 {
				refused(t, p, tt.status, "invalid_request")
			} else if p.status != 200 {
				t.Errorf("%d %s", p.status, p.raw)
			}
			if tt.status == 415 && p.header.Get("Accept-Encoding") != "identity" {
				t.Error("the answer does not say which encoding would do")
			}
		})
	}
}

func TestF8_LargeBodies(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	auth := basic(a.ClientID, a.secret)
	pad := func(n int) string { return tokenForm + "&x=" + strings.Repeat("y", n-len(tokenForm)-3) }
	tests := map[string]struct {
		body   string
		status int
	}{
		"at the limit":         {pad(64 << 10), 200},
		"one byte over":        {pad(64<<10 + 1), 413},
		"10 MB":                {pad(10 << 20), 413},
		"a million parameters": {strings.Repeat("a=1&", 1_000_000), 413},
		"101 parameters":       {strings.Repeat("&a=1", 101), 400},
		"many empty":           {strings.Repeat("&", 60_000), 400},
		"bad escape":           {tokenForm + "&x=%zz", 400},
		"semicolon":            {tokenForm + ";x=y", 400},
		"no UTF-8":             {tokenForm + "&x=%ff%fe", 400},
		"NUL":                  {tokenForm + "&x=%00", 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, chunked := range []bool{false, true} {
				req := request(oauth.PathToken, tt.body, "Authorization", auth)
				if chunked {
					req.ContentLength = -1
				}
				p := r.send(req)
				if p.status != tt.status {
					t.Errorf("chunked %v: got %d %.200s", chunked, p.status, p.raw)
				}
				if tt.status >= 400 {
					refused(t, p, tt.status, "invalid_request")
				}
			}
		})
	}
}

func TestC12_AlteredSecretsCostNoBcrypt(t *testing.T) {
	r := newRig(t)
	a, other := r.app(invoiceRead), r.app(invoiceRead)
	r.token(a) // the verifier knows the secret
	flip := func(i int) string {
		b := []byte(a.secret)
		if b[i] == 'x' {
			b[i] = 'y'
		} else {
			b[i] = 'x'
		}
		return string(b)
	}
	secrets := map[string]string{
		"one byte more": a.secret + "x", "72 bytes": a.secret + strings.Repeat("x", 5), "73 bytes": a.secret + strings.Repeat("x", 6),
		"cut": a.secret[:66], "NUL and itself": a.secret + "\x00" + a.secret, "NUL": a.secret + "\x00",
		"upper case": strings.ToUpper(a.secret), "lower case": strings.ToLower(a.secret),
		"leading space": " " + a.secret, "trailing space": a.secret + " ", "trailing line break": a.secret + "\n",
		"homoglyph": "ссws_" + a.secret[5:], "full width": a.secret[:60] + "０" + a.secret[61:],
		"another app's": other.secret, "empty": "", "long": strings.Repeat(a.secret, 100),
		"first changed": flip(5), "slot changed": flip(6), "body changed": flip(30), "last changed": flip(66),
	}
	ran := r.bcrypts()
	for name, secret := range secrets {
		for style, req := range map[string]*http.Request{
			"Basic": request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, secret)),
			"body":  request(oauth.PathToken, tokenForm+"&"+form("client_id", a.ClientID, "client_secret", secret)),
		} {
			p := r.send(req)
			if p.status != 401 || p.code() != "invalid_client" {
				t.Errorf("%s in %s: %d %s", name, style, p.status, p.raw)
			}
		}
	}
	if n := r.bcrypts() - ran; n != 0 {
		t.Errorf("%v bcrypts ran", n)
	}
	r.token(a)
}

func TestC16_OldAndNewSecret(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	before := r.token(a)
	shown, err := r.registry.Rotate(t.Context(), r.actor(r.acme), a.ID, registry.Rotation{
		Reason: registry.Planned, OldEnds: registry.End{Choice: registry.EndsIn1Hour}, Expires: registry.Expiry{Choice: registry.ExpiresNever},
	})
	must(t, err)
	renewed := a
	renewed.secret, renewed.secretID = shown.Secret.Reveal(), shown.ID
	for name, one := range map[string]app{"old": a, "new": renewed} {
		if cred := part(t, r.token(one), 1)["cred"]; cred != string(one.secretID) {
			t.Errorf("%s: cred %v, want %s", name, cred, one.secretID)
		}
	}
	r.clock.Advance(time.Hour - time.Microsecond)
	r.token(a)
	r.clock.Advance(time.Microsecond)
	refused(t, r.ask(a), 401, "invalid_client")
	r.token(renewed)
	if r.isActive(renewed, before) {
		t.Error("a token of an hour ago is active")
	}
}

// A rotation leaves issued tokens alone, also "now"; "leaked" ends those of that secret only (product.md decision 17).
func TestLeakedSecretEndsItsTokens(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	ofOld := r.token(a)
	shown, err := r.registry.Rotate(t.Context(), r.actor(r.acme), a.ID, registry.Rotation{
		Reason: registry.Planned, OldEnds: registry.End{Choice: registry.EndsNow}, Expires: registry.Expiry{Choice: registry.ExpiresNever},
	})
	must(t, err)
	renewed := a
	renewed.secret = shown.Secret.Reveal()
	ofNew := r.token(renewed)
	refused(t, r.ask(a), 401, "invalid_client")
	if !r.isActive(renewed, ofOld) {
		t.Error("a rotation ended an issued token")
	}
	must(t, r.registry.MarkLeaked(t.Context(), r.actor(r.acme), a.ID, a.secretID))
	if r.isActive(renewed, ofOld) || !r.isActive(renewed, ofNew) {
		t.Error("leaked must end the old secret's tokens and no others")
	}
}

func TestOneLogLinePerToken(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	req := request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret))
	req.RemoteAddr = "203.0.113.77:4711"
	p := r.send(req)
	log := r.log.String()
	if n := strings.Count(log, "token issued"); n != 1 {
		t.Fatalf("%d lines: %s", n, log)
	}
	jti, _ := part(t, p.text("access_token"), 1)["jti"].(string)
	for _, want := range []string{
		"jti=" + jti, "client=" + a.ClientID, "secret=" + string(a.secretID), "audience=" + issuer + "/apis/coupa-core", "network=203.0.113.0/24",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
	for _, never := range []string{p.text("access_token"), a.secret, "203.0.113.77", strings.Split(p.text("access_token"), ".")[2]} {
		if strings.Contains(log, never) {
			t.Errorf("%s is logged", never)
		}
	}
}

func TestTokenLogCanBeOff(t *testing.T) {
	r := newRig(t)
	quiet, err := oauth.New(oauth.Deps{Issuer: issuer, DB: r.db, Registry: r.registry, Catalogue: r.catalogue, Ring: r.ring, Log: r.logger()})
	must(t, err)
	a := r.app(invoiceRead)
	w := httptest.NewRecorder()
	quiet.Token(w, request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret)))
	if w.Code != 200 || strings.Contains(r.log.String(), "token issued") {
		t.Errorf("%d, log %s", w.Code, r.log)
	}
}

// The client library of the Go project fetches tokens in both styles, and finds out by itself which one works.
func TestGoOAuth2Client(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(r.mux)
	defer server.Close()
	a := r.app(invoiceRead, invoiceWrite)
	for name, style := range map[string]oauth2.AuthStyle{
		"header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams, "either": oauth2.AuthStyleAutoDetect,
	} {
		t.Run(name, func(t *testing.T) {
			config := clientcredentials.Config{
				ClientID: a.ClientID, ClientSecret: a.secret, TokenURL: server.URL + oauth.PathToken, Scopes: []string{invoiceWrite},
				EndpointParams: url.Values{"resource": {issuer + "/apis/coupa-core"}}, AuthStyle: style,
			}
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, server.Client())
			token, err := config.Token(ctx)
			must(t, err)
			if !r.isActive(a, token.AccessToken) || token.Type() != "Bearer" || token.Extra("scope") != invoiceWrite {
				t.Errorf("got %v %v", token.Type(), token.Extra("scope"))
			}
			config.ClientSecret = strings.ToUpper(a.secret)
			if _, err := config.Token(ctx); err == nil || !strings.Contains(err.Error(), "invalid_client") {
				t.Errorf("with a wrong secret: %v", err)
			}
		})
	}
}

// P4, protocol.md §2: once an app is known, a token needs no database.
func TestWarmTokensNeedNoDatabase(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	tok := r.token(a)
	must(t, r.db.Close())
	for range 3 {
		r.token(a)
	}
	if !r.isActive(a, tok) {
		t.Error("introspection needs the database")
	}
}

// F4: somebody else holds the database's write lock.
func TestF4_RevocationThatCannotBeWritten(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	tok := r.token(a)
	other := dbtest.Open(t, "sqlite:"+r.db.Path(), r.clock)
	must(t, other.Transact(t.Context(), func(*database.Tx) error {
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		req := request(oauth.PathRevoke, "token="+tok, "Authorization", basic(a.ClientID, a.secret))
		unavailable(t, r.send(req.WithContext(soon)))
		return nil
	}))
	if !r.isActive(a, tok) {
		t.Error("a revocation that was put off took place")
	}
}

// unavailable checks an answer that asks to come again.
func unavailable(t *testing.T, p reply) {
	t.Helper()
	refused(t, p, 503, "temporarily_unavailable")
	if p.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", p.header.Get("Retry-After"))
	}
}

func TestPresentedSecretsArePrintedRedacted(t *testing.T) {
	const canary = "canary-5b2e"
	p := oauth.Presented(request(oauth.PathToken, "", "Authorization", basic("CCWACME_x", canary)))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, p); strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got := fmt.Sprint(p); got != `"CCWACME_x" [redacted]` {
		t.Errorf("printed as %s", got)
	}
}

func TestNetworksAreLoggedWithoutTheHost(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.77": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
		"fe80::1%eth0": "fe80::/48", "": "unknown", "somebody": "unknown", "@": "unknown",
	} {
		if got := oauth.Network(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
