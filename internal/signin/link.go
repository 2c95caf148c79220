package signin

import (
	"context"
	"encoding/base64"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// LinkLife is how long a set-up link can be used.
const LinkLife = 72 * time.Hour

// Link is a set-up link. Its token is shown once, to who made it, and stored only as a hash.
type Link struct {
	Token     Secret
	Person    identity.Person
	ExpiresAt time.Time
}

// MakeSetupLink makes a link with which a person sets a password, the first or a new one; earlier unused links of the
// person end. It takes people.manage and every right of the person, because who holds the link can become that person
// (protocol.md §6). problem.Conflict for a person who is switched off.
func (s *Service) MakeSetupLink(ctx context.Context, actor access.Actor, id identity.PersonID) (Link, error) {
	c, ok, err := s.people.CredentialByID(ctx, id)
	if err != nil {
		return Link{}, err
	}
	if !ok {
		return Link{}, problem.New(problem.NotFound, "problem.not_found")
	}
	act := personAct("person.setup_link", c)
	act.Right = identity.ManageRight(actor, act.Organisation, access.PeopleManage)
	link := Link{Token: NewSecret(base64.RawURLEncoding.EncodeToString(random(32)))}
	err = s.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		c, ok, err := identity.CredentialWithin(tx, id)
		switch {
		case err != nil:
			return audit.Change{}, err
		case !ok || !mayEnter(c):
			return audit.Change{}, problem.New(problem.Conflict, "signin.link_switched_off")
		}
		if err := identity.PowerOver(tx, actor, c.Person); err != nil {
			return audit.Change{}, err
		}
		link.Person, link.ExpiresAt = c.Person, tx.Now().Add(LinkLife)
		err = insertLink(tx, &linkRow{
			TokenHash: digest(link.Token.Reveal()), OrganisationID: string(c.Person.Organisation), PersonID: string(id),
			CreatedAt: tx.Now(), ExpiresAt: link.ExpiresAt,
		})
		return audit.Change{After: map[string]any{"expires_at": link.ExpiresAt.Format(time.RFC3339)}}, err
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// mayEnter reports whether a link may let this person in: invited or active, in an active organisation.
func mayEnter(c identity.Credential) bool {
	return c.Person.Status != identity.Inactive && c.Organisation.Status == identity.Active
}

// linkEnded is the one answer to a link that is unknown, used, expired or of somebody who is switched off.
func linkEnded() error { return problem.New(problem.NotFound, "signin.link_ended") }

// LinkPerson returns whose link this is and when it ends, without using it up, for the page behind it: mail scanners
// follow links. problem.NotFound when it cannot be used any more.
func (s *Service) LinkPerson(ctx context.Context, token Secret) (Link, error) {
	c, ends, err := s.linkCredential(ctx, token)
	if err != nil {
		return Link{}, err
	}
	return Link{Token: token, Person: c.Person, ExpiresAt: ends}, nil
}

func (s *Service) linkCredential(ctx context.Context, token Secret) (c identity.Credential, ends time.Time, err error) {
	link, ok, err := readLink(ctx, s.db, token.Reveal())
	if err != nil {
		return c, ends, err
	}
	if !ok {
		return c, ends, linkEnded()
	}
	c, ok, err = s.people.CredentialByID(ctx, identity.PersonID(link.PersonID))
	if err == nil && (!ok || !mayEnter(c)) {
		err = linkEnded()
	}
	return c, link.ExpiresAt, err
}

// SpendLink sets the person's password, ends all the person's sessions, and begins the session of ctx for the person.
// The link is used up by the success only: a password that breaks a rule is a fault of the field "password" and may be
// tried again. Of many at once exactly one succeeds; the others get problem.NotFound.
func (s *Service) SpendLink(ctx context.Context, token, password Secret, origin access.Origin) (identity.Person, error) {
	c, _, err := s.linkCredential(ctx, token)
	if err != nil {
		return identity.Person{}, err
	}
	if err := s.checkPassword(password, c); err != nil {
		return identity.Person{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return identity.Person{}, err
	}
	var at time.Time
	err = s.trail.Do(ctx, actorOf(c, origin), personAct("person.password", c), func(tx *database.Tx) (audit.Change, error) {
		at = tx.Now()
		spent, err := spendLink(tx, token.Reveal())
		if err != nil {
			return audit.Change{}, err
		}
		now, ok, err := identity.CredentialWithin(tx, c.Person.ID)
		if err != nil {
			return audit.Change{}, err
		}
		if !spent || !ok || !mayEnter(now) {
			return audit.Change{}, linkEnded()
		}
		c = now
		return audit.Change{}, setPassword(tx, c.Person.ID, hash)
	})
	if err != nil {
		return identity.Person{}, err
	}
	s.delays.accounts.Reset(identity.Fold(c.Person.Email))
	return c.Person, s.start(ctx, entry{person: c.Person, at: at, passwordSetAt: at})
}
