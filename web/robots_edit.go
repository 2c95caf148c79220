package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/templates"
	"credenza.example/credenza/web/api"
)

// robotFields are the form's names for what the room calls otherwise.
var robotFields = map[string]string{
	"groups": "group", "add_groups": "group", "remove_groups": "group", "expires_at": "expires_on", "version": "", "had": "", "status": "",
	"robots": "",
}

// robotInput is what stands in the form of a robot account.
type robotInput struct {
	name, displayName, kind, expiresOn string
	groups, had                        []string
	version                            int64
}

func readRobotInput(f *form) robotInput {
	return robotInput{
		name: f.one("name"), displayName: f.one("display_name"), kind: f.one("kind"), expiresOn: f.one("expires_on"),
		groups: f.all("group"), had: f.all("had"), version: f.version(),
	}
}

// newRobotForm draws the empty form, or what was typed before the session ended.
func (s *Server) newRobotForm(c *call) error {
	in := robotInput{kind: string(identity.KindRobot)}
	if draft := c.draft(); draft != nil {
		in = readRobotInput(&form{values: draft})
	}
	return s.drawNewRobot(c, http.StatusOK, in, nil)
}

// createRobot makes a robot account and shows it with its ID.
func (s *Server) createRobot(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	in := readRobotInput(f)
	if f.one("redraw") != "" && f.err() == nil {
		return s.drawNewRobot(c, http.StatusOK, in, nil)
	}
	until, fault := c.robotDay(in.expiresOn)
	f.errs = append(f.errs, fault...)
	var made identity.RobotAccount
	if err = f.err(); err == nil {
		made, err = s.Identity.CreateRobot(c.ctx(), c.actor, identity.NewRobot{
			Organisation: c.actor.Organisation, Name: in.name, DisplayName: strings.TrimSpace(in.displayName),
			Kind: identity.RobotKind(in.kind), Groups: in.groups, ExpiresAt: until,
		})
	}
	switch {
	case err == nil:
		return c.done(robotPath(made.ID), "robots.flash.created", "Name", made.Name)
	case !toldInRobotForm(err):
		return err
	}
	return s.drawNewRobot(c, c.sentBack(err), in, err)
}

// toldInRobotForm reports whether a form comes back with the error: also with a lack of power, which names the right.
func toldInRobotForm(err error) bool {
	return toldInForm(err) || problem.As(err).Key == "identity.power" || problem.Is(err, problem.Stale)
}

// robotDay is the last minute of a day, zero for none.
func (c *call) robotDay(text string) (time.Time, []problem.Field) {
	if strings.TrimSpace(text) == "" {
		return time.Time{}, nil
	}
	day := c.ownDay(text)
	if day.IsZero() {
		return day, []problem.Field{problem.NewField("expires_on", "robots.expires.no_day")}
	}
	return day, nil
}

func (s *Server) drawNewRobot(c *call, status int, in robotInput, wrong error) error {
	view := templates.RobotForm{
		Frame: c.frame("robots"), Action: robotsPath, CancelHref: robotsPath, Name: in.name, DisplayName: in.displayName, Kind: in.kind,
		ExpiresOn: in.expiresOn,
	}
	for _, kind := range []identity.RobotKind{identity.KindRobot, identity.KindClient, identity.KindSupplier, identity.KindMSP} {
		view.Kinds = append(view.Kinds, string(kind))
	}
	if err := c.robotForm(&view, in.groups, nil); err != nil {
		return err
	}
	view.JSON = c.robotRequest(in)
	view.Request = templates.APICall{Method: http.MethodPost, URL: s.PublicURL + identityRoot + "/RobotAccount", Example: view.JSON}
	if wrong != nil {
		view.Errors = c.fieldErrors(wrong, robotFields)
	}
	return c.render(status, templates.RobotFormPage(view))
}

// robotRequest is the body of the identity API's request for what stands in the form. It stands between single quotes in a
// shell command, so none is in it.
func (c *call) robotRequest(in robotInput) string {
	body := api.NewRobotAccount{
		PartitionGlobalID: string(c.actor.Organisation), Name: strings.TrimSpace(in.name), DisplayName: strings.TrimSpace(in.displayName),
		GroupIDsToAdd: in.groups,
	}
	if body.Name == "" {
		body.Name = c.t("robots.request.name")
	}
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return "{}"
	}
	return strings.ReplaceAll(string(text), "'", `\u0027`)
}

// robotForm adds groups and days to the form. Groups that give what the reader does not hold cannot be ticked.
func (c *call) robotForm(view *templates.RobotForm, ticked, had []string) error {
	groups, err := c.s.Identity.Groups(c.ctx(), c.actor, c.actor.Organisation)
	if err != nil {
		return err
	}
	for _, g := range groups {
		o := templates.Option{Value: string(g.ID), Label: g.Name, Selected: slices.Contains(ticked, string(g.ID))}
		if !c.actor.HasAll(g.Rights()) && !slices.Contains(had, o.Value) {
			o.Disabled, o.Hint = true, c.t("robots.group_power")
		}
		view.Groups = append(view.Groups, o)
	}
	view.Had = had
	view.Ceiling, err = c.s.Identity.RobotCeiling(c.ctx(), c.actor.Organisation)
	now := c.s.DB.Now().In(i18n.Zone(c.ctx()))
	view.Min = now.Format(time.DateOnly)
	if view.Ceiling > 0 {
		view.Max = now.AddDate(0, 0, view.Ceiling-1).Format(time.DateOnly)
	}
	return err
}

// editRobotForm draws the form with what is stored.
func (s *Server) editRobotForm(c *call) error {
	robot, err := c.robot()
	if err != nil {
		return err
	}
	in := robotInput{displayName: robot.DisplayName, version: robot.Version}
	for _, g := range robot.Groups {
		in.groups = append(in.groups, string(g.ID))
	}
	in.had = in.groups
	if draft := c.draft(); draft != nil {
		in = readRobotInput(&form{values: draft})
	}
	return s.drawEditRobot(c, http.StatusOK, robot, in, nil)
}

// editRobot saves display name and groups: those newly ticked are joined, those whose tick is gone are left, and what
// somebody else did with others meanwhile stays.
func (s *Server) editRobot(c *call) error {
	robot, err := c.robot()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	in := readRobotInput(f)
	if err = f.err(); err == nil {
		_, err = s.Identity.ChangeRobot(c.ctx(), c.actor, robot.Organisation, robot.ID, identity.RobotChange{
			DisplayName: &in.displayName, AddGroups: missing(in.groups, in.had), RemoveGroups: missing(in.had, in.groups),
			Version: seenVersion(in.version),
		})
	}
	switch {
	case err == nil:
		return c.done(robotPath(robot.ID), "robots.flash.saved", "Name", robot.Name)
	case !toldInRobotForm(err):
		return err
	}
	in.version = robot.Version
	return s.drawEditRobot(c, c.sentBack(err), robot, in, err)
}

// seenVersion is a form's version for a room that takes 0 for a question left out: a form always asks.
func seenVersion(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

// missing are those of a list that another lacks.
func missing(list, other []string) []string {
	var rest []string
	for _, one := range list {
		if !slices.Contains(other, one) {
			rest = append(rest, one)
		}
	}
	return rest
}

func (s *Server) drawEditRobot(c *call, status int, robot identity.Robot, in robotInput, wrong error) error {
	view := templates.RobotForm{
		Frame: c.frame("robots"), Edit: true, Expired: robotState(robot.RobotAccount, s.DB.Now()) == "expired", Name: robot.Name,
		Action: editRobotPath(robot.ID), CancelHref: robotPath(robot.ID), ExtendHref: extendRobotPath(robot.ID), DisplayName: in.displayName,
		Version: in.version,
	}
	if err := c.robotForm(&view, in.groups, in.had); err != nil {
		return err
	}
	if wrong != nil {
		view.Errors = c.fieldErrors(wrong, robotFields)
	}
	return c.render(status, templates.RobotFormPage(view))
}

// extendRobotForm asks until when an account shall live.
func (s *Server) extendRobotForm(c *call) error {
	robot, err := c.robot()
	if err != nil {
		return err
	}
	in := robotInput{version: robot.Version}
	if robot.ExpiresAt.After(s.DB.Now()) {
		in.expiresOn = robot.ExpiresAt.In(i18n.Zone(c.ctx())).Format(time.DateOnly)
	}
	return c.drawExtendRobot(http.StatusOK, robot, in, nil)
}

func (s *Server) extendRobot(c *call) error {
	robot, err := c.robot()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	in := readRobotInput(f)
	until, fault := c.robotDay(in.expiresOn)
	f.errs = append(f.errs, fault...)
	seen := robot.RobotAccount
	seen.Version = in.version
	if err = f.err(); err == nil {
		err = s.Identity.ExtendRobot(c.ctx(), c.actor, seen, until)
	}
	switch {
	case err == nil:
		return c.done(robotPath(robot.ID), "robots.flash.extended", "Name", robot.Name)
	case !toldInRobotForm(err):
		return err
	}
	in.version = robot.Version
	return c.drawExtendRobot(c.sentBack(err), robot, in, err)
}

func (c *call) drawExtendRobot(status int, robot identity.Robot, in robotInput, wrong error) error {
	view := templates.RobotForm{
		Frame: c.frame("robots"), Edit: true, Name: robot.Name, Action: extendRobotPath(robot.ID), CancelHref: robotPath(robot.ID),
		ExpiresOn: in.expiresOn, Version: in.version,
	}
	if err := c.robotForm(&view, nil, nil); err != nil {
		return err
	}
	if wrong != nil {
		view.Errors = c.fieldErrors(wrong, robotFields)
	}
	return c.render(status, templates.RobotExtendPage(view))
}

func (s *Server) activateRobotForm(c *call) error   { return s.askRobot(c, "activate") }
func (s *Server) activateRobot(c *call) error       { return s.doRobot(c, "activate") }
func (s *Server) deactivateRobotForm(c *call) error { return s.askRobot(c, "deactivate") }
func (s *Server) deactivateRobot(c *call) error     { return s.doRobot(c, "deactivate") }
func (s *Server) deleteRobotForm(c *call) error     { return s.askRobot(c, "delete") }
func (s *Server) deleteRobot(c *call) error         { return s.doRobot(c, "delete") }

// askRobot asks before an act.
func (s *Server) askRobot(c *call, act string) error {
	robot, err := c.robot()
	if err != nil {
		return err
	}
	return c.drawAsk(http.StatusOK, robotAsk(c, robot, act))
}

func robotAsk(c *call, robot identity.Robot, act string) templates.RobotAsk {
	return templates.RobotAsk{
		Frame: c.frame("robots"), Of: "robot", Act: act, Name: robot.Name, Action: robotPath(robot.ID) + "/" + act,
		CancelHref: robotPath(robot.ID),
	}
}

func (c *call) drawAsk(status int, view templates.RobotAsk) error {
	if c.fragment() == "dialog" {
		return c.render(status, templates.RobotAskFragment(view))
	}
	return c.render(status, templates.RobotAskPage(view))
}

// doRobot does what was asked for. What stands in the way is said on the page that asked.
func (s *Server) doRobot(c *call, act string) error {
	robot, err := c.robot()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	typed, to := f.one("confirm_name"), robotPath(robot.ID)
	if act == "delete" {
		to = robotsPath
		f.confirm(typed, robot.Name)
	}
	if err = f.err(); err == nil {
		switch act {
		case "activate":
			err = s.Identity.SetRobotStatus(c.ctx(), c.actor, robot.RobotAccount, identity.Active)
		case "deactivate":
			err = s.Identity.SetRobotStatus(c.ctx(), c.actor, robot.RobotAccount, identity.Inactive)
		case "delete":
			err = s.Identity.DeleteRobots(c.ctx(), c.actor, robot.Organisation, []string{string(robot.ID)})
		}
	}
	switch {
	case err == nil:
		return c.done(to, "robots.flash."+act, "Name", robot.Name)
	case !toldInRobotForm(err):
		return err
	}
	view := robotAsk(c, robot, act)
	view.Typed, view.Errors = typed, c.fieldErrors(err, robotFields)
	return c.drawAsk(c.sentBack(err), view)
}

// confirm compares a typed name with the one it must be.
func (f *form) confirm(typed, name string) {
	if strings.TrimSpace(typed) != name {
		f.errs = append(f.errs, problem.NewField("confirm_name", "robots.confirm.wrong_name"))
	}
}
