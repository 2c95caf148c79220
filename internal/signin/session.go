package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/alexedwards/scs/v2"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// How long a session lasts (C51).
const (
	IdleLimit     = 30 * time.Minute // without a request
	AbsoluteLimit = 12 * time.Hour   // after the password was entered
)

const (
	// seenEvery is how exactly the last request is known: a write per page view would be too dear.
	seenEvery = time.Minute
	// backwards is how far a session may seem to lie in the future: replicas' clocks differ a little. One beyond it was
	// begun before the clock was set back and would live too long.
	backwards = 5 * time.Minute
)

// What a session holds. Every value is a string; row and seen are put there by the store and not kept as data.
const (
	keyPerson      = "person"
	keySignedIn    = "signed_in_at"
	keyPasswordSet = "password_set_at"
	keyFlash       = "flash"
	keyRow         = "row"
	keySeen        = "seen"
)

// newManager returns the session manager: a cookie that the browser forgets when it is closed, of the name and flags of
// C59, and our table behind it. The limits are the store's, on the product's clock; scs's own are never the shorter.
//
// It is not made by scs.New, which starts a goroutine that sweeps a store of its own and cannot be stopped safely.
func newManager(db *database.DB, secure bool) *scs.SessionManager {
	return &scs.SessionManager{
		Lifetime:  AbsoluteLimit,
		Store:     &store{db: db},
		Codec:     codec{},
		ErrorFunc: unavailable,
		Cookie: scs.SessionCookie{
			Name: CookieName(secure), Path: "/", Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		},
	}
}

// unavailable answers when a session cannot be read or written and nobody has set a better ErrorFunc.
func unavailable(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
}

// CookieName returns the name of the session cookie: on https one that browsers take only with Secure, Path=/ and
// without Domain; on http of the own machine, where they would refuse that, a plain one (protocol.md §9).
func CookieName(secure bool) string { return hostPrefix(secure) + "credenza" }

// DeviceCookie returns the cookie that marks the device as known (C48), for a person who has just signed in.
func (s *Service) DeviceCookie(person identity.Person) *http.Cookie {
	//nolint:gosec // Secure follows the portal's scheme: on http of the own machine browsers would drop the cookie
	return &http.Cookie{
		Name: s.DeviceCookieName(), Value: s.DeviceToken(person), Path: "/", HttpOnly: true,
		Secure: s.manager.Cookie.Secure, SameSite: http.SameSiteLaxMode, MaxAge: int(deviceKnown / time.Second),
	}
}

// DeviceCookieName returns the name of the device cookie.
func (s *Service) DeviceCookieName() string {
	return hostPrefix(s.manager.Cookie.Secure) + "credenza-device"
}

func hostPrefix(secure bool) string {
	if secure {
		return "__Host-"
	}
	return ""
}

// Sessions returns the session manager. web wraps its handlers with LoadAndSave, sets ErrorFunc, and otherwise leaves
// what a session holds to this package.
func (s *Service) Sessions() *scs.SessionManager { return s.manager }

// entry is a decision to let somebody in: who, when, and when the password was set that they gave.
type entry struct {
	person        identity.Person
	at            time.Time
	passwordSetAt time.Time
}

// start begins a session: a new token, nothing of what the old session held, the old row gone (C50).
func (s *Service) start(ctx context.Context, e entry) error {
	if err := s.manager.RenewToken(ctx); err != nil {
		return err
	}
	if err := s.manager.Clear(ctx); err != nil {
		return err
	}
	s.manager.Put(ctx, keyPerson, string(e.person.ID))
	s.manager.Put(ctx, keySignedIn, micros(e.at))
	s.manager.Put(ctx, keyPasswordSet, micros(e.passwordSetAt))
	return nil
}

// State says who is there.
type State string

// The states of a visit.
const (
	Nobody   State = "nobody"    // no session, or one that ended otherwise than by time
	SignedIn State = "signed_in" // Actor is set
	TimedOut State = "timed_out" // the cookie names a session that ended by time; EndedAt and Idle are set
)

// Visit is what a request's cookie stands for. Actor has no origin yet.
type Visit struct {
	State      State
	Actor      access.Actor
	SignedInAt time.Time
	EndedAt    time.Time
	Idle       bool // it ended for want of requests, not after 12 hours
}

// Resolve tells who is there. ctx comes from Sessions().LoadAndSave; cookie is the value of the session cookie, empty
// without one. A session whose person may no longer act, or has another password than the one it was begun with, is
// ended. It counts as a request: the idle limit runs anew. problem.Unavailable when it cannot be known.
func (s *Service) Resolve(ctx context.Context, cookie string) (Visit, error) {
	id := identity.PersonID(s.manager.GetString(ctx, keyPerson))
	if id == "" {
		return s.timedOut(ctx, cookie)
	}
	standing, err := s.people.Standing(ctx, id)
	stands := false
	if err == nil {
		stands, err = s.stands(ctx, id, standing.PasswordSetAt)
	}
	switch {
	case problem.Is(err, problem.Unauthenticated), err == nil && !stands:
		return Visit{State: Nobody}, s.manager.Destroy(ctx)
	case err != nil:
		return Visit{}, err
	}
	s.touch(ctx)
	return Visit{State: SignedIn, Actor: standing.Actor, SignedInAt: s.time(ctx, keySignedIn)}, nil
}

// stands reports whether the session was begun with the password that the person has. Which of two came first cannot
// be told by comparing times: a change of password may begin before a sign-in and commit after it. Where what is known
// differs, the database is asked, for another process may have set the password that this session was begun with.
func (s *Service) stands(ctx context.Context, id identity.PersonID, known time.Time) (bool, error) {
	begunWith := s.time(ctx, keyPasswordSet)
	if begunWith.Equal(known) {
		return true, nil
	}
	c, ok, err := s.people.CredentialByID(ctx, id)
	return ok && begunWith.Equal(c.PasswordSetAt), err
}

func (s *Service) timedOut(ctx context.Context, cookie string) (Visit, error) {
	row, ok, err := readEnded(ctx, s.db, cookie)
	if err != nil || !ok {
		return Visit{State: Nobody}, err
	}
	ended, idle := row.end()
	return Visit{State: TimedOut, EndedAt: ended, Idle: idle}, nil
}

// touch notes that the session is in use, at most once a minute. A database that takes no writes signs nobody out.
func (s *Service) touch(ctx context.Context) {
	now := s.db.Now()
	if now.Sub(s.time(ctx, keySeen)) < seenEvery {
		return
	}
	if err := noteSeen(ctx, s.db, s.manager.GetString(ctx, keyRow), now); err != nil {
		s.log.WarnContext(ctx, "noting that a session is in use", "error", err)
	}
}

// time returns a time that the session holds, zero when it holds none.
func (s *Service) time(ctx context.Context, key string) time.Time {
	us, err := strconv.ParseInt(s.manager.GetString(ctx, key), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return database.FromMicros(us)
}

func micros(t time.Time) string { return strconv.FormatInt(database.Micros(t), 10) }

// Flash is one message that the next page shows (ui.md §3.5). Kind is how the page shows it; Key, Args and Numbers are a
// message of package i18n.
type Flash struct {
	Kind    string            `json:"kind"`
	Key     string            `json:"key"`
	Args    map[string]string `json:"args,omitempty"`
	Numbers map[string]int    `json:"numbers,omitempty"`
}

// PutFlash keeps a message for the next page. Without somebody signed in it does nothing: strangers leave no rows.
func (s *Service) PutFlash(ctx context.Context, f Flash) error {
	if s.manager.GetString(ctx, keyPerson) == "" {
		return nil
	}
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("keep a message: %w", err)
	}
	s.manager.Put(ctx, keyFlash, string(b))
	return nil
}

// TakeFlash returns the message that was kept, once.
func (s *Service) TakeFlash(ctx context.Context) (f Flash, ok bool) {
	if s.manager.GetString(ctx, keyFlash) == "" {
		return Flash{}, false
	}
	err := json.Unmarshal([]byte(s.manager.PopString(ctx, keyFlash)), &f)
	return f, err == nil
}
