package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestGatewayOnASocket: the call check answers on its own address, here a socket, and nowhere else. A socket that a
// killed process left does not keep the next one from starting; a file that is none stays.
func TestGatewayOnASocket(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made := newApp(t, i, "Behind a proxy")
	path := filepath.Join(t.TempDir(), "gateway.sock")
	left, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	i.environ = append(i.environ, "CREDENZA_GATEWAY_ADDR=unix:"+path)
	s := i.serve(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != socketMode {
		t.Errorf("the socket: %v, %v", info, err)
	}
	status, body := s.token(t, made.ClientID, made.ClientSecret)
	token, _ := body["access_token"].(string)
	if status != http.StatusOK || token == "" {
		t.Fatalf("%d %v", status, body["error"])
	}
	gateway := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	defer gateway.CloseIdleConnections()
	ask := func(client *http.Client, url string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/gateway/ccw/nginx", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Original-Method", http.MethodPost)
		req.Header.Set("X-Original-URI", "/api/candidates/search")
		req.Header.Set("Authorization", "Bearer "+token)
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if got := ask(gateway, "http://gateway"); got != http.StatusOK {
		t.Errorf("on the socket: %d", got)
	}
	if got := ask(http.DefaultClient, s.url); got != http.StatusNotFound {
		t.Errorf("on the public address: %d", got)
	}
	for name, want := range map[string]string{"a living server's": path, "no socket": filepath.Join(t.TempDir(), "file")} {
		if name == "no socket" {
			if err := os.WriteFile(want, []byte("kept"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if l, err := openDoor(t.Context(), "unix:"+want); err == nil {
			_ = l.Close()
			t.Errorf("%s was taken", name)
		}
		if _, err := os.Lstat(want); err != nil {
			t.Errorf("%s was removed: %v", name, err)
		}
	}
}
