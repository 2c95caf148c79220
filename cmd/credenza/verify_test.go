package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// guesses sends so many wrong secrets of a client, as from an address, and returns how often each status came.
func (r *replica) guesses(t *testing.T, n int, clientID, forwarded string) map[int]int {
	t.Helper()
	statuses := map[int]int{}
	for i := range n {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {fmt.Sprint("guess ", i)}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/oauth2/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if forwarded != "" {
			request.Header.Set("X-Forwarded-For", forwarded)
		}
		statuses[r.send(t, request).status]++
	}
	return statuses
}

// Whether a proxy stands in front is decided by the settings and not by what a client sends (protocol.md §3.4).
func TestC23_NetworksAreLimitedWhereTheyAreKnown(t *testing.T) {
	const hidden = "limits per network are off"
	for _, test := range []struct {
		name      string
		settings  []string
		forwarded string
		limited   bool
		warns     bool
	}{
		{"no proxy", nil, "", true, false},
		{"no proxy, and a client says that there is one", nil, "203.0.113.9", true, false},
		{"a proxy that is not named", []string{"CREDENZA_PUBLIC_URL=https://credenza.example"}, "203.0.113.9", false, true},
		{"a proxy", []string{
			"CREDENZA_PUBLIC_URL=https://credenza.example", "CREDENZA_TRUSTED_PROXIES=127.0.0.1",
		}, "203.0.113.9", true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInstallation(t, test.settings...)
			acme(t, i)
			r := i.begin(t, "one")
			statuses := r.guesses(t, 45, "CCWACME_22222222222222222222", test.forwarded)
			if statuses[401] == 0 || (statuses[429] > 0) != test.limited || statuses[401]+statuses[429] != 45 {
				t.Errorf("statuses: %v", statuses)
			}
			if test.limited && test.forwarded != "" && len(test.settings) > 0 {
				if next := r.guesses(t, 1, "CCWACME_22222222222222222222", "203.0.113.10"); next[401] != 1 {
					t.Errorf("the next address: %v", next)
				}
			}
			if strings.Contains(r.logs.String(), hidden) != test.warns {
				t.Errorf("log:\n%s", r.logs)
			}
		})
	}
}

// A raised cost reaches secrets that exist: the server hashes them again once they were used.
func TestARaisedCostReachesSecretsThatExist(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made := newApp(t, i, "Raised")
	r := i.begin(t, "one", "CREDENZA_BCRYPT_COST=11")
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {made.ClientID}, "client_secret": {made.ClientSecret}}
	if a := r.post(t, "/oauth2/token", form); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.text)
	}
	await(t, "a new hash", func() bool {
		return strings.Contains(r.get(t, r.admin+"/metrics", "").text, "credenza_secret_rehashes_total{result=\"kept\"} 1\n")
	})
	if a := r.post(t, "/oauth2/token", form); a.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", a.status, a.text)
	}
}
