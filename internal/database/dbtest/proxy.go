package dbtest

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy stands between a process and the tests' PostgreSQL and spoils the network between them (F5).
type Proxy struct {
	URL string // of the database, by way of the proxy

	socket   string // of the server
	listener net.Listener
	delay    atomic.Int64

	mu    sync.Mutex
	state proxyState
	links map[*link]struct{}
}

type proxyState int

const (
	passing proxyState = iota
	cutting
	holding
)

// link is one connection through the proxy. A dead one swallows what comes and says nothing.
type link struct {
	client, server net.Conn // server is nil when it began dead
	dead           atomic.Bool
}

// NewProxy returns a proxy to the database at a URL of PostgresURL, which passes everything. It ends with the test.
func NewProxy(t *testing.T, databaseURL string) *Proxy {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		socket:   filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"),
		listener: listener, links: map[*link]struct{}{},
	}
	p.URL = "postgres://" + u.Query().Get("user") + "@" + listener.Addr().String() + u.Path + "?sslmode=disable"
	var serving sync.WaitGroup
	serving.Go(func() { p.serve(&serving) })
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		serving.Wait()
	})
	return p
}

// Pass lets new connections through, and those that were never cut or held.
func (p *Proxy) Pass() { p.set(passing) }

// Cut ends all connections and every new one at once, as a server does that stops.
func (p *Proxy) Cut() { p.set(cutting) }

// Hold makes all connections dead and every new one too: they stay open, and nobody hears of the other side any more, as
// behind a network that was cut. They stay dead when the proxy passes again.
func (p *Proxy) Hold() { p.set(holding) }

// Slow makes everything take longer by d in each direction.
func (p *Proxy) Slow(d time.Duration) { p.delay.Store(int64(d)) }

func (p *Proxy) set(state proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	for l := range p.links {
		switch state {
		case passing:
		case cutting:
			l.close()
		case holding:
			l.dead.Store(true)
		}
	}
}

func (p *Proxy) serve(serving *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { p.connect(client) })
	}
}

// connect carries one connection until either side closes it.
func (p *Proxy) connect(client net.Conn) {
	l := &link{client: client}
	if !p.add(l) {
		_ = client.Close()
		return
	}
	defer p.remove(l)
	if l.server == nil {
		_, _ = io.Copy(io.Discard, client)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(l, l.server, l.client) })
	both.Go(func() { p.carry(l, l.client, l.server) })
	both.Wait()
}

// add takes a link in, unless new connections are cut.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.state {
	case cutting:
		return false
	case holding:
		l.dead.Store(true)
	case passing:
		var dialer net.Dialer
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var err error
		if l.server, err = dialer.DialContext(ctx, "unix", p.socket); err != nil {
			return false
		}
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
	l.close()
}

// carry copies from one side to the other until one closes.
func (p *Proxy) carry(l *link, to, from net.Conn) {
	defer l.close()
	chunk := make([]byte, 32<<10)
	for {
		n, err := from.Read(chunk)
		if delay := time.Duration(p.delay.Load()); delay > 0 {
			<-time.After(delay)
		}
		if err == nil && !l.dead.Load() {
			_, err = to.Write(chunk[:n])
		}
		if err != nil {
			return
		}
	}
}

func (l *link) close() {
	_ = l.client.Close()
	if l.server != nil {
		_ = l.server.Close()
	}
}
