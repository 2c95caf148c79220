package oauth_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"credenza.example/credenza/internal/oauth"
)

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
	aud := issuer + "/apis/coupa-core"
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
