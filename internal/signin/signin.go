package signin

import (
	"context"
	"errors"
	"log/slog"

	"github.com/alexedwards/scs/v2"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/problem"
)

// Deps is what the room is built from. MAC is the keyring's: a MAC of 32 bytes under a key kept for the purpose. Secure
// says that the portal is reached by https, which decides over the cookies' names and flags. Params may be left empty.
type Deps struct {
	DB     *database.DB
	Trail  *audit.Trail
	People *identity.Directory
	MAC    func(purpose string, data []byte) []byte
	Logger *slog.Logger
	Secure bool
	Params Params
}

// Service is the room's door. It is safe for use by many goroutines.
type Service struct {
	db      *database.DB
	trail   *audit.Trail
	people  *identity.Directory
	mac     func(purpose string, data []byte) []byte
	log     *slog.Logger
	hasher  *hasher
	delays  *delays
	common  map[string]bool
	manager *scs.SessionManager
}

// New returns the room. From then on, sessions and links end with the access of their owner (identity.WhenEnded); so
// every process that changes people makes one, the command line too.
func New(d Deps) (*Service, error) {
	if d.MAC == nil {
		return nil, errors.New("signin: a MAC is needed")
	}
	if d.Params == (Params{}) {
		d.Params = DefaultParams()
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	h, err := newHasher(d.Params)
	if err != nil {
		return nil, err
	}
	waits, err := newDelays(d.DB.Now)
	if err != nil {
		return nil, err
	}
	s := &Service{
		db: d.DB, trail: d.Trail, people: d.People, mac: d.MAC, log: d.Logger,
		hasher: h, delays: waits, common: commonPasswords(),
	}
	s.manager = newManager(s.db, d.Secure)
	d.People.WhenEnded(endAccess)
	return s, nil
}

// Hashes returns how many password hashes were computed. Tests assert it: equal work is what hides whether an account
// exists (C47).
func (s *Service) Hashes() int64 { return s.hasher.hashes.Load() }

// Attempt is what somebody gives to sign in. Device is the value of the device cookie, empty without one.
type Attempt struct {
	Email    string
	Password Secret
	Device   string
	Origin   access.Origin
}

// wrong is the one answer to a wrong password, an unknown address and an account that is switched off (C47).
func wrong() error { return problem.New(problem.Unauthenticated, "signin.wrong") }

// SignIn checks a password and begins the session of ctx anew, with a new token, for the person. The context comes from
// Sessions().Load or LoadAndSave.
//
// Errors: problem.Unauthenticated, the same whatever was wrong; problem.Limited with RetryAfter, and in Args["Until"] the
// minute from which trying helps; problem.Unavailable when too many sign in at once or the database is away.
func (s *Service) SignIn(ctx context.Context, a Attempt) (identity.Person, error) {
	in, err := s.authenticate(ctx, a)
	if err != nil {
		return identity.Person{}, err
	}
	return in.person, s.start(ctx, in)
}

// actionSignIn is what the trail calls a sign-in.
const actionSignIn = "signin"

// authenticate finds out who it is. Every path to a refusal reads one credential, computes one hash and records one
// event, so that neither answer nor time tells them apart.
func (s *Service) authenticate(ctx context.Context, a Attempt) (entry, error) {
	c, _, err := s.people.CredentialByEmail(ctx, a.Email)
	if err != nil {
		return entry{}, err
	}
	at := s.door(a)
	if wait, which := at.try(); wait > 0 {
		if at.told(which) {
			s.refused(ctx, "signin.limited", c, a, "limited_"+which)
		}
		return entry{}, limited(s.db.Now(), wait)
	}
	hash := c.Hash
	if !c.Live {
		hash = identity.PasswordHash{}
	}
	ok, err := s.hasher.verify(ctx, hash.Reveal(), a.Password)
	if err != nil {
		at.undo()
		return entry{}, err
	}
	if !ok {
		s.refused(ctx, actionSignIn, c, a, reason(c))
		return entry{}, wrong()
	}
	in, err := s.record(ctx, c, a)
	switch {
	case problem.Is(err, problem.Unauthenticated): // switched off, or a new password, while the old one was hashed
		s.refused(ctx, actionSignIn, c, a, "changed")
		return entry{}, err
	case err != nil:
		at.undo()
		return entry{}, err
	}
	at.opened()
	return in, nil
}

func (s *Service) door(a Attempt) door {
	account := identity.Fold(a.Email[:min(len(a.Email), 1024)])
	return door{d: s.delays, account: account, network: limit.Network(a.Origin.Address), device: s.knownDevice(a.Device, account)}
}

// reason is why a password did not open the account, for the trail only.
func reason(c identity.Credential) string {
	switch {
	case c.Person.ID == "":
		return "unknown"
	case !c.Live:
		return "switched_off"
	default:
		return "wrong_password"
	}
}

// record writes the event of a sign-in, after looking once more at what was decided upon: hashing took a while.
func (s *Service) record(ctx context.Context, c identity.Credential, a Attempt) (entry, error) {
	in := entry{person: c.Person}
	err := s.trail.Do(ctx, actorOf(c, a.Origin), personAct(actionSignIn, c), func(tx *database.Tx) (audit.Change, error) {
		now, ok, err := identity.CredentialWithin(tx, c.Person.ID)
		if err != nil {
			return audit.Change{}, err
		}
		if !ok || !now.Live || now.Hash != c.Hash {
			return audit.Change{}, wrong()
		}
		in.at, in.passwordSetAt = tx.Now(), now.PasswordSetAt
		return audit.Change{}, nil
	})
	return in, err
}

// refused records an attempt that failed. One in the name of a known account stands in the trail of its organisation;
// the others in none, under the network, for what was typed may be a password (C72).
func (s *Service) refused(ctx context.Context, action string, c identity.Credential, a Attempt, why string) {
	act := personAct(action, c)
	if c.Person.ID == "" {
		act.Target = audit.Target{Kind: "network", ID: limit.Network(a.Origin.Address)}
	}
	s.trail.Refused(ctx, actorOf(c, a.Origin), act, "signin."+why)
}

func actorOf(c identity.Credential, origin access.Origin) access.Actor {
	return access.Actor{
		Kind: access.KindPerson, ID: string(c.Person.ID), Name: c.Person.Name(), Email: c.Person.Email,
		Organisation: c.Person.Organisation, Origin: origin,
	}
}

func personAct(action string, c identity.Credential) audit.Act {
	return audit.Act{
		Action: action, Organisation: c.Person.Organisation,
		Target: audit.Target{Kind: "person", ID: string(c.Person.ID)},
	}
}

// SignOut ends the session of ctx and records it.
func (s *Service) SignOut(ctx context.Context, actor access.Actor) error {
	if err := s.manager.Destroy(ctx); err != nil {
		return err
	}
	act := audit.Act{
		Action: "signout", Organisation: actor.Organisation, Target: audit.Target{Kind: "person", ID: actor.ID},
	}
	return s.trail.Note(ctx, actor, act, audit.Done, "", nil)
}

// SetPassword sets a person's password for the command line and the demonstration; people set their own by a link.
// All sessions and links of the person end. A password that breaks a rule is a fault of the field "password"; the
// demonstration's (a system actor) is as whoever runs it chose, and package config bounds it.
func (s *Service) SetPassword(ctx context.Context, actor access.Actor, id identity.PersonID, password Secret) error {
	c, ok, err := s.people.CredentialByID(ctx, id)
	if err == nil && !ok {
		err = problem.New(problem.NotFound, "problem.not_found")
	}
	if err != nil {
		return err
	}
	act := personAct("person.password", c)
	if actor.Kind != access.KindOperator && actor.Kind != access.KindSystem {
		s.trail.Refused(ctx, actor, act, "problem.forbidden")
		return audit.Forbidden(access.PeopleManage)
	}
	if actor.Kind == access.KindOperator {
		if err := s.checkPassword(password, c); err != nil {
			return err
		}
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	err = s.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		return audit.Change{}, setPassword(tx, id, hash)
	})
	if err == nil {
		s.delays.accounts.Reset(identity.Fold(c.Person.Email))
	}
	return err
}

// HasPassword reports whether this is the password of an active person: for the demonstration, which prints one at every
// start. It is no way in: nothing counts the attempts.
func (s *Service) HasPassword(ctx context.Context, id identity.PersonID, password Secret) (bool, error) {
	c, ok, err := s.people.CredentialByID(ctx, id)
	if err != nil || !ok || !c.Live {
		return false, err
	}
	return s.hasher.verify(ctx, c.Hash.Reveal(), password)
}

// setPassword stores the hash and ends what the old password opened.
func setPassword(tx *database.Tx, id identity.PersonID, hash string) error {
	if err := identity.SetPasswordHash(tx, id, identity.NewPasswordHash(hash)); err != nil {
		return err
	}
	return endAccess(tx, []identity.PersonID{id})
}
