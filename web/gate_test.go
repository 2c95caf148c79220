package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"credenza.example/credenza/web"
)

// gated is a server behind a gate, with its address.
func gated(t *testing.T, limits web.Gate, handler http.Handler) string {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- web.ServeGated(s, l, limits) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended: %v", err)
		}
	})
	return l.Addr().String()
}

// caller is a connection.
type caller struct {
	t    *testing.T
	conn net.Conn
}

func call(t *testing.T, address string) *caller {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &caller{t, conn}
}

func (c *caller) ask(path string) *caller {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// answered waits for the answer.
func (c *caller) answered() {
	c.t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = answer.Body.Close()
}

// TestF9_NewcomersTakeTurns: no more are let in at a time than there is room for, who say nothing yet; who speaks makes
// room for others.
func TestF9_NewcomersTakeTurns(t *testing.T) {
	address := gated(t, web.Gate{Newcomers: 3, NewcomerTime: time.Hour, Connections: 1000}, http.NotFoundHandler())
	var silent []*caller
	for range 3 {
		silent = append(silent, call(t, address))
	}
	late := call(t, address).ask("/")
	silent[0].ask("/").answered() // all three were let in, and the fourth was not
	late.answered()
	silent[1].ask("/").answered()
	silent[2].ask("/").answered()
}

// TestF9_WhoIsInsideDoesNotWait: newcomers who fill the room do not keep those from being served who have been answered
// before.
func TestF9_WhoIsInsideDoesNotWait(t *testing.T) {
	address := gated(t, web.Gate{Newcomers: 2, NewcomerTime: time.Hour, Connections: 1000}, http.NotFoundHandler())
	old := call(t, address).ask("/")
	old.answered()
	for range 5 {
		call(t, address)
	}
	old.ask("/").answered()
}

// TestF9_ACrowdDoesNotCloseTheDoor: while requests wait for their turn newcomers come in all the same, silent ones or not.
func TestF9_ACrowdDoesNotCloseTheDoor(t *testing.T) {
	address := gated(t, web.Gate{Newcomers: 1, NewcomerTime: time.Millisecond, Connections: 1000, Crowded: true},
		http.NotFoundHandler())
	for range 5 {
		call(t, address)
		call(t, address).ask("/").answered()
	}
}

// TestF7_SilenceTakesNoRoom: connections that send nothing keep nobody out once they have grown old.
func TestF7_SilenceTakesNoRoom(t *testing.T) {
	address := gated(t, web.Gate{Newcomers: 1, NewcomerTime: time.Millisecond, Connections: 1000}, http.NotFoundHandler())
	for range 5 {
		call(t, address)
	}
	call(t, address).ask("/").answered()
}

// TestF7_ConnectionsAreBounded: beyond the bound nobody comes in until somebody has left.
func TestF7_ConnectionsAreBounded(t *testing.T) {
	address := gated(t, web.Gate{
		Newcomers: 10, NewcomerTime: time.Millisecond, Connections: 2, Silent: time.Hour, Slow: time.Hour,
	}, http.NotFoundHandler())
	first, second := call(t, address).ask("/"), call(t, address).ask("/")
	first.answered()
	second.answered()
	third := call(t, address).ask("/")
	first.ask("/").answered() // a turn later the third still waits
	if third.told() {
		t.Error("a third connection was let in where two may be open")
	}
	_ = second.conn.Close()
	third.answered()
}

// told reports whether anything has come. Nothing is waited for.
func (c *caller) told() bool {
	c.t.Helper()
	if err := c.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
		c.t.Fatal(err)
	}
	n, err := c.conn.Read(make([]byte, 1))
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		c.t.Fatal(err)
	}
	return n > 0 || err == nil
}

// TestF7_TheSilentGiveWay: where no more may be open, a newcomer takes the place of whoever has been silent for longest,
// then that of a slow request; who is being served is left alone.
func TestF7_TheSilentGiveWay(t *testing.T) {
	slow, quick := make(chan struct{}), make(chan struct{})
	address := gated(t, web.Gate{
		Newcomers: 10, NewcomerTime: time.Millisecond, Connections: 3, Slow: time.Hour,
	}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(slow)
			<-quick
		}
	}))
	served := call(t, address).ask("/slow")
	<-slow
	first := call(t, address)
	second := call(t, address)
	first.ended() // one place is always free
	newcomer := call(t, address).ask("/")
	second.ended()
	newcomer.answered()
	close(quick)
	served.answered()
}

// ended waits for the end of the connection.
func (c *caller) ended() {
	c.t.Helper()
	if n, err := c.conn.Read(make([]byte, 1)); n > 0 || err == nil {
		c.t.Fatal("the connection goes on")
	}
}

// TestF7_SlowRequestsGiveWay: when nobody is silent.
func TestF7_SlowRequestsGiveWay(t *testing.T) {
	entered := make(chan struct{}, 3)
	address := gated(t, web.Gate{
		Newcomers: 10, NewcomerTime: time.Millisecond, Connections: 2, Silent: time.Hour,
	}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	var slow []*caller
	for range 2 {
		c := call(t, address)
		if _, err := io.WriteString(c.conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1"); err != nil {
			t.Fatal(err)
		}
		<-entered
		slow = append(slow, c)
	}
	slow[0].ended() // one place is always free
	newcomer := call(t, address).ask("/")
	slow[1].ended()
	newcomer.answered()
}

// TestGateEndsWithTheServer: a server can be shut down while its gate is full.
func TestGateEndsWithTheServer(t *testing.T) {
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.NotFoundHandler()}
	ended := make(chan error, 1)
	limits := web.Gate{Newcomers: 1, NewcomerTime: time.Hour, Connections: 1, Silent: time.Hour, Slow: time.Hour}
	go func() { ended <- web.ServeGated(s, l, limits) }()
	call(t, l.Addr().String()).ask("/").answered()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("ended with %v", err)
	}
}
