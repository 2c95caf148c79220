package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// handOffPath is the address of links; what they hold is a value of the query, which is never logged.
const handOffPath = "/hand-off"

// handOffInput is the form of a link as it was typed.
type handOffInput struct {
	rotateInput

	recipient, hours string
}

func readHandOffInput(f *form) handOffInput {
	return handOffInput{rotateInput: readRotateInput(f), recipient: f.one("recipient"), hours: f.one("hours")}
}

// newHandOff is what the registry is told of the form.
func (in handOffInput) newHandOff() registry.NewHandOff {
	hours, _ := strconv.Atoi(in.hours) // what is no number is no time, which the registry reports
	n := registry.NewHandOff{
		Recipient: in.recipient, Life: time.Duration(hours) * time.Hour, Reason: registry.Reason(in.why), Label: in.label,
		Expires: registry.ExpiryChoice(in.expiry), Old: registry.SecretID(in.old), OldEnds: registry.EndChoice(in.end), Nonce: in.nonce,
	}
	if in.retire != "" {
		n.Old, n.OldEnds = registry.SecretID(in.retire), registry.EndsNow
	}
	return n
}

// handOffForm asks for whom a link shall be and what it does (protocol.md §3.7).
func (s *Server) handOffForm(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	in := handOffInput{hours: "24", rotateInput: rotateInput{
		nonce: newNonce(), why: string(registry.Planned), label: s.DB.Now().In(i18n.Zone(c.ctx())).Format("2006-01"),
		end: string(registry.EndsRecommended),
	}}
	if draft := c.draft(); draft != nil {
		in = readHandOffInput(&form{values: draft})
		in.nonce = newNonce()
	}
	return s.drawHandOff(c, http.StatusOK, app, in, nil)
}

// giveHandOff makes the link and answers with the page that shows it, the one answer that ever holds it.
func (s *Server) giveHandOff(c *call) error {
	c.noReferrer()
	app, f, err := c.appForm()
	if err != nil {
		return err
	}
	in := readHandOffInput(f)
	var given registry.HandOff
	var token registry.LinkToken
	if err = f.err(); err == nil {
		given, token, err = s.Registry.GiveHandOff(c.ctx(), c.actor, app.ID, in.newHandOff())
	}
	switch {
	case err == nil:
		return c.render(http.StatusOK, templates.AppHandOffMadePage(templates.AppHandOffMade{
			Frame: c.frame("apps"), AppName: app.Name, Recipient: given.Recipient, Until: given.ExpiresAt, CloseHref: appPath(app.ID),
			Link: s.PublicURL + handOffPath + "?" + url.Values{"token": {token.Reveal()}}.Encode(),
		}))
	case toldInForm(err):
		return s.drawHandOff(c, c.sentBack(err), app, in, err)
	case problem.Is(err, problem.Gone):
		if err := c.flash(templates.KindInfo, "hand_off.already_shown"); err != nil {
			return err
		}
		return c.redirect(appPath(app.ID))
	default:
		return err
	}
}

// handOffNames are this form's names for fields that are called otherwise where a date may be chosen.
var handOffNames = map[string]string{"life": "hours", "expires_on": "expiry", "end_at": "end"}

// drawHandOff draws the form. Ends count from the use of the link, so that no moments stand beside them and no date can
// be chosen.
func (s *Server) drawHandOff(c *call, status int, app registry.App, in handOffInput, wrong error) error {
	rotate, err := s.rotateView(c, app, in.rotateInput, wrong)
	if err != nil {
		return err
	}
	rotate.Action = handOffsPath(app.ID) + "/new"
	rotate.EndChoices = slices.DeleteFunc(rotate.EndChoices, func(e templates.EndChoice) bool { return e.Code == string(registry.EndsOn) })
	for i := range rotate.EndChoices {
		rotate.EndChoices[i].At = time.Time{}
	}
	rotate.Expiry.Choices = slices.DeleteFunc(rotate.Expiry.Choices, func(e templates.ExpiryChoice) bool { return e.Code == string(registry.ExpiresOn) })
	for i := range rotate.Expiry.Choices {
		rotate.Expiry.Choices[i].At = time.Time{}
	}
	for i := range rotate.Errors {
		if name, ok := handOffNames[rotate.Errors[i].Field]; ok {
			rotate.Errors[i].Field = name
		}
	}
	return c.render(status, templates.AppHandOffPage(templates.AppHandOff{Rotate: rotate, Recipient: in.recipient, Hours: in.hours}))
}

// handOffs are the links of an app and the page to make one, for those who may. A link of an app that is not active
// could not be used.
func (c *call) handOffs(app registry.App) (rows []templates.HandOffRow, newHref string, err error) {
	if !c.actor.Has(access.AppsManage) {
		return nil, "", nil
	}
	if app.Status == registry.Active {
		newHref = c.ifGiver(app.Kind, handOffsPath(app.ID)+"/new")
	}
	list, err := c.s.Registry.HandOffs(c.ctx(), c.actor, app.ID)
	for _, h := range list {
		row := templates.HandOffRow{
			Recipient: h.Recipient, State: string(h.State), MadeBy: c.author(h.MadeBy), MadeAt: h.MadeAt, Until: h.ExpiresAt,
			EndedAt: h.EndedAt, From: h.SpentFrom,
		}
		if h.State == registry.HandOffOpen {
			row.WithdrawHref = withdrawPath(app.ID, h.ID)
		}
		rows = append(rows, row)
	}
	return rows, newHref, err
}

// withdrawForm asks before a link is withdrawn.
func (s *Server) withdrawForm(c *call) error {
	app, handOff, err := c.appHandOff()
	if err != nil {
		return err
	}
	if handOff.State != registry.HandOffOpen {
		return c.redirect(appPath(app.ID))
	}
	view := c.confirmView(app, "withdraw", withdrawPath(app.ID, handOff.ID))
	view.Recipient = handOff.Recipient
	return c.confirm(http.StatusOK, view)
}

// withdraw ends the link.
func (s *Server) withdraw(c *call) error {
	app, handOff, err := c.appHandOff()
	if err != nil {
		return err
	}
	if _, err := readForm(c); err != nil {
		return err
	}
	if err := s.Registry.WithdrawHandOff(c.ctx(), c.actor, app.ID, handOff.ID); err != nil {
		return err
	}
	return c.done(appPath(app.ID), "hand_off.flash.withdrawn", "Recipient", handOff.Recipient)
}

// appHandOff reads the app and the link of it that the address names.
func (c *call) appHandOff() (registry.App, registry.HandOff, error) {
	app, err := c.app()
	if err != nil {
		return registry.App{}, registry.HandOff{}, err
	}
	id, ok := registry.ParseHandOffID(c.Param("hid"))
	if !ok {
		return registry.App{}, registry.HandOff{}, problem.New(problem.NotFound, "problem.not_found")
	}
	handOff, err := c.s.Registry.HandOff(c.ctx(), c.actor, app.ID, id)
	return app, handOff, err
}

// offered is the page behind a link. It uses nothing up: mail scanners follow links.
func (s *Server) offered(c *call) error {
	token, err := c.linkToken(func() (string, error) { return oneQuery(c, "token"), nil })
	if err != nil {
		return err
	}
	return s.drawOffered(c, http.StatusOK, token, nil)
}

// spendHandOff makes the secret, then and there, and shows it: the one answer that ever holds it.
func (s *Server) spendHandOff(c *call) error {
	token, err := c.linkToken(func() (string, error) {
		f, err := readForm(c)
		if err != nil {
			return "", err
		}
		return f.one("token"), f.err()
	})
	if err != nil {
		return err
	}
	app, made, err := s.Registry.SpendHandOff(c.ctx(), token, origin(c))
	switch {
	case err == nil:
		return s.revealWith(c, app, made, c.frame(""), handOffPath+"/done")
	case toldInForm(err):
		return s.drawOffered(c, c.sentBack(err), token, err)
	default:
		return err
	}
}

// handOffDone is what is left when the secret was stored.
func (s *Server) handOffDone(c *call) error {
	return c.render(http.StatusOK, templates.HandOffDonePage(c.frame("")))
}

// linkToken reads what a link holds, for networks that do not ask too often (protocol.md §3.6).
func (c *call) linkToken(read func() (string, error)) (registry.LinkToken, error) {
	c.noReferrer()
	if err := c.followLink(); err != nil {
		return registry.LinkToken{}, err
	}
	token, err := read()
	return registry.NewLinkToken(token), err
}

// followLink refuses networks that try many links.
func (c *call) followLink() error {
	if ok, wait := c.s.links.Allow(limit.Network(c.RealIP())); !ok {
		limited := problem.New(problem.Limited, "hand_off.limited")
		limited.RetryAfter = wait
		return limited
	}
	return nil
}

func (s *Server) drawOffered(c *call, status int, token registry.LinkToken, wrong error) error {
	offer, err := s.Registry.Offered(c.ctx(), token)
	if err != nil {
		return err
	}
	org, err := s.Identity.Organisation(c.ctx(), offer.App.Organisation)
	if err != nil {
		return err
	}
	view := templates.HandOff{
		Frame: c.frame(""), Token: token.Reveal(), AppName: offer.App.Name, ClientID: offer.App.ClientID, Organisation: org.Name,
		Recipient: offer.Recipient, Giver: offer.Giver, Until: offer.ExpiresAt, OldHint: offer.Old.Hint, OldEnds: string(offer.OldEnds.Choice),
	}
	if view.OldEnds == "" {
		view.OldEnds = string(registry.EndsRecommended)
	}
	if wrong != nil {
		view.Errors = c.fieldErrors(wrong, confirmNames())
	}
	return c.render(status, templates.HandOffPage(view))
}
