package web

import (
	"net/http"
	"slices"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/templates"
)

// newGroupForm draws the empty form, or what was typed before the session ended.
func (s *Server) newGroupForm(c *call) error {
	view := templates.GroupForm{}
	var roles []string
	if draft := c.draft(); draft != nil {
		f := &form{values: draft}
		view.Name, view.Typed, roles = f.one("name"), f.one("add"), f.all("role")
	}
	return s.drawNewGroup(c, http.StatusOK, view, roles)
}

func (s *Server) drawNewGroup(c *call, status int, view templates.GroupForm, roles []string) error {
	view.Frame, view.Action, view.CancelHref = c.frame("groups"), groupsPath, groupsPath
	return s.drawGroupForm(c, status, view, roles, nil)
}

// drawGroupForm adds the roles. Those that give what the reader does not hold cannot be ticked.
func (s *Server) drawGroupForm(c *call, status int, view templates.GroupForm, ticked, had []string) error {
	roles, err := s.Identity.Roles(c.ctx(), c.actor.Organisation)
	if err != nil {
		return err
	}
	for _, r := range roles {
		o := templates.Option{Value: r.Name, Label: r.Name, Selected: slices.Contains(ticked, r.Name)}
		if !c.actor.HasAll(r.Rights) && !slices.Contains(had, r.Name) {
			o.Disabled, o.Hint = true, c.t("groups.role_power")
		}
		view.Roles = append(view.Roles, o)
	}
	return c.render(status, templates.GroupFormPage(view))
}

// createGroup makes a group and shows it.
func (s *Server) createGroup(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	view, roles := templates.GroupForm{Name: f.one("name"), Typed: f.one("add")}, f.all("role")
	n := identity.NewGroup{Organisation: c.actor.Organisation, Name: view.Name, Roles: roles}
	if err = f.err(); err == nil {
		n.Members, err = c.membersNamed(view.Typed)
	}
	var made identity.Group
	if err == nil {
		made, err = s.Identity.CreateGroup(c.ctx(), c.actor, n)
	}
	switch {
	case err == nil:
		return c.done(groupPath(made.ID), "groups.flash.created", "Name", made.Name)
	case !toldInRobotForm(err):
		return err
	}
	view.Errors = c.fieldErrors(err, groupFields)
	return s.drawNewGroup(c, c.sentBack(err), view, roles)
}

// editGroupForm draws the form with what is stored.
func (s *Server) editGroupForm(c *call) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	view, roles := templates.GroupForm{Name: group.Name, Version: group.Version}, groupRow(group).Roles
	if draft := c.draft(); draft != nil {
		f := &form{values: draft}
		view.Name, view.Version, roles = f.one("name"), f.version(), f.all("role")
	}
	return s.drawEditGroup(c, http.StatusOK, group, view, roles)
}

func (s *Server) drawEditGroup(c *call, status int, group identity.Group, view templates.GroupForm, roles []string) error {
	view.Frame, view.Edit, view.Was = c.frame("groups"), true, group.Name
	view.Action, view.CancelHref = editGroupPath(group.ID), groupPath(group.ID)
	return s.drawGroupForm(c, status, view, roles, groupRow(group).Roles)
}

// editGroup saves name and roles.
func (s *Server) editGroup(c *call) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	view, roles := templates.GroupForm{Name: f.one("name"), Version: group.Version}, f.all("role")
	seen := seenVersion(f.version())
	var saved identity.Group
	if err = f.err(); err == nil {
		saved, err = s.Identity.ChangeGroup(c.ctx(), c.actor, group.Organisation, group.ID, identity.GroupChange{
			Name: &view.Name, Roles: &roles, Version: seen,
		})
	}
	switch {
	case err == nil:
		return c.done(groupPath(group.ID), "groups.flash.saved", "Name", saved.Name)
	case !toldInRobotForm(err):
		return err
	}
	view.Errors = c.fieldErrors(err, groupFields)
	return s.drawEditGroup(c, c.sentBack(err), group, view, roles)
}

// deleteGroupForm asks before a group is deleted, and says who loses what.
func (s *Server) deleteGroupForm(c *call) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	return c.askDeleteGroup(http.StatusOK, group, "", nil)
}

func (c *call) askDeleteGroup(status int, group identity.Group, typed string, wrong error) error {
	losses, err := c.s.Identity.Losses(c.ctx(), c.actor, group.Organisation, group.ID)
	if err != nil {
		return err
	}
	view := templates.RobotAsk{
		Frame: c.frame("groups"), Of: "group", Act: "delete", Name: group.Name, Action: deleteGroupPath(group.ID),
		CancelHref: groupPath(group.ID), Typed: typed,
	}
	for _, l := range losses {
		name := l.Person.Name()
		if l.Robot.ID != "" {
			name = l.Robot.Name
		}
		view.Losses = append(view.Losses, templates.RobotLoss{Name: name, Robot: l.Robot.ID != "", Rights: rightNames(l.Rights)})
	}
	if wrong != nil {
		view.Errors = c.fieldErrors(wrong, groupFields)
	}
	return c.drawAsk(status, view)
}

// deleteGroup deletes the group whose name was typed.
func (s *Server) deleteGroup(c *call) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	typed := f.one("confirm_name")
	f.confirm(typed, group.Name)
	if err = f.err(); err == nil {
		err = s.Identity.DeleteGroups(c.ctx(), c.actor, group.Organisation, []string{string(group.ID)})
	}
	switch {
	case err == nil:
		return c.done(groupsPath, "robots.flash.delete", "Name", group.Name)
	case problem.Is(err, problem.NotFound), !toldInRobotForm(err):
		return err
	}
	return c.askDeleteGroup(c.sentBack(err), group, typed, err)
}
