package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// home is where one lands after signing in. Whoever holds no right at all is told which rights there are and whom to
// ask (ui.md §4.10).
func (s *Server) home(c *call) error {
	if len(c.actor.Rights) == 0 {
		return c.render(http.StatusOK, templates.ForbiddenPage(templates.Forbidden{
			Frame: c.frame("home"), Nothing: true, Holders: c.granters(),
			Rights: []string{string(access.AppsView), string(access.AppsManage)},
		}))
	}
	page := templates.Home{Frame: c.frame("home"), Name: c.actor.Name, Scopes: scopesPath, Create: c.ifManager(newAppPath)}
	if c.actor.Has(access.SupportLookup) {
		page.Lookup = &templates.HomeLookup{Action: lookupPath, MinName: minLookupName}
	}
	if c.actor.Has(access.AppsView) {
		if err := c.homeOfApps(&page); err != nil {
			return err
		}
	}
	return c.render(http.StatusOK, templates.HomePage(page))
}

// homeRecent is how many changes the home page tells of (ui.md §4.12).
const homeRecent = 8

// homeOfApps fills in what the home page says of the organisation's apps.
func (c *call) homeOfApps(page *templates.Home) error {
	counts, err := c.s.Registry.Counts(c.ctx(), c.actor)
	if err != nil {
		return err
	}
	attention, err := c.s.Registry.Attention(c.ctx(), c.actor)
	if err != nil {
		return err
	}
	recent, err := c.s.Registry.Recent(c.ctx(), c.actor, homeRecent)
	if err != nil {
		return err
	}
	page.Find, page.Checked = findPath, c.s.DB.Now()
	page.Counts, page.Attention = homeCounts(counts), homeAttention(counts, attention)
	if !counts.Called && page.Lookup == nil { // the platform's own apps ask about tokens and get none
		page.Steps = homeSteps(page.Create, counts)
	}
	for _, e := range recent {
		page.Recent = append(page.Recent, templates.HomeEvent{AppEvent: c.event(e.HistoryEvent, ""), Href: historyPath(e.App)})
	}
	return nil
}

// homeLists says where the numbers of the home page lead: to searches that find exactly the apps that were counted.
var homeLists = map[string]string{
	"active":   "status:active",
	"inactive": "status:inactive",
	"two":      "status:active secret:two",
	"expired":  "status:active secret:expired,none",
	"expiring": "status:active secret:expiring",
	"unused":   "status:active used:>90d created:>90d",
}

func homeList(code string) string {
	return appsPath + "?" + url.Values{"q": {homeLists[code]}}.Encode()
}

// homeCounts are the numbers, without those that say nothing in an organisation that has no apps.
func homeCounts(counts registry.Counts) []templates.HomeCount {
	if counts.Active+counts.Inactive == 0 {
		return nil
	}
	var list []templates.HomeCount
	for _, count := range []struct {
		code string
		n    int
	}{{"active", counts.Active}, {"inactive", counts.Inactive}, {"two", counts.TwoSecrets}, {"unused", counts.Unused}} {
		n, more := capped(count.n)
		list = append(list, templates.HomeCount{Code: count.code, N: n, More: more, Href: homeList(count.code)})
	}
	return list
}

// capped takes a number that was counted up to the cap and one more.
func capped(n int) (number int, more bool) { return min(n, registry.TotalCap), n > registry.TotalCap }

// homeSteps are the first steps of an organisation none of whose apps has got a token yet, for whoever may take them.
func homeSteps(create string, counts registry.Counts) *templates.HomeSteps {
	if create == "" {
		return nil
	}
	steps := &templates.HomeSteps{Register: create, Registered: counts.Active+counts.Inactive > 0}
	if steps.Registered {
		steps.Copied, steps.Copy = counts.NoSecret < counts.Active, appsPath
	}
	return steps
}

func (s *Server) notFound(*call) error { return problem.New(problem.NotFound, "problem.not_found") }

// granters are the people who can grant rights in the organisation of whoever asks.
func (c *call) granters() []templates.Holder {
	people := c.holders(access.RolesManage)
	list := make([]templates.Holder, len(people))
	for i, p := range people {
		list[i] = templates.Holder{Name: p.Name(), Email: p.Email}
	}
	return list
}

// answerPage shows an error as a page, or as the part of a page that the script asked for.
func (s *Server) answerPage(ec echo.Context, f fault) error {
	c, ok := ec.Get(callKey).(*call)
	if !ok {
		c = s.strangersCall(ec)
	}
	c.Context, c.failing = ec, true
	if f.err.Code == problem.Forbidden {
		if right, ok := f.err.Args["Right"].(string); ok && c.signedIn() {
			return c.render(f.status, templates.ForbiddenPage(templates.Forbidden{
				Frame: c.frame(""), Rights: []string{right}, Holders: c.granters(),
			}))
		}
	}
	page := templates.Failure{Frame: c.frame(""), Status: f.status}
	if text := c.t(f.err.Key, pairs(f.err.Args)...); specific(f.err) {
		page.Text = text
	}
	if f.status >= http.StatusInternalServerError {
		page.Reference = requestID(ec)
		if safeMethod(ec.Request().Method) {
			page.Retry = ec.Request().URL.RequestURI()
		}
	}
	return c.render(f.status, templates.FailurePage(page))
}

// specific reports whether a problem says more than its status.
func specific(p *problem.Error) bool {
	switch p.Key {
	case "problem.internal", "problem.unavailable", "problem.not_found", "problem.invalid", "":
		return false
	default:
		return true
	}
}
