package web

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// rotateInput is the form of a rotation as it was typed.
type rotateInput struct {
	nonce, why, label string
	expiry, expiresOn string
	old               string // the only usable secret when the form was drawn
	retire, leaked    string // which of two ends now, which of two leaked
	end, endAt        string
	endOnly           bool // end the leaked secret, make none
}

func readRotateInput(f *form) rotateInput {
	return rotateInput{
		nonce: f.one("nonce"), why: f.one("why"), label: f.one("label"), expiry: f.one("expiry"),
		expiresOn: f.one("expires_on"), old: f.one("old"), retire: f.one("retire"), leaked: f.one("leaked"),
		end: f.one("end"), endAt: f.one("end_at"), endOnly: f.one("do") == "end",
	}
}

// rotateForm asks why and how a new secret is made (ui.md §4.5).
func (s *Server) rotateForm(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	in := rotateInput{
		nonce: newNonce(), why: string(registry.Planned), label: s.DB.Now().In(i18n.Zone(c.ctx())).Format("2006-01"),
		end: string(registry.EndsRecommended),
	}
	if leaked, ok := registry.ParseSecretID(oneQuery(c, "leaked")); ok {
		in.why, in.leaked = string(registry.Leaked), string(leaked)
	}
	if draft := c.draft(); draft != nil {
		in = readRotateInput(&form{values: draft})
		in.nonce = newNonce()
	}
	return s.drawRotate(c, http.StatusOK, app, in, nil)
}

// rotate makes a new secret and answers with the page that shows it, or ends a leaked one and makes none.
func (s *Server) rotate(c *call) error {
	app, f, err := c.appForm()
	if err != nil {
		return err
	}
	in := readRotateInput(f)
	var made *registry.NewSecret
	if err = f.err(); err == nil {
		made, err = s.replaceSecret(c, app, in)
	}
	switch {
	case err == nil && made == nil:
		return c.done(appPath(app.ID), flashOf("apps.flash.leaked", app), "App", app.Name)
	case err == nil:
		return s.reveal(c, app, made)
	case toldInForm(err):
		return s.drawRotate(c, c.sentBack(err), app, in, err)
	default:
		return c.unlessShown(err)
	}
}

// replaceSecret does what the form asks for. It returns the new secret, nil when the old one was ended alone.
func (s *Server) replaceSecret(c *call, app registry.App, in rotateInput) (*registry.NewSecret, error) {
	if in.endOnly {
		return nil, s.endLeaked(c, app, in)
	}
	return s.Registry.Rotate(c.ctx(), c.actor, app.ID, c.rotation(in))
}

// rotation is what the registry is told of the form. Of two usable secrets one ends now, which makes room.
func (c *call) rotation(in rotateInput) registry.Rotation {
	n := registry.Rotation{
		Reason: registry.Reason(in.why), Label: in.label, Expires: c.expiry(in.expiry, in.expiresOn),
		Old: registry.SecretID(in.old), OldEnds: registry.End{Choice: registry.EndChoice(in.end)}, Nonce: in.nonce,
	}
	if n.OldEnds.Choice == registry.EndsOn {
		n.OldEnds.At = c.ownMinute(in.endAt)
	}
	switch {
	case n.Reason == registry.Leaked && in.leaked != "":
		n.Old = registry.SecretID(in.leaked)
	case n.Reason != registry.Leaked && in.retire != "":
		n.Old, n.OldEnds = registry.SecretID(in.retire), registry.End{Choice: registry.EndsNow}
	}
	return n
}

// endLeaked ends the secret that the form names as leaked.
func (s *Server) endLeaked(c *call, app registry.App, in rotateInput) error {
	if in.why != string(registry.Leaked) {
		return problem.Fields(problem.NewField("why", "apps.rotate.end_if_leaked"))
	}
	if in.leaked == "" {
		in.leaked = in.old
	}
	id, ok := registry.ParseSecretID(in.leaked)
	if _, has := app.Secret(id); !ok || !has {
		return problem.Fields(problem.NewField("leaked", "app.old.choose"))
	}
	return s.Registry.MarkLeaked(c.ctx(), c.actor, app.ID, id)
}

// drawRotate draws the form.
func (s *Server) drawRotate(c *call, status int, app registry.App, in rotateInput, wrong error) error {
	view, err := s.rotateView(c, app, in, wrong)
	if err != nil {
		return err
	}
	return c.render(status, templates.AppRotatePage(view))
}

// rotateView fills the form. The app is read again for one that comes back: somebody else may have been at it.
func (s *Server) rotateView(c *call, app registry.App, in rotateInput, wrong error) (templates.AppRotate, error) {
	if wrong != nil {
		var err error
		if app, err = s.Registry.App(c.ctx(), c.actor, app.ID); err != nil {
			return templates.AppRotate{}, err
		}
	}
	view := templates.AppRotate{
		Frame: c.frame("apps"), Action: rotatePath(app.ID), CancelHref: appPath(app.ID), Nonce: in.nonce, HandOffHref: handOffsPath(app.ID) + "/new",
		Introspects: c.introspectsOf(app),
		AppName:     app.Name, ClientID: app.ClientID, Inactive: app.Status != registry.Active,
		Why: in.why, Label: in.label, Zone: c.zoneName(),
		Retire: in.retire, Leaked: in.leaked, End: in.end, EndAt: in.endAt,
	}
	used, err := s.Registry.Use(c.ctx(), c.actor, app.ID)
	if err != nil {
		return templates.AppRotate{}, err
	}
	view.Usable, view.Now = rotateSecrets(app, used), s.DB.Now()
	if view.Expiry, err = c.expiryFields(in.expiry, in.expiresOn); err != nil {
		return templates.AppRotate{}, err
	}
	view.EndChoices, view.EndMin, view.EndMax = c.endChoices()
	if wrong != nil {
		view.Errors = c.rotateErrors(in, wrong, len(view.Usable))
	}
	return view, nil
}

// rotateErrors names the fields of the form that the problem is about.
func (c *call) rotateErrors(in rotateInput, wrong error, usable int) templates.FieldErrors {
	names := formNames(in.expiry)
	names["reason"], names["old"] = "why", ""
	if in.end == string(registry.EndsOn) {
		names["old_ends"] = "end_at"
	}
	if usable == 2 {
		names["old"] = "retire"
		if in.why == string(registry.Leaked) {
			names["old"] = "leaked"
		}
	}
	errs := c.fieldErrors(wrong, names)
	if problem.Is(wrong, problem.Conflict) && usable == 2 {
		errs[0].Field = "retire"
	}
	return errs
}

func rotateSecrets(app registry.App, used map[registry.SecretID]registry.SecretUse) []templates.RotateSecret {
	var list []templates.RotateSecret
	for _, secret := range app.Usable() {
		u := used[secret.ID]
		view := templates.RotateSecret{
			ID: string(secret.ID), Label: secret.Label, Hint: secret.Hint, CreatedAt: secret.CreatedAt, EndsAt: secret.EndsAt,
			LastUsedAt: secret.LastUsedAt, Day: u.Day, Hour: u.Hour, HourSince: u.Since,
		}
		for _, n := range u.Networks {
			if n.Day > 0 {
				view.Networks++
			}
		}
		list = append(list, view)
	}
	return list
}

func (c *call) endChoices() (choices []templates.EndChoice, first, last string) {
	return c.endChoicesOf(c.s.Registry.EndOptions())
}

// endChoicesOf are the ends to choose from, and the first and last minute of an own one.
func (c *call) endChoicesOf(options []registry.EndOption, earliest, latest time.Time) (choices []templates.EndChoice, first, last string) {
	for _, o := range options {
		choices = append(choices, templates.EndChoice{Code: string(o.Choice), At: o.At})
	}
	zone := i18n.Zone(c.ctx())
	return choices, earliest.In(zone).Add(time.Minute).Format(minuteForm), latest.In(zone).Format(minuteForm)
}

// reveal answers with the page that shows a new secret. The plaintext goes into this answer and nowhere else.
func (s *Server) reveal(c *call, app registry.App, made *registry.NewSecret) error {
	return s.revealWith(c, app, made, c.frame("apps"), appPath(app.ID))
}

// revealWith is reveal in a frame of its own, with the page that follows.
func (s *Server) revealWith(c *call, app registry.App, made *registry.NewSecret, frame templates.Frame, next string) error {
	view := templates.AppReveal{
		Frame: frame, AppName: app.Name, ClientID: app.ClientID, Secret: made.Secret.Reveal(),
		ExpiresAt: made.ExpiresAt, OldHint: made.Old.Hint, CloseHref: next, Try: s.tryIt(app), FileName: fileName(app),
	}
	if made.Old.EndsAt.After(s.DB.Now()) {
		view.OldEnds = made.Old.EndsAt
	}
	if next == appPath(app.ID) { // whoever came by a hand-off link may not open the panel
		view.TestHref = testPath(app.ID)
	}
	return c.render(http.StatusOK, templates.AppRevealPage(view))
}

// tryIt is what the printed commands need.
func (s *Server) tryIt(app registry.App) templates.TryIt {
	t := templates.TryIt{
		ClientID: app.ClientID, TokenURL: s.PublicURL + tokenPath, SelfURL: s.PublicURL + selfAPIPath,
		IntrospectURL: s.introspectURL(app),
	}
	if len(app.Scopes) > 0 {
		t.Scope = app.Scopes[0]
	}
	return t
}

// fileName is the app's name as the name of a file on any system: plain letters, digits and hyphens.
func fileName(app registry.App) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(app.Name)) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if name := strings.Trim(b.String(), "-"); name != "" {
		return name
	}
	return strings.ToLower(app.ClientID)
}

// retireForm asks before a secret is taken out of use. The last one of an active app stays (product.md decision 17).
func (s *Server) retireForm(c *call) error {
	app, secret, err := c.appSecret()
	if err != nil {
		return err
	}
	if !secret.Usable() {
		return c.redirect(appPath(app.ID))
	}
	return c.confirm(http.StatusOK, c.retireView(app, secret))
}

// retire takes the secret out of use.
func (s *Server) retire(c *call) error {
	app, secret, err := c.appSecret()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	f.version() // sent by every question; a secret has no use for it
	if err = f.err(); err == nil {
		err = s.Registry.Retire(c.ctx(), c.actor, app.ID, secret.ID)
	}
	switch {
	case err == nil:
		return c.done(appPath(app.ID), "apps.flash.retired", "Hint", "…"+secret.Hint, "App", app.Name)
	case !toldInForm(err):
		return err
	}
	view := c.retireView(app, secret)
	view.Errors = c.fieldErrors(err, confirmNames())
	return c.confirm(c.sentBack(err), view)
}

func (c *call) retireView(app registry.App, secret registry.Secret) templates.AppConfirm {
	view := c.confirmView(app, "retire", retirePath(app.ID, secret.ID))
	view.Label, view.Hint, view.EndsAt = secret.Label, secret.Hint, secret.EndsAt
	if isLast(app, secret) {
		view.Refusal, view.InsteadHref, view.RotateHref = "last_secret", deactivatePath(app.ID), rotatePath(app.ID)
	}
	return view
}

// isLast reports whether the secret is what an active app works with alone.
func isLast(app registry.App, secret registry.Secret) bool {
	return app.Status == registry.Active && secret.Usable() && len(app.Usable()) == 1
}

// appSecret reads the app and the secret of it that the address names.
func (c *call) appSecret() (registry.App, registry.Secret, error) {
	id, err := c.secretID()
	if err != nil {
		return registry.App{}, registry.Secret{}, err
	}
	app, err := c.app()
	if err != nil {
		return registry.App{}, registry.Secret{}, err
	}
	secret, ok := app.Secret(id)
	if !ok {
		return registry.App{}, registry.Secret{}, problem.New(problem.NotFound, "problem.not_found")
	}
	return app, secret, nil
}
