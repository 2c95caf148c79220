package scope_test

import (
	"strings"
	"testing"

	"credenza.example/credenza/internal/scope"
)

func TestCurl(t *testing.T) {
	tests := []struct{ line, want string }{
		{`curl https://acme.example/api/invoices`, "GET /api/invoices"},
		{`curl -X POST https://acme.example/api/invoices -H 'Authorization: Bearer HUSH'`, "POST /api/invoices"},
		{`curl -H "Authorization: Bearer HUSH" --request=put 'https://acme.example/api/invoices/17?token=HUSH#HUSH'`, "PUT /api/invoices/17"},
		{`curl -sSXPATCH -HAuthorization:HUSH https://a:HUSH@acme.example:8443/api/invoices/17`, "PATCH /api/invoices/17"},
		{`curl https://acme.example/api/invoices -d '{"a":"https://HUSH/HUSH"}'`, "POST /api/invoices"},
		{`curl -d "it \"HUSH" https://acme.example/api/invoices`, "POST /api/invoices"},
		{`curl --data-raw $'it\'s https://HUSH/HUSH' --url https://acme.example/api/invoices`, "POST /api/invoices"},
		{`curl --location 'https://acme.example/api/invoices' --form 'file=@/HUSH'`, "POST /api/invoices"},
		{`curl -G -d q=HUSH https://acme.example/api/invoices`, "GET /api/invoices"},
		{`curl -X GET --json '{}' https://acme.example/api/invoices`, "GET /api/invoices"},
		{`curl -T HUSH/file https://acme.example/api/invoices/17`, "PUT /api/invoices/17"},
		{`curl -I https://acme.example/api/invoices`, "GET /api/invoices"},
		{`curl -X HEAD https://acme.example/api/invoices`, "GET /api/invoices"},
		{`curl -X HUSH https://acme.example/api/invoices`, "/api/invoices"},
		{`curl -e https://HUSH/HUSH -x http://HUSH/HUSH -o HUSH/HUSH -u a:HUSH/HUSH acme.example/api/invoices`, "GET /api/invoices"},
		{`curl --oauth2-bearer HUSH/HUSH --retry 3 --compressed https://acme.example/api/invoices`, "GET /api/invoices"},
		{`$ curl.exe -s localhost:8080/api/v1/apps/self`, "GET /api/v1/apps/self"},
		{"curl 'https://acme.example/api/invoices' \\\n  -X 'DELETE' \\\n  -H 'a: HUSH'", "DELETE /api/invoices"},
		{`curl 'https://acme.example/api/invoices' \  -X 'DELETE' \  -H 'a: HUSH'`, "DELETE /api/invoices"}, // in a field of one line
		{`curl 'https://acme.example/api/invoices' \-X 'DELETE' \-H 'a: HUSH'`, "DELETE /api/invoices"},
		{`curl ^"https://acme.example/api/invoices^" ^  -H ^"Authorization: HUSH^" ^  --data-raw ^"^{^}^"`, "POST /api/invoices"},
		{`curl {{base}}/invoices/:id`, "GET /invoices/:id"},
		{`CURL -H "HUSH`, "curl"},
		{`curl HUSH`, "curl"},
		{`curl https://HUSH`, "curl"},
		{`curl https://HUSH/`, "curl"},
		{`curl -X`, "curl"},
	}
	for _, test := range tests {
		if got, ok := scope.Curl(test.line); !ok || got != test.want {
			t.Errorf("%s\n is %q, %t, want %q", test.line, got, ok, test.want)
		}
	}
	for _, other := range []string{"", "curl", " curl ", "$", "POST /invoices", "curling https://acme.example/api", "invoices curl"} {
		if got, ok := scope.Curl(other); ok {
			t.Errorf("%q is taken for the command %q", other, got)
		}
	}
}

// What comes back of a command is a call, whatever stands in the rest of it.
func FuzzCurl(f *testing.F) {
	f.Add(`curl -X POST https://acme.example/api/invoices -H 'Authorization: Bearer x'`)
	f.Add("curl \\\n --url=h/p -d \"\\\"\" $'\\''")
	f.Fuzz(func(t *testing.T, line string) {
		call, ok := scope.Curl(line)
		if !ok && call != "" {
			t.Errorf("%q is no command, and %q comes back", line, call)
		}
		if fields := strings.Fields(call); ok && (len(fields) == 0 || len(fields) > 2 || strings.ContainsAny(call, "?#")) {
			t.Errorf("%q is read as %q", line, call)
		}
	})
}
