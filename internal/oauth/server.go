package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
)

// The paths below the issuer under which the handlers are served and published.
const (
	PathToken      = "/oauth2/token"
	PathIntrospect = "/oauth2/introspect"
	PathRevoke     = "/oauth2/revoke"
	PathJWKS       = "/oauth2/jwks"
	PathMetadata   = "/.well-known/oauth-authorization-server"
)

// Deps is what the server works with. All are needed but Address and Metrics. Time is that of the database's clock.
type Deps struct {
	Issuer    string // the public URL, without a trailing slash
	DB        *database.DB
	Registry  *registry.Registry
	Catalogue *scope.Shelf
	Ring      *keyring.Ring
	Log       *slog.Logger
	TokenLog  bool                       // one line per issued token (product.md decision 18)
	Address   func(*http.Request) string // IP address of the client; nil: the peer's
	Metrics   prometheus.Registerer      // nil: counted but not shown
}

// Server holds the endpoints. It is safe for use by many goroutines.
type Server struct {
	registry *registry.Registry
	keys     *keyring.Ring
	targets  *targets
	headers  *headers
	verified *verified
	issuer   string
	clock    func() time.Time
	log      *slog.Logger
	tokenLog bool
	address  func(*http.Request) string
	metrics  *metrics

	tokens, introspections endpoint
}

// New returns the server. The error names what is missing.
func New(d Deps) (*Server, error) {
	if d.DB == nil || d.Registry == nil || d.Catalogue == nil || d.Ring == nil || d.Log == nil {
		return nil, errors.New("oauth: database, registry, catalogue, ring and log are needed")
	}
	if d.Issuer == "" || strings.HasSuffix(d.Issuer, "/") {
		return nil, errors.New("oauth: the issuer is a URL without a trailing slash")
	}
	m, err := newMetrics(d.Metrics)
	if err != nil {
		return nil, err
	}
	if d.Address == nil {
		d.Address = peer
	}
	h := &headers{}
	seen, err := newVerified(h, d.Ring, m)
	if err != nil {
		return nil, err
	}
	s := &Server{
		registry: d.Registry, keys: d.Ring, headers: h, verified: seen, targets: newTargets(d.Catalogue, d.Issuer), issuer: d.Issuer, clock: d.DB.Now,
		log: d.Log, tokenLog: d.TokenLog, address: d.Address, metrics: m,
	}
	s.tokens, s.introspections = s.tokenEndpoint(), s.introspectEndpoint()
	return s, nil
}

// Endpoint is a handler with the path it answers under and the name that logs give it. It answers every method, those
// it does not take with 405 and JSON (C5).
type Endpoint struct {
	Name    string
	Path    string
	Client  bool // callers authenticate as a client (RFC 6749 §2.3); else anybody may ask
	Handler http.Handler
}

// Endpoints returns what discovery publishes, and discovery itself.
func (s *Server) Endpoints() []Endpoint {
	return []Endpoint{
		{"oauth.token", PathToken, true, s.guard(s.Token)},
		{"oauth.introspect", PathIntrospect, true, s.guard(s.Introspect)},
		{"oauth.revoke", PathRevoke, true, s.guard(s.Revoke)},
		{"oauth.jwks", PathJWKS, false, s.guard(s.JWKS)},
		{"oauth.metadata", PathMetadata, false, s.guard(s.Metadata)},
	}
}

// guard answers a panic like every other fault of ours; the stack goes to the log only (C76).
func (s *Server) guard(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				s.log.ErrorContext(r.Context(), "panic in an oauth endpoint", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				writeRefusal(w, r, refuse(reasonInternal))
			}
		}()
		next(w, r)
	})
}

// call is a request to one of the POST endpoints, read and authenticated.
type call struct {
	form    form
	client  *registry.Client
	secret  registry.SecretID
	address netip.Addr // of the client; zero for what is no IP address
}

// result is what an endpoint answers: a JSON body, or none when nil, and how that is counted.
type result struct {
	body    any
	outcome string
}

// endpoint is one of the POST endpoints. check, which may be nil, looks at the form before anything is spent on the
// credentials; act answers once they were accepted.
type endpoint struct {
	name  string
	check func(f form) error
	act   func(ctx context.Context, c *call) (result, error)
}

// serve answers a request to a POST endpoint.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	res, clientID, err := s.answer(w, r, e)
	if err != nil {
		refused := refusalOf(err)
		s.metrics.count(e.name, string(refused.reason))
		s.logRefusal(r.Context(), e.name, refused)
		writeRefusal(w, r, refused)
		s.noteRejection(r, clientID, refused)
		return
	}
	s.metrics.count(e.name, res.outcome)
	writeJSON(w, http.StatusOK, res.body)
}

// answer judges a request. It returns the client ID that the request names too, "" for none.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, e endpoint) (res result, clientID string, err error) {
	f, err := readForm(w, r)
	if err != nil {
		return result{}, named(r, f), err
	}
	who, err := readClient(r, f)
	if err != nil {
		return result{}, named(r, f), err
	}
	address := s.address(r)
	c := &call{form: f, address: addr(address)}
	res, err = s.judge(r.Context(), e, who, limit.Network(address), c)
	if err == nil {
		s.registry.NoteUse(c.client, c.secret, c.address)
	}
	return res, who.clientID, err
}

// judge is what an endpoint does with a form and credentials that could be read, wherever they came from. It fills in who
// the caller is. network is where failures are counted, "" for nowhere.
func (s *Server) judge(ctx context.Context, e endpoint, who presented, network string, c *call) (res result, err error) {
	if e.check != nil {
		if err := e.check(c.form); err != nil {
			return result{}, err
		}
	}
	c.client, c.secret, err = s.registry.Authenticate(ctx, who.clientID, who.secret, network)
	if err != nil {
		return result{}, err
	}
	return e.act(ctx, c)
}

// logRefusal logs what the operator has to know of: faults of ours. A client's own faults are counted only.
func (s *Server) logRefusal(ctx context.Context, endpoint string, e *refusal) {
	switch e.reason {
	case reasonInternal:
		s.log.ErrorContext(ctx, "oauth request failed", "endpoint", endpoint, "error", e)
	case reasonUnavailable:
		s.log.WarnContext(ctx, "oauth request put off", "endpoint", endpoint, "error", e)
	default:
	}
}

// Values of headers that answers share. Nobody changes them in place.
var (
	noStore  = []string{"no-store"}
	noCache  = []string{"no-cache"}
	typeJSON = []string{"application/json"}
)

// writeJSON answers with a body that no cache may keep (RFC 6749 §5.1); nil is an empty one.
func writeJSON(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h["Cache-Control"], h["Pragma"] = noStore, noCache
	if body == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(body)
	if err != nil { // bodies are structs of texts and numbers
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h["Content-Type"] = typeJSON
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that went away cannot be told
}

// peer returns the address of who is at the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// addr reads an address; what is none is the zero address. The networks by which use is counted and logged are
// registry.NetworkOf's and say less than limit.Network, by which strangers are counted.
func addr(address string) netip.Addr {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Addr{}
	}
	return a
}
