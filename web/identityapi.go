package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/web/api"
)

// identityKey is the identity API's key in the catalogue.
const identityKey = "identity-pm"

// The identity API's addresses, below each of its two beginnings (product.md decision 11).
const (
	identityRoot   = "/identity_/api"
	identityScoped = "/:organization/:tenant" + identityRoot
)

// identityAPI is the table of the identity API (product.md §4.2), in both forms of its addresses. The rates are those
// documented for it, per organisation and five minutes.
func identityAPI() []apiRoute {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	window := 5 * time.Minute
	rates := map[string]rate{
		get: {"identity.read", 300, window}, post: {"identity.create", 24_000, window},
		put: {"identity.change", 160, window}, del: {"identity.change", 160, window},
	}
	calls := []struct {
		method, path, name, object string
		handler                    func(*Server, *apiCall) error
	}{
		{get, "/RobotAccount/:partition", "identity.robot.list", "PM.RobotAccount", (*Server).apiRobots},
		{get, "/RobotAccount/:partition/:id", "identity.robot.show", "PM.RobotAccount", (*Server).apiRobot},
		{post, "/RobotAccount", "identity.robot.create", "PM.RobotAccount", (*Server).apiCreateRobot},
		{put, "/RobotAccount/:id", "identity.robot.change", "PM.RobotAccount", (*Server).apiChangeRobot},
		{del, "/RobotAccount/:partition/:id", "identity.robot.delete", "PM.RobotAccount", (*Server).apiDeleteRobot},
		{del, "/RobotAccount/:partition", "identity.robot.delete_many", "PM.RobotAccount", (*Server).apiDeleteRobots},
		{get, "/Group/:partition", "identity.group.list", "PM.Group", (*Server).apiGroups},
		{get, "/Group/:partition/:id", "identity.group.show", "PM.Group", (*Server).apiGroup},
		{post, "/Group", "identity.group.create", "PM.Group", (*Server).apiCreateGroup},
		{put, "/Group/:id", "identity.group.change", "PM.Group", (*Server).apiChangeGroup},
		{del, "/Group/:partition/:id", "identity.group.delete", "PM.Group", (*Server).apiDeleteGroup},
		{del, "/Group/:partition", "identity.group.delete_many", "PM.Group", (*Server).apiDeleteGroups},
	}
	var list []apiRoute
	for _, root := range []string{identityRoot, identityScoped} {
		for _, call := range calls {
			right, anyOf := access.RobotsManage, []string{call.object, call.object + ".Write"}
			if call.method == get {
				right, anyOf = access.RobotsView, []string{call.object, call.object + ".Read"}
			}
			list = append(list, apiRoute{
				call.method, root + call.path, call.name, identityKey, anyOf, right, rates[call.method], inPartition(call.handler),
			})
		}
	}
	return list
}

// inPartition lets a call through to a handler when address and token are of the same organisation; another one, or none,
// is not found (product.md decision 11). The tenant of an address is taken whatever it says.
func inPartition(handler func(*Server, *apiCall) error) func(*Server, *apiCall) error {
	return func(s *Server, c *apiCall) error {
		if ref := c.Param("organization"); ref != "" {
			if ref, err := url.PathUnescape(ref); err != nil {
				return notThere()
			} else if org, err := s.Identity.FindOrganisation(c.ctx(), ref); err != nil {
				return err
			} else if org.ID != c.actor.Organisation {
				return notThere()
			}
		}
		if partition := c.Param("partition"); partition != "" && partition != string(c.actor.Organisation) {
			return notThere()
		}
		return handler(s, c)
	}
}

func notThere() error { return problem.New(problem.NotFound, "problem.not_found") }

// ofPartition judges the organisation that a body names.
func (c *apiCall) ofPartition(id string) error {
	switch id {
	case string(c.actor.Organisation):
		return nil
	case "":
		return problem.Fields(problem.NewField("partitionGlobalId", "api.partition.missing"))
	default:
		return notThere()
	}
}

// identityFaults are the wire's names of the room's fields.
var identityFaults = map[string]string{
	"display_name": "displayName", "groups": "groupIDsToAdd", "add_groups": "groupIDsToAdd", "remove_groups": "groupIDsToRemove",
	"robots": "robotAccountIDs", "members": "directoryUserMemberIDs", "add": "directoryUserIDsToAdd",
	"remove": "directoryUserIDsToRemove",
}

// identityError is a room's error in the words of this API: a name that is taken is a conflict, and what the API user has
// no power to give is its lack of a right (product.md decision 14).
func identityError(err error) error {
	if err == nil {
		return nil
	}
	err = renamed(err, identityFaults)
	p := problem.As(err)
	switch {
	case p.Code == problem.Forbidden:
		return &refusedError{code: codeRight, cause: p}
	case p.Code == problem.Invalid && len(p.Fields) == 1 && strings.HasSuffix(p.Fields[0].Key, ".taken"):
		conflict := problem.New(problem.Conflict, p.Fields[0].Key)
		conflict.Fields = p.Fields
		return conflict
	default:
		return err
	}
}

// counted reads a parameter that counts something.
func counted(q url.Values, name string, usual, most int) (int, *problem.Field) {
	text := q.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		f := problem.NewField(name, "api.query.count", "Max", most)
		return 0, &f
	}
	return n, nil
}

// robotSorts are the wire's names of the orders.
var robotSorts = map[string]identity.RobotSort{
	"": identity.RobotByName, "name": identity.RobotByName, "displayName": identity.RobotByDisplayName,
	"creationTime": identity.RobotByCreation,
}

// The bounds of a list of robot accounts: how many there are unless asked for, and how far a list is walked.
const (
	usualTop      = 10
	maxSkip       = 1_000_000
	maxSearchTerm = 200
)

// robotQuery reads the parameters of a list.
func (c *apiCall) robotQuery() (identity.RobotQuery, error) {
	q, err := c.query("searchTerm", "top", "skip", "sortBy", "sortOrder")
	if err != nil {
		return identity.RobotQuery{}, err
	}
	var faults []problem.Field
	fault := func(f *problem.Field) {
		if f != nil {
			faults = append(faults, *f)
		}
	}
	query := identity.RobotQuery{Organisation: c.actor.Organisation, Search: q.Get("searchTerm"), Descending: q.Get("sortOrder") == "desc"}
	var f *problem.Field
	query.Limit, f = counted(q, "top", usualTop, identity.MaxRobots)
	fault(f)
	query.Skip, f = counted(q, "skip", 0, maxSkip)
	fault(f)
	if len(query.Search) > maxSearchTerm || !validText(query.Search) {
		faults = append(faults, problem.NewField("searchTerm", "api.query.search", "Max", maxSearchTerm))
	}
	var known bool
	if query.Sort, known = robotSorts[q.Get("sortBy")]; !known {
		faults = append(faults, problem.NewField("sortBy", "api.query.robot_sort"))
	}
	switch q.Get("sortOrder") {
	case "", "asc", "desc":
	default:
		faults = append(faults, problem.NewField("sortOrder", "api.query.sort_order"))
	}
	return query, problem.Fields(faults...)
}

// validText reports whether a text can be looked for in both databases.
func validText(s string) bool { return !strings.ContainsRune(s, 0) && strings.ToValidUTF8(s, "") == s }

// apiRobots answers with a page of robot accounts.
func (s *Server) apiRobots(c *apiCall) error {
	query, err := c.robotQuery()
	if err != nil {
		return err
	}
	page, err := s.Identity.Robots(c.ctx(), c.actor, query)
	if err != nil {
		return identityError(err)
	}
	wire, err := s.wireRobots(c, page.Robots)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, api.RobotAccountPage{TotalCount: page.Total, Results: wire})
}

// apiRobot answers with one robot account.
func (s *Server) apiRobot(c *apiCall) error {
	id, ok := identity.ParseRobotID(c.Param("id"))
	if !ok {
		return notThere()
	}
	robot, err := s.Identity.Robot(c.ctx(), c.actor, c.actor.Organisation, id)
	return s.answerRobot(c, http.StatusOK, robot, err)
}

// apiCreateRobot makes a robot account of kind robot (product.md decision 14).
func (s *Server) apiCreateRobot(c *apiCall) error {
	var body api.NewRobotAccount
	if err := c.read(&body); err != nil {
		return err
	}
	if err := c.ofPartition(body.PartitionGlobalID); err != nil {
		return err
	}
	made, err := s.Identity.CreateRobot(c.ctx(), c.actor, identity.NewRobot{
		Organisation: c.actor.Organisation, Name: body.Name, DisplayName: body.DisplayName, Groups: body.GroupIDsToAdd,
	})
	if err != nil {
		return identityError(err)
	}
	robot, err := s.Identity.Robot(c.ctx(), c.actor, made.Organisation, made.ID)
	return s.answerRobot(c, http.StatusCreated, robot, err)
}

// apiChangeRobot changes display name and groups.
func (s *Server) apiChangeRobot(c *apiCall) error {
	var body api.RobotAccountChange
	if err := c.read(&body); err != nil {
		return err
	}
	if err := c.ofPartition(body.PartitionGlobalID); err != nil {
		return err
	}
	id, ok := identity.ParseRobotID(c.Param("id"))
	if !ok {
		return notThere()
	}
	robot, err := s.Identity.ChangeRobot(c.ctx(), c.actor, c.actor.Organisation, id, identity.RobotChange{
		DisplayName: body.DisplayName, AddGroups: body.GroupIDsToAdd, RemoveGroups: body.GroupIDsToRemove,
	})
	return s.answerRobot(c, http.StatusOK, robot, err)
}

// apiDeleteRobot deletes one robot account.
func (s *Server) apiDeleteRobot(c *apiCall) error {
	if _, ok := identity.ParseRobotID(c.Param("id")); !ok {
		return notThere()
	}
	return c.gone(s.Identity.DeleteRobots(c.ctx(), c.actor, c.actor.Organisation, []string{c.Param("id")}))
}

// apiDeleteRobots deletes several, all or none.
func (s *Server) apiDeleteRobots(c *apiCall) error {
	var body api.RobotAccountIDs
	if err := c.read(&body); err != nil {
		return err
	}
	err := s.Identity.DeleteRobots(c.ctx(), c.actor, c.actor.Organisation, body.RobotAccountIDs)
	return c.gone(inBody(err, "robots", "robot.robots.unknown"))
}

// inBody makes a single unknown ID of a body a fault of its member, as several are: only in an address it is not found.
func inBody(err error, field, key string) error {
	if problem.Is(err, problem.NotFound) {
		return problem.Fields(problem.NewField(field, key))
	}
	return err
}

// gone answers to a deletion.
func (c *apiCall) gone(err error) error {
	if err != nil {
		return identityError(err)
	}
	return c.NoContent(http.StatusNoContent)
}

// answerRobot answers with a robot account, or with what went wrong.
func (s *Server) answerRobot(c *apiCall, status int, robot identity.Robot, err error) error {
	if err != nil {
		return identityError(err)
	}
	wire, err := s.wireRobots(c, []identity.Robot{robot})
	if err != nil {
		return err
	}
	if status == http.StatusCreated {
		c.Response().Header().Set("Location", s.PublicURL+identityRoot+"/RobotAccount/"+string(robot.Organisation)+"/"+wire[0].ID)
	}
	return c.json(status, wire[0])
}

// wireRobots adds the last sign-in, which is the last use of an app that acts as the account.
func (s *Server) wireRobots(c *apiCall, robots []identity.Robot) ([]api.RobotAccount, error) {
	ids := make([]identity.RobotID, len(robots))
	for i, r := range robots {
		ids[i] = r.ID
	}
	used, err := s.Registry.RobotUse(c.ctx(), c.actor, ids...)
	if err != nil {
		return nil, err
	}
	list := make([]api.RobotAccount, len(robots))
	for i, r := range robots {
		list[i] = api.RobotAccount{
			ID: string(r.ID), Name: r.Name, DisplayName: r.DisplayName, CreationTime: api.Ticks(r.CreatedAt),
			LastLoginTime: ticksOrNull(used[r.ID]), GroupIDs: []string{},
		}
		for _, g := range r.Groups {
			list[i].GroupIDs = append(list[i].GroupIDs, string(g.ID))
		}
	}
	return list, nil
}

// ticksOrNull is a moment for this API, null for never.
func ticksOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := api.Ticks(t)
	return &text
}
