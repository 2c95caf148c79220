package web

import (
	"net/http"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/web/api"
)

// apiGroups answers with all groups of the organisation, in the order of their names, and their members.
func (s *Server) apiGroups(c *apiCall) error {
	if _, err := c.query(); err != nil {
		return err
	}
	groups, err := s.Identity.Groups(c.ctx(), c.actor, c.actor.Organisation)
	if err != nil {
		return identityError(err)
	}
	wire, err := s.wireGroups(c, groups)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, wire)
}

// apiGroup answers with one group.
func (s *Server) apiGroup(c *apiCall) error {
	id, ok := identity.ParseGroupID(c.Param("id"))
	if !ok {
		return notThere()
	}
	group, err := s.Identity.Group(c.ctx(), c.actor, c.actor.Organisation, id)
	return s.answerGroup(c, http.StatusOK, group, err)
}

// apiCreateGroup makes a group without roles: what it passes on is for people to say.
func (s *Server) apiCreateGroup(c *apiCall) error {
	var body api.NewGroup
	if err := c.read(&body); err != nil {
		return err
	}
	if err := c.ofPartition(body.PartitionGlobalID); err != nil {
		return err
	}
	group, err := s.Identity.CreateGroup(c.ctx(), c.actor, identity.NewGroup{
		Organisation: c.actor.Organisation, Name: body.Name, Members: body.DirectoryUserMemberIDs,
	})
	return s.answerGroup(c, http.StatusCreated, group, err)
}

// apiChangeGroup changes name and members.
func (s *Server) apiChangeGroup(c *apiCall) error {
	var body api.GroupChange
	if err := c.read(&body); err != nil {
		return err
	}
	if err := c.ofPartition(body.PartitionGlobalID); err != nil {
		return err
	}
	id, ok := identity.ParseGroupID(c.Param("id"))
	if !ok {
		return notThere()
	}
	group, err := s.Identity.ChangeGroup(c.ctx(), c.actor, c.actor.Organisation, id, identity.GroupChange{
		Name: body.Name, Add: body.DirectoryUserIDsToAdd, Remove: body.DirectoryUserIDsToRemove,
	})
	return s.answerGroup(c, http.StatusOK, group, err)
}

// apiDeleteGroup deletes one group.
func (s *Server) apiDeleteGroup(c *apiCall) error {
	if _, ok := identity.ParseGroupID(c.Param("id")); !ok {
		return notThere()
	}
	return c.gone(s.Identity.DeleteGroups(c.ctx(), c.actor, c.actor.Organisation, []string{c.Param("id")}))
}

// apiDeleteGroups deletes several, all or none.
func (s *Server) apiDeleteGroups(c *apiCall) error {
	var body api.GroupIDs
	if err := c.read(&body); err != nil {
		return err
	}
	err := s.Identity.DeleteGroups(c.ctx(), c.actor, c.actor.Organisation, body.GroupIDs)
	err = inBody(err, "groups", "group.groups.unknown")
	if err != nil {
		return identityError(renamed(err, map[string]string{"groups": "groupIDs"}))
	}
	return c.NoContent(http.StatusNoContent)
}

// answerGroup answers with a group and its members, or with what went wrong.
func (s *Server) answerGroup(c *apiCall, status int, group identity.Group, err error) error {
	if err != nil {
		return identityError(err)
	}
	wire, err := s.wireGroups(c, []identity.Group{group})
	if err != nil {
		return err
	}
	if status == http.StatusCreated {
		c.Response().Header().Set("Location", s.PublicURL+identityRoot+"/Group/"+string(group.Organisation)+"/"+wire[0].ID)
	}
	return c.json(status, wire[0])
}

// wireGroups adds the members. Of people the name is told, not the address, which takes more than to see groups.
func (s *Server) wireGroups(c *apiCall, groups []identity.Group) ([]api.Group, error) {
	ids := make([]identity.GroupID, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	members, err := s.Identity.MembersOf(c.ctx(), c.actor, c.actor.Organisation, ids...)
	if err != nil {
		return nil, err
	}
	list := make([]api.Group, len(groups))
	for i, g := range groups {
		list[i] = api.Group{
			ID: string(g.ID), Name: g.Name, DisplayName: g.Name, Type: "custom", CreationTime: api.Ticks(g.CreatedAt),
			Members: []api.GroupMember{},
		}
		if g.Kind == identity.GroupBuiltIn {
			list[i].Type = "builtIn"
		}
		if g.ModifiedAt.After(g.CreatedAt) {
			list[i].LastModificationTime = ticksOrNull(g.ModifiedAt)
		}
		for _, p := range members[g.ID].People {
			list[i].Members = append(list[i].Members, groupMember("DirectoryUser", string(p.ID), p.Name(), p.Name()))
		}
		for _, r := range members[g.ID].Robots {
			list[i].Members = append(list[i].Members, groupMember("DirectoryRobotUser", string(r.ID), r.Name, r.DisplayName))
		}
	}
	return list, nil
}

func groupMember(objectType, id, name, displayName string) api.GroupMember {
	return api.GroupMember{ObjectType: objectType, Source: "local", Identifier: id, Name: name, DisplayName: displayName}
}
