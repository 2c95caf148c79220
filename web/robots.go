package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/templates"
)

// The addresses of the pages of robot accounts, built here and nowhere else.
const (
	robotsPath   = "/robots"
	newRobotPath = robotsPath + "/new"
)

func robotPath(id identity.RobotID) string           { return robotsPath + "/" + string(id) }
func editRobotPath(id identity.RobotID) string       { return robotPath(id) + "/edit" }
func extendRobotPath(id identity.RobotID) string     { return robotPath(id) + "/extend" }
func deleteRobotPath(id identity.RobotID) string     { return robotPath(id) + "/delete" }
func activateRobotPath(id identity.RobotID) string   { return robotPath(id) + "/activate" }
func deactivateRobotPath(id identity.RobotID) string { return robotPath(id) + "/deactivate" }

// robotsPerPage is how many accounts the list shows at once, maxRobotPages how far it is walked.
const (
	robotsPerPage = 50
	maxRobotPages = 20_000
)

// ifRobots returns the address for whoever may change robot accounts and groups, and none for others.
func (c *call) ifRobots(path string) string {
	if c.actor.Has(access.RobotsManage) {
		return path
	}
	return ""
}

// robotList answers /robots: the list and its search (ui.md §4.8).
func (s *Server) robotList(c *call) error {
	text, page := robotSearch(oneQuery(c, "q")), 1
	if n, err := strconv.Atoi(oneQuery(c, "page")); err == nil && n > 1 {
		page = min(n, maxRobotPages)
	}
	found, err := s.Identity.Robots(c.ctx(), c.actor, identity.RobotQuery{
		Organisation: c.actor.Organisation, Search: text, Skip: (page - 1) * robotsPerPage, Limit: robotsPerPage,
	})
	if err != nil {
		return err
	}
	rows, err := c.robotRows(found.Robots...)
	if err != nil {
		return err
	}
	results := templates.RobotResults{
		Query: text, ClearHref: robotsPath, Rows: rows, Pager: robotPager(text, page, found), NewHref: c.ifRobots(newRobotPath),
		Now: s.DB.Now(),
	}
	if len(rows) == 0 && results.NewHref == "" {
		results.Ask = names(c.holders(access.RobotsManage))
	}
	if c.fragment() == "results" {
		return c.render(http.StatusOK, templates.RobotResultsSection(results))
	}
	return c.render(http.StatusOK, templates.RobotsPage(templates.RobotsList{
		Frame: c.frame("robots"), NewHref: results.NewHref, Query: text, Max: maxSearchTerm, Results: results,
	}))
}

// robotSearch is a search that both databases can be asked.
func robotSearch(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\x00", ""))
	if letters := []rune(text); len(letters) > maxSearchTerm {
		text = string(letters[:maxSearchTerm])
	}
	return text
}

func robotPager(text string, page int, found identity.RobotPage) templates.Pager {
	href := func(page int) string {
		q := url.Values{"page": {strconv.Itoa(page)}}
		if text != "" {
			q.Set("q", text)
		}
		return robotsPath + "?" + q.Encode()
	}
	first := (page-1)*robotsPerPage + 1
	p := templates.Pager{First: first, Last: first + len(found.Robots) - 1, Total: found.Total}
	if p.Last < p.Total {
		p.NextHref = href(page + 1)
	}
	if page > 1 {
		p.PrevHref = href(page - 1)
	}
	return p
}

// robotRows are accounts with what other rooms know of them: effective rights and the last sign-in.
func (c *call) robotRows(robots ...identity.Robot) ([]templates.RobotRow, error) {
	ids := make([]identity.RobotID, len(robots))
	for i, r := range robots {
		ids[i] = r.ID
	}
	used, err := c.s.Registry.RobotUse(c.ctx(), c.actor, ids...)
	if err != nil {
		return nil, err
	}
	rights, err := c.s.Identity.RightsOfRobots(c.ctx(), c.actor, c.actor.Organisation, ids...)
	if err != nil {
		return nil, err
	}
	rows := make([]templates.RobotRow, 0, len(robots))
	for _, r := range robots {
		row := templates.RobotRow{
			Href: robotPath(r.ID), Name: r.Name, DisplayName: r.DisplayName, State: robotState(r.RobotAccount, c.s.DB.Now()),
			Rights: rightNames(rights[r.ID]), LastUsedAt: used[r.ID], ExpiresAt: r.ExpiresAt,
		}
		for _, g := range r.Groups {
			row.Groups = append(row.Groups, g.Name)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// robotState is the list's word for the state of an account.
func robotState(r identity.RobotAccount, now time.Time) string {
	switch {
	case r.Live(now):
		return "active"
	case r.Status == identity.Active:
		return "expired"
	default:
		return "inactive"
	}
}

func rightNames(set access.Set) []string {
	var list []string
	for _, right := range set.Rights() {
		list = append(list, string(right))
	}
	return list
}

// robot reads the account that the address names.
func (c *call) robot() (identity.Robot, error) {
	id, ok := identity.ParseRobotID(c.Param("robot"))
	if !ok {
		return identity.Robot{}, problem.New(problem.NotFound, "problem.not_found")
	}
	return c.s.Identity.Robot(c.ctx(), c.actor, c.actor.Organisation, id)
}

// robotDetail answers /robots/{id}.
func (s *Server) robotDetail(c *call) error {
	robot, err := c.robot()
	if err != nil {
		return err
	}
	rows, err := c.robotRows(robot)
	if err != nil {
		return err
	}
	grants, err := s.Identity.RobotGrants(c.ctx(), c.actor, robot.Organisation, robot.ID)
	if err != nil {
		return err
	}
	events, err := c.robotEvents("robot", string(robot.ID))
	if err != nil {
		return err
	}
	view := templates.RobotDetail{
		Frame: c.frame("robots"), Row: rows[0], ID: string(robot.ID), Kind: string(robot.Kind), CreatedAt: robot.CreatedAt,
		Now: s.DB.Now(), Grants: c.grants(grants), Events: events, ActsForApps: robot.Kind != identity.KindRobot,
		EditHref: c.ifRobots(editRobotPath(robot.ID)), ExtendHref: c.ifRobots(extendRobotPath(robot.ID)),
		DeleteHref: c.ifRobots(deleteRobotPath(robot.ID)),
	}
	if robot.Status == identity.Active {
		view.OffHref = c.ifRobots(deactivateRobotPath(robot.ID))
	} else {
		view.ActivateHref = c.ifRobots(activateRobotPath(robot.ID))
	}
	if view.ActsForApps && c.actor.Has(access.AppsView) {
		view.AppsHref = appsPath + "?" + url.Values{"q": {`user:"` + strings.ReplaceAll(robot.DisplayName, `"`, " ") + `"`}}.Encode()
	}
	for _, g := range robot.Groups {
		view.Groups = append(view.Groups, templates.NamedLink{Name: g.Name, Href: groupPath(g.ID)})
	}
	return c.render(http.StatusOK, templates.RobotPage(view))
}

func (c *call) grants(grants []identity.Grant) []templates.RightGrant {
	var list []templates.RightGrant
	for _, g := range grants {
		view := templates.RightGrant{Right: string(g.Right)}
		for _, from := range g.Sources {
			source := templates.GrantSource{Role: from.Role, Group: from.GroupName}
			if from.Group != "" {
				source.GroupHref = groupPath(from.Group)
			}
			view.Sources = append(view.Sources, source)
		}
		list = append(list, view)
	}
	return list
}

// robotActs are the acts that the history has sentences for.
var robotActs = []string{
	"robot.create", "robot.change", "robot.expiry", "robot.activate", "robot.deactivate", "robot.delete",
	"group.create", "group.change", "group.delete",
}

// robotEvents are the newest entries of the trail about an account or a group. Who may see it may see these.
func (c *call) robotEvents(kind, id string) ([]templates.RobotEvent, error) {
	page, err := c.s.Trail.Events(c.ctx(), audit.Query{Chain: c.actor.Organisation, TargetKind: kind, TargetID: id, Limit: 25})
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	var list []templates.RobotEvent
	for _, e := range page.Events {
		if !slices.Contains(robotActs, e.Action) {
			continue
		}
		list = append(list, templates.RobotEvent{
			Act: strings.ReplaceAll(e.Action, ".", "_"), Result: string(e.Result), Who: c.robotAuthor(known, e), At: e.At,
			Before: c.eventText(e.Before), After: c.eventText(e.After),
		})
	}
	return list, nil
}

func (c *call) robotAuthor(known map[string]string, e audit.Event) string {
	if name := c.catalogueAuthor(known, e); name != "" {
		return name
	}
	return e.ActorID
}

// eventText writes the fields of an event on one line. Members stand there by their number: who they are is on the page.
func (c *call) eventText(fields map[string]any) string {
	keys := make([]string, 0, len(fields))
	for key := range fields {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	var parts []string
	for _, key := range keys {
		value := fmt.Sprint(fields[key])
		switch v := fields[key].(type) {
		case nil:
			value = c.t("robots.never_expires")
		case []any:
			value = listText(c, key, v)
		case string:
			if at, err := time.Parse(time.RFC3339, v); err == nil {
				value = i18n.Time(c.ctx(), at)
			}
		}
		if value != "" {
			parts = append(parts, c.t("robots.event_value", "Field", c.t("robots.event_field."+key), "Value", value))
		}
	}
	return strings.Join(parts, "; ")
}

func listText(c *call, key string, list []any) string {
	if key == "people" || key == "robots" {
		if len(list) == 0 {
			return ""
		}
		return strconv.Itoa(len(list))
	}
	words := make([]string, len(list))
	for i, one := range list {
		words[i] = fmt.Sprint(one)
	}
	return i18n.List(c.ctx(), words)
}
