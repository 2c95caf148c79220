package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/keyring"
)

// keyDocument is a key as --json prints it. Times are RFC 3339 in UTC, null where there is none.
type keyDocument struct {
	ID            string     `json:"id"`
	Purpose       string     `json:"purpose"`
	Algorithm     string     `json:"algorithm"`
	State         string     `json:"state"`
	CreatedAt     time.Time  `json:"created_at"`
	SignsFrom     *time.Time `json:"signs_from"`
	SignsUntil    *time.Time `json:"signs_until"`
	AcceptedUntil *time.Time `json:"accepted_until"`
	EndedAt       *time.Time `json:"ended_at"`
}

func newKeyDocuments(keys []keyring.Key) []keyDocument {
	documents := make([]keyDocument, 0, len(keys))
	for _, k := range keys {
		documents = append(documents, keyDocument{
			ID: k.ID, Purpose: string(k.Kind), Algorithm: k.Algorithm, State: k.State, CreatedAt: k.CreatedAt,
			SignsFrom: orNull(k.SignsFrom), SignsUntil: orNull(k.SignsUntil), AcceptedUntil: orNull(k.AcceptedUntil),
			EndedAt: orNull(k.EndedAt),
		})
	}
	return documents
}

// rotationDocument is what keys rotate prints.
type rotationDocument struct {
	Purpose     string        `json:"purpose"`
	Compromised bool          `json:"compromised"`
	Made        []keyDocument `json:"made"`
	Old         []keyDocument `json:"old"`
	Dropped     []keyDocument `json:"dropped"`
}

func (p *program) keysCommand() *cobra.Command {
	return group("keys", "Keys of this installation: list, rotate", p.keysListCommand(), p.keysRotateCommand())
}

const keysListLong = `List the keys: what each is for, and what it does now.

States of a key
  next       known to all, signs from the time shown
  signing    signs now
  accepted   signed before; what it signed is still accepted
  retired    what it signed has ended; it is no longer published
  untrusted  was dropped as compromised
  current    seals values in the database (not rotated by this command)

The keys themselves are never shown.`

func (p *program) keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys with what they are for, their state and their times",
		Long:  keysListLong,
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			keys, err := keyring.NewKeeper(r.ring, r.trail).Keys(cmd.Context(), operator(""))
			if err != nil {
				return err
			}
			documents := newKeyDocuments(keys)
			return p.print(documents, func(w *tabwriter.Writer) {
				line(w, "ID", "PURPOSE", "ALGORITHM", "STATE", "CREATED", "SIGNS FROM", "SIGNS UNTIL", "ACCEPTED UNTIL")
				for _, k := range documents {
					line(w, k.ID, k.Purpose, k.Algorithm, k.State, stampOf(&k.CreatedAt), stampOf(k.SignsFrom),
						stampOf(k.SignsUntil), stampOf(k.AcceptedUntil))
				}
			})
		},
	}
	p.jsonFlag(cmd)
	return cmd
}

const keysRotateLong = `Make new keys. Running servers follow by themselves; nothing is restarted.

  credenza keys rotate
      New keys to sign tokens. They are published at once and sign 15 minutes
      later, when every server that verifies tokens has had time to fetch them.
      The old keys are accepted for a day after that. No token is refused.

  credenza keys rotate --compromised
      Somebody else may hold the keys that sign tokens. They are dropped and new
      ones sign at once. TOKENS SIGNED BEFORE ARE REFUSED: here within the stale
      bound of each server (CREDENZA_STALE_BOUND, 1 s unless set), by servers
      that verify offline when they fetch the key set again, after 300 s if they
      heed its Cache-Control. Apps have to ask for new tokens; their secrets go
      on working.

  credenza keys rotate --tag [--compromised]
      The key of the tags inside client secrets, by which invented secrets are
      refused without work. Secrets that exist go on working either way.
      Compromised, their tags no longer count: guesses are then held back by the
      limits and by bcrypt alone, and under a flood of them an app may be told
      to try again later (429, 503), until these secrets have been rotated.

What was read from the database is of no use without the master key. If that
leaked too, drop both kinds of keys as compromised. Keys that seal values in the
database are not rotated by this command.`

func (p *program) keysRotateCommand() *cobra.Command {
	var tag, compromised bool
	cmd := &cobra.Command{
		Use:   "rotate [--tag] [--compromised]",
		Short: "Replace the keys that sign tokens, or the key of the tags inside secrets",
		Long:  keysRotateLong,
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateEmpty)
			if err != nil {
				return err
			}
			defer r.close()
			rotation := keyring.Rotation{Kind: keyring.Signing, Compromised: compromised}
			if tag {
				rotation.Kind = keyring.Tag
			}
			done, err := keyring.NewKeeper(r.ring, r.trail).Rotate(cmd.Context(), operator(""), rotation)
			if err != nil {
				return err
			}
			d := rotationDocument{
				Purpose: string(rotation.Kind), Compromised: compromised, Made: newKeyDocuments(done.Made),
				Old: newKeyDocuments(done.Old), Dropped: newKeyDocuments(done.Dropped),
			}
			return p.print(d, func(w *tabwriter.Writer) { d.write(w) })
		},
	}
	cmd.Flags().BoolVar(&tag, "tag", false, "rotate the key of the tags inside secrets instead")
	cmd.Flags().BoolVar(&compromised, "compromised", false, "somebody else may hold them: drop them at once")
	p.jsonFlag(cmd)
	return cmd
}

// write prints what was done and what that means, for somebody who may be in a hurry.
func (d rotationDocument) write(w *tabwriter.Writer) {
	for _, k := range d.Dropped {
		line(w, "Dropped:", k.ID, k.Algorithm)
	}
	for _, k := range d.Made {
		line(w, "New:", k.ID, k.Algorithm)
	}
	line(w)
	for _, sentence := range d.sentences() {
		line(w, sentence)
	}
}

func (d rotationDocument) sentences() []string {
	signing, from := d.Purpose == string(keyring.Signing), ""
	for _, k := range d.Made {
		from = stampOf(k.SignsFrom)
	}
	switch {
	case signing && d.Compromised:
		return []string{
			"Tokens signed by a dropped key are refused: here within the stale bound of each server (CREDENZA_STALE_BOUND,",
			"1 s unless set), and by servers that verify offline when they fetch the key set again,",
			fmt.Sprintf("after %.0f s at the latest if they heed its Cache-Control.", keyring.CacheFor.Seconds()),
			"Every app has to ask for a new token; most do so when a call is answered 401. Secrets go on working.",
			"The new keys sign from now on. Servers that fetch the key set when they meet an unknown key take",
			"their tokens at once; others after the same time.",
		}
	case signing:
		return []string{
			"The new keys are published and sign from " + from + " on. Until then the old ones sign.",
			"The old ones are accepted for a day after that. No token is refused and nothing else is to be done.",
			"See them with: credenza keys list",
		}
	case d.Compromised:
		return []string{
			"Secrets that exist go on working. The tags made by dropped keys no longer count: guesses are held",
			"back by the limits and by bcrypt alone, and under a flood of them an app may be told to try again",
			"later (429, 503), until the secrets that carry them have been rotated.",
			"New secrets get the tag of the new key; every server knows it within its CREDENZA_STALE_BOUND.",
		}
	default:
		return []string{
			"New secrets get the tag of the new key from " + from + " on, when every server has it.",
			"Secrets that exist go on working, and their tags go on counting.",
		}
	}
}

// stamp is how times are written in tables: to the second, in UTC.
const stamp = "2006-01-02 15:04:05 UTC"

func stampOf(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(stamp)
}
