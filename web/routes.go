package web

import (
	"net/http"
	"slices"

	"credenza.example/credenza/internal/access"
)

// who says who may call a route: everybody, whoever is signed in, holders of a right, or, of programs, a client that
// authenticates itself or a live access token. The zero value is refused when the server is made, so that no route is
// open by oversight (C52).
type who struct {
	kind  whoKind
	right access.Right
	or    access.Right // of a holder: another right that will do, "" for none
}

type whoKind int

const (
	undeclared whoKind = iota
	anybody
	signedIn
	holder
	client // of the OAuth endpoints: who it is stands in the request (RFC 6749 §2.3), package oauth asks
	token  // a live access token of this issuer
)

var (
	public = who{kind: anybody}
	member = who{kind: signedIn}
)

func needs(right access.Right) who { return who{kind: holder, right: right} }

// lets reports whether somebody holds what a route for holders takes.
func (w who) lets(actor access.Actor) bool {
	return actor.Has(w.right) || w.or != "" && actor.Has(w.or)
}

// route is one line of the table of pages. Name is the route's name in logs and metrics and, for refused attempts, the
// act in the audit trail.
type route struct {
	method  string
	path    string
	name    string
	who     who
	handler func(s *Server, c *call) error
}

// pages is the whole portal. Each GET answers HEAD too.
func pages() []route { return slices.Concat(appPages(), cataloguePages(), robotPages()) }

// appPages are the pages of people and of apps.
func appPages() []route {
	view, manage := needs(access.AppsView), needs(access.AppsManage)
	support := needs(access.SupportLookup)
	return []route{
		{http.MethodGet, "/", "home", member, (*Server).home},
		{http.MethodGet, "/help", "help", public, (*Server).helpIndex},
		{http.MethodGet, "/help/:task", "help.task", public, (*Server).help},
		{http.MethodGet, "/signin", "signin.form", public, (*Server).signInForm},
		{http.MethodPost, "/signin", "signin", public, (*Server).signIn},
		{http.MethodPost, "/signout", "signout", public, (*Server).signOut},
		{http.MethodGet, handOffPath, "hand_off.show", public, (*Server).offered},
		{http.MethodPost, handOffPath, "hand_off.use", public, (*Server).spendHandOff},
		{http.MethodGet, handOffPath + "/done", "hand_off.done", public, (*Server).handOffDone},
		{http.MethodGet, "/people/accept", "people.accept.form", public, (*Server).acceptForm},
		{http.MethodPost, "/people/accept", "people.accept", public, (*Server).accept},

		{http.MethodGet, "/find", "app.find", view, (*Server).find},
		{http.MethodGet, "/lookup", "support.lookup.form", support, (*Server).lookupForm},
		{http.MethodPost, "/lookup", "support.lookup", support, (*Server).lookup},

		{http.MethodGet, "/contact/verify", "contact.verify.form", public, (*Server).contactForm},
		{http.MethodPost, "/contact/verify", "contact.verify", public, (*Server).contactAnswer},
		{http.MethodGet, "/apps", "app.list", view, (*Server).appsGrid},
		{http.MethodGet, unusedPath, "app.unused", view, (*Server).unusedApps},
		{http.MethodGet, contactsPath, "app.contacts", view, (*Server).staleContacts},
		{http.MethodGet, rejectedPath, "app.rejected", view, (*Server).rejectedToday},
		{http.MethodGet, "/apps/new", "app.register.form", manage, (*Server).registerForm},
		{http.MethodPost, "/apps/new", "app.register.redraw", manage, (*Server).registerRedraw},
		{http.MethodPost, "/apps", "app.register", manage, (*Server).register},
		{http.MethodGet, "/apps/bulk", "app.bulk.form", manage, (*Server).bulkAgain},
		{http.MethodPost, "/apps/bulk", "app.bulk.ask", manage, (*Server).askBulk},
		{http.MethodPost, "/apps/bulk/start", "app.bulk", manage, (*Server).startBulk},
		{http.MethodGet, "/jobs/:job", "app.bulk.show", manage, (*Server).jobPage},
		{http.MethodPost, "/jobs/:job/cancel", "app.bulk.cancel", manage, (*Server).cancelJob},
		{http.MethodGet, "/apps/pasted", "app.pasted.form", manage, (*Server).pastedForm},
		{http.MethodPost, "/apps/pasted", "app.pasted", manage, (*Server).pasted},
		{http.MethodGet, "/apps/views", "app.view.list", view, (*Server).viewsPage},
		{http.MethodGet, "/apps/views/new", "app.view.save.form", view, (*Server).saveViewForm},
		{http.MethodPost, "/apps/views", "app.view.save", view, (*Server).saveView},
		{http.MethodGet, "/apps/views/:view", "app.view.edit.form", view, (*Server).editViewForm},
		{http.MethodPost, "/apps/views/:view", "app.view.edit", view, (*Server).editView},
		{http.MethodGet, "/apps/views/:view/delete", "app.view.delete.form", view, (*Server).deleteViewForm},
		{http.MethodPost, "/apps/views/:view/delete", "app.view.delete", view, (*Server).deleteView},
		{http.MethodGet, "/apps/unknown", "app.unknown", view, (*Server).unknownClients},
		{http.MethodGet, "/apps/:id", "app.show", view, (*Server).appDetail},
		{http.MethodGet, "/apps/:id/edit", "app.edit.form", manage, (*Server).editForm},
		{http.MethodPost, "/apps/:id/edit", "app.edit", manage, (*Server).edit},
		{http.MethodGet, "/apps/:id/secrets/new", "app.rotate.form", manage, (*Server).rotateForm},
		{http.MethodPost, "/apps/:id/secrets/new", "app.rotate", manage, (*Server).rotate},
		{http.MethodGet, "/apps/:id/secrets/:sid/retire", "app.retire.form", manage, (*Server).retireForm},
		{http.MethodPost, "/apps/:id/secrets/:sid/retire", "app.retire", manage, (*Server).retire},
		{http.MethodGet, "/apps/:id/secrets/:sid/restore", "app.restore.form", manage, (*Server).restoreForm},
		{http.MethodPost, "/apps/:id/secrets/:sid/restore", "app.restore", manage, (*Server).restore},
		{http.MethodGet, "/apps/:id/secrets/:sid/extend", "app.extend.form", manage, (*Server).extendForm},
		{http.MethodPost, "/apps/:id/secrets/:sid/extend", "app.extend", manage, (*Server).extend},
		{http.MethodGet, "/apps/:id/hand-offs/new", "app.hand_off.form", manage, (*Server).handOffForm},
		{http.MethodPost, "/apps/:id/hand-offs/new", "app.hand_off", manage, (*Server).giveHandOff},
		{http.MethodGet, "/apps/:id/hand-offs/:hid/withdraw", "app.hand_off_withdraw.form", manage, (*Server).withdrawForm},
		{http.MethodPost, "/apps/:id/hand-offs/:hid/withdraw", "app.hand_off_withdraw", manage, (*Server).withdraw},
		{http.MethodGet, "/apps/:id/activate", "app.activate.form", manage, (*Server).activateForm},
		{http.MethodPost, "/apps/:id/activate", "app.activate", manage, (*Server).activate},
		{http.MethodGet, "/apps/:id/deactivate", "app.deactivate.form", manage, (*Server).deactivateForm},
		{http.MethodPost, "/apps/:id/deactivate", "app.deactivate", manage, (*Server).deactivate},
		{http.MethodGet, "/apps/:id/delete", "app.delete.form", manage, (*Server).deleteForm},
		{http.MethodPost, "/apps/:id/delete", "app.delete", manage, (*Server).deleteApp},
		{http.MethodGet, "/apps/:id/mail", "app.mail", view, (*Server).writePage},
		{http.MethodGet, "/apps/:id/history", "app.history", view, (*Server).appHistory},
		{http.MethodGet, "/apps/:id/rejections", "app.rejections", view, (*Server).appRejections},
		{http.MethodGet, "/apps/:id/test", "app.test.form", view, (*Server).testForm},
		{http.MethodPost, "/apps/:id/test", "app.test", view, (*Server).testApp},
	}
}

// cataloguePages are the pages of APIs and scopes.
func cataloguePages() []route {
	manage, keeper := needs(access.AppsManage), who{kind: holder, right: access.CatalogueManage, or: access.AppsManage}
	return []route{
		{http.MethodGet, "/catalogue", "catalogue.list", keeper, (*Server).cataloguePage},
		{http.MethodGet, addAPIPath, "catalogue.api.form", keeper, (*Server).addAPIForm},
		{http.MethodPost, addAPIPath, "catalogue.api", keeper, (*Server).addAPI},
		{http.MethodGet, importAPIPath, "catalogue.import.form", keeper, (*Server).importAPIForm},
		{http.MethodPost, importAPIPath, "catalogue.import", keeper, (*Server).importAPI},
		{http.MethodGet, "/catalogue/:api", "catalogue.show", keeper, (*Server).catalogueAPI},
		{http.MethodGet, "/catalogue/:api/edit", "catalogue.api_edit.form", keeper, (*Server).editAPIForm},
		{http.MethodPost, "/catalogue/:api/edit", "catalogue.api_edit", keeper, (*Server).editAPI},
		{http.MethodGet, "/catalogue/:api/remove", "catalogue.api_remove.form", keeper, (*Server).removeAPIForm},
		{http.MethodPost, "/catalogue/:api/remove", "catalogue.api_remove", keeper, (*Server).removeAPI},
		{http.MethodGet, "/catalogue/:api/history", "catalogue.history", keeper, (*Server).apiHistory},
		{http.MethodGet, "/catalogue/:api/map", "catalogue.map.form", keeper, (*Server).mapForm},
		{http.MethodPost, "/catalogue/:api/map", "catalogue.map", keeper, (*Server).mapCall},
		{http.MethodGet, "/catalogue/:api/unmap", "catalogue.unmap.form", keeper, (*Server).unmapForm},
		{http.MethodPost, "/catalogue/:api/unmap", "catalogue.unmap", keeper, (*Server).unmapCall},

		{http.MethodGet, apiPagePath, "api.page", needs(access.DocsView), (*Server).apiPage},
		{http.MethodGet, "/scopes", "scope.list", member, (*Server).scopesPage},
		{http.MethodGet, "/scopes/add", "scope.add", manage, (*Server).addScopes},
		{http.MethodGet, "/scopes/:name", "scope.show", member, (*Server).scopeDetail},
	}
}

// robotPages are the pages of robot accounts and groups.
func robotPages() []route {
	view, manage := needs(access.RobotsView), needs(access.RobotsManage)
	return []route{
		{http.MethodGet, robotsPath, "robot.list", view, (*Server).robotList},
		{http.MethodGet, newRobotPath, "robot.create.form", manage, (*Server).newRobotForm},
		{http.MethodPost, robotsPath, "robot.create", manage, (*Server).createRobot},
		{http.MethodGet, "/robots/:robot", "robot.show", view, (*Server).robotDetail},
		{http.MethodGet, "/robots/:robot/edit", "robot.change.form", manage, (*Server).editRobotForm},
		{http.MethodPost, "/robots/:robot/edit", "robot.change", manage, (*Server).editRobot},
		{http.MethodGet, "/robots/:robot/extend", "robot.expiry.form", manage, (*Server).extendRobotForm},
		{http.MethodPost, "/robots/:robot/extend", "robot.expiry", manage, (*Server).extendRobot},
		{http.MethodGet, "/robots/:robot/activate", "robot.activate.form", manage, (*Server).activateRobotForm},
		{http.MethodPost, "/robots/:robot/activate", "robot.activate", manage, (*Server).activateRobot},
		{http.MethodGet, "/robots/:robot/deactivate", "robot.deactivate.form", manage, (*Server).deactivateRobotForm},
		{http.MethodPost, "/robots/:robot/deactivate", "robot.deactivate", manage, (*Server).deactivateRobot},
		{http.MethodGet, "/robots/:robot/delete", "robot.delete.form", manage, (*Server).deleteRobotForm},
		{http.MethodPost, "/robots/:robot/delete", "robot.delete", manage, (*Server).deleteRobot},
		{http.MethodGet, groupsPath, "group.list", view, (*Server).groupList},
		{http.MethodGet, newGroupPath, "group.create.form", manage, (*Server).newGroupForm},
		{http.MethodPost, groupsPath, "group.create", manage, (*Server).createGroup},
		{http.MethodGet, "/groups/:group", "group.show", view, (*Server).groupDetail},
		{http.MethodPost, "/groups/:group/members", "group.change.members", manage, (*Server).changeMembers},
		{http.MethodGet, "/groups/:group/edit", "group.change.form", manage, (*Server).editGroupForm},
		{http.MethodPost, "/groups/:group/edit", "group.change", manage, (*Server).editGroup},
		{http.MethodGet, "/groups/:group/delete", "group.delete.form", manage, (*Server).deleteGroupForm},
		{http.MethodPost, "/groups/:group/delete", "group.delete", manage, (*Server).deleteGroup},
	}
}
