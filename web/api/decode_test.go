package api_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/web/api"
)

func TestDecodeTellsEveryFault(t *testing.T) {
	tests := []struct {
		name, body string
		want       []api.Fault
	}{
		{"right", `{"name":"x","scopes":["a"],"contact":{"email":"e"},"active":null}`, nil},
		{"unknown, in any case", `{"Name":"x","scope":[]}`, []api.Fault{{Name: "Name", Flaw: api.FlawUnknown}, {Name: "scope", Flaw: api.FlawUnknown}}},
		{"twice", `{"name":"x","name":"x"}`, []api.Fault{{Name: "name", Flaw: api.FlawRepeated}}},
		{"twice within", `{"contact":{"email":"x","email":"y"}}`, []api.Fault{{Name: "contact.email", Flaw: api.FlawRepeated}}},
		{"types", `{"name":true,"scopes":{},"contact":"x","active":1}`, []api.Fault{
			{Name: "name", Flaw: api.FlawType},
			{Name: "scopes", Flaw: api.FlawType},
			{Name: "contact", Flaw: api.FlawType},
			{Name: "active", Flaw: api.FlawType},
		}},
		{"in a list", `{"scopes":["a",{"b":[1]}]}`, []api.Fault{{Name: "scopes[1]", Flaw: api.FlawType}}},
		{"optional", `{"secret":{"expires_at":[]}}`, []api.Fault{{Name: "secret.expires_at", Flaw: api.FlawType}}},
	}
	for _, tt := range tests {
		var body api.NewApp
		got, err := api.Decode([]byte(tt.body), &body)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", tt.name, err, diff)
		}
	}
	for _, text := range []string{"", " ", "null", "[]", `"x"`, "{", "{}}", "{} {}", "{\"a\":\"\xff\"}", `{"name":"x",}`, `{"name":'x'}`} {
		var body api.NewApp
		if _, err := api.Decode([]byte(text), &body); !errors.Is(err, api.ErrNotJSON) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOptionalTellsAbsentFromNull(t *testing.T) {
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	for body, want := range map[string]api.Optional[time.Time]{
		`{}`:                                    {},
		`{"expires_at":null}`:                   {Given: true, Null: true},
		`{"expires_at":"2027-01-02T03:04:05Z"}`: {Given: true, Value: at},
	} {
		var got api.NewSecret
		if faults, err := api.Decode([]byte(body), &got); err != nil || faults != nil {
			t.Errorf("%s: %v %v", body, faults, err)
		}
		if diff := cmp.Diff(want, got.ExpiresAt); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

// FuzzDecode: whatever is taken without a fault reads the same to a plain decoder that knows the same members, and
// nothing makes the reader fail otherwise than by its error.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"x","scopes":["a"]}`, `{"contact":{"email":null}}`, `{"secret":{"expires_at":null}}`, `{"name":"x","name":"y"}`,
		`[[[[`, `{"":1}`, `{"scopes":[[[]]]}`, "{\"name\":\"\\ud800\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, plain api.NewApp
		faults, err := api.Decode(body, &got)
		if err != nil || len(faults) > 0 {
			return
		}
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("taken, and no JSON for others: %v", err)
		}
		if diff := cmp.Diff(plain, got); diff != "" {
			t.Error(diff)
		}
	})
}
