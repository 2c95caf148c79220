package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

const (
	bulkPath      = appsPath + "/bulk"
	startBulkPath = bulkPath + "/start"
	// bulkPage is how many results stand on a page.
	bulkPage = 100
	// undoMost is how many apps can be put back with one button: their IDs stand in its form.
	undoMost = 500
)

func jobPath(id job.ID) string { return "/jobs/" + url.PathEscape(string(id)) }

// bulkForm is a posted choice of apps and what to do with them.
type bulkForm struct {
	*form

	grid grid
	bulk registry.Bulk
}

// readBulk reads the choice. What cannot be an app's ID is left out.
func readBulk(c *call) (bulkForm, error) {
	f, err := readForm(c)
	if err != nil {
		return bulkForm{}, err
	}
	b := c.bulkOf(f)
	return b, f.err()
}

// bulkOf is the choice that a form holds.
func (c *call) bulkOf(f *form) bulkForm {
	b := bulkForm{form: f, grid: formGrid(f), bulk: registry.Bulk{
		Act: registry.BulkAct(f.one("act")), All: f.one("all") != "",
		Contact: registry.Contact{FirstName: f.one("contact_first_name"), LastName: f.one("contact_last_name"), Email: f.one("contact_email")},
		Letter:  registry.Letter{Subject: f.one("mail_subject"), Words: f.one("mail_text")},
		Nonce:   f.one("nonce"),
	}}
	b.bulk.Confirmed, _ = strconv.Atoi(f.one("confirmed")) // what is no number is not what was confirmed
	for _, text := range f.all("ids") {
		if id, ok := registry.ParseAppID(text); ok {
			b.bulk.IDs = append(b.bulk.IDs, id)
		}
	}
	b.bulk.Filter = b.grid.query(c)
	return b
}

// bulkAgain asks what was being asked when the session ended. Without that there is nothing to ask about.
func (s *Server) bulkAgain(c *call) error {
	draft := c.draft()
	if draft == nil {
		return c.redirect(appsPath)
	}
	b := c.bulkOf(&form{values: draft})
	if b.bulk.Act == registry.BulkMail && !draft.Has("mail_text") { // it was not asked yet
		var err error
		if b.bulk.Letter, err = c.preparedLetter(); err != nil {
			return err
		}
	}
	return s.drawBulk(c, http.StatusOK, b, nil)
}

// askBulk asks before the apps that are ticked, or all that match, are changed.
func (s *Server) askBulk(c *call) error {
	b, err := readBulk(c)
	if err != nil {
		return err
	}
	if b.bulk.Act == registry.BulkMail {
		if b.bulk.Letter, err = c.preparedLetter(); err != nil {
			return err
		}
	}
	return s.drawBulk(c, http.StatusOK, b, nil)
}

// preparedLetter is what the form of a letter begins with.
func (c *call) preparedLetter() (registry.Letter, error) {
	org, err := c.s.Identity.Organisation(c.ctx(), c.actor.Organisation)
	return registry.Letter{
		Subject: c.t("apps.bulk.mail_prepared_subject", "Organisation", org.Name),
		Words:   strings.Join([]string{c.t("apps.bulk.mail_prepared"), c.t("apps.bulk.mail_prepared_answer"), c.actor.Name}, "\n\n"),
	}, err
}

// startBulk begins the change and leads to the page that tells how far it is.
func (s *Server) startBulk(c *call) error {
	b, err := readBulk(c)
	if err != nil {
		return err
	}
	id, err := s.Registry.StartBulk(c.ctx(), c.actor, b.bulk)
	if err == nil {
		return c.redirect(jobPath(id))
	}
	if !toldInForm(err) {
		return err
	}
	return s.drawBulk(c, c.sentBack(err), b, err)
}

// drawBulk draws the question, with what is wrong. Without any app to ask about it leads back to the list.
func (s *Server) drawBulk(c *call, status int, b bulkForm, wrong error) error {
	plan, err := s.Registry.PlanBulk(c.ctx(), c.actor, b.bulk)
	if err != nil {
		if !problem.Is(err, problem.Invalid) {
			return err
		}
		if flash := c.flash(templates.KindBad, problem.As(err).Fields[0].Key, c.pairs(problem.As(err).Fields[0].Args)...); flash != nil {
			return flash
		}
		return c.redirect(b.grid.href())
	}
	v := templates.AppsBulk{
		Frame: c.frame("apps"), Act: string(b.bulk.Act), Action: startBulkPath, CancelHref: b.grid.href(), Hidden: b.hidden(plan.Total),
		Total: plan.Total, Names: plan.Names, First: b.bulk.Contact.FirstName, Last: b.bulk.Contact.LastName, Email: b.bulk.Contact.Email,
	}
	if b.bulk.Act == registry.BulkMail {
		sender, err := s.Identity.Person(c.ctx(), identity.PersonID(c.actor.ID))
		if err != nil {
			return err
		}
		v.Addresses, v.Sender, v.MaxSubject, v.MaxText = plan.Addresses, sender.Email, registry.MaxLetterSubject, registry.MaxLetter
		v.Subject, v.Text = b.bulk.Letter.Subject, b.bulk.Letter.Words
	}
	if wrong != nil {
		v.Errors = c.fieldErrors(wrong, nil)
	}
	return c.render(status, templates.AppsBulkPage(v))
}

// hidden are the fields that name the apps again: the search itself, or the IDs.
func (b bulkForm) hidden(total int) []templates.Hidden {
	list := append(b.grid.hidden(), templates.Hidden{Name: "nonce", Value: cmp.Or(b.bulk.Nonce, newNonce())})
	if b.bulk.All {
		return append(list, templates.Hidden{Name: "all", Value: "on"}, templates.Hidden{Name: "confirmed", Value: strconv.Itoa(total)})
	}
	for _, id := range b.bulk.IDs {
		list = append(list, templates.Hidden{Name: "ids", Value: string(id)})
	}
	return list
}

// bulkChoice is the bar under the list for whoever may change apps.
func (c *call) bulkChoice(g grid, page registry.Page) *templates.AppsBulkChoice {
	if c.ifManager(bulkPath) == "" {
		return nil
	}
	choice := templates.AppsBulkChoice{Action: bulkPath, Hidden: g.first().hidden(), More: page.Capped, Silent: !c.s.Registry.CanMail()}
	if page.Total > 1 {
		choice.Total = page.Total
	}
	return &choice
}

// bulkJob reads the job that the path names.
func (c *call) bulkJob() (registry.BulkReport, error) {
	id, ok := job.ParseID(c.Param("job"))
	if !ok {
		return registry.BulkReport{}, problem.New(problem.NotFound, "problem.not_found")
	}
	return c.s.Registry.BulkJob(c.ctx(), c.actor, id)
}

// jobPage tells how far a change of many apps is, and what became of each.
func (s *Server) jobPage(c *call) error {
	report, err := c.bulkJob()
	if err != nil {
		return err
	}
	return s.drawJob(c, http.StatusOK, report, nil)
}

func (s *Server) drawJob(c *call, status int, report registry.BulkReport, wrong error) error {
	j := report.Job
	items, err := s.Registry.BulkItems(c.ctx(), c.actor, j.ID, oneQuery(c, "after"), bulkPage+1)
	if err != nil {
		return err
	}
	v := templates.BulkJob{
		Frame: c.frame("apps"), Act: string(report.Act), State: string(j.State), Cancelling: j.CancelAsked, Done: j.Done, Total: j.Total,
		Href: jobPath(j.ID), AppsHref: appsPath,
	}
	if wrong != nil {
		v.CancelError = c.t(problem.As(wrong).Key)
	}
	if len(items) > bulkPage {
		items = items[:bulkPage]
		v.NextHref = jobPath(j.ID) + "?after=" + url.QueryEscape(items[bulkPage-1].Key)
	}
	for _, item := range items {
		line := templates.BulkItem{Name: item.Name, Code: item.Outcome, Apps: item.Apps}
		if item.App != "" {
			line.Href = appPath(item.App)
		}
		if item.Detail != "" {
			line.Reason = c.t(item.Detail)
		}
		v.Items = append(v.Items, line)
	}
	for _, code := range bulkOutcomes() {
		if n := report.Outcomes[code]; n > 0 {
			v.Outcomes = append(v.Outcomes, templates.BulkOutcome{Code: code, N: n})
		}
	}
	if j.State == job.Queued || j.State == job.Running {
		if !j.CancelAsked {
			v.CancelHref = jobPath(j.ID) + "/cancel"
		}
	} else if err := s.offerUndo(c, report, &v); err != nil {
		return err
	}
	if c.fragment() == "results" {
		return c.render(status, templates.BulkJobSection(v))
	}
	return c.render(status, templates.BulkJobPage(v))
}

func bulkOutcomes() []string {
	return []string{
		registry.BulkDone, registry.BulkAlready, registry.BulkRefused, registry.BulkForbidden, registry.BulkBusy, registry.BulkGone,
		registry.BulkFull, registry.BulkUnreached,
	}
}

// offerUndo offers to switch back what was switched.
func (s *Server) offerUndo(c *call, report registry.BulkReport, v *templates.BulkJob) error {
	back := map[registry.BulkAct]registry.BulkAct{
		registry.BulkActivate: registry.BulkDeactivate, registry.BulkDeactivate: registry.BulkActivate,
	}
	act, n := back[report.Act], report.Outcomes[registry.BulkDone]
	if act == "" || n == 0 || n > undoMost {
		return nil
	}
	apps, err := s.Registry.BulkDoneApps(c.ctx(), c.actor, report.Job.ID, undoMost)
	if err != nil {
		return err
	}
	v.UndoAction, v.UndoHidden = bulkPath, []templates.Hidden{{Name: "act", Value: string(act)}}
	for _, id := range apps {
		v.UndoHidden = append(v.UndoHidden, templates.Hidden{Name: "ids", Value: string(id)})
	}
	return nil
}

// cancelJob stops a change; what was changed stays so.
func (s *Server) cancelJob(c *call) error {
	report, err := c.bulkJob()
	if err != nil {
		return err
	}
	err = s.Registry.CancelBulk(c.ctx(), c.actor, report.Job.ID)
	if problem.Is(err, problem.Conflict) {
		return s.drawJob(c, c.sentBack(err), report, err)
	}
	if err != nil {
		return err
	}
	return c.redirect(jobPath(report.Job.ID))
}
