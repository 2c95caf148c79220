package web

import (
	"net/http"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/templates"
)

// The addresses of the pages of groups, built here and nowhere else.
const (
	groupsPath   = "/groups"
	newGroupPath = groupsPath + "/new"
)

func groupPath(id identity.GroupID) string        { return groupsPath + "/" + string(id) }
func editGroupPath(id identity.GroupID) string    { return groupPath(id) + "/edit" }
func groupMembersPath(id identity.GroupID) string { return groupPath(id) + "/members" }
func deleteGroupPath(id identity.GroupID) string  { return groupPath(id) + "/delete" }

// groupList answers /groups.
func (s *Server) groupList(c *call) error {
	groups, err := s.Identity.Groups(c.ctx(), c.actor, c.actor.Organisation)
	if err != nil {
		return err
	}
	view := templates.GroupsList{Frame: c.frame("groups"), NewHref: c.ifRobots(newGroupPath)}
	for _, g := range groups {
		view.Rows = append(view.Rows, groupRow(g))
	}
	if len(groups) == 0 && view.NewHref == "" {
		view.Ask = names(c.holders(access.RobotsManage))
	}
	return c.render(http.StatusOK, templates.GroupsPage(view))
}

func groupRow(g identity.Group) templates.GroupRow {
	row := templates.GroupRow{
		Href: groupPath(g.ID), Name: g.Name, Kind: string(g.Kind), People: g.People, Robots: g.Robots, Rights: rightNames(g.Rights()),
	}
	for _, r := range g.Roles {
		row.Roles = append(row.Roles, r.Name)
	}
	return row
}

// group reads the group that the address names.
func (c *call) group() (identity.Group, error) {
	id, ok := identity.ParseGroupID(c.Param("group"))
	if !ok {
		return identity.Group{}, problem.New(problem.NotFound, "problem.not_found")
	}
	return c.s.Identity.Group(c.ctx(), c.actor, c.actor.Organisation, id)
}

// groupDetail answers /groups/{id}, with one of its tabs.
func (s *Server) groupDetail(c *call) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	return s.drawGroup(c, http.StatusOK, group, groupInput{tab: oneQuery(c, "tab")}, nil)
}

// groupInput is what stands in the form of the members.
type groupInput struct{ tab, typed string }

func (s *Server) drawGroup(c *call, status int, group identity.Group, in groupInput, wrong error) error {
	members, err := s.Identity.MembersOf(c.ctx(), c.actor, group.Organisation, group.ID)
	if err != nil {
		return err
	}
	view := templates.GroupDetail{
		Frame: c.frame("groups"), Row: groupRow(group), ID: string(group.ID), ModifiedAt: group.ModifiedAt, Now: s.DB.Now(), Tab: in.tab,
		TabHrefs:  map[string]string{"people": groupPath(group.ID)},
		MayManage: c.actor.Has(access.RobotsManage), Action: groupMembersPath(group.ID), Weak: !c.actor.HasAll(group.Rights()), Typed: in.typed,
	}
	for _, tab := range []string{"robots", "rights"} {
		view.TabHrefs[tab] = groupPath(group.ID) + "?tab=" + tab
	}
	if group.Kind == identity.GroupLocal {
		view.EditHref, view.DeleteHref = c.ifRobots(editGroupPath(group.ID)), c.ifRobots(deleteGroupPath(group.ID))
	}
	switch view.Tab {
	case "robots":
		for _, r := range members[group.ID].Robots {
			view.Members = append(view.Members, templates.GroupMember{
				ID: string(r.ID), Name: r.Name, Detail: r.DisplayName, Href: robotPath(r.ID), Off: !r.Live(view.Now),
			})
		}
	case "rights":
		view.Grants = groupGrants(group)
	default:
		view.Tab = "people"
		for _, p := range members[group.ID].People {
			view.Members = append(view.Members, templates.GroupMember{
				ID: string(p.ID), Name: p.Name(), Detail: p.Email, Off: p.Status != identity.Active,
			})
		}
	}
	if view.Events, err = c.robotEvents("group", string(group.ID)); err != nil {
		return err
	}
	if wrong != nil {
		view.Errors = c.fieldErrors(wrong, groupFields)
	}
	return c.render(status, templates.GroupPage(view))
}

// groupGrants are the rights of a group with the roles that give them.
func groupGrants(group identity.Group) []templates.RightGrant {
	var list []templates.RightGrant
	for _, right := range group.Rights().Rights() {
		grant := templates.RightGrant{Right: string(right)}
		for _, role := range group.Roles {
			if role.Rights.Has(right) {
				grant.Sources = append(grant.Sources, templates.GrantSource{Role: role.Name})
			}
		}
		list = append(list, grant)
	}
	return list
}

// groupFields are the forms' names for what the room calls otherwise.
var groupFields = map[string]string{"roles": "role", "members": "add", "version": "", "groups": "", "tab": ""}

// membersNamed finds people by e-mail address and robot accounts by name, one a line. A line that is nobody of the
// organisation is a fault of the field, in the same words whoever it may be elsewhere.
func (c *call) membersNamed(text string) ([]string, error) {
	var ids []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if len(ids) == identity.MaxIDs {
			return nil, problem.Fields(problem.NewField("add", "group.add.too_many", "Max", identity.MaxIDs))
		}
		id, err := c.memberNamed(line)
		if err != nil {
			return nil, err
		}
		if id == "" {
			return nil, problem.Fields(problem.NewField("add", "groups.add_unknown", "Line", line))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// memberNamed returns the ID of a person or robot account of the organisation, "" when there is none.
func (c *call) memberNamed(line string) (string, error) {
	if !validText(line) || len(line) > 320 {
		return "", nil
	}
	person, err := c.s.Identity.PersonByEmail(c.ctx(), line)
	switch {
	case err == nil && person.Organisation == c.actor.Organisation:
		return string(person.ID), nil
	case err != nil && !problem.Is(err, problem.NotFound):
		return "", err
	}
	page, err := c.s.Identity.Robots(c.ctx(), c.actor, identity.RobotQuery{
		Organisation: c.actor.Organisation, Search: line, Limit: identity.MaxRobots,
	})
	if err != nil {
		return "", err
	}
	for _, r := range page.Robots {
		if identity.Fold(r.Name) == identity.Fold(line) {
			return string(r.ID), nil
		}
	}
	return "", nil
}

// changeMembers adds and removes members.
func (s *Server) changeMembers(c *call) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	in := groupInput{tab: f.one("tab"), typed: f.one("add")}
	change := identity.GroupChange{Remove: f.all("remove")}
	if err = f.err(); err == nil {
		change.Add, err = c.membersNamed(in.typed)
	}
	if err == nil {
		_, err = s.Identity.ChangeGroup(c.ctx(), c.actor, group.Organisation, group.ID, change)
	}
	switch {
	case err == nil:
		to := groupPath(group.ID)
		if in.tab == "robots" {
			to += "?tab=robots"
		}
		return c.done(to, "groups.flash.members", "Name", group.Name)
	case !toldInRobotForm(err):
		return err
	}
	return s.drawGroup(c, c.sentBack(err), group, in, err)
}
