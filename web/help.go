package web

import (
	"net/http"
	"strings"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/templates"
)

func (s *Server) helpIndex(c *call) error {
	return c.render(http.StatusOK, templates.HelpIndexPage(templates.HelpIndex{Frame: c.frame("")}))
}

// help is the page of a task (ui.md §4.13).
func (s *Server) help(c *call) error {
	task := c.Param("task")
	if !templates.IsHelpTask(task) {
		return problem.New(problem.NotFound, "problem.not_found")
	}
	return c.render(http.StatusOK, templates.HelpPage(templates.Help{Frame: c.frame(""), Task: task, TokenURL: s.PublicURL + tokenPath}))
}

// helpOf returns the task that a route belongs to, by the route's name; "" for the index. A form and its answers have the
// same.
func helpOf(route string) string {
	route = strings.TrimSuffix(strings.TrimSuffix(route, ".form"), ".redraw")
	switch route {
	case "app.list", "app.find":
		return "search"
	case "app.register":
		return "register"
	case "app.edit":
		return "edit"
	case "app.unused":
		return "unused"
	case "app.rotate", "app.retire":
		return "rotate"
	case "app.pasted":
		return "leaked"
	case "app.restore", "app.extend":
		return "restore"
	case "app.activate", "app.deactivate", "app.delete":
		return "off"
	case "app.history":
		return "history"
	case "app.rejections", "app.rejected", "app.unknown", "app.test":
		return "failures"
	case "support.lookup":
		return "lookup"
	case "contact.verify", "app.contacts", "app.mail":
		return "notices"
	}
	for prefix, task := range map[string]string{
		"robot.": "robots", "group.": "groups", "catalogue.": "catalogue", "api.": "api", "app.bulk": "bulk", "app.view": "views", "app.hand_off": "handover", "hand_off.": "handover", "scope.": "scopes",
	} {
		if strings.HasPrefix(route, prefix) {
			return task
		}
	}
	return ""
}
