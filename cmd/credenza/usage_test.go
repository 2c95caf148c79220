package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A clean stop writes what was counted (product.md decision 18), and the command line shows it.
func TestStopWritesUse(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made, idle := newApp(t, i, "Used"), newApp(t, i, "Idle")
	t.Run("serve", func(t *testing.T) {
		s := i.serve(t)
		if status, body := s.token(t, made.ClientID, made.ClientSecret); status != http.StatusOK {
			t.Fatalf("%d %v", status, body["error"])
		}
	})
	used := must[appDocument](t, i, "app", "show", made.ClientID)
	if used.LastUsedAt == nil || used.Secrets[0].LastUsedAt == nil || !used.LastUsedAt.Equal(*used.Secrets[0].LastUsedAt) {
		t.Errorf("app show printed the last use %v, of the secret %v", used.LastUsedAt, used.Secrets[0].LastUsedAt)
	}
	if never := must[appDocument](t, i, "app", "show", idle.ClientID); never.LastUsedAt != nil || never.Secrets[0].LastUsedAt != nil {
		t.Errorf("an app that was never used: %+v", never)
	}
	for _, row := range must[[]appRow](t, i, "app", "list", "--org", "acme") {
		if (row.LastUsedAt != nil) != (row.ClientID == made.ClientID) {
			t.Errorf("app list printed %+v", row)
		}
	}
	_, table, _ := i.run(t, "app", "show", idle.ClientID)
	_, list, _ := i.run(t, "app", "list", "--org", "acme")
	if !strings.Contains(table, "last used: never") || !strings.Contains(list, "LAST USED") {
		t.Errorf("people read\n%s\n%s", table, list)
	}
}

// One line for each token, with these fields and no others, unless the log of tokens is off.
func TestTokenLog(t *testing.T) {
	for setting, want := range map[string]int{"": 1, "on": 1, "off": 0} {
		t.Run("set to "+setting, func(t *testing.T) {
			i := newInstallation(t, "CREDENZA_TOKEN_LOG="+setting)
			acme(t, i)
			made := newApp(t, i, "Logged")
			var logs *lockedBuffer
			t.Run("serve", func(t *testing.T) {
				s := i.serve(t)
				logs = s.logs
				if status, body := s.token(t, made.ClientID, made.ClientSecret); status != http.StatusOK {
					t.Fatalf("%d %v", status, body["error"])
				}
			})
			var lines []map[string]any
			for line := range strings.Lines(logs.String()) {
				var fields map[string]any
				if err := json.Unmarshal([]byte(line), &fields); err != nil {
					t.Fatalf("%q is no JSON: %v", line, err)
				}
				if fields["msg"] == "token issued" {
					lines = append(lines, fields)
				}
			}
			if len(lines) != want {
				t.Fatalf("%d lines, want %d", len(lines), want)
			}
			for _, fields := range lines {
				names := slices.Sorted(maps.Keys(fields))
				if diff := cmp.Diff([]string{"audience", "client", "jti", "level", "msg", "network", "secret", "time"}, names); diff != "" {
					t.Errorf("fields (-want +got):\n%s", diff)
				}
				if fields["client"] != made.ClientID || fields["secret"] != made.SecretID || fields["network"] != "127.0.0.0/24" {
					t.Errorf("line %v", fields)
				}
			}
		})
	}
}
