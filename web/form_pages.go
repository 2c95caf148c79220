package web

import "strings"

// formPage is the page of a form: the path of its route, and whether it reads what was typed before a session ended.
type formPage struct {
	path  string
	keeps bool
}

// formPages are the pages of forms, by the path of the route that these are posted to. A form that is not listed is on
// the page at its own path, which keeps nothing: it asks yes or no, or for a secret.
func formPages() map[string]formPage {
	return map[string]formPage{
		appsPath:                  {newAppPath, true},
		newAppPath:                {newAppPath, true},
		"/apps/:id/edit":          {"/apps/:id/edit", true},
		"/apps/:id/secrets/new":   {"/apps/:id/secrets/new", true},
		"/apps/:id/hand-offs/new": {"/apps/:id/hand-offs/new", true},
		"/apps/:id/test":          {"/apps/:id/test", true},
		bulkPath:                  {bulkPath, true},
		startBulkPath:             {bulkPath, true},
		viewsPath:                 {viewsPath + "/new", true},
		viewsPath + "/:view":      {viewsPath + "/:view", true},
		"/jobs/:job/cancel":       {"/jobs/:job", false},
		addAPIPath:                {addAPIPath, true},
		importAPIPath:             {importAPIPath, true},
		"/catalogue/:api/edit":    {"/catalogue/:api/edit", true},
		"/catalogue/:api/map":     {"/catalogue/:api/map", true},
		robotsPath:                {robotsPath + "/new", true},
		"/robots/:robot/edit":     {"/robots/:robot/edit", true},
		groupsPath:                {groupsPath + "/new", true},
		"/groups/:group/edit":     {"/groups/:group/edit", true},
		"/groups/:group/members":  {"/groups/:group", false},
	}
}

// formPage returns the path of the page of a form that is posted to a path of this route, and whether that page keeps
// what was typed.
func (r route) formPage(path string) (page string, keeps bool) {
	to, ok := formPages()[r.path]
	if !ok {
		return path, false
	}
	given, parts := strings.Split(path, "/"), strings.Split(to.path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i] = given[i]
		}
	}
	return strings.Join(parts, "/"), to.keeps
}
